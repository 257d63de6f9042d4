package api

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ozswitch/internal/golden"
	"ozswitch/ozml"
	"ozswitch/ozml/command"
	"ozswitch/ozml/trace"
)

// An exchange is a small true Directory: calls that are up, numbers that can be
// dialled.
type exchange struct {
	calls  map[string]*oneCall
	dialed ozml.Dial
	alarm  ozml.AlarmCall
}

type oneCall struct {
	ozml.Call
	id   string
	hung atomic.Bool
}

func (c *oneCall) Info() ozml.CallInfo { return ozml.CallInfo{ID: c.id} }
func (c *oneCall) Hangup(context.Context) error {
	c.hung.Store(true)
	return nil
}

func (x *exchange) Find(id string) (ozml.Call, error) {
	if c := x.calls[id]; c != nil && !c.hung.Load() {
		return c, nil
	}
	return nil, ozml.NoCall(id)
}

// b81Qx is a call of two who talk, Nt3uh one whose callee rings; neither has
// anybody in common with the other.

func (c *oneCall) There(p ozml.Party) error {
	switch {
	case c.id == "b81Qx":
		return nil
	case p == ozml.Callee:
		return &ozml.PartyError{Party: p}
	}
	return &ozml.Fault{Code: ozml.CodeNotHere, Msg: "nobody can hear it: the call is not answered yet"}
}

func (c *oneCall) Speak(context.Context, ozml.Utterance) error        { return nil }
func (c *oneCall) Play(context.Context, ozml.Prompt) error            { return nil }
func (c *oneCall) SendKeys(context.Context, ozml.Party, string) error { return nil }
func (c *oneCall) StartRecord(context.Context, ozml.RecordSpec) error { return nil }
func (c *oneCall) PauseRecord(context.Context, ozml.Place) error {
	if c.id != "b81Qx" {
		return ozml.NoRecording("PauseRecord")
	}
	return nil
}
func (c *oneCall) ResumeRecord(context.Context, ozml.Place) error { return nil }
func (c *oneCall) Hold(context.Context) error                     { return nil }
func (c *oneCall) Unhold(context.Context) error                   { return nil }
func (c *oneCall) Merge(_ context.Context, m ozml.Merge) error {
	if m.Leaves == "" {
		return ozml.ErrNoTransferor
	}
	return nil
}

func (c *oneCall) Forward(_ context.Context, to string) error {
	switch {
	case c.id == "b81Qx":
		return ozml.ErrNotRinging
	case to == "777":
		return &ozml.CallError{To: to, State: "NotFound"}
	}
	return nil
}

// Transfer of 777 finds nobody; any other number rings for an hour and is busy.
func (c *oneCall) Transfer(ctx context.Context, t ozml.Transfer) error {
	switch {
	case c.id != "b81Qx" && t.Leaves == ozml.Callee:
		return &ozml.PartyError{Party: t.Leaves}
	case t.To == "777":
		return &ozml.CallError{To: t.To, State: "NotFound"}
	}
	t.Placed()
	return &ozml.CallError{To: t.To, State: "Busy"}
}

func (x *exchange) Active() []ozml.ActiveCall {
	return []ozml.ActiveCall{{
		ID: "b81Qx", Source: "201", CallerID: "Ann & Bob", Destination: "202", CallerDialed: "202", CalleeDialed: "202",
		Started: time.Date(2026, 3, 2, 9, 15, 40, 0, time.UTC), Ring: 1204 * time.Millisecond, State: "Ringing",
	}}
}

func (x *exchange) Dial(ctx context.Context, d ozml.Dial) (string, error) {
	x.dialed = d
	switch {
	case d.Extension == "666":
		return "", &Unavailable{d.Extension}
	case d.To == "100":
		return "q7Lx2", nil
	case d.To == "busy":
		return "", fmt.Errorf("exchange: %w", &ozml.CallError{To: d.To, State: "Busy"})
	case d.To == "broken":
		return "", errors.New("exchange: on fire")
	case d.To == "panics":
		panic("on fire")
	}
	<-ctx.Done() // rings for ever without a sign
	return "", context.Cause(ctx)
}

func testAccess() *Access {
	return &Access{
		Users: []User{
			{Name: "HTTP_User_1", Password: "qwe123", API: true},
			{Name: "nobody", Password: "abc12345"},
			{Name: "empty", API: true},
		},
		Denied:  []netip.Prefix{netip.MustParsePrefix("10.9.0.0/16")},
		Origins: []string{"https://app.example"},
		Hosts:   []string{"pbx.example"},
	}
}

