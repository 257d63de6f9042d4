//go:build peers

package peers

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const carrierPassword = deskPassword // which its own telephones have too

// newCarrier starts Kamailio as a carrier and gives its address.
func newCarrier(t *testing.T) (*proc, string) {
	t.Helper()
	need(t, "kamailio")
	dir, port := t.TempDir(), freePort(t)
	src, err := os.ReadFile("testdata/kamailio.cfg")
	if err != nil {
		t.Fatal(err)
	}
	cfg := filepath.Join(dir, "kamailio.cfg")
	write(t, cfg, strings.NewReplacer("PORT", fmt.Sprint(port), "SECRET", carrierPassword).Replace(string(src)))
	k := start(t, dir, nil, "kamailio", "-f", cfg, "-DD", "-E", "-Y", dir, "-w", dir)
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	c, err := net.Dial("udp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	answers := make(chan struct{})
	go func() {
		b := make([]byte, 2000)
		for {
			if n, err := c.Read(b); err == nil && strings.HasPrefix(string(b[:n]), "SIP/2.0 200") {
				close(answers)
				return
			} else if err != nil && k.ended() {
				return
			}
		}
	}()
	tries := 0
	eventually(t, "kamailio answers OPTIONS", func() bool {
		if tries++; tries%10 == 1 {
			_, _ = fmt.Fprintf(c, "OPTIONS sip:%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%d\r\nFrom: <sip:t@t.invalid>;tag=1\r\nTo: <sip:t@t.invalid>\r\nCall-ID: c%[3]d\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 5\r\nContent-Length: 0\r\n\r\n", addr, c.LocalAddr(), tries)
		}
		select {
		case <-answers:
			return true
		default:
			return false
		}
	})
	return k, addr
}

// TestKamailioLine: the switch registers with a carrier, calls go out by it and
// come in from it; the caller out there sees the line's number, and nothing of
// what the carrier was not asked for goes there.
func TestKamailioLine(t *testing.T) {
	need(t, "baresip", "sox")
	k, carrier := newCarrier(t)
	n := serveGuests(t, "none", "http://127.0.0.1:9/", matrixExtensions+`lines:
  - {name: carrier, address: "`+carrier+`", user: "361234", password: `+carrierPassword+`, realm: carrier.test, register: true, caller_id: "361234", codecs: [PCMA, PCMU]}
dialplan:
  - {from: extension, match: "0*", to: carrier, strip: 1}
  - {from: carrier, match: "361234", to: "1001"}
`)
	eventually(t, "the line is registered", func() bool {
		return strings.Contains(k.out.String(), "REGISTER") && strings.Count(k.out.String(), "carrier: REGISTER") >= 2
	})
	ann := newDeskParty(t, n, "1001", tone1001)
	carol := newDeskParty(t, &node{sip: carrier}, "3600", tone1003) // a telephone of the carrier's
	t.Run("out", func(t *testing.T) {
		ann.dial("03600")
		carol.rings()
		carol.s.says("361234")
		carol.answer()
		carol.talks()
		ann.talks()
		carol.hears(tone1001)
		ann.hears(tone1003)
		ann.press('4')
		carol.got('4')
		ann.hangup()
		carol.idle()
		ann.idle()
	})
	t.Run("in", func(t *testing.T) {
		carol.dial("361234")
		ann.rings()
		ann.s.says("3600")
		ann.answer()
		ann.talks()
		carol.talks()
		ann.hears(tone1003)
		carol.hears(tone1001)
		carol.hangup()
		ann.idle()
		carol.idle()
	})
	leave(ann, carol)
	n.close(t)
}

// TestSecureSound: SRTP with keys in the SDP (SDES) between two baresips, to which
// nothing else is said; a third without it is refused, in words.
func TestSecureSound(t *testing.T) {
	need(t, "baresip", "sox")
	n := serveGuests(t, "none", "http://127.0.0.1:9/", strings.ReplaceAll(matrixExtensions, deskPassword+", name: ", deskPassword+", srtp: mandatory, name: "))
	ann := newDeskPartyWith(t, n, "1001", tone1001, ";mediaenc=srtp-mand")
	bob := newDeskPartyWith(t, n, "1002", tone1002, ";mediaenc=srtp-mand")
	cleo := newDeskPartyWith(t, n, "1003", tone1003, "")
	ann.dial("1002")
	bob.rings()
	bob.answer()
	bob.talks()
	ann.talks()
	ann.hears(tone1002)
	bob.hears(tone1001)
	ann.hangup()
	bob.idle()
	ann.idle()
	cleo.dial("1002")
	cleo.s.says("488")
	leave(ann, bob, cleo)
	n.close(t)
}
