package registrar

import (
	"testing"
	"time"
)

// TestAlso: further passwords of an account count while they are given, for that
// account only, by either algorithm.
func TestAlso(t *testing.T) {
	a := newAuth()
	until := start.Add(time.Hour)
	a.Also(func(now time.Time, number string) []Account {
		if number == "1003" || !now.Before(until) {
			return nil
		}
		return []Account{NewAccount(number, "pbx", "one", "both"), NewAccount(number, "pbx", "two", "both"), {Number: number}}
	})
	for _, c := range []struct {
		user, password string
		later          time.Duration
		want           Verdict
	}{
		{"1001", "right", 0, Good}, {"1001", "one", 0, Good}, {"1001", "two", 0, Good}, {"1001", "three", 0, Wrong}, {"1001", "", 0, Wrong},
		{"1002", "two", 0, Good}, {"1003", "one", 0, Wrong}, {"nobody", "one", 0, Wrong}, {"1001", "one", time.Hour, Wrong},
	} {
		now := start.Add(c.later)
		for _, challenge := range a.Challenge(now, c.user, false) {
			if p := a.Check(now, home, "REGISTER", []string{answer(t, challenge, c.user, c.password, 1)}); p.Verdict != c.want {
				t.Errorf("%s with %q after %v: %+v, want %v", c.user, c.password, c.later, p, c.want)
			}
		}
	}
}