func testCommands(a *Access) (*Commands, *exchange) {
	x := &exchange{calls: map[string]*oneCall{"b81Qx": {id: "b81Qx"}, "Nt3uh": {id: "Nt3uh"}}}
	return NewCommands(a, CommandsConfig{
		Table: command.Table(),
		World: func(context.Context, User) ozml.World {
			return ozml.World{Calls: x, Messages: &mailroom{}, Trace: trace.SinkFunc(func(trace.Event) {})}
		},
		Log: slog.New(slog.DiscardHandler),
	}), x
}

// get asks with the credentials of the API user.
func get(query string) *http.Request {
	return httptest.NewRequest("GET", "/api?Username=HTTP_User_1&Password=qwe123&"+query, nil)
}

func post(target, body, contentType string) *http.Request {
	r := httptest.NewRequest("POST", target, strings.NewReader(body))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	return r
}

const form = "application/x-www-form-urlencoded"

func basic(r *http.Request, name, password string) *http.Request {
	r.SetBasicAuth(name, password)
	return r
}

func with(r *http.Request, name, value string) *http.Request {
	r.Header.Set(name, value)
	return r
}

func from(addr string, r *http.Request) *http.Request {
	r.RemoteAddr = addr
	return r
}

func bare(target string) *http.Request { return httptest.NewRequest("GET", target, nil) }

// code reads the code of an answer.
func code(t testing.TB, w *httptest.ResponseRecorder) int {
	t.Helper()
	var v struct {
		Code    int
		Message string
	}
	if err := xml.Unmarshal(w.Body.Bytes(), &v); err != nil || v.Message == "" {
		t.Fatalf("answer %q: %v", w.Body, err)
	}
	return v.Code
}

// An answerCase is a request of the legacy API and the code that it gets.
type answerCase struct {
	name string
	r    *http.Request
	want int
}

