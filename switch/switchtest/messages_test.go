package switchtest

import (
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"ozswitch/ozml/trace"
	"ozswitch/switch/server"
)

// sendingScript sends what it can and is not kept waiting.
const sendingScript = `<Response>
	<SendSms Recipient="+36201234567" Sender="+3611" DeliveryReportURL="http://app/dlr">Hello $caller</SendSms>
	<SendEmail Recipient="ann@example.org;bob@example.org" Subject="Call" Attachments="hello.txt">$caller called</SendEmail>
	<Speak>Done</Speak>
</Response>`

// TestSendFromScript: what a script sends goes out; the delivery report comes back
// to the app, whose answer's commands run.
func TestSendFromScript(t *testing.T) {
	Run(t, func(w *World) {
		messaging(w)
		c, m := &centre{}, &mailHost{}
		c.serve(w)
		m.serve(w)
		w.Web.Serve("/ivr", sendingScript)
		w.Web.Serve("/dlr", `<Response><Speak>Never</Speak><SendSms Recipient="+36209999999">It arrived at $dialed</SendSms></Response>`)
		w.Start()
		if err := os.WriteFile(filepath.Join(w.Config.Data, "media", "hello.txt"), []byte("attached"), 0o600); err != nil {
			t.Fatal(err)
		}
		call := w.Phone("1001").Dial("9000")
		call.Hears("Done")
		call.Over()
		if got, want := c.got(), []string{"36201234567 3611 Hello 1001"}; !slices.Equal(got, want) {
			t.Fatalf("the centre got %q, want %q", got, want)
		}
		w.Until("the mail came", func() bool { return len(m.got()) == 1 })
		mail := m.got()[0]
		for _, part := range []string{"oz@example.org ann@example.org,bob@example.org\n", "Subject: Call\r\n", "1001 called", `filename="hello.txt"`, "YXR0YWNoZWQ="} {
			if !strings.Contains(mail, part) {
				t.Errorf("the mail lacks %q:\n%s", part, mail)
			}
		}
		id := call.ID()
		script := w.Transcript(id)
		for _, line := range []string{`SendSms +36201234567: Hello 1001`, "sms to +36201234567 from +3611 by 9000", `SendEmail ann@example.org, bob@example.org: Call`, "mail to ann@example.org, bob@example.org by 9000"} {
			if !strings.Contains(script, line) {
				t.Errorf("the transcript lacks %q:\n%s", line, script)
			}
		}
		c.deliver(4, "36201234567", "3611", "id:m1 sub:001 dlvrd:001 stat:DELIVRD err:000 text:Hello")
		p := w.Web.Wait("SMSDeliveryReport", 1)
		if p.Path != "/dlr" || p.Fields.Get("Status") != "Delivered" || p.Fields.Get("Recipient") != "+36201234567" || p.Fields.Get("Sender") != "+3611" ||
			p.Fields.Get("ApiExtension") != "9000" || p.Fields.Get("CallId") != id || !guid.MatchString(p.Fields.Get("SmsId")) || p.Fields.Get("Time") == "" {
			t.Errorf("posted %s %v", p.Path, p.Fields)
		}
		w.Until("the answer ran", func() bool { return len(c.got()) == 2 })
		if got, want := c.got()[1], "36209999999 Oz It arrived at +36201234567"; got != want {
			t.Errorf("the centre got %q, want %q", got, want)
		}
	})
}

