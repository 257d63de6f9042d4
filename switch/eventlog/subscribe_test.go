package eventlog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"ozswitch/ozml/trace"
)

// take reads n events, or up to an error with n < 0.
func take(t *testing.T, s *Subscription, n int) ([]trace.Event, error) {
	t.Helper()
	var es []trace.Event
	for len(es) != n {
		e, err := s.Next(t.Context())
		if err != nil {
			return es, err
		}
		es = append(es, e)
	}
	return es, nil
}

func TestSubscribe(t *testing.T) {
	l, _ := New(Config{Now: at(noon)})
	a, b := l.ForCall("a", noon), l.ForCall("b", noon)
	early := l.Subscribe("", 0)
	defer early.Close()
	a.Emit(trace.Event{Type: trace.CallStarted})
	now := l.Subscribe("", Now)
	defer now.Close()
	onlyB := l.Subscribe("b", Now)
	defer onlyB.Close()
	b.Emit(trace.Event{Type: trace.CallStarted})
	a.Emit(trace.Event{Type: trace.CallRinging})

	es, _ := take(t, early, 3)
	if got, want := texts(es), "1 call.started; 1 call.started; 2 call.ringing"; got != want {
		t.Errorf("from the start: %s, want %s", got, want)
	}
	for i, e := range es {
		if e.ID != es[0].ID+int64(i) {
			t.Errorf("event %d has id %d, want %d", i, e.ID, es[0].ID+int64(i))
		}
	}
	got, _ := take(t, now, 2)
	if texts(got) != "1 call.started; 2 call.ringing" {
		t.Errorf("from now on: %s", texts(got))
	}
	if got, _ := take(t, onlyB, 1); got[0].Call != "b" {
		t.Errorf("one call: %v", got)
	}
	resumed := l.Subscribe("", es[1].ID)
	defer resumed.Close()
	if got, _ := take(t, resumed, 1); got[0].ID != es[2].ID {
		t.Errorf("resumed at %d, want %d", got[0].ID, es[2].ID)
	}

	// Nothing more: Next waits, and ends with its context.
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(io.ErrClosedPipe)
	if _, err := now.Next(ctx); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("Next = %v, want the cause", err)
	}
	b.Close()
	if _, err := onlyB.Next(t.Context()); err != io.EOF {
		t.Errorf("Next after the call's end = %v, want io.EOF", err)
	}
}

// A listener that falls behind the ring is cut; the others are not.
func TestSlow(t *testing.T) {
	l, _ := New(Config{Recent: 8, Now: at(noon)})
	a, b := l.ForCall("a", noon), l.ForCall("b", noon)
	slow, quiet := l.Subscribe("a", Now), l.Subscribe("b", Now)
	defer slow.Close()
	defer quiet.Close()
	for range 9 {
		a.Emit(trace.Event{Type: trace.Key})
	}
	b.Emit(trace.Event{Type: trace.CallEnded})
	if _, err := slow.Next(t.Context()); err != ErrSlow {
		t.Errorf("slow: %v, want ErrSlow", err)
	}
	if e, err := quiet.Next(t.Context()); err != nil || e.Type != trace.CallEnded {
		t.Errorf("quiet: %v, %v", e, err)
	}
	if n := len(l.subs); n != 1 {
		t.Errorf("%d listeners left, want 1", n)
	}
}

// The ring is bounded in bytes as well.
func TestRingBytes(t *testing.T) {
	l, _ := New(Config{Now: at(noon)})
	c := l.ForCall("a", noon)
	body := string(make([]byte, maxBody))
	for range 2 * maxRecent / maxBody {
		c.Emit(trace.Event{Type: trace.SIPSent, Body: body})
	}
	if l.held > maxRecent || l.held < maxRecent/2 {
		t.Errorf("the ring holds %d bytes, want at most %d", l.held, maxRecent)
	}
	s := l.Subscribe("", 0)
	defer s.Close()
	n := int(l.next - l.oldest)
	if got, err := take(t, s, n); len(got) != n {
		t.Errorf("%d events, %v, want %d", len(got), err, n)
	}
}

// Of one call nothing is missed: what the ring has lost is read from its file.
func TestResumeFromFile(t *testing.T) {
	dir := t.TempDir()
	l := open(t, Config{Dir: dir, Recent: 16, Now: at(noon)})
	c, other := l.ForCall("call1", noon), l.ForCall("other", noon)
	for i := range 40 {
		c.Emit(trace.Event{Type: trace.Key, Text: fmt.Sprint(i)})
		other.Emit(trace.Event{Type: trace.Key})
	}
	check := func(name string, after int64, from, n int, end error) int64 {
		t.Helper()
		s := l.Subscribe("call1", after)
		defer s.Close()
		es, err := take(t, s, n)
		if len(es) != n || (n < 0) != (err != nil) {
			t.Fatalf("%s: %d events, %v, want %d", name, len(es), err, n)
		}
		for i, e := range es {
			if e.Seq != from+i || e.Call != "call1" {
				t.Fatalf("%s: event %d is %s %d, want seq %d", name, i, e.Call, e.Seq, from+i)
			}
		}
		if end != nil {
			if _, err := s.Next(t.Context()); err != end {
				t.Fatalf("%s: ends with %v, want %v", name, err, end)
			}
		}
		return es[len(es)-1].ID
	}
	last := check("all", 0, 1, 40, nil)
	check("resumed in the file", last-2*38, 3, 38, nil)
	check("resumed in the ring", last-2, 40, 1, nil)
	c.Close()
	check("over", 0, 1, 40, io.EOF)
	s := l.Subscribe("call1", last)
	defer s.Close()
	if _, err := s.Next(t.Context()); err != io.EOF {
		t.Errorf("after the last: %v, want io.EOF", err)
	}

	// A restart later there is only the file, and ids go on growing.
	flush(t, l)
	again := open(t, Config{Dir: dir, Now: at(noon.Add(1))})
	again.next += 1000
	again.oldest = again.next
	l = again
	check("after a restart", 0, 1, 40, io.EOF)
	check("after a restart, resumed", last-2, 40, 1, io.EOF)
}

func TestEvents(t *testing.T) {
	l, _ := New(Config{Recent: 4, Now: at(noon)})
	c := l.ForCall("a", noon)
	s := l.Subscribe("a", Now)
	c.Emit(trace.Event{Type: trace.CallStarted})
	c.Emit(trace.Event{Type: trace.CallEnded})
	c.Close()
	n := 0
	for e, err := range s.Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		n += e.Seq
	}
	if n != 3 || len(l.subs) != 0 {
		t.Errorf("sum of seqs %d, listeners left %d, want 3 and 0", n, len(l.subs))
	}
	s = l.Subscribe("", Now)
	for range 9 {
		c.Emit(trace.Event{Type: trace.Key})
	}
	var last error
	for _, err := range s.Events(t.Context()) {
		last = err
	}
	if last != ErrSlow {
		t.Errorf("a slow listener ends with %v, want ErrSlow", last)
	}
}
