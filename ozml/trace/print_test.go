package trace

import (
	"strings"
	"testing"
	"time"
)

// TestTranscript is the sample of contract.md.
func TestTranscript(t *testing.T) {
	start := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	at := func(s float64, e Event) Event {
		e.T = start.Add(time.Duration(s * 1e9))
		return e
	}
	events := []Event{
		at(0, Event{Type: CallStarted, From: "1001", To: "9000"}),
		at(0.01, Event{Type: ScriptFetch, Method: "POST", URL: "http://127.0.0.1:8080/ivr.php", Status: 200, MS: 12}),
		at(0.02, Event{Type: CommandStart, Name: "Speak", Line: 2, Col: 3, Text: "Your call will be recorded. You can stop recording by pressing 1. You have 1 minutes to talk."}),
		at(3.12, Event{Type: CommandEnd, Name: "Speak", Line: 2, Col: 3}),
		at(3.12, Event{Type: CommandStart, Name: "Record", Line: 3, Col: 3}),
		at(3.12, Event{Type: RecordStart, Line: 3, Col: 3, File: "recordings/a.wav"}),
		at(3.12, Event{Type: CommandEnd, Name: "Record", Line: 3, Col: 3}),
		at(5, Event{Type: Key, Key: "1"}),
		at(5, Event{Type: RecordEnd, Line: 3, Col: 3, Reason: "digit", Key: "1", Seconds: 1.88}),
		at(63.12, Event{Type: CommandStart, Name: "Hangup", Line: 5, Col: 3}),
		at(63.12, Event{Type: CommandEnd, Name: "Hangup", Line: 5, Col: 3}),
		at(63.12, Event{Type: CallEnded, Reason: "script", Seconds: 63.12}),
	}
	want := `    0.00  call 1001 -> 9000
    0.01  fetch POST http://127.0.0.1:8080/ivr.php 200 (12 ms)
    0.02  2:3  Speak "Your call will be recorded…" (3.1 s)
    3.12  3:3  Record started recordings/a.wav
    5.00  key 1
    5.00  3:3  Record ended: digit 1, 1.9 s
   63.12  5:3  Hangup
   63.12  call ended: script, 63.1 s
`
	var b strings.Builder
	p := NewPrinter(&b)
	for _, e := range events {
		p.Emit(e)
	}
	if got := b.String(); got != want {
		t.Errorf("transcript:\n%s\nwant\n%s", got, want)
	}
}

// TestOrder: a line whose length is not known holds back the later ones, Live
// does not.
func TestOrder(t *testing.T) {
	start := time.Unix(1000, 0)
	events := []Event{
		{T: start, Type: CommandStart, Name: "Play", Line: 1, Col: 2},
		{T: start.Add(time.Second), Type: Key, Key: "5"},
	}
	end := Event{T: start.Add(2 * time.Second), Type: CommandEnd, Name: "Play", Line: 1, Col: 2}
	for _, live := range []bool{false, true} {
		var b strings.Builder
		p := NewPrinter(&b)
		p.Live = live
		for _, e := range events {
			p.Emit(e)
		}
		early := b.String()
		p.Emit(end)
		wantEarly, want := "", "    0.00  1:2  Play (2.0 s)\n    1.00  key 5\n"
		if live {
			wantEarly, want = "    0.00  1:2  Play\n    1.00  key 5\n", "    0.00  1:2  Play\n    1.00  key 5\n"
		}
		if early != wantEarly {
			t.Errorf("live %v: before the end %q, want %q", live, early, wantEarly)
		}
		if got := b.String(); got != want {
			t.Errorf("live %v: %q, want %q", live, got, want)
		}
	}
}

func TestDescribe(t *testing.T) {
	for _, c := range []struct {
		e    Event
		want string
	}{
		{Event{Type: Input, Line: 3, Col: 4, Key: "12", Reason: "12", Count: 2}, "3:4  UserInput <- 12 (key 12)"},
		{Event{Type: Input, Line: 3, Col: 4, Key: "1", Reason: "1", Count: 1}, ""},
		{Event{Type: Input, Line: 3, Col: 4, Text: "no entry"}, "3:4  UserInput no entry"},
		{Event{Type: Input, Line: 3, Col: 4, Count: 4}, "3:4  UserInput <- ••••"},
		{Event{Type: RecordEnd, Reason: "error", Text: "disk full", Seconds: 1}, "Record ended: error: disk full, 1.0 s"},
		{Event{Type: Error, Line: 2, Col: 4, Code: "OZ1103", Text: "no", Hint: "yes"}, "2:4  error OZ1103: no; yes"},
		{Event{Type: ScriptWarning, Line: 2, Col: 14, Code: "OZ1101", Text: "unknown"}, "2:14 warning OZ1101: unknown"},
		{Event{Type: ScriptWarning, Code: "OZ1052", Reason: "note"}, ""},
		{Event{Type: ScriptFetch, URL: "http://x", Text: "refused"}, "fetch POST http://x failed: refused"},
		{Event{Type: NotifySent, Name: "Error", URL: "http://x", Status: 204, MS: 3.4}, "notify Error POST http://x 204 (3 ms)"},
	} {
		if got := describe(c.e); got != c.want {
			t.Errorf("describe(%+v) = %q, want %q", c.e, got, c.want)
		}
	}
}

func TestShort(t *testing.T) {
	for _, c := range [][2]string{
		{" a \n b ", "a b"},
		{strings.Repeat("word ", 20), strings.Repeat("word ", 11) + "word…"},
		{strings.Repeat("x", 80), strings.Repeat("x", 60) + "…"},
		{"Yes. " + strings.Repeat("word ", 20), "Yes. " + strings.Repeat("word ", 10) + "word…"},
	} {
		if got := Short(c[0]); got != c[1] {
			t.Errorf("Short(%q) = %q, want %q", c[0], got, c[1])
		}
	}
}