var guid = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// TestIncomingSMS: a text message from outside is posted to the app, whose answer
// answers by text message; a user reads it in his inbox.
func TestIncomingSMS(t *testing.T) {
	Run(t, func(w *World) {
		messaging(w)
		w.Config.Users = append(w.Config.Users, server.User{Name: "second", Password: "second", API: true})
		c := &centre{}
		c.serve(w)
		w.Web.Serve("/sms", `<Response><SendSms Recipient="$caller">$extension got it</SendSms></Response>`)
		w.Start()
		w.Pass(time.Second)
		c.deliver(0, "36201234567", "9000", "Order one")
		p := w.Web.Wait("IncomingSMS", 1)
		if p.Path != "/sms" || p.Fields.Get("Sender") != "+36201234567" || p.Fields.Get("Recipient") != "+9000" || p.Fields.Get("Message") != "Order one" ||
			p.Fields.Get("ApiExtension") != "9000" || p.Fields.Get("ReceivedTime") == "" || p.Header.Get("Ozswitch-Event-Id") == "" {
			t.Errorf("posted %s %v", p.Path, p.Fields)
		}
		w.Until("the answer ran", func() bool { return len(c.got()) == 1 })
		if got, want := c.got()[0], "36201234567 Oz 9000 got it"; got != want {
			t.Errorf("the centre got %q, want %q", got, want)
		}
		c.deliver(0, "36207654321", "12345", "Order two") // nobody's number: the first with an sms_url
		if p := w.Web.Wait("IncomingSMS", 2); p.Fields.Get("Recipient") != "+12345" || p.Fields.Get("ApiExtension") != "9000" {
			t.Errorf("posted %v", p.Fields)
		}
		read := func(params ...string) []string {
			t.Helper()
			var a struct {
				Code int
				All  []struct {
					ID   string `xml:"messageid"`
					From string `xml:"originator"`
					To   string `xml:"recipient"`
					Type string `xml:"messagetype"`
					Text string `xml:"messagedata"`
				} `xml:"data>message"`
			}
			body := w.API("ReceiveMessage", append([]string{"Action", "receivemessage"}, params...)...)
			if err := xml.Unmarshal([]byte(body), &a); err != nil || a.Code != 200 {
				t.Fatalf("%v: %s", err, body)
			}
			var got []string
			for _, m := range a.All {
				if !guid.MatchString(m.ID) || m.Type != "SMS:TEXT" {
					t.Errorf("message %+v", m)
				}
				got = append(got, m.From+" "+m.To+" "+m.Text)
			}
			return got
		}
		one, two := "+36201234567 +9000 Order one", "+36207654321 +12345 Order two"
		for _, step := range []struct {
			params []string
			want   []string
		}{
			{[]string{"AfterDownload", "leave"}, []string{one, two}},
			{[]string{"Limit", "1"}, []string{one}},
			{nil, []string{two}},
			{nil, nil},
			{[]string{"Folder", "downloaded", "AfterDownload", "delete"}, []string{one, two}},
			{[]string{"Folder", "downloaded"}, nil},
			{[]string{"Username", "second", "Password", "second"}, []string{one, two}}, // his own
			{[]string{"Folder", "sent"}, nil},                                          // scripts are nobody
		} {
			if got := read(step.params...); !slices.Equal(got, step.want) {
				t.Errorf("ReceiveMessage %q gave %q, want %q", step.params, got, step.want)
			}
		}
		if c.acks != 2 {
			t.Errorf("%d messages were acknowledged, want 2", c.acks)
		}
	})
}

