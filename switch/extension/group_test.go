package extension

import (
	"strings"
	"testing"
	"time"
)

func TestGroup(t *testing.T) {
	phone := func(n string) Extension { return Extension{Number: n, Type: Phone, Password: "p"} }
	group := func(n string, members ...string) Extension {
		return Extension{Number: n, Type: RingGroup, Members: members}
	}
	with := func(f func(*Extension)) Extension { g := group("9", "1"); f(&g); return g }
	for _, c := range []struct {
		name string
		list []Extension
		want string // "" = no fault
	}{
		{"group", []Extension{phone("1"), group("9", "1")}, ""},
		{"group in a group, twice", []Extension{phone("1"), group("8", "1"), group("9", "8", "1"), group("7", "8", "9")}, ""},
		{"no members", []Extension{group("9")}, "wants members"},
		{"strategy", []Extension{with(func(g *Extension) { g.Strategy = "loud" })}, `strategy "loud"`},
		{"delay", []Extension{with(func(g *Extension) { g.Delay = time.Hour })}, "delay 1h"},
		{"itself", []Extension{group("9", "9")}, "would call itself, by [9]"},
		{"by another", []Extension{group("8", "7"), group("7", "1", "9"), group("9", "8")}, "extension 8: the group would call itself, by [8 7 9]"},
		{"into a loop of others", []Extension{group("6", "9"), group("9", "9")}, "extension 9: the group"},
	} {
		got := ""
		if _, err := NewSet(c.list); err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s: NewSet = %q, want %q", c.name, got, c.want)
		}
	}
}
