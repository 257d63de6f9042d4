package line

import (
	"context"
	"fmt"
	"strings"

	"ozswitch/switch/sip"
)

// Probe looks once whether a line can be used, and changes nothing at the
// carrier's: the address is looked up, each place pinged, and at the first that
// answers the password tried. It tells in words what it found.
func Probe(ctx context.Context, s Signal, c Config) (ok bool, words string) {
	r := &runner{set: &Set{c: SetConfig{Signal: s}}, c: c}
	places, err := r.resolve(ctx)
	if err != nil {
		return false, strings.ReplaceAll(err.Error(), "\n", "; ")
	}
	t := s.Trunk(c.trunk())
	var there []sip.Place
	var silent []string
	for _, p := range places {
		ctx, stop := context.WithTimeout(ctx, pingWait)
		if a := t.Ping(ctx, p); alive(a) {
			there = append(there, p)
		} else {
			silent = append(silent, unanswered(p, a))
		}
		stop()
	}
	if len(there) == 0 {
		return false, strings.Join(silent, "; ")
	}
	words = fmt.Sprintf("%s answers", there[0])
	if c.Register {
		ctx, stop := context.WithTimeout(ctx, pingWait)
		defer stop()
		switch a := t.Query(ctx, there[0]); {
		case a.Code >= 200 && a.Code < 300:
			words += fmt.Sprintf(" and takes the password of user %q", c.User)
		case a.Heard && a.Code >= 400 && a.Code < 500 && a.Code != 408 && a.Code != 480:
			return false, words + "; " + refusal(&c, a)
		default:
			return false, words + " OPTIONS, but no registration: " + unanswered(there[0], a)
		}
	}
	return len(silent) == 0, strings.Join(append([]string{words}, silent...), "; ")
}