// answerCases are asked by TestAnswers and, with those for lists and alarms, by
// TestBothAPIs.
func answerCases() []answerCase {
	creds := "Username=HTTP_User_1&Password=qwe123"
	return []answerCase{
		{"hang up", get("command=Hangup&CallId=b81Qx"), 200},
		{"any letter case", bare("/?COMMAND=hangup&callid=b81Qx&USERNAME=http_user_1&password=qwe123"), 200},
		{"a form", post("/api", "command=Hangup&CallId=b81Qx&"+creds, form), 200},
		{"a form without a type, at the root", post("/", "command=Hangup&CallId=b81Qx&"+creds, ""), 200},
		{"the body wins", post("/api?command=Delay&CallId=x", "command=Hangup&CallId=b81Qx&"+creds, form+"; charset=utf-8"), 200},
		{"empty is absent", get("command=&Command=Hangup&CallId=&callid=b81Qx&Foo="), 200},
		{"unknown parameters are ignored", get("command=Hangup&CallId=b81Qx&Acton=x"), 200},
		{"basic", basic(bare("/api?command=Hangup&CallId=b81Qx"), "HTTP_User_1", "qwe123"), 200},
		{"list", get("command=ListActiveCalls"), 200},
		{"call", get("command=Call&Dialed=100&Url=http%3a%2f%2fapp.example%2fx%3fa%3d1&CallerDisplayName=John+Smith"), 200},

		{"speak", get("command=Speak&CallId=b81Qx&Text=Hello+world"), 200},
		{"speak, all of it", get("command=Speak&CallId=b81Qx&Party=Caller&Text=Hello&Language=en-us&Voice=Microsoft+Anna"), 200},
		{"play", get("command=Play&CallId=b81Qx&Party=caller&AudioFile=hello.wav&Repeat=true&Timeout=10"), 200},
		{"record", get("command=Record&CallId=b81Qx&Format=wav&FinishedURL=http%3a%2f%2fapp.example%2fr&Duration=odd&Inactivity=odd&FinishDigits=x&RecordPath=D:/recordings"), 200},
		{"keys", get("command=SendDTMF&CallId=b81Qx&Party=all&Keys=01234%23"), 200},
		{"pause a recording", get("command=PauseRecord&CallId=b81Qx"), 200},
		{"pause a recording that is none", get("command=PauseRecord&CallId=Nt3uh"), 303},
		{"resume a recording", get("command=ResumeRecord&CallId=b81Qx"), 200},
		{"resume no call", get("command=ResumeRecord&CallId=nix"), 601},
		{"hold", get("command=Hold&CallId=b81Qx"), 200},
		{"unhold", get("command=Unhold&CallId=b81Qx"), 200},
		{"blind transfer", get("command=BlindTransfer&CallId=b81Qx&TransferorParty=caller&Target=100&FinishedUrl=http%3a%2f%2fapp.example%2fdone"), 200},
		{"blind transfer, as Ozeki 10 spells it", get("command=BlindTransfer&CallId=b81Qx&TranferorParty=callee&Target=100"), 200},
		{"attended transfer", get("command=AttendedTransfer&TransferredCallId=b81Qx&TargetCallId=Nt3uh&TransferorParty=caller"), 200},
		{"attended transfer, as Ozeki 10 spells it", get("command=AttendedTransfer&TranferredCallId=b81Qx&TargetCallId=Nt3uh&TransferorParty=caller"), 200},
		{"forward", get("command=Forward&CallId=Nt3uh&Destination=500"), 200},
		{"forward, as Ozeki 10 calls it", get("command=ForwardCall&CallId=Nt3uh&Destination=500"), 200},

		{"call setup", get("command=CallSetup&Caller=100&Callee=101&ErrorUrl=http%3a%2f%2fapp.example%2ferr"), 200},
		{"call setup, busy", get("command=CallSetup&Caller=busy&Callee=101"), 402},
		{"call setup, out of order", get("command=CallSetup&Caller=broken&Callee=101"), 402},
		{"call setup of one", get("command=CallSetup&Caller=100"), 302},
		{"request", get("command=Request&DialedAddress=100%40localhost&ExtensionAddress=9000%40localhost&CallerPhoneNumber=105&CallerDisplayName=John+Smith&RingTime=120&RequestOzML=" + url.QueryEscape(`<Request><OnInCall><Speak>Hi</Speak></OnInCall></Request>`)), 200},
		{"request, busy", get("command=Request&DialedAddress=busy"), 402},
		{"request, late", get("command=Request&DialedAddress=broken"), 402},
		{"request of whom", get("command=Request"), 302},
		{"request with another script", get("command=Request&DialedAddress=100&RequestOzML=" + url.QueryEscape(`<Speak>Hi</Speak>`)), 302},
		{"request with a script that is none", get("command=Request&DialedAddress=100&RequestOzML=" + url.QueryEscape(`<Request>`)), 300},
		{"move a file", get("command=MoveFile&SourceFile=a&TargetDirectory=b"), 303},

		{"mail", get("command=SendEmail&Recipient=a@example.org%3bb@example.org&Sender=o@example.org&Subject=Hi&Message=Hello+world&ApiExtension=9994&Attachments=a.wav%3bb.wav"), 200},
		{"mail of whom", get("command=SendEmail&Message=Hello"), 302},
		{"mail with a second header", get("command=SendEmail&Recipient=a@example.org&Subject=Hi%0d%0aBcc:+b@example.org"), 302},
		{"mail with a file from elsewhere", get("command=SendEmail&Recipient=a@example.org&Attachments=../secret.key"), 302},
		{"mail with a file that is not there", get("command=SendEmail&Recipient=a@example.org&Attachments=gone.wav"), 302},
		{"mail without a server", get("command=SendEmail&Recipient=nobody@nowhere.example"), 501},
		{"mail of an extension that is none", get("command=SendEmail&Recipient=a@example.org&ApiExtension=666"), 401},
		{"text message", get("command=SendSms&Recipient=%2b061554670&Message=Hello+world&Sender=%2b061554669&DeliveryReportURL=http%3a%2f%2fapp.example%2fdlr.php&ApiExtension=9994"), 200},
		{"text message, as Ozeki 10 spells it", get("command=SendSMS&Recipient=%2b061554670&Message=Hello&DelivaryReportURL=http%3a%2f%2fapp.example%2fdlr.php"), 200},
		{"text message to whom", get("command=SendSms&Message=Hello"), 302},
		{"text message to a name", get("command=SendSms&Recipient=Ann&Message=Hello"), 302},
		{"no text", get("command=SendSms&Recipient=1"), 302},
		{"text message without a route", get("command=SendSms&Recipient=0&Message=Hello"), 501},
		{"text message of an extension that is none", get("command=SendSms&Recipient=1&Message=Hello&ApiExtension=666"), 401},
		{"message", get("command=SendMsg&ToConnection=1001@localhost&Text=Hello"), 200},
		{"message to a mobile phone", get("command=SendMsg&ToConnection=sms@localhost&ToAddress=%2b3620&Text=Hello"), 200},
		{"message to a mobile phone, which", get("command=SendMsg&ToConnection=sms@localhost&Text=Hello"), 302},
		{"message to nobody", get("command=SendMsg&ToConnection=nix@localhost&Text=Hello"), 501},
		{"send message", get("command=SendMessage&Action=sendmessage&Recipient=%2b36201&MessageData=Hello&MessageType=SMS:TEXT&Originator=Oz&_charset_=UTF-8&MaxResponse=1000"), 200},
		{"send message, latin-1", get("command=SendMessage&Action=sendmessage&Recipient=%2b36201&MessageData=Sz%e9p&_charset_=ISO-8859-1"), 200},
		{"send message, not utf-8", get("command=SendMessage&Action=sendmessage&Recipient=%2b36201&MessageData=Sz%e9p"), 302},
		{"send messages", get("command=SendMessage&Action=sendmessage&MessageCount=3&MaxResponse=2&recipient0=1&messagedata0=One&recipient1=0&messagedata1=Two&recipient2=3&messagedata2=Three"), 200},
		{"send messages of which one is bad", get("command=SendMessage&Action=sendmessage&MessageCount=2&recipient0=1&messagedata0=One&recipient1=Bob&messagedata1=Two"), 302},
		{"send message without action", get("command=SendMessage&Recipient=1&MessageData=Hello"), 302},
		{"send message without a route", get("command=SendMessage&Action=sendmessage&Recipient=0&MessageData=Hello&ContinueUrl=http%3a%2f%2fapp.example%2f"), 501},
		{"receive message", get("command=ReceiveMessage&Action=receivemessage&Folder=inbox&Limit=10&AfterDownload=delete"), 200},
		{"receive message, a page", get("command=ReceiveMessage&Action=receivemessage&ResponseFormat=html"), 200},
		{"receive message, json", get("command=ReceiveMessage&Action=receivemessage&ResponseFormat=json"), 200},
		{"receive message, nothing there", get("command=ReceiveMessage&Action=receivemessage&Folder=downloaded"), 200},
		{"receive message of no folder", get("command=ReceiveMessage&Action=receivemessage&Folder=spam"), 302},
		{"receive message without action", get("command=ReceiveMessage"), 302},
		{"wait for a message", get("command=WaitForMsg&ID=a"), 303},

		{"speak nothing", get("command=Speak&CallId=b81Qx"), 302},
		{"speak to whom", get("command=Speak&CallId=b81Qx&Text=x&Party=both"), 302},
		{"speak to nobody", get("command=Speak&CallId=Nt3uh&Text=x&Party=callee"), 302},
		{"speak before the answer", get("command=Speak&CallId=Nt3uh&Text=x"), 303},
		{"speak into no call", get("command=Speak&CallId=nix&Text=x"), 601},
		{"play nothing", get("command=Play&CallId=b81Qx&Party=all"), 302},
		{"play into no call", get("command=Play&CallId=nix&AudioFile=x.wav"), 601},
		{"record no call", get("command=Record"), 302},
		{"record a call that is not there", get("command=Record&CallId=nix"), 601},
		{"keys to whom", get("command=SendDTMF&CallId=b81Qx&Keys=1"), 302},
		{"no keys", get("command=SendDTMF&CallId=b81Qx&Party=all&Keys=z"), 302},
		{"keys into no call", get("command=SendDTMF&CallId=nix&Party=all&Keys=1"), 601},
		{"hold what", get("command=Hold"), 302},
		{"hold no call", get("command=Hold&CallId=nix"), 601},
		{"unhold no call", get("command=Unhold&CallId=nix"), 601},
		{"transfer by whom", get("command=BlindTransfer&CallId=b81Qx&Target=100"), 302},
		{"transfer by all", get("command=BlindTransfer&CallId=b81Qx&Target=100&TransferorParty=all"), 302},
		{"transfer by nobody", get("command=BlindTransfer&CallId=Nt3uh&Target=100&TransferorParty=callee"), 302},
		{"transfer to nobody", get("command=BlindTransfer&CallId=b81Qx&Target=777&TransferorParty=callee"), 402},
		{"transfer where to", get("command=BlindTransfer&CallId=b81Qx&TransferorParty=callee"), 302},
		{"transfer no call", get("command=BlindTransfer&CallId=nix&Target=100&TransferorParty=callee"), 601},
		{"attended transfer of what", get("command=AttendedTransfer&TargetCallId=Nt3uh"), 302},
		{"attended transfer to what", get("command=AttendedTransfer&TransferredCallId=Nt3uh"), 302},
		{"attended transfer by nobody", get("command=AttendedTransfer&TransferredCallId=b81Qx&TargetCallId=Nt3uh"), 302},
		{"attended transfer to itself", get("command=AttendedTransfer&TransferredCallId=b81Qx&TargetCallId=b81Qx"), 302},
		{"attended transfer of no call", get("command=AttendedTransfer&TransferredCallId=nix&TargetCallId=Nt3uh"), 601},
		{"attended transfer to no call", get("command=AttendedTransfer&TransferredCallId=Nt3uh&TargetCallId=nix"), 601},
		{"forward a call that is up", get("command=ForwardCall&CallId=b81Qx&Destination=500"), 303},
		{"forward where to", get("command=Forward&CallId=Nt3uh"), 302},
		{"forward to nobody", get("command=Forward&CallId=Nt3uh&Destination=777"), 402},
		{"forward no call", get("command=Forward&CallId=nix&Destination=500"), 601},
		{"route", get("command=Route&Destination=500"), 303},
		{"reject", get("command=Reject&CallId=b81Qx"), 303},

		{"no command", get("x=1"), 300},
		{"broken escape", get("command=Hangup&CallId=%zz"), 300},
		{"a form that is none", post("/api?"+creds, "<Response/>", "text/xml"), 300},
		{"a script that is none", get("command=Call&Dialed=100&ResponseOzML=%3CResponse%3E"), 300},
		{"not implemented", get("command=Dance&CallId=1"), 301},
		{"missing parameter", get("command=Hangup"), 302},
		{"missing parameter, Call", get("command=Call&Url=http://app.example/"), 302},
		{"neither Url nor ResponseOzML", get("command=Call&Dialed=100"), 302},
		{"invalid parameter", get("command=Call&Dialed=100&Url=http://app.example/&RingTime=soon"), 302},
		{"OzML only", get("command=userinput"), 303},
		{"no credentials", bare("/api?command=Hangup&CallId=b81Qx"), 304},
		{"bad password", bare("/api?command=Hangup&Username=HTTP_User_1&Password=qwe124"), 305},
		{"no password", bare("/api?command=Hangup&Username=empty"), 305},
		{"no rights", bare("/api?command=Hangup&Username=nobody&Password=abc12345"), 306},
		{"address", from("10.9.8.7:1234", get("command=Hangup&CallId=b81Qx")), 307},
		{"no such API extension", get("command=Call&Dialed=100&ApiExtension=666&Url=http://app.example/"), 401},
		{"busy", get("command=Call&Dialed=busy&Url=http://app.example/"), 402},
		{"out of order", get("command=Call&Dialed=broken&Url=http://app.example/"), 402},
		{"no such call", get("command=Hangup&CallId=%27%3Cq7Lx2%3E"), 601},
		{"a name with a dollar sign", get("command=Hangup&CallId=$callid"), 601},
		{"a bug", get("command=Call&Dialed=panics&Url=http://app.example/"), 402},
	}
}

