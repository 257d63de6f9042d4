//go:build peers

package peers

import (
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// endings are the seed's call with each of the ways in which its recording can
// end. A recording is as long as want says, in seconds of sound.
var endings = []struct {
	number, query string
	arg           []string // of `ozswitch call`
	reason, digit string
	want          float64 // 0 = what the caller did
	script        bool    // the script hangs up, 60 s after Record
}{
	{number: "9001", arg: []string{"--press", "1@12s"}, reason: "digit", digit: "1", script: true},
	{number: "9002", reason: "hangup", want: 60, script: true},
	{number: "9003", arg: []string{"--hangup-after", "12s"}, reason: "hangup"},
	{number: "9004", query: "?Duration=8", reason: "duration", want: 8, script: true},
	{number: "9005", query: "?Inactivity=4", reason: "inactivity", want: 4, script: true},
}

// TestSeedEndings: the seed's example through PHP's own server, five calls at
// once: by key, by Hangup after 60 s, by the caller, by Duration, by Inactivity.
func TestSeedEndings(t *testing.T) {
	need(t, "php")
	page, err := filepath.Abs("testdata/seed.php")
	if err != nil {
		t.Fatal(err)
	}
	requests := filepath.Join(t.TempDir(), "requests.txt")
	base, _ := startApp(t, page, languages[0].command, "REQUEST_LOG="+requests)
	var more strings.Builder
	for _, e := range endings {
		fmt.Fprintf(&more, "  - {number: %q, type: api, url: %q}\n", e.number, base+e.query)
	}
	n := serve(t, base, more.String())

	var calls sync.WaitGroup
	for _, e := range endings {
		arg := append([]string{"call", e.number, "--server", n.sip}, e.arg...)
		calls.Go(func() {
			if out, err := exec.Command(program(t), arg...).CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", strings.Join(arg, " "), err, out)
			}
		})
	}
	calls.Wait()

	posted := map[string][]url.Values{} // RecordCompleted by extension
	eventually(t, "PHP got every RecordCompleted", func() bool {
		src, _ := os.ReadFile(requests)
		clear(posted)
		for line := range strings.Lines(string(src)) {
			if f, err := url.ParseQuery(strings.TrimSpace(line)); err == nil && f.Get("NotificationName") == "RecordCompleted" {
				posted[f.Get("ApiExtension")] = append(posted[f.Get("ApiExtension")], f)
			}
		}
		return len(posted) == len(endings)
	})
	n.close(t) // no more can come
	for _, e := range endings {
		if len(posted[e.number]) != 1 {
			t.Errorf("%s: RecordCompleted posted %d times, want once", e.number, len(posted[e.number]))
			continue
		}
		f := posted[e.number][0]
		if f.Get("Reason") != e.reason || f.Get("Digit") != e.digit || f.Get("Error") != "" {
			t.Errorf("%s: Reason %q, Digit %q, Error %q, want %q, %q and none", e.number, f.Get("Reason"), f.Get("Digit"), f.Get("Error"), e.reason, e.digit)
		}
		log := readLog(t, n, f.Get("CallId"))
		from, until := log.first("recording.started", ""), log.first("recording.ended", "")
		want := until.Sub(from).Seconds()
		if e.want > 0 {
			want = e.want
		}
		if got, _ := strconv.ParseFloat(f.Get("Duration"), 64); math.Abs(got-want) > 0.1 {
			t.Errorf("%s: the recording is %.3f s long, want %.3f", e.number, got, want)
		}
		end := log.first("command.started", "Hangup")
		if e.script == end.IsZero() {
			t.Errorf("%s: Hangup ran %v, want %v", e.number, !end.IsZero(), e.script)
		} else if e.script && math.Abs(end.Sub(from).Seconds()-60) > 0.5 {
			t.Errorf("%s: Hangup %.2f s after Record, want 60", e.number, end.Sub(from).Seconds())
		}
		t.Logf("%s: %s, %s s, Hangup ran: %v", e.number, f.Get("Reason"), f.Get("Duration"), e.script)
	}
	likePaper(t, n)
}

// A callLog is the event log of one call.
type callLog []struct {
	T                       time.Time
	Type, Name, Key, Reason string
	Line, Col               int
}

// first gives the time of the first event of that type and name ("" = any);
// zero when there is none.
func (l callLog) first(kind, name string) time.Time {
	for _, e := range l {
		if e.Type == kind && (name == "" || e.Name == name) {
			return e.T
		}
	}
	return time.Time{}
}

func readLog(t *testing.T, n *node, id string) (l callLog) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(n.data, "calls", "*", "*", id+".jsonl"))
	if err != nil || len(files) != 1 {
		t.Fatalf("event log of call %q: %q, %v", id, files, err)
	}
	src, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(src)) {
		l = append(l, callLog{{}}...)
		if err := json.Unmarshal([]byte(line), &l[len(l)-1]); err != nil {
			t.Fatalf("%s: %v", files[0], err)
		}
	}
	return l
}
