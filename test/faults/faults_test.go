//go:build faults

package faults

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ozswitch/media"
	"ozswitch/media/mediatest"
	"ozswitch/ozml/trace"
	"ozswitch/switch/phone"
)

const (
	webTimeout = 3 * time.Second
	within     = 2 * time.Second // of the failure the caller hears something (decisions 2)
	dead       = 2 * time.Second // longest a caller waits without an answer or ringing (180 after 1 s)
	sentence   = "We are sorry, this number is not available now"

	goodCalls = 20
	prompt    = "the quick brown fox jumps over the lazy dog 0123456789 the quick brown fox jumps over the lazy dog 0123456789"
	thanks    = "thank you"
	tone      = 440 // Hz, what the good callers say
)

// goodScript makes a call of about ten seconds in which everything can be
// checked: a prompt, a key, a recording, its end.
func (w *web) goodScript() string {
	return `<?xml version="1.0"?>
<Response>
  <Record Format="wav" FinishDigits="1" FinishedUrl="` + w.good.URL + `/recorded"/>
  <UserInput Timeout="20">
    <InitialCommands><Play>prompt.wav</Play></InitialCommands>
    <Inputs><Input Key="1"><Play>thanks.wav</Play></Input></Inputs>
  </UserInput>
  <Hangup/>
</Response>`
}

// TestTwelveFaults: sixty calls to apps that fail in twelve ways beside twenty
// good ones. Whoever called a faulty app hears the sentence, whoever runs the
// switch reads why, and the good calls notice nothing.
func TestTwelveFaults(t *testing.T) {
	w := newWeb(t)
	w.scripts["/good"] = w.goodScript()
	w.scripts["/sentence"] = "<Response><Speak>" + sentence + "</Speak></Response>"
	var ext strings.Builder
	fmt.Fprintf(&ext, "  - {number: \"9000\", type: api, url: \"%s/good\", error_url: \"%[1]s/error\", record_channels: 2}\n", w.good.URL)
	fmt.Fprintf(&ext, "  - {number: \"9001\", type: api, url: \"%s/sentence\"}\n", w.good.URL)
	for i := range faults {
		fmt.Fprintf(&ext, "  - {number: \"%d\", type: api, url: \"%s\", error_url: \"%s/error\"}\n", 8000+i, w.base(i), w.good.URL)
	}
	n := serve(t, ext.String())
	n.prompt(t, "prompt.wav", prompt)
	n.prompt(t, "thanks.wav", thanks)
	p := newPhone(t)

	// One call opens what is opened once: the pools, the database, the media.
	good := func(from string) *caller {
		return place(t, p, n, from, "9000", phone.Options{
			Say:  []phone.Say{{At: time.Second, Source: media.Tone(rate, tone, -10, 6*time.Second)}},
			Keys: []phone.Press{{At: 10 * time.Second, Keys: "1"}},
		})
	}
	good("100").wait(t)
	n.ended(t, 1)
	before := n.resources(t)

	var goods []*caller
	sad := make([][]*caller, len(faults))
	for i := range goodCalls {
		goods = append(goods, good(fmt.Sprint(200+i)))
	}
	for i, f := range faults {
		for j := range f.calls {
			sad[i] = append(sad[i], place(t, p, n, fmt.Sprint(1000+10*i+j), fmt.Sprint(8000+i), phone.Options{}))
		}
	}
	for _, c := range goods {
		c.wait(t)
	}
	kinds := map[string]int{}
	for i, f := range faults {
		kinds[f.kind] += len(sad[i])
		for _, c := range sad[i] {
			c.wait(t)
		}
	}
	if len(kinds) != 12 {
		t.Fatalf("%d faults, want twelve", len(kinds))
	}
	for kind, calls := range kinds {
		if calls != callers {
			t.Fatalf("%s has %d calls, want %d", kind, calls, callers)
		}
	}
	all := 1 + goodCalls + 12*callers
	logs := n.ended(t, all)
	await(limit/2, func() bool { // what is missing is told below, call by call
		return len(w.notes("/error")) >= 12*callers && len(w.notes("/recorded")) >= 1+goodCalls
	})
	after := n.settled(t, before)

	// Last, so that no faulty call finds the sentence made.
	ref := place(t, p, n, "300", "9001", phone.Options{})
	ref.wait(t)
	want, _ := ref.sound()
	if d := rate.D(len(want)); d < 1500*time.Millisecond || d > 8*time.Second || power(want) < 1e-4 {
		t.Fatalf("the sentence of the reference lasts %v with a power of %.6f: that is none", d, power(want))
	}

	table := []string{fmt.Sprintf("%-40s %-7s %-5s %5s %8s %10s  %s", "fault", "code", "place", "calls", "ringing", "first sound", "heard")}
	for i, f := range faults {
		r := row{f: f}
		for _, c := range sad[i] {
			if err := r.add(c, logs[c.from], want, w, w.base(i)); err != nil {
				t.Errorf("%v, caller %s: %v\nits log:\n%v", f, c.from, err, logs[c.from])
			}
		}
		table = append(table, r.String())
	}
	healthy := 0
	for _, c := range goods {
		if err := checkGood(c, logs[c.from], want, w, n); err != nil {
			t.Errorf("good caller %s: %v\nits log:\n%v", c.from, err, logs[c.from])
			continue
		}
		healthy++
	}
	table = append(table, fmt.Sprintf("%d of %d good calls beside them heard, pressed and were recorded without a fault", healthy, goodCalls),
		fmt.Sprintf("the switch before and after: goroutines %.0f %.0f, descriptors %.0f %.0f, panics %.0f",
			before.goroutines, after.goroutines, before.descriptors, after.descriptors, n.metric(t, "ozswitch_panics_total")))
	show(table)
	if v := n.metric(t, "ozswitch_panics_total"); v != 0 {
		t.Errorf("panics_total is %v", v)
	}
	n.close(t)
}