// TestSendByAPI: the commands over HTTP, and what a user sent and was sent.
func TestSendByAPI(t *testing.T) {
	Run(t, func(w *World) {
		messaging(w)
		w.Config.SMS.Send = []string{"+36*"}
		c, m := &centre{}, &mailHost{}
		c.serve(w)
		m.serve(w)
		w.Start()
		w.Pass(time.Second)
		answer := func(want int, command string, params ...string) string {
			t.Helper()
			body := w.API(command, params...)
			if !strings.Contains(body, fmt.Sprintf("<Code>%d</Code>", want)) {
				t.Errorf("%s %q: %s, want %d", command, params, body, want)
			}
			return body
		}
		id := regexp.MustCompile(`<SmsId>(.*)</SmsId>`).FindStringSubmatch(answer(200, "SendSms", "Recipient", "+3620111", "Message", "Hello", "DeliveryReportURL", "http://app/dlr"))
		if id == nil || !guid.MatchString(id[1]) {
			t.Fatalf("SmsId %q", id)
		}
		if !strings.Contains(answer(200, "SendEmail", "Recipient", "a@example.org", "Message", "Hi", "Sender", "Boss <boss@example.org>"), "<EmailId>") {
			t.Error("no EmailId")
		}
		answer(501, "SendSms", "Recipient", "+4420111", "Message", "Hello") // sms.send
		answer(401, "SendSms", "Recipient", "+3620111", "Message", "Hello", "ApiExtension", "1001")
		answer(302, "SendSms", "Recipient", "+3620111", "Message", "Hello", "Sender", "far too long a name")
		answer(302, "SendEmail", "Recipient", "a@example.org", "Attachments", "/etc/passwd")
		answer(302, "SendEmail", "Recipient", "a@example.org", "Attachments", "nothing.wav")
		answer(302, "SendEmail", "Recipient", "a@example.org", "Subject", "x\r\nBcc: b@example.org")
		answer(501, "SendMsg", "ToConnection", "nobody@localhost", "Text", "Hello")
		answer(200, "SendMsg", "ToConnection", "api@localhost", "Text", "For you")
		answer(200, "SendMsg", "ToConnection", "sms@localhost", "ToAddress", "+3620222", "Text", "By SendMsg")
		answer(200, "SendMsg", "ToConnection", "mail@localhost", "ToAddress", "b@example.org", "Text", "Subject\nand more")
		answer(200, "SendMessage", "Action", "sendmessage", "Recipient", "+3620333", "MessageData", "By gateway", "Originator", "Me")
		w.Until("all are sent", func() bool { return len(c.got()) == 3 && len(m.got()) == 2 })
		sent := c.got()
		slices.Sort(sent)
		if want := []string{"3620111 Oz Hello", "3620222 Oz By SendMsg", "3620333 Me By gateway"}; !slices.Equal(sent, want) {
			t.Errorf("the centre got %q, want %q", sent, want)
		}
		if all := strings.Join(m.got(), "\n"); !strings.Contains(all, "Subject: Subject\r\n") || strings.Contains(all, "Bcc") ||
			!strings.Contains(all, "boss@example.org a@example.org\n") || !strings.Contains(all, "oz@example.org b@example.org\n") {
			t.Errorf("mails %s", all)
		}
		inbox := answer(200, "ReceiveMessage", "Action", "receivemessage")
		if !strings.Contains(inbox, "<messagedata>For you</messagedata>") || !strings.Contains(inbox, "<originator>9000</originator>") {
			t.Errorf("inbox %s", inbox)
		}
		out := answer(200, "ReceiveMessage", "Action", "receivemessage", "Folder", "sent", "AfterDownload", "mark")
		if strings.Count(out, "<message>") != 3 || !strings.Contains(out, "<messageid>"+id[1]+"</messageid>") {
			t.Errorf("sent %s", out)
		}
	})
}

// TestReportWhere: the reports of a user with urls: any go where he says, those of
// others where a script may reach.
func TestReportWhere(t *testing.T) {
	Run(t, func(w *World) {
		messaging(w)
		w.Config.Users = append(w.Config.Users, server.User{Name: "second", Password: "second", API: true})
		c := &centre{}
		c.serve(w)
		w.Web.Serve("/dlr", "<Response/>")
		params := []string{"Recipient", "+3620111", "Message", "Hello", "DeliveryReportURL", "http://169.254.10.10/dlr"}
		w.API("SendSms", params...)
		w.API("SendSms", append(params, "Username", "second", "Password", "second")...)
		w.Until("both are sent", func() bool { return len(c.got()) == 2 })
		c.deliver(4, "3620111", "Oz", "id:m2 stat:DELIVRD")
		c.deliver(4, "3620111", "Oz", "id:m1 stat:DELIVRD")
		w.Pass(time.Second)
		if n := len(w.Web.Posted("SMSDeliveryReport")); n != 1 {
			t.Errorf("%d reports, want that of the first only", n)
		}
		if !slices.ContainsFunc(w.Events(""), func(e trace.Event) bool { return e.Type == trace.NotifyFail && e.Code == "OZ1307" }) {
			t.Error("no event says why the second came to nothing")
		}
	})
}