// Each code to the letter; the whole answers stand in testdata/answers.txt.
func TestAnswers(t *testing.T) {
	var got strings.Builder
	for _, c := range answerCases() {
		h, _ := testCommands(testAccess())
		w := httptest.NewRecorder()
		target := c.r.URL.RequestURI()
		h.ServeHTTP(w, c.r)
		h.Close()
		if got := codeOf(t, w); got != c.want || w.Code != 200 {
			t.Errorf("%s: code %d, HTTP %d, want %d, 200", c.name, got, w.Code, c.want)
		}
		fmt.Fprintf(&got, "-- %s --\n%s %s\n\n%d\n", c.name, c.r.Method, target, w.Code)
		for _, name := range slices.Sorted(maps.Keys(w.Header())) {
			fmt.Fprintf(&got, "%s: %s\n", name, w.Header().Get(name))
		}
		fmt.Fprintf(&got, "\n%s\n", w.Body)
	}
	golden.File(t, "testdata/answers.txt", []byte(got.String()))
}

// The order of the checks (decisions 11): what is wrong first is told first.
func TestOrderOfChecks(t *testing.T) {
	// From all wrong to all right, one step at a time.
	request := func(right int) *http.Request {
		user, password, cmd, rest := "HTTP_User_1", "wrong", "Dance", ""
		addr := "10.9.0.1:1"
		switch {
		case right >= 1:
			addr = "10.1.0.1:1"
		}
		if right >= 2 {
			user, password = "nobody", "abc12345"
		}
		if right >= 3 {
			user, password = "HTTP_User_1", "qwe123"
		}
		if right >= 4 {
			cmd = "Delay"
		}
		if right >= 5 {
			cmd = "Hangup"
		}
		if right >= 6 {
			rest = "&CallId=none"
		}
		if right >= 7 {
			rest = "&CallId=b81Qx"
		}
		return from(addr, bare("/api?command="+cmd+"&Username="+user+"&Password="+password+rest))
	}
	for right, want := range []int{307, 305, 306, 301, 303, 302, 601, 200} {
		h, _ := testCommands(testAccess())
		w := httptest.NewRecorder()
		h.ServeHTTP(w, request(right))
		h.Close()
		if got := code(t, w); got != want {
			t.Errorf("with %d things right: %d, want %d", right, got, want)
		}
	}
}

