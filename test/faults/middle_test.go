//go:build faults

package faults

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"ozswitch/media/mediatest"
	"ozswitch/ozml/trace"
	"ozswitch/switch/phone"
)

// Where the two commands stand in middleScript.
const goToAt, inputAt = "5:3", "7:3"

// middleScript asks a faulty app twice in the middle of a good call, and
// reports its recording to an app that fails at the first try.
func middleScript(faulty, flaky string) string {
	return `<?xml version="1.0"?>
<Response>
  <Record Format="wav" Duration="1" FinishedUrl="` + flaky + `"/>
  <Play>one.wav</Play>
  <GoTo>` + faulty + `</GoTo>
  <Play>two.wav</Play>
  <UserInput Timeout="60" ForwardToUrl="` + faulty + `">
    <InitialCommands><Play>three.wav</Play></InitialCommands>
  </UserInput>
  <Play>four.wav</Play>
  <Hangup/>
</Response>`
}

// TestFaultsInTheMiddle: a GoTo, a DtmfEntered and a RecordCompleted to an app
// that fails cost the caller nothing but the wait: the script goes on after the
// command, the app's author is told, and the report is repeated until it is
// taken (decisions 2 and 8).
func TestFaultsInTheMiddle(t *testing.T) {
	w := newWeb(t)
	late := fmt.Sprintf("127.0.0.1:%d", freePort(t)) // who was down when the report came first
	flaky := func(i int) string {
		if faults[i].serve == nil {
			return fmt.Sprintf("http://%s/%d", late, i)
		}
		return fmt.Sprintf("%s/%d", w.flaky.URL, i)
	}
	var ext strings.Builder
	for i := range faults {
		path := fmt.Sprintf("/middle/%d", i)
		w.scripts[path] = middleScript(w.base(i), flaky(i))
		fmt.Fprintf(&ext, "  - {number: \"%d\", type: api, url: \"%s%s\", error_url: \"%[2]s/error\"}\n", 8000+i, w.good.URL, path)
	}
	n := serve(t, ext.String())
	words := []string{"one", "two", "three", "four"}
	for _, word := range words {
		n.prompt(t, word+".wav", word)
	}
	p := newPhone(t)
	calls := map[string]*caller{}
	for i := range faults {
		from := fmt.Sprint(2000 + i)
		calls[from] = place(t, p, n, from, fmt.Sprint(8000+i), phone.Options{})
	}
	// Each presses a key when it has heard the third prompt.
	waiting := maps.Clone(calls)
	eventually(t, "all have heard what stands before the UserInput's key", func() bool {
		for from, l := range n.logs(t) {
			if c := waiting[from]; c != nil && l.count(func(e trace.Event) bool { return e.Type == trace.CommandEnd && e.Name == "Play" }) == 3 {
				delete(waiting, from)
				if err := c.call.Press("5"); err != nil {
					t.Errorf("caller %s: %v", from, err)
				}
			}
		}
		return len(waiting) == 0
	})
	for _, c := range calls {
		c.wait(t)
	}
	listener, err := net.Listen("tcp", late)
	if err != nil {
		t.Fatal(err)
	}
	up := httptest.NewUnstartedServer(http.HandlerFunc(w.stumble))
	up.Listener.Close()
	up.Listener = listener
	up.Start()
	defer up.Close()

	var logs map[string]callLog
	taken := func(e trace.Event) bool { return e.Type == trace.NotifySent && e.Name == "RecordCompleted" }
	await(limit, func() bool {
		logs = n.logs(t)
		done := 0
		for _, l := range logs {
			done += l.count(taken)
		}
		return done >= len(faults)
	})
	await(limit/2, func() bool { // what is missing is told below, call by call
		told := 0
		for _, notes := range w.notes("/error") {
			told += len(notes)
		}
		return told >= 2*len(faults)
	})
	logs = n.ended(t, len(faults))

	table := []string{fmt.Sprintf("%-40s %-7s %-18s %-12s %s", "fault", "code", "GoTo, DtmfEntered", "report taken", "heard")}
	for i, f := range faults {
		from := fmt.Sprint(2000 + i)
		c, l := calls[from], logs[from]
		if err := checkMiddle(f, c, l, w, i, strings.Join(words, "")); err != nil {
			t.Errorf("%v: %v\nits log:\n%v", f, err, l)
			continue
		}
		sent, _ := l.find(taken)
		table = append(table, fmt.Sprintf("%-40s %-7s %-18s %-12s %s", f, f.code, "script went on", fmt.Sprintf("at try %d", sent.Count), mediatest.Text(c.Heard.PCM, rate)))
	}
	show(table)
	if v := n.metric(t, "ozswitch_panics_total"); v != 0 {
		t.Errorf("panics_total is %v", v)
	}
	n.close(t)
}