// TestReportAfterRestart: the delivery report of a message that an earlier run has
// sent finds its way.
func TestReportAfterRestart(t *testing.T) {
	Run(t, func(w *World) {
		messaging(w)
		c := &centre{}
		c.serve(w)
		w.Web.Serve("/dlr", "<Response/>")
		w.API("SendSms", "Recipient", "+3620111", "Message", "Hello", "DeliveryReportURL", "http://app/dlr")
		w.Until("it is sent", func() bool { return len(c.got()) == 1 })
		w.Pass(time.Second)
		w.Stop()
		w.Restart()
		w.Pass(3 * time.Second)
		c.deliver(4, "3620111", "Oz", "id:m1 stat:UNDELIV err:012")
		p := w.Web.Wait("SMSDeliveryReport", 1)
		if p.Fields.Get("Status") != "Failed" || p.Fields.Get("Recipient") != "+3620111" || !guid.MatchString(p.Fields.Get("SmsId")) || !strings.Contains(p.Fields.Get("Error"), "UNDELIV") {
			t.Errorf("posted %v", p.Fields)
		}
	})
}

// faults are the events of messages that were not sent, as "kind reason code".
func faults(w *World) (all []string) {
	for _, e := range w.Events("") {
		if e.Type == trace.NotifyFail && (e.Name == "sms" || e.Name == "mail") {
			all = append(all, strings.TrimSpace(e.Name+" "+e.Reason)+" "+e.Code)
		}
	}
	return all
}

// TestServersDown: nobody listens: commands return at once, events tell it, and all
// is sent once the servers are there.
func TestServersDown(t *testing.T) {
	Run(t, func(w *World) {
		messaging(w)
		w.Web.Serve("/ivr", sendingScript)
		w.Start()
		if err := os.WriteFile(filepath.Join(w.Config.Data, "media", "hello.txt"), []byte("attached"), 0o600); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		call := w.Phone("1001").Dial("9000")
		call.Hears("Done")
		call.Over()
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("the call took %v", took)
		}
		w.Pass(15 * time.Second)
		got := faults(w)
		for _, want := range []string{"mail retry OZ1342", "sms retry OZ1342", "sms connection OZ1342"} {
			if !slices.Contains(got, want) {
				t.Errorf("events %q lack %q", got, want)
			}
		}
		if w.Server.SMSTrouble() == nil {
			t.Error("SMSTrouble = nil while nobody listens")
		}
		c, m := &centre{}, &mailHost{}
		c.serve(w)
		m.serve(w)
		for range 3 {
			w.Pass(time.Minute)
		}
		if len(c.got()) != 1 || len(m.got()) != 1 {
			t.Errorf("then came %q and %d mails, want one of each", c.got(), len(m.got()))
		}
		logs, _ := filepath.Glob(filepath.Join(w.Config.Data, "calls", "*", "*", call.ID()+".jsonl"))
		if len(logs) != 1 {
			t.Fatalf("logs of the call: %q", logs)
		}
		log, err := os.ReadFile(logs[0]) // the call was over long before
		if err != nil || strings.Count(string(log), `"notify.sent"`) != 2 {
			t.Errorf("the log of the call does not tell that both were sent: %v\n%s", err, log)
		}
		if err := w.Server.SMSTrouble(); err != nil {
			t.Errorf("SMSTrouble = %v once it is there", err)
		}
	})
}

