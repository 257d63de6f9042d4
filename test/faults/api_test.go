//go:build faults

package faults

import (
	"encoding/xml"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"ozswitch/ozml/trace"
	"ozswitch/switch/phone"
)

// hangs is how long an answer of the HTTP API may take: it gives up by itself
// after 10 s (decisions 11).
const hangs = 12 * time.Second

// An apiFault is a command that cannot do what it should.
type apiFault struct {
	what   string
	params string // of the command, as a query; {call} is the call that is up
	code   int
	says   string // the message, to the letter
	event  string // code of the event in the log of the call that is up; "" = no call has to do with it
	hint   string // part of that event's text
}

// ask sends a command to the HTTP API.
func (n *node) ask(t *testing.T, params string) (code int, message string, whole string, took time.Duration) {
	t.Helper()
	began := time.Now()
	client := &http.Client{Timeout: 2 * hangs}
	answer, err := client.Post("http://"+n.http+"/api", "application/x-www-form-urlencoded", strings.NewReader(params+"&Username=app&Password=of+the+app"))
	if err != nil {
		t.Fatalf("%s: %v", params, err)
	}
	defer answer.Body.Close()
	var v struct {
		Code    int
		Message string
		Inner   string `xml:",innerxml"`
	}
	if err := xml.NewDecoder(answer.Body).Decode(&v); err != nil {
		t.Fatalf("%s: %v", params, err)
	}
	return v.Code, v.Message, v.Inner, time.Since(began)
}

var callID = regexp.MustCompile(`<CallId>(.+)</CallId>`)

