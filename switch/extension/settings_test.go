package extension

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestSettings(t *testing.T) {
	all := Forward{Always: "1", Busy: "2", NoAnswer: "3", Unavailable: "4"}
	for _, c := range []struct {
		name  string
		s     Settings
		calls int
		to    string
		busy  bool
	}{
		{"nothing set", Settings{CallWaiting: true}, 3, "", false},
		{"always", Settings{Forward: all, DoNotDisturb: true}, 0, "1", false},
		{"do not disturb", Settings{DoNotDisturb: true, CallWaiting: true}, 0, "", true},
		{"do not disturb, forwarded when busy", Settings{DoNotDisturb: true, Forward: Forward{Busy: "2"}}, 0, "2", false},
		{"first call, no call waiting", Settings{}, 0, "", false},
		{"second call, no call waiting", Settings{}, 1, "", true},
		{"second call, forwarded when busy", Settings{Forward: Forward{Busy: "2"}}, 1, "2", false},
		{"second call waits", Settings{CallWaiting: true, Forward: Forward{Busy: "2"}}, 1, "", false},
	} {
		if to, busy := c.s.Before(c.calls); to != c.to || busy != c.busy {
			t.Errorf("%s: to %q, busy %v; want %q, %v", c.name, to, busy, c.to, c.busy)
		}
	}
	s := Settings{Forward: all}
	for why, want := range map[Why]string{WhyBusy: "2", WhyNoAnswer: "3", WhyUnavailable: "4"} {
		if got := s.Instead(why); got != want {
			t.Errorf("instead, for %d: %q, want %q", why, got, want)
		}
	}
	for _, c := range []struct {
		s       Settings
		d, want time.Duration
	}{
		{Settings{}, time.Minute, time.Minute},
		{s, time.Minute, DefaultAfter},
		{s, 0, DefaultAfter},
		{s, 5 * time.Second, 5 * time.Second},
		{Settings{Forward: Forward{NoAnswer: "3", After: 7 * time.Second}}, time.Minute, 7 * time.Second},
	} {
		if got := c.s.RingTime(c.d); got != c.want {
			t.Errorf("%+v rings for %s of %s, want %s", c.s.Forward, got, c.d, c.want)
		}
	}
}

func TestSettingsCheck(t *testing.T) {
	for _, c := range []struct {
		f    Forward
		want string
	}{
		{Forward{Always: "+3612345678", Busy: "9300", After: 5 * time.Second}, ""},
		{Forward{Always: "10 02"}, "forward.always: want"},
		{Forward{Busy: "1001"}, "forward.busy: 1001 would call itself"},
		{Forward{After: time.Hour}, "forward.after"},
		{Forward{After: time.Millisecond}, "forward.after"},
	} {
		err := Settings{Forward: c.f}.Check("1001")
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.f, err, c.want)
		}
	}
}

func TestChange(t *testing.T) {
	read := func(s string) (c Change) {
		t.Helper()
		if err := json.Unmarshal([]byte(s), &c); err != nil {
			t.Fatal(err)
		}
		return c
	}
	was := Settings{Forward: Forward{Always: "1", Busy: "2"}, CallWaiting: true}
	both := read(`{"forward":{"always":"","after_seconds":5},"dnd":true}`).Then(read(`{"forward":{"busy":"7"},"dnd":false,"call_waiting":false}`))
	text, _ := json.Marshal(was.With(both))
	const want = `{"forward":{"always":"","busy":"7","no_answer":"","unavailable":"","after_seconds":5},"dnd":false,"call_waiting":false}`
	if string(text) != want {
		t.Errorf("changed to %s\nwant       %s", text, want)
	}
	if text, _ = json.Marshal(read(`{"dnd":true}`)); string(text) != `{"dnd":true}` {
		t.Errorf("a change is kept as %s", text)
	}
	if was.With(Change{}) != was {
		t.Error("no change changes")
	}
}

func TestCodes(t *testing.T) {
	for _, c := range []struct{ dialed, want, said string }{
		{"*721002", `{"forward":{"always":"1002"}}`, "Calls are forwarded to 1 0 0 2."},
		{"*73", `{"forward":{"always":""}}`, "Calls are no longer forwarded."},
		{"*90+36", `{"forward":{"busy":"+36"}}`, "Calls are forwarded when busy to + 3 6."},
		{"*91", `{"forward":{"busy":""}}`, "Calls are no longer forwarded when busy."},
		{"*929300", `{"forward":{"no_answer":"9300"}}`, "Calls are forwarded when nobody answers to 9 3 0 0."},
		{"*93", `{"forward":{"no_answer":""}}`, "Calls are no longer forwarded when nobody answers."},
		{"*78", `{"dnd":true}`, "Do not disturb is on."},
		{"*79", `{"dnd":false}`, "Do not disturb is off."},
		{"*72", `{}`, "Nothing was changed: dial the number after the code."},
		{"*731", "", ""}, {"1002", "", ""}, {"*7", "", ""}, {"", "", ""},
	} {
		change, said, ok := DefaultCodes.Match(c.dialed)
		text, _ := json.Marshal(change)
		if ok != (c.want != "") || ok && string(text) != c.want || said != c.said {
			t.Errorf("%q: %s, %q, %v; want %s, %q", c.dialed, text, said, ok, c.want, c.said)
		}
	}
	if _, _, ok := (Codes{}).Match("1"); ok {
		t.Error("a code that is off was found")
	}
	if err := DefaultCodes.Check(); err != nil {
		t.Error(err)
	}
	for want, c := range map[string]Codes{
		"forward_always: *7 is also how dnd (*78) begins": {Always: "*7", DND: "*78"},
		"dnd: *7 is also how dnd_off (*7) begins":         {DND: "*7", DNDOff: "*7"},
		"forward_busy: want a code to dial":               {Busy: "* 9"},
	} {
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %s", c, err, want)
		}
	}
}
