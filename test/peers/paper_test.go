//go:build peers

package peers

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// likePaper plays every call that the switch has logged again on paper and
// checks that the same happened in the same order. It prints by how much the
// times differ at most: the machine's speed is in them, so they decide nothing.
func likePaper(t *testing.T, n *node) {
	t.Helper()
	logs, err := filepath.Glob(filepath.Join(n.data, "calls", "*", "*", "*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, log := range logs {
		if strings.HasPrefix(filepath.Base(log), "_") { // events of no call
			continue
		}
		paper, err := onPaper(t, log)
		if err != nil {
			t.Errorf("%s: %v", log, err)
			continue
		}
		live := readLog(t, n, strings.TrimSuffix(filepath.Base(log), ".jsonl"))
		got, want := live.steps(), paper.steps()
		if !slices.EqualFunc(got, want, func(a, b step) bool { return a.what == b.what }) {
			t.Errorf("the live call\n%v\non paper\n%v", got, want)
			continue
		}
		var most time.Duration
		var where string
		for i := range got {
			if d := (got[i].at - want[i].at).Abs(); d >= most {
				most, where = d, got[i].what
			}
		}
		t.Logf("%s as on paper: %d steps, largest difference %v at %q", filepath.Base(log), len(got), most.Round(time.Millisecond), where)
	}
}

// onPaper gives the events of `ozswitch run --from-log`.
func onPaper(t *testing.T, log string) (l callLog, err error) {
	t.Helper()
	out := run(t, filepath.Dir(log), program(t), "run", "--quiet", "--json", "--from-log", log)
	for line := range strings.Lines(out) {
		l = append(l, callLog{{}}...)
		if err := json.Unmarshal([]byte(line), &l[len(l)-1]); err != nil {
			return nil, fmt.Errorf("run --json printed %q: %w", line, err)
		}
	}
	return l, nil
}

// A step is something that a transcript tells of.
type step struct {
	at   time.Duration // since the first command
	what string
}

// steps are what both calls must have alike.
func (l callLog) steps() (all []step) {
	start := l.first("command.started", "")
	for _, e := range l {
		switch e.Type {
		case "command.started", "key", "recording.started", "recording.ended", "input", "call.ended":
			what := strings.TrimSpace(fmt.Sprintf("%d:%d %s %s %s", e.Line, e.Col, e.Type, e.Name, e.Key))
			if e.Type == "call.ended" {
				what += " " + e.Reason
			}
			all = append(all, step{e.T.Sub(start), what})
		}
	}
	return all
}

// TestExamplesAsOnPaper calls every example in PHP with the keys of its
// caller.txt, and plays each call again on paper.
func TestExamplesAsOnPaper(t *testing.T) {
	need(t, "php")
	apps, err := filepath.Glob(examples + "/*/app.php")
	if err != nil || len(apps) == 0 {
		t.Fatalf("no examples in PHP (%v)", err)
	}
	var more strings.Builder
	args := map[string][]string{}
	for i, app := range apps {
		if _, err := os.Stat(filepath.Join(filepath.Dir(app), "caller.txt")); err != nil {
			continue // more than a caller takes part: see webapps_test.go
		}
		base, _ := startApp(t, app, languages[0].command)
		number := fmt.Sprint(9001 + i)
		fmt.Fprintf(&more, "  - {number: %q, type: api, url: %q}\n", number, base)
		args[number] = callerArgs(t, filepath.Join(filepath.Dir(app), "caller.txt"))
	}
	n := serve(t, "http://127.0.0.1:9/", more.String())
	var calls sync.WaitGroup
	for number, arg := range args {
		arg = append([]string{"call", number, "--server", n.sip}, arg...)
		calls.Go(func() {
			if out, err := exec.Command(program(t), arg...).CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", strings.Join(arg, " "), err, out)
			}
		})
	}
	calls.Wait()
	n.close(t)
	likePaper(t, n)
}

// callerArgs makes flags of `ozswitch call` of a scenario's keys and hang-up.
func callerArgs(t *testing.T, file string) (arg []string) {
	t.Helper()
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^at ([0-9.]+s) (press|hangup) ?(\S*)`).FindAllStringSubmatch(string(src), -1) {
		if m[2] == "hangup" {
			arg = append(arg, "--hangup-after", m[1])
		} else {
			arg = append(arg, "--press", m[3]+"@"+m[1])
		}
	}
	return append(arg, "--hangup-after", "100s")
}
