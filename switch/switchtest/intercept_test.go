package switchtest

import (
	"strings"
	"testing"
	"time"

	"ozswitch/switch/phone"
	"ozswitch/switch/server"
)

// TestRoutingInterception: an app tries three people in turn; the last answers.
func TestRoutingInterception(t *testing.T) {
	company(t, func(w *World) {
		w.Config.RoutingURL = "http://app/route"
		answers := []string{`<Response><Route Destination="1002" RingTime="5"/><Route Destination="1004"/></Response>`,
			`<Response><Route Destination="1003"/></Response>`, `<Response><Route Destination="1004" CallerId="777"/></Response>`}
		w.Web.Handle("/route", func(Post) Answer {
			next := answers[0]
			answers = answers[1:]
			return Answer{Body: next}
		})
		a, b, c, d := w.Phone("1001"), w.Phone("1002"), w.Phone("1003"), w.Phone("1004")
		b.Reply = func() phone.Reply { return phone.Reply{Options: phone.Options{RingFor: time.Hour}} }
		c.Reply = func() phone.Reply { return phone.Reply{Refuse: 486} }
		ac := a.Dial("555")
		if dc := d.Next(); dc.From() != "777" {
			t.Errorf("shown to the callee: %q, want 777", dc.From())
		}
		ac.HangUp()
		var asked []string
		for _, p := range w.Web.Posted("RoutingInterception") {
			asked = append(asked, strings.Join([]string{p.Fields.Get("CallerID"), p.Fields.Get("CallerExtension"), p.Fields.Get("OriginalDialedNumber"),
				p.Fields.Get("LastDialedNumber"), p.Fields.Get("LastCalledExtension"), p.Fields.Get("LastCallState")}, " "))
		}
		want := "1001 1001 555 555  Calling; 1001 1001 555 1002 1002 NoAnswer; 1001 1001 555 1003 1003 Busy"
		if got := strings.Join(asked, "; "); got != want {
			t.Errorf("asked %q\nwant  %q\n%s", got, want, w.Transcript(ac.ID()))
		}
	}, "1001", "1002", "1003", "1004")
}

// TestRoutingWithoutAnApp: while the app is down the dial plan decides, and the
// log says why; an empty destination refuses, also a call to a script.
func TestRoutingWithoutAnApp(t *testing.T) {
	company(t, func(w *World) {
		w.Config.RoutingURL = "http://router/route"
		w.Config.Dialplan = []server.Rule{{From: "extension", Match: "5", To: server.Names{"9000"}}, {From: "extension", Match: "*", To: server.Names{"*"}}}
		w.Web.Serve("/ivr", `<Response><Speak>Welcome</Speak></Response>`)
		a := w.Phone("1001")
		w.Web.Handle("/route", func(Post) Answer { return Answer{Drop: true} })
		c := a.Dial("5")
		c.Hears("Welcome")
		c.Ends()
		if !strings.Contains(w.Transcript(c.ID()), "POST http://router/route failed") {
			t.Errorf("the log does not say that the app was down:\n%s", w.Transcript(c.ID()))
		}
		w.Web.Serve("/route", `<Response><Route Destination=""/></Response>`)
		if got := a.Refused("5"); got != 603 {
			t.Errorf("an empty destination: %d, want 603", got)
		}
		w.Web.Serve("/route", `<Response></Response>`)
		c = a.Dial("5")
		c.Hears("Welcome")
		c.Ends()
	}, "1001")
}
