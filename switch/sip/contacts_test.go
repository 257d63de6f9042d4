package sip

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	msg "github.com/emiago/sipgo/sip"

	"ozswitch/switch/sip/flow"
	"ozswitch/switch/sip/registrar"
)

// FuzzReading: whatever a telephone that has logged in writes into REGISTER,
// SUBSCRIBE and MESSAGE is read without a fault, and what is answered of it are whole
// lines.
func FuzzReading(f *testing.F) {
	const head = "REGISTER sip:pbx SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2:5070;branch=z9hG4bKa\r\nFrom: <sip:1@pbx>;tag=a\r\nTo: <sip:1@pbx>\r\nCall-ID: c\r\nCSeq: 1 REGISTER\r\n"
	for _, s := range []string{
		"Contact: <sip:a@h;ob>;q=0.5;expires=60;+sip.instance=\"<urn:x>\";reg-id=1\r\nSupported: outbound, path\r\nPath: <sip:p;lr;ob>, <sip:q;lr>\r\nAllow: INVITE,ACK\r\n",
		"m: *\r\nExpires: 0\r\n", "Event: dialog;id=\"x\"\r\nAccept: */*;q=1\r\nExpires: 4294967295\r\n", "o: message-summary;id\r\nAccept:,;,\r\n",
		"Contact: \"a\\\"\" <sip:%00@[::1]:99999>;q=NaN;reg-id=-1\r\nContact: sip:x?y=z\r\n",
	} {
		f.Add(s)
	}
	parser := msg.NewParser()
	f.Fuzz(func(t *testing.T, s string) {
		m := message{from: nowhere{}, method: "REGISTER"}
		var ok bool
		if m.head, ok = flow.Scan([]byte(head + s + "\r\n")); !ok || m.head.Malformed != "" {
			return
		}
		parsed, err := parser.ParseSIP(m.head.Message)
		if err != nil {
			return
		}
		if m.req, ok = parsed.(*msg.Request); !ok {
			return
		}
		r, refuse := registration(&m, "1")
		if refuse == nil {
			all, _, _ := registrar.NewTable().Register(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), r)
			for one := range strings.SplitSeq(strings.TrimSuffix(answerContacts(all, &r)+outbound(&r), "\r\n"), "\r\n") {
				if name, _, found := strings.Cut(one, ": "); !found || strings.ContainsAny(name, " \t<>") || strings.ContainsAny(one, "\r\n\x00") {
					t.Errorf("answers with the line %q", one)
				}
			}
		}
		for _, b := range r.Contacts {
			if b.Rank < 0 || b.Rank > 1000 {
				t.Errorf("a rank of %d", b.Rank)
			}
		}
		event, value := eventOf(&m)
		if packages[event] != "" && (strings.ContainsAny(value, "\r\n\x00") || !strings.HasPrefix(value, event)) { // others are refused
			t.Errorf("repeats the event %q", value)
		}
		accepts(&m, "application/dialog-info+xml")
		if d, ok := subscribedFor(&m); ok && d != 0 && (d < minSubscription || d > maxSubscription) {
			t.Errorf("subscribed for %s", d)
		}
	})
}

// nowhere is a flow that sends nothing.
type nowhere struct{ flow.Flow }

func (nowhere) Transport() string      { return "udp" }
func (nowhere) Remote() netip.AddrPort { return netip.MustParseAddrPort(peerAddr) }
