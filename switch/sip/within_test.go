package sip

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"ozswitch/switch/call"
	"ozswitch/switch/sip/flow"
	"ozswitch/switch/sip/registrar"
)

// A forgetful exchange takes every call and forgets what befalls it.
type forgetful struct{ told int }

func (k *forgetful) Invited(call.Invited) (func(call.Event) bool, *call.Respond) {
	return func(call.Event) bool { k.told++; return true }, nil
}

const standing = up // under a name that nothing hides

// within are the methods of requests in a dialog.
var within = []string{"INVITE", "BYE", "OPTIONS", "INFO", "UPDATE", "PRACK", "SUBSCRIBE", "NOTIFY", "REFER", "MESSAGE", "PUBLISH", "CANCEL", "REGISTER", "ACK"}

// FuzzWithin: whatever a request holds that belongs to a dialog, ringing or up, or
// that an answer to an INVITE of ours holds: no bug is caught, a request has at most
// one final answer, and what we send can be read.
func FuzzWithin(f *testing.F) {
	f.Add(uint8(8), true, "Refer-To: <sip:1002@pbx?Replaces=a%3Bto-tag%3Dx%3Bfrom-tag%3Dy>\r\nRefer-Sub: false\r\n", "")
	f.Add(uint8(5), false, "RAck: 1 1 INVITE\r\n", testSDP)
	f.Add(uint8(7), true, "Event: refer\r\nSubscription-State: terminated\r\n", "SIP/2.0 200 OK\r\n")
	f.Add(uint8(0), true, "Content-Type: application/sdp\r\nReplaces: a;to-tag=b;from-tag=c\r\n", strings.Replace(testSDP, "RTP/AVP 0", "RTP/SAVP 0", 1)+"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:"+key30+"\r\n")
	f.Add(uint8(4), false, "Content-Type: application/sdp\r\nSession-Expires: 90\r\n", testSDP)
	f.Add(uint8(6), true, "Event: dialog\r\n", "")
	f.Add(uint8(3), true, "Content-Type: application/dtmf\r\n", "5")
	f.Add(uint8(1), true, "Reason: Q.850;cause=16, SIP;text=\"x\"\r\n", "")
	f.Fuzz(func(t *testing.T, method uint8, up bool, extra, body string) {
		k := &forgetful{}
		e := New(Config{Rand: seeded(1), Log: slog.New(slog.DiscardHandler), Realm: "pbx", Guest: nil, Accounts: []registrar.Account{registrar.NewAccount("1001", "pbx", "right", "")}}, k)
		e.c.Realm = "" // an INVITE need not log in here, a REFER must
		var sent []string
		way := fakeFlow{sent: &sent}
		invite := strings.Replace(plainInvite, "Content-Type: application/sdp\r\nContent-Length: 0\r\n\r\n", fmt.Sprintf("Supported: 100rel\r\nContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s", len(testSDP), testSDP), 1)
		e.receive(way, []byte(invite), nil)
		var leg *leg
		for _, leg = range e.legs {
		}
		if leg == nil {
			t.Fatalf("no leg: %q", sent)
		}
		leg.user = "1001"
		e.c.Realm = "pbx"
		m := testMedia
		e.Do(call.Respond{Leg: leg.id, Code: 183, Media: &m})
		to := "<sip:9000@10.0.0.1>;tag=" + leg.dlg.LocalTag
		request := func(method, branch string, seq int, extra, body string) []byte {
			return fmt.Appendf(nil, "%s sip:9000@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2:5070;branch=z9hG4bK%s;rport\r\nMax-Forwards: 70\r\nFrom: <sip:1001@10.0.0.2>;tag=a\r\nTo: %s\r\nCall-ID: c\r\nCSeq: %d %s\r\n%sContent-Length: %d\r\n\r\n%s",
				method, branch, to, seq, method, extra, len(body), body)
		}
		if up {
			e.receive(way, request("PRACK", "p", 2, fmt.Sprintf("RAck: %d 1 INVITE\r\n", leg.invite.reliable.rseq), ""), nil)
			e.Do(call.Respond{Leg: leg.id, Code: 200, Media: &m})
			e.receive(way, request("ACK", "k", 1, "", ""), nil)
			if leg.state != standing {
				t.Fatalf("the call is not up: %q", sent)
			}
		}
		sent = nil
		e.receive(way, request(within[int(method)%len(within)], "f", 5, extra, body), nil)
		most := 1
		if !up {
			most = 2 // a BYE has the INVITE answered as well
		}
		if got := finals(sent); got > most {
			t.Errorf("%d final answers: %q", got, sent)
		}
		e.Do(call.ReferProgress{Leg: leg.id, Code: 200})
		e.Do(call.Respond{Leg: leg.id, Code: 200})
		e.Do(call.Bye{Leg: leg.id})

		// The same headers in an answer.
		l, _, _, _, err := e.outgoing(call.Invite{Leg: "out", Target: "sip:x@10.0.0.2:5070", Offer: &m}, false)
		if err != nil {
			t.Fatal(err)
		}
		l.post = func(call.Event) bool { return true }
		s := e.shardOf([]byte(l.dlg.CallID))
		s.guard(l.dlg.CallID, func(time.Time) { s.add(l) })
		sent = nil
		e.place(l, hop{way: way})
		h, ok := flow.Scan([]byte(sent[0]))
		if !ok {
			t.Fatalf("our INVITE does not scan: %q", sent[0])
		}
		for _, code := range []int{180, 183, 200, 302, 401} {
			e.receive(way, fmt.Appendf(nil, "SIP/2.0 %d X\r\nVia: %s\r\nFrom: %s\r\nTo: %s;tag=z\r\nCall-ID: %s\r\nCSeq: %s\r\n%sContent-Length: %d\r\n\r\n%s",
				code, h.Vias[0], h.From, h.To, h.CallID, h.CSeq, extra, len(body), body), nil)
		}
		e.Do(call.Cancel{Leg: "out"})
		e.Do(call.Bye{Leg: "out"})
		if e.Panics() != 0 {
			t.Fatal("a bug was caught")
		}
		for _, b := range sent {
			if h, ok := flow.Scan([]byte(b)); !ok || h.Malformed != "" {
				t.Fatalf("what we send does not scan: %s %q", h.Malformed, b)
			}
		}
	})
}
