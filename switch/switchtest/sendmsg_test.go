package switchtest

import (
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ozswitch/ozml/trace"
	"ozswitch/switch/server"
)

// TestSendMsgAndWait: a script writes to a phone and waits for what its owner
// answers; a text that nobody waits for goes to the web app.
func TestSendMsgAndWait(t *testing.T) {
	company(t, func(w *World) {
		messaging(w)
		w.Config.SIP.Guests = "all"
		w.Config.Extensions = append(w.Config.Extensions, server.Extension{Number: "9100", Type: "script", File: "none.xml"})
		c := &centre{}
		c.serve(w)
		w.Web.Serve("/sms", "<Response/>")
		w.Web.Serve("/ivr", `<Response>
	<SendMsg ToConnection="1002@localhost">Let $caller in?</SendMsg>
	<WaitForMsg ID="a" FromConnection="1002@localhost" Timeout="20"/>
	<Speak>It is $a</Speak>
	<WaitForMsg ID="b" FromConnection="sms" Timeout="20"/>
	<Speak>Then $b</Speak>
	<WaitForMsg ID="c" FromConnection="1001" Timeout="2"/>
	<Speak>At last ($c)</Speak></Response>`)
		d := w.desk("1002", "10.1.9.2")
		defer d.close()
		if got := d.ask("REGISTER", "1002", "Expires: 600\r\n", ""); got != "200 OK" {
			t.Fatalf("registered: %s", got)
		}
		const plain = "Content-Type: text/plain;charset=utf-8\r\n"
		if got := d.ask("MESSAGE", "9000", plain, "Before the call"); got != "202 Accepted" {
			t.Errorf("before the call: %s", got)
		}
		if got := d.ask("MESSAGE", "9100", plain, "x"); got != "480 Temporarily Unavailable" && !strings.HasPrefix(got, "480") {
			t.Errorf("to a script that no call runs: %s", got)
		}
		if p := w.Web.Wait("IncomingSMS", 1); p.Fields.Get("Message") != "Before the call" || p.Fields.Get("Sender") != "1002" || p.Fields.Get("Recipient") != "9000" {
			t.Errorf("posted %v", p.Fields)
		}
		call := w.Phone("1001").Dial("9000")
		w.Pass(2 * time.Second)
		_, texts := d.shown()
		if len(texts) != 1 || !strings.Contains(texts[0], "<sip:9000@localhost>") || !strings.HasSuffix(texts[0], "Let 1001 in?") {
			t.Errorf("the phone got %q", texts)
		}
		c.deliver(0, "3620", "9000", "Early") // kept for the second WaitForMsg
		w.Pass(time.Second)
		if got := d.ask("MESSAGE", "9000", plain, "Yes"); got != "200 OK" {
			t.Errorf("while the script waits: %s", got)
		}
		call.Hears("It is Yes")
		call.Hears("Then Early")
		call.Hears("At last ()")
		call.Over()
		if n := len(w.Web.Posted("IncomingSMS")); n != 2 { // Early came when the script waited for another
			t.Errorf("%d IncomingSMS, want 2", n)
		}
		got := []string{}
		for _, e := range w.Events(call.ID()) {
			if e.Type == trace.MessageReceived {
				got = append(got, e.Name+" "+e.Text)
			}
		}
		if want := []string{"1002 Yes", "sms Early"}; !slices.Equal(got, want) {
			t.Errorf("the call received %q, want %q", got, want)
		}
		if s := w.Transcript(call.ID()); !strings.Contains(s, "OZ1344") || !strings.Contains(s, "message to 1002") {
			t.Errorf("transcript\n%s", s)
		}
	}, "1002")
}

// TestWaitEnds: the end of the call ends a WaitForMsg, whose message goes to the
// next one.
func TestWaitEnds(t *testing.T) {
	Run(t, func(w *World) {
		messaging(w)
		c := &centre{}
		c.serve(w)
		w.Web.Serve("/sms", "<Response/>")
		w.Web.Serve("/ivr", `<Response><Speak>Hi</Speak><WaitForMsg ID="a" Timeout="60"/><Speak>Got $a</Speak></Response>`)
		first, second := w.Phone("1001").Dial("9000"), w.Phone("1002").Dial("9000")
		first.Hears("Hi")
		second.Hears("Hi")
		w.Pass(time.Second)
		first.HangUp()
		first.Over()
		w.Pass(time.Second)
		c.deliver(0, "3620", "9000", "x")
		second.Hears("Got x")
		second.Over()
		if n := len(w.Web.Posted("IncomingSMS")); n != 0 {
			t.Errorf("%d IncomingSMS, want none: a script waited", n)
		}
	})
}

// TestScriptsThatAnswerEachOther: they come to an end.
func TestScriptsThatAnswerEachOther(t *testing.T) {
	Run(t, func(w *World) {
		messaging(w)
		w.Config.Extensions = append(w.Config.Extensions, server.Extension{Number: "9001", Type: "api", URL: "http://app/ivr", SMSURL: "http://app/other"})
		w.Web.Serve("/sms", `<Response><SendMsg ToConnection="$caller">ping</SendMsg></Response>`)
		w.Web.Serve("/other", `<Response><SendMsg ToConnection="$caller">pong</SendMsg></Response>`)
		w.API("SendMsg", "ToConnection", "9001", "Text", "start")
		w.Pass(30 * time.Second)
		if n := len(w.Web.Posted("IncomingSMS")); n != 120 && n != 121 {
			t.Errorf("%d messages, want 60 to each", n)
		}
		if !slices.ContainsFunc(w.Events(""), func(e trace.Event) bool {
			return e.Type == trace.CommandFail && strings.Contains(e.Text, "within a minute")
		}) {
			t.Error("no event says why it ended")
		}
	})
}