// What a browser adds by itself is not enough for a page of another origin.
func TestForeignPages(t *testing.T) {
	ambient := func() *http.Request {
		r := basic(bare("/api?command=ListActiveCalls"), "HTTP_User_1", "qwe123")
		r.Host = "pbx.example:9509"
		return r
	}
	off := testAccess()
	off.Off = true
	anonymous := func(host string) *http.Request {
		r := bare("/api?command=ListActiveCalls")
		r.Host = host
		return r
	}
	for _, c := range []struct {
		name string
		a    *Access
		r    *http.Request
		want int
	}{
		{"no browser", testAccess(), ambient(), 200},
		{"the address bar", testAccess(), with(ambient(), "Sec-Fetch-Site", "none"), 200},
		{"our own page", testAccess(), with(ambient(), "Sec-Fetch-Site", "same-origin"), 200},
		{"another site", testAccess(), with(ambient(), "Sec-Fetch-Site", "cross-site"), 307},
		{"another port", testAccess(), with(ambient(), "Sec-Fetch-Site", "same-site"), 307},
		{"another site, older browser", testAccess(), with(ambient(), "Origin", "https://evil.example"), 307},
		{"a sandboxed page", testAccess(), with(ambient(), "Origin", "null"), 307},
		{"our own page, older browser", testAccess(), with(ambient(), "Origin", "http://pbx.example:9509"), 200},
		{"a known page", testAccess(), with(with(ambient(), "Origin", "https://app.example"), "Sec-Fetch-Site", "cross-site"), 200},
		{"another site with credentials of its own", testAccess(), with(get("command=ListActiveCalls"), "Sec-Fetch-Site", "cross-site"), 200},
		{"auth off", off, anonymous("127.0.0.1:9509"), 200},
		{"auth off, by name", off, anonymous("localhost:9509"), 200},
		{"auth off, own name", off, anonymous("pbx.example"), 200},
		{"auth off, another site", off, with(anonymous("127.0.0.1:9509"), "Sec-Fetch-Site", "cross-site"), 307},
		{"auth off, a name bent to us", off, with(anonymous("evil.example"), "Sec-Fetch-Site", "same-origin"), 307},
	} {
		h, _ := testCommands(c.a)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, c.r)
		h.Close()
		if got := code(t, w); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
		if allow := w.Header().Get("Access-Control-Allow-Origin"); (allow != "") != (c.name == "a known page") {
			t.Errorf("%s: Access-Control-Allow-Origin %q", c.name, allow)
		}
	}
}