// A row of the table is one fault.
type row struct {
	f       fault
	place   string
	ringing int
	latest  time.Duration // from the failure to the first sound
	least   float64       // likeness to the sentence
	heard   int
}

func (r *row) String() string {
	rang := "-"
	if r.ringing > 0 {
		rang = fmt.Sprintf("%d of %d", r.ringing, r.f.calls)
	}
	return fmt.Sprintf("%-40s %-7s %-5s %5d %8s %8d ms  the sentence %d of %d, alike %.3f", r.f, r.f.code, r.place, r.f.calls, rang,
		r.latest.Milliseconds(), r.heard, r.f.calls, r.least)
}

// add checks a call to a faulty app.
func (r *row) add(c *caller, l callLog, want []int16, w *web, at string) (err error) {
	fail := func(format string, a ...any) { err = errors.Join(err, fmt.Errorf(format, a...)) }
	// What the caller heard.
	pcm, began := c.sound()
	like := alike(pcm, want)
	if r.heard == 0 || like < r.least {
		r.least = like
	}
	if d := rate.D(len(pcm)) - rate.D(len(want)); like < 0.95 || d.Abs() > 60*time.Millisecond {
		fail("heard %v that are %.3f like the sentence, which lasts %v", rate.D(len(pcm)), like, rate.D(len(want)))
	} else {
		r.heard++
	}
	if c.Cause != phone.TheyHungUp {
		fail("the call ended: %v, want the switch to hang up", c.Result)
	}
	if rang, ok := c.rang(); ok {
		r.ringing++
		if rang > dead {
			fail("it rang after %v only", rang)
		}
	} else if c.Setup > dead {
		fail("it never rang, and was answered after %v", c.Setup)
	}

	// What the log says.
	failed, ok := l.find(func(e trace.Event) bool {
		return e.Type == trace.ScriptRefused || e.Type == trace.ScriptFetch && !e.Succeeded
	})
	if !ok {
		fail("no event tells of the failure")
	}
	late := began.Sub(failed.T)
	r.latest = max(r.latest, late)
	if !began.IsZero() && late > within {
		fail("the sentence began %v after the failure", late)
	}
	cause, ok := l.find(func(e trace.Event) bool { return e.Type == trace.Error && e.Reason == "built-in" })
	switch {
	case !ok:
		fail("no error event leads to the built-in sentence")
	case cause.Code != r.f.code || cause.Text == "" || cause.Hint == "":
		fail("the error event has code %q, text %q, hint %q; want code %s", cause.Code, cause.Text, cause.Hint, r.f.code)
	case !strings.Contains(cause.Text+cause.Hint, r.f.says):
		fail("the error event says %q, %q, want it to say %s", cause.Text, cause.Hint, r.f.says)
	}
	if r.place = where(cause.Line, cause.Col); r.place != r.f.place {
		fail("the error event's place is %q, want %q", r.place, r.f.place)
	}
	if r.f.place != "" && cause.Doc != at {
		fail("the error event's document is %q, want %q", cause.Doc, at)
	}
	if first, _ := l.find(func(e trace.Event) bool { return e.Type == trace.ScriptFetch }); first.URL != at || cause.URL == "" {
		fail("asked was %q, the error event blames %q; want %q", first.URL, cause.URL, at)
	}
	if end, _ := l.find(func(e trace.Event) bool { return e.Type == trace.CallEnded }); end.Reason != "script" {
		fail("the call ended by %q, want script", end.Reason)
	}

	// What the app's author is told.
	told := w.notes("/error")[l.id()]
	if len(told) != 1 {
		fail("%d Error notifications came, want 1", len(told))
		return err
	}
	if e := told[0]; e.Get("ErrorCode") != r.f.code || where(atoi(e.Get("Line")), atoi(e.Get("Column"))) != r.f.place ||
		e.Get("Url") != cause.URL || e.Get("ErrorMessage") == "" || r.f.place != "" && e.Get("Document") != at {
		fail("the Error notification is %v", e)
	}
	return err
}

