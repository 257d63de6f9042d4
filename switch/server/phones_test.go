package server

import (
	"testing"
	"time"

	"ozswitch/switch/call"
	"ozswitch/switch/exchange"
	"ozswitch/switch/presence"
)

// TestOther is whom a lamp names, as a call goes on.
func TestOther(t *testing.T) {
	caller := exchange.Leg{ID: "a", Party: call.Caller, Extension: "1001", Number: "1001", Name: "Ann"}
	gone := exchange.Leg{ID: "b", Party: call.Callee, Extension: "1002", Number: "1002", Ended: time.Unix(1, 0)}
	there := exchange.Leg{ID: "c", Party: call.Callee, Extension: "1003", Number: "1003", Name: "Cy"}
	in := exchange.Info{Leg: "a", From: "1001", FromName: "Ann", Dialed: "9200"}
	private, out := in, exchange.Info{Leg: "c", From: "9000", Dialed: "1003", Outgoing: true}
	private.Private = true
	type legs []exchange.Leg
	for _, c := range []struct {
		name string
		info exchange.Info
		legs legs
		of   exchange.Leg
		want presence.Identity
	}{
		{"nobody rings yet", in, legs{caller}, caller, presence.Identity{Number: "9200"}},
		{"one does not answer", in, legs{caller, gone}, caller, presence.Identity{Number: "1002"}},
		{"another does", in, legs{caller, gone, there}, caller, presence.Identity{Number: "1003", Name: "Cy"}},
		{"who is called", in, legs{caller, gone, there}, there, presence.Identity{Number: "1001", Name: "Ann"}},
		{"who calls is gone", in, legs{there}, there, presence.Identity{Number: "1001", Name: "Ann"}},
		{"who calls wants nobody told", private, legs{caller, there}, there, presence.Identity{}},
		{"and knows himself whom he calls", private, legs{caller, there}, caller, presence.Identity{Number: "1003", Name: "Cy"}},
		{"a script calls", out, legs{there}, there, presence.Identity{Number: "9000"}},
	} {
		if got := other(c.info, c.legs, c.of); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}