// How the parameters of a request come together: the body goes before the query,
// of several with one name the first that is not empty counts, and a body that is
// no form is told after the credentials were looked at.
func TestBodies(t *testing.T) {
	creds := "Username=HTTP_User_1&Password=qwe123"
	const multipart = "multipart/form-data; boundary=x"
	for _, c := range []struct {
		name string
		r    *http.Request
		want int
		says string
	}{
		{"query and body", post("/?"+creds+"&CallId=b81Qx", "command=Hangup", form), 200, "successfully"},
		{"the body wins, in other letters", post("/api?"+creds+"&command=Hangup&CALLID=nix", "callid=b81Qx", form), 200, "successfully"},
		{"an empty value of the body does not win", post("/api?"+creds+"&command=Hangup&CallId=b81Qx", "CallId=", form), 200, "successfully"},
		{"repeated", get("command=Hangup&CallId=&CallId=b81Qx&CallId=nix"), 200, "successfully"},
		{"repeated in other letters", get("command=Hangup&CallId=b81Qx&CALLID="), 200, "successfully"},
		{"no type", post("/api", "command=Hangup&CallId=b81Qx&"+creds, ""), 200, "successfully"},
		{"a type with a charset", post("/api", "command=Hangup&CallId=b81Qx&"+creds, form+"; charset=ISO-8859-1"), 200, "successfully"},
		{"multipart", post("/api?"+creds, "--x--", multipart), 300, "is not application/x-www-form-urlencoded"},
		{"multipart of nobody", post("/api", "--x--", multipart), 304, "Authentication required"},
		{"no type that can be read", post("/api?"+creds, "x", "///"), 300, "is not application/x-www-form-urlencoded"},
		{"too large", post("/api?"+creds, "command=Hangup&CallId="+strings.Repeat("x", 1<<20), form), 300, "larger than 1048576 bytes"},
		{"too large, of nobody", post("/api", "command=Hangup&CallId="+strings.Repeat("x", 1<<20), form), 304, "Authentication required"},
		{"too many", get("command=Hangup&" + manyParams(300)), 304, "Authentication required"},
		{"too many, with Basic", basic(bare("/api?command=Hangup&"+manyParams(300)), "HTTP_User_1", "qwe123"), 300, "more than 200 parameters"},
	} {
		h, _ := testCommands(testAccess())
		w := httptest.NewRecorder()
		h.ServeHTTP(w, c.r)
		h.Close()
		if got := code(t, w); got != c.want || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%s: %d, want %d and %q in\n%s", c.name, got, c.want, c.says, w.Body)
		}
	}
}