// checkMiddle checks a call whose app failed three times.
func checkMiddle(f fault, c *caller, l callLog, w *web, i int, words string) (err error) {
	fail := func(format string, a ...any) { err = errors.Join(err, fmt.Errorf(format, a...)) }
	if c.Heard == nil {
		return fmt.Errorf("nothing was heard: %v", c.Result)
	}
	// Prompts follow each other without a pause.
	if got := strings.ReplaceAll(mediatest.Text(c.Heard.PCM, rate), " ", ""); got != words {
		fail("heard %q, want %q", got, words)
	}
	if e := c.gapless(); e != nil {
		fail("%w", e)
	}
	if end, _ := l.find(func(e trace.Event) bool { return e.Type == trace.CallEnded }); c.Cause != phone.TheyHungUp || end.Reason != "script" {
		fail("the call ended: %v, in the log %q; want the script to hang up", c.Result, end.Reason)
	}

	// What the log says of the two asks.
	own := fmt.Sprintf("%s/middle/%d", w.good.URL, i)
	for name, at := range map[string]string{"GoTo": goToAt, "UserInput": inputAt} {
		e, ok := l.find(func(e trace.Event) bool {
			return (e.Type == trace.Error || e.Type == trace.CommandFail) && e.Name == name
		})
		if !ok || e.Code != f.code || e.Doc != own || where(e.Line, e.Col) != at || e.URL == "" {
			fail("the error event of %s is %+v; want code %s at %s:%s and a URL", name, e, f.code, own, at)
		}
	}
	refused := l.count(func(e trace.Event) bool {
		return e.Type == trace.ScriptRefused && e.Code == f.code && where(e.Line, e.Col) == f.place && e.Doc == w.base(i) && e.Hint != ""
	})
	if f.place != "" && refused != 2 {
		fail("%d events tell of %s in %s:%s, want 2", refused, f.code, w.base(i), f.place)
	}
	hinted := l.count(func(e trace.Event) bool {
		return (e.Type == trace.ScriptFetch || e.Type == trace.ScriptRefused) && e.Code == f.code && e.Hint != "" && strings.Contains(e.Text+e.Hint, f.says)
	})
	if hinted < 2 {
		fail("%d events say what to do about %s, want 2", hinted, f.code)
	}

	// What the app's author is told.
	told := w.notes("/error")[l.id()]
	if len(told) != 2 {
		fail("%d Error notifications came, want 2", len(told))
	}
	var places []string
	for _, e := range told {
		if e.Get("ErrorCode") != f.code || e.Get("Url") == "" || e.Get("ErrorMessage") == "" {
			fail("the Error notification is %v", e)
		}
		places = append(places, e.Get("Document")+":"+e.Get("Line")+":"+e.Get("Column"))
	}
	want := []string{own + ":" + goToAt, own + ":" + inputAt}
	if f.place != "" { // the fault's own place is nearer
		want = []string{w.base(i) + ":" + f.place, w.base(i) + ":" + f.place}
	}
	if slices.Sort(places); !slices.Equal(places, want) {
		fail("the Error notifications name %q, want %q", places, want)
	}

	// The report.
	tries := w.attempts(fmt.Sprintf("/%d", i))
	for _, n := range tries {
		if n.id == "" || n.id != tries[0].id || n.form.Encode() != tries[0].form.Encode() {
			fail("RecordCompleted is not the same in each try: %v", tries)
			break
		}
	}
	failed := l.count(func(e trace.Event) bool {
		return e.Type == trace.NotifyFail && e.Name == "RecordCompleted" && e.Code == f.code && e.Hint != "" && e.Reason == "retry"
	})
	sent, _ := l.find(func(e trace.Event) bool { return e.Type == trace.NotifySent && e.Name == "RecordCompleted" })
	switch {
	case f.plain && (failed != 0 || sent.Count != 1 || len(tries) != 1):
		fail("RecordCompleted was tried %d times and failed %d times; want it delivered at once", sent.Count, failed)
	case !f.plain && (failed == 0 || sent.Count != int64(failed)+1 || f.serve != nil && len(tries) != 2):
		fail("RecordCompleted was taken at try %d after %d failures, %d came; want it tried until it was taken", sent.Count, failed, len(tries))
	}
	return err
}
