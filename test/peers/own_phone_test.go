//go:build peers

package peers

import (
	"math"
	"path/filepath"
	"strings"
	"testing"
)

// TestMatrixOwn are the cells of `ozswitch call`, which is told beforehand what it
// will do: Ann has another one in each cell.
func TestMatrixOwn(t *testing.T) {
	need(t, "sox", "baresip")
	n := serveGuests(t, "none", "http://127.0.0.1:9/", matrixExtensions)
	bob := newDeskParty(t, n, "1002", tone1002)
	cleo := newDeskParty(t, n, "1003", tone1003)
	say := tone(t, filepath.Join(t.TempDir(), "tone.wav"), tone1001, 100)
	up := func(t *testing.T, arg ...string) *proc {
		ann := n.dials(t, "1001", "1002", append(arg, "--say", say)...)
		bob.rings()
		bob.answer()
		bob.talks()
		bob.hears(tone1001)
		return ann
	}
	// ended waits for the end of Ann's program, which says that all went well.
	ended := func(t *testing.T, ann *proc) {
		t.Helper()
		eventually(t, "the call is over", ann.ended)
		if ann.err != nil || !strings.Contains(ann.out.String(), "\nok ") {
			t.Errorf("ozswitch call: %v\n%s", ann.err, ann.out.String())
		}
	}
	for _, cell := range []struct {
		name string
		do   func(t *testing.T)
	}{
		{"calls and hangs up", func(t *testing.T) {
			heard := filepath.Join(t.TempDir(), "heard.wav")
			ann := up(t, "--hangup-after", "3s", "--record", heard)
			bob.idle()
			ended(t, ann)
			wantTone(t, heard, 1, 1, tone1002)
		}},
		{"is called, and the caller hangs up", func(t *testing.T) {
			ann := n.waits(t, "1001", "--say", say)
			bob.dial("1001")
			bob.talks()
			bob.hears(tone1001)
			bob.hangup()
			bob.idle()
			ended(t, ann)
		}},
		{"holds and resumes", func(t *testing.T) {
			ann := up(t, "--do", "hold@3s,resume@8s", "--hangup-after", "40s")
			bob.misses(tone1001)
			bob.hears(tone1001)
			saysSoon(t, ann, "done: resume")
			bob.hangup()
			bob.idle()
			ended(t, ann)
		}},
		{"is held and resumed", func(t *testing.T) {
			heard := filepath.Join(t.TempDir(), "heard.wav")
			ann := up(t, "--record", heard)
			bob.hold()
			bob.misses(tone1001)
			bob.resume()
			bob.hears(tone1001)
			bob.hangup()
			bob.idle()
			ended(t, ann)
			long := seconds(t, heard)[0]
			for from := long - 0.6; ; from -= 0.1 { // it ends with what came while the call ended
				if rms, hertz := hear(t, heard, from, 0.2); rms > 0.1 && math.Abs(hertz-tone1002) < 20 {
					break
				} else if from < long-1.5 {
					t.Errorf("the end of what she heard is not Bob's tone, but %.0f Hz at %.3f", hertz, rms)
					break
				}
			}
		}},
		{"keys both ways", func(t *testing.T) {
			ann := up(t, "--press", "5@2s")
			bob.got('5')
			bob.press('7')
			saysSoon(t, ann, "heard key 7")
			bob.hangup()
			bob.idle()
			ended(t, ann)
		}},
		{"is recorded", func(t *testing.T) {
			ann := up(t)
			n.record(t)
			bob.hangup()
			bob.idle()
			ended(t, ann)
			n.recorded(t, tone1001, tone1002)
		}},
		{"transfers blind", func(t *testing.T) {
			ann := up(t, "--do", "transfer:1003@2s")
			cleo.rings()
			cleo.answer()
			cleo.talks()
			ended(t, ann)
			cleo.hears(tone1002)
			bob.hears(tone1003)
			cleo.hangup()
			bob.idle()
			cleo.idle()
		}},
		{"transfers attended", func(t *testing.T) {
			ann := up(t, "--do", "consult:1003@2s,join@8s")
			cleo.rings()
			cleo.answer()
			cleo.talks()
			cleo.hears(tone1001)
			ended(t, ann)
			cleo.hears(tone1002)
			bob.hears(tone1003)
			bob.hangup()
			cleo.idle()
			bob.idle()
		}},
	} {
		ok := t.Run(cell.name, func(t *testing.T) {
			bob.of(t)
			cleo.of(t)
			cell.do(t)
		})
		if !ok {
			return
		}
	}
	leave(bob, cleo)
	n.close(t)
}