func manyParams(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("p%d=x", i))
	}
	return strings.Join(all, "&")
}

func TestAddresses(t *testing.T) {
	a := &Access{
		Allowed: []netip.Prefix{netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("::1/128")},
		Denied:  []netip.Prefix{netip.MustParsePrefix("192.168.7.0/24")},
		Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
	}
	for _, c := range []struct {
		remote, forwarded string
		want              bool
	}{
		{"192.168.1.1:5", "", true},
		{"192.168.7.1:5", "", false},
		{"[::ffff:192.168.1.1]:5", "", true},
		{"[::1]:5", "", true},
		{"1.2.3.4:5", "", false},
		{"1.2.3.4:5", "192.168.1.1", false}, // not our proxy
		{"10.0.0.1:5", "192.168.1.1", true},
		{"10.0.0.1:5", "192.168.1.1, 1.2.3.4", false}, // the nearest counts
		{"10.0.0.1:5", "192.168.1.1, 10.0.0.2", true},
		{"10.0.0.1:5", "[::1]:9999", true},
		{"10.0.0.1:5", "rubbish", false},
		{"10.0.0.1:5", "", false},
		{"", "", false},
	} {
		r := from(c.remote, bare("/api"))
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if got := a.admits(a.address(r)); got != c.want {
			t.Errorf("%s forwarded %q: %v, want %v", c.remote, c.forwarded, got, c.want)
		}
	}
}

// A call that does not ring within 10 s is given up: 402.
func TestNoRing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := testCommands(testAccess())
		defer h.Close()
		start := time.Now()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, get("command=Call&Dialed=void&Url=http://app.example/"))
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("answered after %v, want 10 s", took)
		}
		if got, want := w.Body.String(), "Call connect to 'void' failed with result state 'NoAnswer'"; !strings.Contains(got, want) {
			t.Errorf("answer %s, want %s", got, want)
		}
	})
}

// Close ends a command that waits.
func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := testCommands(testAccess())
		w := httptest.NewRecorder()
		done := make(chan struct{})
		go func() {
			h.ServeHTTP(w, get("command=Call&Dialed=void&Url=http://app.example/"))
			close(done)
		}()
		synctest.Wait()
		h.Close()
		h.Close()
		<-done
		if got := code(t, w); got != 402 {
			t.Errorf("code %d, want 402", got)
		}
	})
}

