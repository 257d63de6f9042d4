package switchtest

import (
	"context"
	"strings"
	"testing"
	"time"

	"ozswitch/ozml/trace"
	"ozswitch/switch/phone"
)

// invites are the INVITEs of the switch to a number, as they went to the wire.
func invites(w *World, to string) (all []string) {
	for _, e := range w.Events("") {
		if text := e.Body + e.Text; e.Type == trace.SIPSent && strings.Contains(text, "INVITE sip:"+to+"@") {
			all = append(all, text)
		}
	}
	return all
}

// TestSIPHeadersOut: what sip.headers allows is in the INVITE, word for word, once;
// what it does not allow is an error, and nobody is called.
func TestSIPHeadersOut(t *testing.T) {
	Run(t, func(w *World) {
		w.Config.SIP.Headers = []string{"X-*", "P-Order"}
		bob := withPhone(w)
		w.Web.Serve("/ivr", `<Response><Var ID="id">17; X-Admin: yes</Var>
			<Call Url="http://app/c" SipHeaders="X-Order: $id;p-order: äöü">1002</Call>
			<Call Url="http://app/c" SipHeaders="X-A: 1; Subject: free money">1002</Call>
			<Call Url="http://app/c" SipHeaders="From: boss">1002</Call></Response>`)
		w.Web.Serve("/c", "<Response/>")
		c := w.Phone("1001").Dial("9000")
		c.Over()
		bob.Next().Over()
		all := invites(w, "1002")
		if len(all) != 1 {
			t.Fatalf("%d INVITEs went out, want 1:\n%s", len(all), strings.Join(all, "\n"))
		}
		head, _, _ := strings.Cut(all[0], "\r\n\r\n")
		for _, want := range []string{"\r\nX-Order: 17; X-Admin: yes\r\n", "\r\np-order: äöü\r\n"} {
			if !strings.Contains(head+"\r\n", want) {
				t.Errorf("the INVITE lacks %q:\n%s", want, head)
			}
		}
		if strings.Contains(head, "\r\nX-Admin:") {
			t.Errorf("a variable made a header of its own:\n%s", head)
		}
		for _, name := range []string{"Subject", "From"} {
			if text := w.Transcript(c.ID()); !strings.Contains(text, "OZ1103: Missing or invalid parameter 'SipHeaders' for command 'Call': sip.headers of the configuration does not allow "+name) {
				t.Errorf("%s was not refused:\n%s", name, text)
			}
		}
		if got := w.API("Call", "Dialed", "1002", "Url", "http://app/c", "SipHeaders", "Route: <sip:evil>"); code(got) != "302" {
			t.Errorf("Route over HTTP: %s, want 302", got)
		}
		if got := w.API("Call", "Dialed", "1002", "Url", "http://app/c", "SipHeaders", "X-Api: 1\r\nContact: <sip:evil>"); code(got) != "302" {
			t.Errorf("a line end over HTTP: %s, want 302", got)
		}
		if got := w.API("Call", "Dialed", "1002", "Url", "http://app/c", "SipHeaders", "X-Api: 1"); code(got) != "200" {
			t.Errorf("Call over HTTP: %s", got)
		}
		bob.Next().Over()
		if all := invites(w, "1002"); len(all) != 2 || !strings.Contains(all[1], "\r\nX-Api: 1\r\n") {
			t.Errorf("the INVITE of the API:\n%s", all[len(all)-1])
		}
	})
}

// TestSIPHeadersKnown: a header that SIP knows is never written, whatever sip.headers
// says.
func TestSIPHeadersKnown(t *testing.T) {
	Run(t, func(w *World) {
		w.Config.SIP.Headers = []string{"P-*", "From"}
		withPhone(w)
		for _, h := range []string{"P-Asserted-Identity: <sip:boss@x>", "From: <sip:boss@x>"} {
			if got := w.API("Call", "Dialed", "1002", "Url", "http://app/c", "SipHeaders", h); code(got) == "200" {
				t.Errorf("%s: %s", h, got)
			}
		}
		for _, text := range invites(w, "1002") {
			if strings.Contains(text, "boss") {
				t.Errorf("it went out:\n%s", text)
			}
		}
	})
}

// TestSIPHeadersIn: the headers that sip.headers allows are fields of IncomingCall
// and variables; others are neither.
func TestSIPHeadersIn(t *testing.T) {
	Run(t, func(w *World) {
		w.Web.Serve("/ivr", `<Response><If Var="$sip_y_other" Defined="false"><Speak>order $sip_x_order</Speak></If></Response>`)
		c := w.Phone("1001").Place("9000", phone.Options{Headers: []phone.Header{
			{Name: "X-Order", Value: "seventeen"}, {Name: "Y-Other", Value: "no"}, {Name: "X-Long", Value: strings.Repeat("x", 300)},
			{Name: "x-order", Value: "second"},
		}})
		if err := c.Answered(context.Background()); err != nil {
			t.Fatal(err)
		}
		c.Hears("order seventeen")
		c.Ends()
		w.Pass(time.Second)
		f := w.Web.Wait("IncomingCall", 1).Fields
		if f.Get("SipHeader_X-Order") != "seventeen" || f.Has("SipHeader_Y-Other") || f.Has("SipHeader_X-Long") {
			t.Errorf("IncomingCall says %v", f)
		}
	})
}
