//go:build peers

package peers

import (
	"testing"
)

const matrixExtensions = `  - {number: "1001", type: phone, password: ` + deskPassword + `, name: Ann}
  - {number: "1002", type: phone, password: ` + deskPassword + `, name: Bob}
  - {number: "1003", type: phone, password: ` + deskPassword + `, name: Cleo}
`

// TestMatrix: telephones of several makes do with each other what an office
// does. Ann has the make under test, Bob and Cleo have baresip; everybody is
// known by a tone.
func TestMatrix(t *testing.T) {
	need(t, "sox", "baresip")
	for _, make := range []struct {
		name string
		need string
		new  func(t *testing.T, n *node, user string, hertz int) party
	}{
		{"baresip", "baresip", func(t *testing.T, n *node, u string, h int) party { return newDeskParty(t, n, u, h) }},
		{"linphone", "linphonec", func(t *testing.T, n *node, u string, h int) party { return newSoftParty(t, n, u, h) }},
		{"jssip", "chromium", func(t *testing.T, n *node, u string, h int) party { return newPageParty(t, n, u, h) }},
	} {
		t.Run(make.name, func(t *testing.T) {
			need(t, make.need)
			n := serveGuests(t, "none", "http://127.0.0.1:9/", matrixExtensions)
			ann := make.new(t, n, "1001", tone1001)
			bob := newDeskParty(t, n, "1002", tone1002)
			cleo := newDeskParty(t, n, "1003", tone1003)
			matrix(t, n, ann, bob, cleo)
			n.close(t)
		})
	}
}

// matrix is the cells of one make.
func matrix(t *testing.T, n *node, ann party, bob, cleo *deskParty) {
	up := func(t *testing.T) {
		t.Helper()
		ann.dial("1002")
		bob.rings()
		bob.answer()
		bob.talks()
		ann.talks()
		bob.hears(tone1001)
		ann.hears(tone1002)
	}
	down := func() {
		ann.hangup()
		bob.idle()
		ann.idle()
	}
	for _, cell := range []struct {
		name string
		do   func(t *testing.T)
	}{
		{"calls and hangs up", func(t *testing.T) { up(t); down() }},
		{"is called, and the caller hangs up", func(t *testing.T) {
			bob.dial("1001")
			ann.rings()
			ann.answer()
			ann.talks()
			bob.talks()
			ann.hears(tone1002)
			bob.hears(tone1001)
			bob.hangup()
			ann.idle()
			bob.idle()
		}},
		{"holds and resumes", func(t *testing.T) {
			up(t)
			ann.hold()
			bob.misses(tone1001)
			ann.resume()
			bob.hears(tone1001)
			ann.hears(tone1002)
			down()
		}},
		{"is held and resumed", func(t *testing.T) {
			up(t)
			bob.hold()
			ann.misses(tone1002)
			bob.resume()
			ann.hears(tone1002)
			bob.hears(tone1001)
			down()
		}},
		{"keys both ways", func(t *testing.T) {
			up(t)
			ann.press('5')
			bob.got('5')
			bob.press('7')
			ann.got('7')
			down()
		}},
		{"transfers blind", func(t *testing.T) {
			up(t)
			ann.transfer("1003")
			cleo.rings()
			cleo.answer()
			cleo.talks()
			ann.idle()
			cleo.hears(tone1002)
			bob.hears(tone1003)
			cleo.hangup()
			bob.idle()
			cleo.idle()
		}},
		{"transfers attended", func(t *testing.T) {
			up(t)
			ann.consult("1003")
			cleo.rings()
			cleo.answer()
			cleo.talks()
			cleo.hears(tone1001)
			ann.join()
			ann.idle()
			cleo.hears(tone1002)
			bob.hears(tone1003)
			bob.hangup()
			cleo.idle()
			bob.idle()
		}},
	} {
		ok := t.Run(cell.name, func(t *testing.T) {
			for _, p := range []party{ann, bob, cleo} {
				p.of(t)
			}
			cell.do(t)
		})
		if !ok {
			return // the telephones are in no state that the next cell knows
		}
	}
}
