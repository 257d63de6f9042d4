package transaction

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite the dialogues in testdata")

// TestDialogues runs the files of testdata. A file is lines of input, each
// followed by what the machine did, indented; time starts at 0:
//
//	machine invite-client udp     a new machine, on udp or tcp
//	start | again | ack | abandon | broken
//	answer 180
//	until 32s                     lets time pass, tick by tick
func TestDialogues(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("testdata/*.txt: %d files, %v", len(files), err)
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			got := dialogue(t, string(want))
			if *update {
				if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != string(want) {
				t.Errorf("%s differs; with -update it would be:\n%s", name, got)
			}
		})
	}
}

func dialogue(t *testing.T, text string) string {
	t.Helper()
	var b strings.Builder
	var m Machine
	now := epoch
	say := func(effects []Effect) {
		for _, e := range effects {
			word := [...]string{"send", "deliver", "expired", "done"}[e.Do]
			fmt.Fprintf(&b, "  %7.3f %s", now.Sub(epoch).Seconds(), word)
			if e.Do == Send {
				fmt.Fprintf(&b, " %s", e.Bytes)
			}
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "  %7.3f %s\n", now.Sub(epoch).Seconds(), m.State())
	}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, " ") {
			continue // an earlier answer
		}
		b.WriteString(line + "\n")
		f := strings.Fields(line)
		if len(f) == 0 || f[0] == "#" {
			continue
		}
		switch f[0] {
		case "machine":
			for k := InviteServer; k <= Client; k++ {
				if k.String() == f[1] {
					m = NewMachine(k, f[2] == "tcp")
				}
			}
			now = epoch
		case "start":
			say(m.Handle(now, Event{What: Start, Bytes: []byte("request")}))
		case "answer":
			code, err := strconv.Atoi(f[1])
			if err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			bytes := f[1]
			if k := m.Kind(); k == InviteClient || k == Client {
				bytes = "ACK"
			}
			say(m.Handle(now, Event{What: Answer, Status: code, Bytes: []byte(bytes)}))
		case "again", "ack", "abandon", "broken":
			what := map[string]What{"again": Again, "ack": Ack, "abandon": Abandon, "broken": Broken}[f[0]]
			say(m.Handle(now, Event{What: what}))
		case "until":
			d, err := time.ParseDuration(f[1])
			if err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			for next := m.Deadline(); !next.IsZero() && !next.After(epoch.Add(d)); next = m.Deadline() {
				now = next
				say(m.Handle(now, Event{What: Tick}))
			}
			now = epoch.Add(d)
		default:
			t.Fatalf("unknown line %q", line)
		}
	}
	return b.String()
}