// TestGateway: text messages by HTTP: out, back in, and the report.
func TestGateway(t *testing.T) {
	Run(t, func(w *World) {
		messaging(w)
		w.Config.SMS = server.SMS{Type: "http", Address: "http://10.0.0.6/send", User: "u", Password: "pw", Token: "t0k", From: "Oz"}
		l, err := w.Net.Listen("10.0.0.6:80")
		if err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		var got []string
		service := &http.Server{Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			_ = r.ParseForm()
			user, password, _ := r.BasicAuth()
			mu.Lock()
			defer mu.Unlock()
			got = append(got, fmt.Sprintf("%s:%s %s %s %s %s", user, password, r.PostForm.Get("to"), r.PostForm.Get("from"), r.PostForm.Get("text"), r.PostForm.Get("report")))
			fmt.Fprintf(rw, `{"id": "r%d"}`, len(got))
		})}
		w.parts.Go(func() { _ = service.Serve(l) })
		end := w.stop
		w.stop = func() { _ = service.Close(); end() }
		w.Web.Serve("/sms", `<Response><SendSms Recipient="$caller">Thanks</SendSms></Response>`)
		w.Web.Serve("/dlr", "<Response/>")
		w.API("SendSms", "Recipient", "+3620111", "Message", "Szép", "DeliveryReportURL", "http://app/dlr")
		sent := func() []string { w.Settle(); mu.Lock(); defer mu.Unlock(); return slices.Clone(got) }
		w.Until("it is sent", func() bool { return len(sent()) == 1 })
		if want := "u:pw +3620111 Oz Szép true"; sent()[0] != want {
			t.Errorf("posted %q, want %q", sent()[0], want)
		}
		post := func(want int, form string) {
			t.Helper()
			tr := &http.Transport{DialContext: w.Net.DialContext(netip.MustParseAddr("10.0.0.6")), DisableKeepAlives: true}
			v, _ := url.ParseQuery(form)
			req, err := http.NewRequest(http.MethodPost, "http://"+httpAddr+"/sms", strings.NewReader(v.Encode()))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			res, err := tr.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, res.Body)
			res.Body.Close()
			if res.StatusCode != want {
				t.Errorf("%s: %d, want %d", form, res.StatusCode, want)
			}
		}
		post(403, "from=%2b3620&to=9000&text=Hi")
		post(204, "token=t0k&id=r1&status=delivered")
		if p := w.Web.Wait("SMSDeliveryReport", 1); p.Fields.Get("Status") != "Delivered" || p.Fields.Get("Recipient") != "+3620111" {
			t.Errorf("posted %v", p.Fields)
		}
		post(204, "token=t0k&from=%2b3620&to=9000&text=Hi")
		w.Until("the answer is sent", func() bool { return len(sent()) == 2 })
		if want := "u:pw +3620 Oz Thanks false"; sent()[1] != want {
			t.Errorf("posted %q, want %q", sent()[1], want)
		}
	})
}

// TestReloadOfMessages: mail: and sms: change while the switch runs; what is bad
// changes nothing.
func TestReloadOfMessages(t *testing.T) {
	Run(t, func(w *World) {
		messaging(w)
		w.Config.Users = []server.User{{Name: "reloader", Password: "long enough", API: true}} // it is checked anew
		who := []string{"Username", "reloader", "Password", "long enough"}
		mail, sms := w.Config.Mail, w.Config.SMS
		w.Config.Mail, w.Config.SMS = server.Mail{}, server.SMS{}
		c, m := &centre{}, &mailHost{}
		stop := c.serve(w)
		m.serve(w)
		send := func(want string) {
			t.Helper()
			for _, a := range []string{w.API("SendSms", append(who, "Recipient", "+3620", "Message", "x")...), w.API("SendEmail", append(who, "Recipient", "a@example.org")...)} {
				if !strings.Contains(a, "<Code>"+want+"</Code>") {
					t.Errorf("answer %s, want %s", a, want)
				}
			}
		}
		reload := func(ml server.Mail, x server.SMS, good bool) {
			t.Helper()
			next := *w.Config
			next.Mail, next.SMS = ml, x
			restart, err := w.Server.Reload(&next)
			if len(restart) > 0 || (err == nil) != good {
				t.Errorf("Reload = %q, %v, want good %v", restart, err, good)
			}
			w.Pass(time.Second)
		}
		send("501")
		reload(mail, sms, true)
		send("200")
		w.Until("both came", func() bool { return len(c.got()) == 1 && len(m.got()) == 1 })
		bad := sms
		bad.From = "longer than eleven"
		reload(mail, bad, false)
		reload(server.Mail{Server: "a b"}, sms, false)
		send("200")
		w.Until("both came", func() bool { return len(c.got()) == 2 && len(m.got()) == 2 })
		sms.Send = []string{"+44*"} // the connection goes on
		c.mu.Lock()
		c.bind = func() uint32 { t.Error("it is bound anew"); return 0x0E }
		c.mu.Unlock()
		reload(mail, sms, true)
		if a := w.API("SendSms", append(who, "Recipient", "+3620", "Message", "x")...); !strings.Contains(a, "<Code>501</Code>") {
			t.Errorf("not allowed any more: %s", a)
		}
		reload(server.Mail{}, server.SMS{}, true)
		send("501")
		stop()
	})
}