func TestDialed(t *testing.T) {
	h, x := testCommands(testAccess())
	defer h.Close()
	h.ServeHTTP(httptest.NewRecorder(), get("command=Call&Dialed=100&apiextension=9000&CallerDisplayName=$caller+%26+Co&RingTime=20"+
		"&ResponseOzML="+url.QueryEscape(`<Response><Speak>$caller pays $5</Speak></Response>`)))
	want := ozml.Dial{To: "100", Extension: "9000", FromName: "$caller & Co", RingTime: 20 * time.Second, Wait: true,
		Script: `<Response><Speak>$caller pays $5</Speak></Response>`}
	if !reflect.DeepEqual(x.dialed, want) {
		t.Errorf("dialled %+v, want %+v", x.dialed, want)
	}
}

func TestMethods(t *testing.T) {
	h, _ := testCommands(testAccess())
	defer h.Close()
	for _, method := range []string{"HEAD", "PUT", "DELETE", "OPTIONS"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, "/api?command=ListActiveCalls", nil))
		if w.Code != http.StatusMethodNotAllowed {
			t.Errorf("%s: %d, want 405", method, w.Code)
		}
	}
	r := with(httptest.NewRequest("OPTIONS", "/api", nil), "Origin", "https://app.example")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, with(r, "Access-Control-Request-Method", "POST"))
	if w.Code != http.StatusNoContent || w.Header().Get("Access-Control-Allow-Origin") != "https://app.example" {
		t.Errorf("the question of a known page: %d %v", w.Code, w.Header())
	}
	big := post("/api?Username=HTTP_User_1&Password=qwe123", "command=Hangup&CallId="+strings.Repeat("x", 1<<20), form)
	w = httptest.NewRecorder()
	if h.ServeHTTP(w, big); code(t, w) != 300 {
		t.Errorf("a form of more than 1 MiB: %d, want 300", code(t, w))
	}
	many := "command=Hangup"
	for i := range 300 {
		many += fmt.Sprintf("&p%d=1", i)
	}
	w = httptest.NewRecorder()
	if h.ServeHTTP(w, basic(bare("/api?"+many), "HTTP_User_1", "qwe123")); code(t, w) != 300 {
		t.Errorf("300 parameters: %d, want 300", code(t, w))
	}
}

func TestIsCommand(t *testing.T) {
	for target, want := range map[string]bool{"/": false, "/?a=1": false, "/?command=x": true, "/?COMMAND=": true, "/?x=1&Command=y": true} {
		if got := IsCommand(bare(target)); got != want {
			t.Errorf("IsCommand(GET %s) = %v, want %v", target, got, want)
		}
	}
	if !IsCommand(post("/", "", "")) {
		t.Error("IsCommand(POST /) = false")
	}
}

// FuzzParams: whatever is asked, the answer is HTTP 200 and well-formed XML
// with a code of the table, and nothing is done without credentials.
func FuzzParams(f *testing.F) {
	f.Add("command=Hangup&CallId=b81Qx&Username=HTTP_User_1&Password=qwe123", "")
	f.Add("command=Call&Dialed=100&Url=http://a/&Username=HTTP_User_1&Password=qwe123", "Dialed=$x&RingTime=1e9")
	f.Add("command=%00&Username=HTTP_User_1&Password=qwe123", "a;b=%zz&&==&=x")
	f.Add("Command=\xff&command=Call", "ResponseOzML=<&Username=HTTP_User_1&Password=qwe123&Dialed=busy")
	f.Fuzz(func(t *testing.T, query, body string) {
		r := post("/api", body, form)
		r.URL.RawQuery = query
		if strings.Contains(strings.ToLower(query+body), "void") {
			return // rings for 10 s
		}
		h, x := testCommands(testAccess())
		h.c.Patient = time.Millisecond
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		h.Close()
		if w.Code != 200 || w.Header().Get("Content-Type") != "application/xml" {
			t.Fatalf("HTTP %d %v", w.Code, w.Header())
		}
		c := code(t, w)
		if messages[c] == "" {
			t.Errorf("code %d is not in the table", c)
		}
		if (c == 304 || c == 305 || c == 306) && (x.dialed.To != "" || x.calls["b81Qx"].hung.Load()) {
			t.Error("something was done without credentials")
		}
		io.Copy(io.Discard, w.Body)
	})
}
