package command_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"ozswitch/ozml"
	"ozswitch/ozml/command"
	"ozswitch/ozml/ozmltest"
	"ozswitch/ozml/trace"
)

// crowd is a Directory of calls in all states.
type crowd struct{ ozml.Directory }

func (crowd) Active() []ozml.ActiveCall {
	at := func(s int) time.Time { return time.Date(2026, 1, 1, 0, 0, s, 0, time.UTC) }
	return []ozml.ActiveCall{
		{ID: "e", Started: at(5), State: "InCall"}, {ID: "c", Started: at(3), State: "Setup"}, {ID: "d", Started: at(4), State: "Completed"},
		{ID: "b", Started: at(1), State: "Hold"}, {ID: "a", Started: at(1), State: "Ringing"},
	}
}

// ListActiveCalls has three states, and an order that is always the same.
func TestListActiveCalls(t *testing.T) {
	var got []string
	o := ozml.Options{Setting: ozml.API, Reply: func(v any) {
		for _, c := range v.([]ozml.ActiveCall) {
			got = append(got, c.ID+" "+c.State)
		}
	}}
	w := ozml.World{Calls: crowd{}, Trace: trace.SinkFunc(func(trace.Event) {})}
	if err := ozml.Do(context.Background(), w, command.Table(), ozml.OneCommand("ListActiveCalls", nil), o); err != nil {
		t.Fatal(err)
	}
	if want := "[a Ringing b Hold c Ringing e InCall]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

// From takes times as clients write them.
func TestFrom(t *testing.T) {
	for from, want := range map[string]int{
		"2000-01-02 09:00:00": 2, " 2000-01-02 09:00 ": 2, "2000-01-02T09:00:01": 1, "2000-01-02": 2, "2000-01-04": 0, "1999-12-31T00:00": 3,
		time.Date(2000, 1, 2, 9, 0, 0, 0, time.Local).UTC().Format(time.RFC3339):                        2,
		time.Date(2000, 1, 2, 9, 0, 0, 500e6, time.Local).Format(time.RFC3339Nano):                      1,
		time.Date(2000, 1, 2, 9, 0, 1, 0, time.Local).In(time.FixedZone("", 7200)).Format(time.RFC3339): 1,
		"2000-13-01 00:00:00": -1, "soon": -1, "09:00": -1,
	} {
		got := -1
		o := ozml.Options{Setting: ozml.API, Reply: func(v any) { got = v.(ozml.CallHistory).Total }}
		w := ozml.World{Lists: ozmltest.Lists(), Trace: trace.SinkFunc(func(trace.Event) {})}
		err := ozml.Do(context.Background(), w, command.Table(), ozml.OneCommand("ListCallHistory", []ozml.Value{{Name: "From", Value: from}}), o)
		if got != want || (err != nil) != (want < 0) {
			t.Errorf("From %q: %d calls, %v; want %d", from, got, err, want)
		}
	}
}