// TestServersRefuse: what is refused for good fails at once, with an event and the
// report Failed; what may become better is tried again.
func TestServersRefuse(t *testing.T) {
	Run(t, func(w *World) {
		messaging(w)
		c := &centre{submit: func(to, _ string) any {
			if to == "361" {
				return uint32(0x0B) // ESME_RINVDSTADR
			}
			return "ok"
		}}
		first := true
		m := &mailHost{rcpt: func(to string) error {
			switch {
			case strings.HasPrefix(to, "never"):
				return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"}
			case first:
				first = false
				return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "greylisted"}
			}
			return nil
		}}
		c.serve(w)
		m.serve(w)
		w.Web.Serve("/dlr", "<Response/>")
		w.Web.Serve("/ivr", `<Response>
	<SendSms Recipient="+361" DeliveryReportURL="http://app/dlr">x</SendSms>
	<SendEmail Recipient="never@example.org">x</SendEmail>
	<SendEmail Recipient="later@example.org">x</SendEmail>
	<Speak>Done</Speak></Response>`)
		call := w.Phone("1001").Dial("9000")
		call.Hears("Done")
		call.Over()
		p := w.Web.Wait("SMSDeliveryReport", 1)
		if p.Fields.Get("Status") != "Failed" || !strings.Contains(p.Fields.Get("Error"), "0x0B") {
			t.Errorf("posted %v", p.Fields)
		}
		w.Until("the mail came", func() bool { return len(m.got()) == 1 })
		got := faults(w)
		slices.Sort(got)
		if want := []string{"mail OZ1342", "mail retry OZ1342", "sms OZ1342"}; !slices.Equal(got, want) {
			t.Errorf("events %q, want %q", got, want)
		}
		if script := w.Transcript(call.ID()); !strings.Contains(script, "mail to later@example.org failed: OZ1342") || !strings.Contains(script, "it is tried again") {
			t.Errorf("transcript\n%s", script)
		}
	})
}

// TestServersSlow: a centre that welcomes nobody, or answers nothing, holds up
// neither calls nor the end of the switch.
func TestServersSlow(t *testing.T) {
	for name, c := range map[string]*centre{
		"the login is refused": {bind: func() uint32 { return 0x0E }},
		"no answer":            {submit: func(string, string) any { return nil }},
	} {
		t.Run(name, func(t *testing.T) {
			Run(t, func(w *World) {
				messaging(w)
				c.serve(w)
				w.Web.Serve("/ivr", `<Response><SendSms Recipient="+361">x</SendSms><Speak>Done</Speak></Response>`)
				begun := time.Now()
				call := w.Phone("1001").Dial("9000")
				call.Hears("Done")
				call.Over()
				if took := time.Since(begun); took > 5*time.Second {
					t.Errorf("the call took %v", took)
				}
				w.Pass(12 * time.Second)
				if got := faults(w); !slices.Contains(got, "sms retry OZ1342") {
					t.Errorf("events %q", got)
				}
				begun = time.Now()
				w.Stop()
				if took := time.Since(begun); took > 6*time.Second {
					t.Errorf("stopping took %v", took)
				}
				w.Restart()
			})
		})
	}
}

// TestNotConfigured: without mail: and sms: the API answers 501, and a script goes
// on.
func TestNotConfigured(t *testing.T) {
	Run(t, func(w *World) {
		w.Web.Serve("/ivr", `<Response><SendSms Recipient="+361">x</SendSms><SendEmail Recipient="a@example.org">x</SendEmail><Speak>Done</Speak></Response>`)
		call := w.Phone("1001").Dial("9000")
		call.Hears("Done")
		call.Over()
		if s := w.Transcript(call.ID()); strings.Count(s, "OZ1341") != 2 {
			t.Errorf("transcript\n%s", s)
		}
		for _, q := range [][]string{{"SendSms", "Recipient", "1", "Message", "x"}, {"SendEmail", "Recipient", "a@example.org"}} {
			if a := w.API(q[0], q[1:]...); !strings.Contains(a, "<Code>501</Code>") || !strings.Contains(a, "Destination of the SMS is not found") {
				t.Errorf("%q: %s", q, a)
			}
		}
	})
}