// checkGood checks a call to the app that does not fail.
func checkGood(c *caller, l callLog, sentence []int16, w *web, n *node) (err error) {
	fail := func(format string, a ...any) { err = errors.Join(err, fmt.Errorf(format, a...)) }
	if c.Heard == nil {
		return fmt.Errorf("nothing was heard: %v", c.Result)
	}
	if got, want := mediatest.Text(c.Heard.PCM, rate), mediatest.Normal(prompt)+" "+thanks; got != want {
		fail("heard %q, want %q", got, want)
	}
	if pcm, _ := c.sound(); alike(pcm, sentence) > 0.5 {
		fail("what was heard is like the sentence of faulty calls")
	}
	if e := c.gapless(); e != nil {
		fail("%w", e)
	}
	if c.Cause != phone.TheyHungUp {
		fail("the call ended: %v, want the switch to hang up", c.Result)
	}
	if e, ok := l.find(func(e trace.Event) bool {
		return strings.HasSuffix(string(e.Type), "failed") || e.Type == trace.Error || e.Type == trace.ScriptRefused || e.Type == trace.ScriptWarning
	}); ok {
		fail("its log tells of %s: %s", e.Type, e.Text)
	}
	if keys := l.count(func(e trace.Event) bool { return e.Type == trace.Key && e.Key == "1" }); keys != 1 {
		fail("%d keys came, want 1", keys)
	}
	if end, _ := l.find(func(e trace.Event) bool { return e.Type == trace.CallEnded }); end.Reason != "script" {
		fail("the call ended by %q, want script", end.Reason)
	}
	told := w.notes("/recorded")[l.id()]
	if len(told) != 1 {
		fail("%d RecordCompleted came, want 1", len(told))
		return err
	}
	if e := checkRecording(told[0], n); e != nil {
		fail("%w", e)
	}
	return err
}

// checkRecording looks into the file that RecordCompleted names: what the
// caller said is on the left, what the switch played on the right.
func checkRecording(note url.Values, n *node) error {
	if note.Get("Reason") != "digit" || note.Get("Digit") != "1" || note.Get("Format") != "wav" {
		return fmt.Errorf("RecordCompleted is %v, want it ended by 1", note)
	}
	b, err := os.ReadFile(filepath.Join(n.data, filepath.FromSlash(note.Get("RecordPath"))))
	if err != nil {
		return err
	}
	left, right, err := channels(b)
	if err != nil {
		return fmt.Errorf("%s: %w", note.Get("RecordPath"), err)
	}
	if got := mediatest.Text(right, rate); got != mediatest.Normal(prompt) {
		return fmt.Errorf("the recording's right channel says %q, want the prompt", got)
	}
	// In short pieces: where the jitter buffer waits for a late packet the tone's
	// phase jumps, and a long piece around it would seem quiet.
	const piece = 100 * time.Millisecond
	var said time.Duration
	for at := 0; at+rate.N(piece) <= len(left); at += rate.N(piece) {
		if mediatest.Level(left[at:at+rate.N(piece)], rate, tone) > -12 {
			said += piece
		}
	}
	if said < 5*time.Second {
		return fmt.Errorf("the recording's left channel has the caller's tone for %v, want 5 s at least", said)
	}
	return nil
}

// channels reads a WAV file of two channels.
func channels(b []byte) (left, right []int16, err error) {
	if len(b) < 44 || string(b[:4]) != "RIFF" || binary.LittleEndian.Uint16(b[22:]) != 2 || binary.LittleEndian.Uint32(b[24:]) != uint32(rate) {
		return nil, nil, fmt.Errorf("want a WAV file of two channels at %d Hz", rate)
	}
	i := strings.Index(string(b[:min(len(b), 4096)]), "data")
	if i < 0 {
		return nil, nil, errors.New("no sound in it")
	}
	for b = b[i+8:]; len(b) >= 4; b = b[4:] {
		left = append(left, int16(binary.LittleEndian.Uint16(b)))
		right = append(right, int16(binary.LittleEndian.Uint16(b[2:])))
	}
	return left, right, nil
}

// id is the call's id.
func (l callLog) id() string {
	if len(l) == 0 {
		return ""
	}
	return l[0].Call
}

// resources are what a leak would use up.
type resources struct{ goroutines, descriptors float64 }

func (n *node) resources(t *testing.T) resources {
	t.Helper()
	return resources{n.metric(t, "go_goroutines"), n.metric(t, "process_open_fds")}
}

// few is what may differ: connections that are kept for a moment, those of
// /metrics itself.
const few = 10

// settled waits until the switch uses no more than before.
func (n *node) settled(t *testing.T, before resources) (now resources) {
	t.Helper()
	eventually(t, fmt.Sprintf("the switch is as it was: %+v", before), func() bool {
		now = n.resources(t)
		return now.goroutines <= before.goroutines+few && now.descriptors <= before.descriptors+few
	})
	return now
}

func where(line, col int) string {
	if line == 0 {
		return ""
	}
	return fmt.Sprintf("%d:%d", line, col)
}

func atoi(s string) (i int) {
	_, _ = fmt.Sscan(s, &i)
	return i
}

// show prints a table that `make faults` lets through.
func show(lines []string) {
	fmt.Println("| " + strings.Join(lines, "\n| "))
}