// TestAPIFaults: whatever is wrong with a command of the HTTP API, its documented
// code and message come, in time; what has to do with a call is in that call's
// event log; and the call goes on.
func TestAPIFaults(t *testing.T) {
	n := serveWith(t, `users:
  - {name: app, password: "of the app", api: true}
`, `  - {number: "9000", type: script, file: wait.xml}
  - {number: "1001", type: phone, password: "one secret"}
  - {number: "1002", type: phone, password: "two secret"}
`)
	scripts := filepath.Join(n.data, "scripts")
	if err := os.MkdirAll(scripts, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(scripts, "wait.xml"), []byte(`<Response><Delay>120</Delay></Response>`), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(n.data, "media"), 0o755); err != nil {
		t.Fatal(err)
	}
	n.prompt(t, "here.wav", "a")
	if err := os.Symlink("/etc/passwd", filepath.Join(n.data, "media", "link.wav")); err != nil {
		t.Fatal(err)
	}
	p := newPhone(t)
	c := place(t, p, n, "100", "9000", phone.Options{})
	id := ""
	eventually(t, "the call is up", func() bool {
		_, _, whole, _ := n.ask(t, "command=ListActiveCalls")
		if m := callID.FindStringSubmatch(whole); m != nil && strings.Contains(whole, "InCall") {
			id = m[1]
		}
		return id != ""
	})

	none := func(what, params string) apiFault {
		return apiFault{"unknown call: " + what, params, 601, "Call not found with ID 'q7Lx2'", "", ""}
	}
	bad := func(command, param, what, params, event, hint string) apiFault {
		return apiFault{what, params, 302, fmt.Sprintf("Missing or invalid parameter '%s' for command '%s'", param, command), event, hint}
	}
	table := []string{fmt.Sprintf("%-52s %5s %8s  %s", "fault", "code", "took", "message")}
	for _, f := range []apiFault{
		none("Hangup", "command=Hangup&CallId=q7Lx2"),
		none("Hold", "command=Hold&CallId=q7Lx2"),
		none("Unhold", "command=Unhold&CallId=q7Lx2"),
		none("Play", "command=Play&CallId=q7Lx2&Party=all&AudioFile=x.wav"),
		none("Speak", "command=Speak&CallId=q7Lx2&Party=all&Text=x"),
		none("Record", "command=Record&CallId=q7Lx2"),
		none("PauseRecord", "command=PauseRecord&CallId=q7Lx2"),
		none("ResumeRecord", "command=ResumeRecord&CallId=q7Lx2"),
		none("SendDTMF", "command=SendDTMF&CallId=q7Lx2&Party=all&Keys=1"),
		none("BlindTransfer", "command=BlindTransfer&CallId=q7Lx2&TransferorParty=callee&Target=1001"),
		none("AttendedTransfer, the first", "command=AttendedTransfer&TransferredCallId=q7Lx2&TargetCallId={call}"),
		none("AttendedTransfer, the second", "command=AttendedTransfer&TransferredCallId={call}&TargetCallId=q7Lx2"),
		none("Forward", "command=Forward&CallId=q7Lx2&Destination=1001"),
		none("ForwardCall", "command=ForwardCall&CallId=q7Lx2&Destination=1001"),

		bad("Speak", "Party", "wrong party: Speak", "command=Speak&CallId={call}&Party=callee&Text=x", "OZ1103", "Party"),
		bad("Play", "Party", "wrong party: Play", "command=Play&CallId={call}&Party=callee&AudioFile=here.wav", "", ""),
		bad("SendDTMF", "Party", "wrong party: SendDTMF", "command=SendDTMF&CallId={call}&Party=callee&Keys=1", "", ""),
		bad("BlindTransfer", "TransferorParty", "wrong party: BlindTransfer", "command=BlindTransfer&CallId={call}&TransferorParty=all&Target=1001", "", ""),
		bad("Speak", "Party", "no such party: Speak", "command=Speak&CallId={call}&Party=both&Text=x", "OZ1103", "both"),
		{"a call that does not ring: Forward", "command=Forward&CallId={call}&Destination=1001", 303, "Command 'Forward' cannot be used here", "OZ1108", "ring"},

		bad("Play", "AudioFile", "outside the roots: Play, up", "command=Play&CallId={call}&Party=caller&AudioFile=../../../../etc/passwd", "OZ1103", "escapes"),
		bad("Play", "AudioFile", "outside the roots: Play, absolute", "command=Play&CallId={call}&Party=caller&AudioFile=/etc/passwd", "OZ1103", "is not below"),
		bad("Play", "AudioFile", "outside the roots: Play, a link", "command=Play&CallId={call}&Party=caller&AudioFile=link.wav", "OZ1103", "link.wav"),
		bad("Play", "AudioFile", "no such file: Play", "command=Play&CallId={call}&Party=caller&AudioFile=nix.wav", "OZ1103", "nix.wav"),
		{"a URL that decisions 9 refuses: Play", "command=Play&CallId={call}&Party=caller&AudioFile=http://10.11.12.13/x.wav", 200, "Command successfully executed", "OZ1307", "web.allow"},
		{"outside the roots: RecordPath goes to the default", "command=Record&CallId={call}&Format=wav&RecordPath=../../x", 200, "Command successfully executed", "OZ1323", "RecordPath"},

		{"unknown extension: Call", "command=Call&Dialed=1001&ApiExtension=77&Url=http://127.0.0.1:1/", 401, "API extension '77' unavailable, please check configuration or permissions", "", ""},
		{"no route: Call", "command=Call&Dialed=4444&Url=http://127.0.0.1:1/", 402, "Call connect to '4444' failed with result state 'NotFound'", "", ""},
		{"not registered: Call", "command=Call&Dialed=1001&Url=http://127.0.0.1:1/", 402, "Call connect to '1001' failed with result state 'NoAnswer'", "", ""},
		{"no route: CallSetup", "command=CallSetup&Caller=4444&Callee=1001", 402, "Call connect to '4444' failed with result state 'NotFound'", "", ""},
		{"no route: Request", "command=Request&DialedAddress=4444", 402, "Call connect to '4444' failed with result state 'NotFound'", "", ""},
		{"no route: BlindTransfer", "command=BlindTransfer&CallId={call}&TransferorParty=callee&Target=4444", 402, "Call connect to '4444' failed with result state 'NotFound'", "OZ1325", "4444"},
		{"no mail server: SendEmail", "command=SendEmail&Recipient=a@example.org&Subject=x&Message=y", 501, "Destination of the SMS is not found", "", ""},
		{"no SMS service: SendSms", "command=SendSms&Recipient=123&Message=y", 501, "Destination of the SMS is not found", "", ""},
	} {
		code, message, whole, took := n.ask(t, strings.ReplaceAll(f.params, "{call}", id))
		if code != f.code || message != f.says {
			t.Errorf("%s: %d %q, want %d %q\n%s", f.what, code, message, f.code, f.says, whole)
		}
		if took > hangs {
			t.Errorf("%s: took %v", f.what, took)
		}
		if f.event != "" && !await(5*time.Second, func() bool {
			_, ok := n.logs(t)["100"].find(func(e trace.Event) bool {
				return e.Code == f.event && strings.Contains(e.Text+e.Hint, f.hint)
			})
			return ok
		}) {
			t.Errorf("%s: no event %s in\n%v", f.what, f.event, n.logs(t)["100"])
		}
		table = append(table, fmt.Sprintf("%-52s %5d %8s  %s", f.what, code, took.Round(time.Millisecond), message))
	}
	if code, _, _, _ := n.ask(t, "command=Hangup&CallId="+id); code != 200 {
		t.Errorf("the call is gone: %d", code)
	}
	c.wait(t)
	show(table)
	n.close(t)
}

