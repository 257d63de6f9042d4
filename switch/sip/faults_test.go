//go:build faults

package sip

import (
	"log/slog"
	"strings"
	"testing"

	"ozswitch/switch/call"
)

// taker takes every call and does nothing.
type taker struct{ told *[]call.Event }

func (k taker) Invited(call.Invited) (func(call.Event) bool, *call.Respond) {
	return func(ev call.Event) bool { *k.told = append(*k.told, ev); return true }, nil
}

// TestPanicEndsOneCall: a bug while one call's message is handled drops that
// call, tells it, and hurts nobody else.
func TestPanicEndsOneCall(t *testing.T) {
	for _, point := range []string{"scanned", "request"} {
		var told []call.Event
		e := New(Config{Rand: seeded(1), Log: slog.New(slog.DiscardHandler)}, taker{&told})
		var sent []string
		invite := func(id string) string {
			return strings.NewReplacer("Call-ID: c", "Call-ID: "+id, "z9hG4bKa", "z9hG4bK"+id).Replace(plainInvite)
		}
		e.receive(fakeFlow{sent: &sent}, []byte(invite("good")), nil)
		e.receive(fakeFlow{sent: &sent}, []byte(invite("bad")), nil)
		f := func(at string) {
			if at == point {
				panic("injected at " + point)
			}
		}
		fault.Store(&f)
		e.receive(fakeFlow{sent: &sent}, []byte(strings.ReplaceAll(invite("bad"), "INVITE", "CANCEL")), nil)
		fault.Store(nil)
		if got := e.Panics(); got != 1 {
			t.Errorf("%s: %d panics caught, want 1", point, got)
		}
		want := 1 // the good call is left
		if point == "scanned" {
			want = 2 // the message is lost, the call is not
		}
		if got := e.Legs(); got != want {
			t.Errorf("%s: %d legs alive, want %d", point, got, want)
		}
		lost := 0
		for _, ev := range told {
			if _, ok := ev.(call.Lost); ok {
				lost++
			}
		}
		if lost != 2-want {
			t.Errorf("%s: %d calls told Lost, want %d", point, lost, 2-want)
		}
		sent = nil
		e.receive(fakeFlow{sent: &sent}, []byte(strings.ReplaceAll(invite("good"), "INVITE", "CANCEL")), nil)
		if !strings.Contains(strings.Join(sent, ""), "SIP/2.0 487") {
			t.Errorf("%s: the good call cannot be cancelled: %q", point, sent)
		}
	}
}
