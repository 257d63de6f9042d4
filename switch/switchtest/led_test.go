package switchtest

import (
	"strings"
	"testing"
	"time"

	"ozswitch/switch/phone"
	"ozswitch/switch/server"
)

// TestLedToAnApplication: a call that nobody took is led to an application, whose
// script answers it, hears its keys and, when it says so, writes none of them down.
func TestLedToAnApplication(t *testing.T) {
	for _, sensitive := range []bool{false, true} {
		company(t, func(w *World) {
			w.Config.Extensions[0].SensitiveInput = sensitive
			w.Config.Dialplan = []server.Rule{{Match: "500", To: server.Names{"1002", "9000"}, Ring: "order", RingTime: server.Duration(3 * time.Second)}}
			w.Web.Serve("/ivr", `<Response><UserInput Digits="4" Timeout="5" ForwardToUrl="http://app/code"><InitialCommands><Speak>Your code please</Speak></InitialCommands></UserInput></Response>`)
			w.Web.Serve("/code", `<Response><Speak>Thank you</Speak></Response>`)
			a, b := w.Phone("1001"), w.Phone("1002")
			b.Reply = func() phone.Reply { return phone.Reply{Options: phone.Options{RingFor: time.Hour}} }
			c := a.Dial("500")
			b.Next().Over()
			c.Hears("Your code please")
			c.Press("4711")
			c.Hears("Thank you")
			c.Ends()
			if p := w.Web.Wait("IncomingCall", 1).Fields; p.Get("ApiExtension") != "9000" || p.Get("DialedNumber") != "500" {
				t.Errorf("IncomingCall for %s, dialled %s", p.Get("ApiExtension"), p.Get("DialedNumber"))
			}
			if p := w.Web.Wait("DtmfEntered", 1).Fields; p.Get("DtmfDigits") != "4711" {
				t.Errorf("DtmfEntered %q", p.Get("DtmfDigits"))
			}
			shown := ""
			for _, e := range w.Events(c.ID()) {
				shown += e.Key
			}
			if strings.Contains(shown, "4711") == sensitive {
				t.Errorf("sensitive %v: the log has keys %q", sensitive, shown)
			}
			if row := w.row(); row.Extension != "9000" || row.State != "CalleeHungUp" {
				t.Errorf("row: extension %s, state %s", row.Extension, row.State)
			}
		}, "1001", "1002")
	}
}

// TestBlindTransferByScript: a script hands its caller on by the dial plan; what
// stands after it runs when nobody answers.
func TestBlindTransferByScript(t *testing.T) {
	company(t, func(w *World) {
		w.Web.Serve("/ivr", `<Response><BlindTransfer Target="1002" RingTime="4"/><Speak>Nobody is there</Speak><BlindTransfer Target="1003"/><Speak>Never said</Speak></Response>`)
		for i := range w.Config.Extensions {
			if e := &w.Config.Extensions[i]; e.Number == "1003" {
				e.Forward.Busy = "1004"
			}
		}
		a, b, c, d := w.Phone("1001"), w.Phone("1002"), w.Phone("1003"), w.Phone("1004")
		b.Reply = func() phone.Reply { return phone.Reply{Options: phone.Options{RingFor: time.Hour}} }
		c.Reply = func() phone.Reply { return phone.Reply{Refuse: 486} }
		ac := a.Dial("9000")
		ac.Hears("Nobody is there")
		dc := d.Next()
		w.Pass(3 * time.Second)
		if w.Up() != 1 || strings.Contains(ac.Text(), "never") {
			t.Errorf("%d calls are up; heard %q", w.Up(), ac.Text())
		}
		dc.Call.Hangup()
		ac.Over()
		row := w.row()
		if row.To != "1004" || len(row.Legs) != 4 {
			t.Errorf("row: to %s, legs %s", row.To, legsOf(row))
		}
	}, "1001", "1002", "1003", "1004")
}