// TestServiceFaults: a mail server or an SMS service that is down, refuses or says
// nothing keeps neither a request nor a call waiting; the log of the call tells.
func TestServiceFaults(t *testing.T) {
	refuse := listenTCP(t, func(c net.Conn) { fmt.Fprint(c, "554 no service\r\n"); c.Close() })
	silent := listenTCP(t, func(net.Conn) {})
	for _, f := range []struct {
		what, mail, sms string
		tells           bool // while the call is up; a silent one is waited for longer than that
		says            string
	}{
		{"down", "127.0.0.1:1", "http://127.0.0.1:1/", true, "nobody listens there"},
		{"refuses", refuse, "http://" + refuse + "/", true, ""},
		{"says nothing", silent, "http://" + silent + "/", false, ""},
	} {
		t.Run(f.what, func(t *testing.T) {
			n := serveWith(t, fmt.Sprintf(`users:
  - {name: app, password: "of the app", api: true}
mail: {server: "%s", from: "a@example.org", tls: "off"}
sms: {type: http, address: "%s"}
`, f.mail, f.sms), `  - {number: "9000", type: script, file: send.xml}
`)
			scripts := filepath.Join(n.data, "scripts")
			if err := os.MkdirAll(scripts, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(scripts, "send.xml"), []byte(`<Response><SendEmail Recipient="b@example.org" Subject="x">y</SendEmail><SendSms Recipient="123">y</SendSms><Delay>5</Delay></Response>`), 0o644); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			c := place(t, newPhone(t), n, "100", "9000", phone.Options{})
			c.wait(t)
			if took := time.Since(began); took < 4*time.Second || took > 20*time.Second {
				t.Errorf("the call took %v", took)
			}
			for _, params := range []string{"command=SendEmail&Recipient=b@example.org&Subject=x&Message=y", "command=SendSms&Recipient=123&Message=y"} {
				if code, _, whole, took := n.ask(t, params); code != 200 || took > hangs {
					t.Errorf("%s: %d after %v\n%s", params, code, took, whole)
				}
			}
			for _, name := range []string{"mail", "sms"} {
				if f.tells && !await(10*time.Second, func() bool {
					_, ok := n.logs(t)["100"].find(func(e trace.Event) bool {
						return e.Type == trace.NotifyFail && e.Name == name && e.Code != "" && strings.Contains(e.Text, f.says)
					})
					return ok
				}) {
					t.Errorf("no event of %s with %q in\n%v", name, f.says, n.logs(t)["100"])
				}
			}
			n.close(t)
		})
	}
}

// listenTCP is a server that does one thing with each connection.
func listenTCP(t *testing.T, do func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			do(c)
		}
	}()
	return l.Addr().String()
}
