package waiting

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// desk plays a queue: each offer is answered, missed or left alone by hand.
type desk struct {
	t    *testing.T
	s    *State
	now  time.Time
	busy map[string]bool
}

func newDesk(t *testing.T, r Rules) *desk {
	if r.Agents == nil {
		r.Agents = []string{"A", "B", "C"}
	}
	return &desk{t, NewState(r), noon, map[string]bool{}}
}

func (d *desk) enter(callers ...string) {
	d.t.Helper()
	for _, c := range callers {
		if _, err := d.s.Enter(c, func(string) bool { return true }); err != nil {
			d.t.Fatal(err)
		}
	}
}

// next wants offers, written "1:A 2:B" or "1:AB".
func (d *desk) next(want string) {
	d.t.Helper()
	var got []string
	for _, o := range d.s.Next(d.now, func(a string) bool { return !d.busy[a] }) {
		got = append(got, o.Caller+":"+strings.Join(o.Agents, ""))
	}
	if s := strings.Join(got, " "); s != want {
		d.t.Errorf("%v: offers %q, want %q", d.now.Sub(noon), s, want)
	}
}

func TestLongestIdle(t *testing.T) {
	d := newDesk(t, Rules{WrapUp: 10 * time.Second})
	d.enter("1", "2", "3", "4")
	d.next("1:A 2:B 3:C") // nobody was busy yet: in order
	d.next("")
	d.s.Answered("1", "A")
	d.s.Answered("2", "B")
	d.s.Answered("3", "C")
	if d.s.Place("4") != 1 || d.s.Place("1") != 0 {
		t.Errorf("caller 4 is at %d, caller 1 at %d", d.s.Place("4"), d.s.Place("1"))
	}
	d.now = d.now.Add(time.Minute)
	d.s.Ended(d.now, "B")
	d.next("") // B rests
	d.now = d.now.Add(5 * time.Second)
	d.s.Ended(d.now, "A")
	d.now = d.now.Add(5 * time.Second)
	d.next("4:B")
	d.s.Answered("4", "B")
	d.now = d.now.Add(time.Minute)
	d.s.Ended(d.now, "B")
	d.s.Ended(d.now.Add(time.Second), "C")
	d.now = d.now.Add(time.Minute)
	d.enter("5", "6", "7")
	d.next("5:A 6:B 7:C")
}

func TestRoundRobin(t *testing.T) {
	d := newDesk(t, Rules{Strategy: RoundRobin})
	for i, want := range []string{"A", "B", "C", "A", "C", "A"} {
		c := fmt.Sprint(i)
		d.busy["B"] = i == 4
		d.enter(c)
		d.next(c + ":" + want)
		d.s.Answered(c, want)
		d.s.Ended(d.now, want)
	}
}

func TestAll(t *testing.T) {
	d := newDesk(t, Rules{Strategy: All, WrapUp: 10 * time.Second})
	d.busy["C"] = true
	d.enter("1", "2")
	d.next("1:AB")
	d.busy["C"] = false
	d.next("2:C")
	d.s.Answered("1", "B")
	d.s.Missed(d.now, "2")
	d.next("2:A") // A rang in vain, which is not its fault; C rests
	d.s.Leave("2")
	for _, a := range d.s.Agents() {
		if (a.Caller != "") != (a.Number == "B") {
			t.Errorf("agent %s has caller %q", a.Number, a.Caller)
		}
	}
}

// Who does not answer rests; the caller keeps its place and is offered to others.
func TestMissed(t *testing.T) {
	d := newDesk(t, Rules{WrapUp: 30 * time.Second, Agents: []string{"A", "B"}})
	d.enter("1", "2", "3")
	d.next("1:A 2:B")
	d.s.Missed(d.now, "1")
	d.next("")
	d.now = d.now.Add(20 * time.Second)
	d.s.Missed(d.now, "2")
	d.now = d.now.Add(10 * time.Second)
	d.next("1:A")
	d.now = d.now.Add(20 * time.Second)
	d.next("2:B")
	if got := fmt.Sprint(d.s.Waiting()); got != "[1 2 3]" {
		t.Errorf("waiting %s", got)
	}
}

func TestEnter(t *testing.T) {
	here := func(string) bool { return true }
	nobody := func(string) bool { return false }
	d := newDesk(t, Rules{Max: 2})
	d.enter("1", "2")
	if _, err := d.s.Enter("3", here); !errors.Is(err, ErrFull) {
		t.Errorf("a third of two: %v", err)
	}
	d.s.Leave("1")
	if _, err := d.s.Enter("3", nobody); !errors.Is(err, ErrEmpty) {
		t.Errorf("with nobody there: %v", err)
	}
	d.s.SetRules(Rules{Agents: []string{"A"}, JoinEmpty: true})
	if p, err := d.s.Enter("3", nobody); p != 2 || err != nil {
		t.Errorf("join_empty: place %d, %v", p, err)
	}
	d.s.SetRules(Rules{Agents: []string{"A"}})
	if !d.s.Log("A", false) || d.s.Log("Z", true) {
		t.Error("Log knows the wrong agents")
	}
	if !d.s.Empty(here) {
		t.Error("a queue whose agents have logged out is not empty")
	}
	d.next("")
	d.s.Log("A", true)
	d.next("2:A")
}
