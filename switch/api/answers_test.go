package api

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"ozswitch/internal/golden"
)

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
		c.ask(t, h, &got)
	}
	golden.File(t, "testdata/answers.txt", []byte(got.String()))
}

// ask asks h, checks the code and writes request and answer down.
func (c answerCase) ask(t *testing.T, h *Commands, to *strings.Builder) {
	t.Helper()
	w := httptest.NewRecorder()
	target := c.r.URL.RequestURI()
	h.ServeHTTP(w, c.r)
	h.Close()
	if got := codeOf(t, w); got != c.want || w.Code != 200 {
		t.Errorf("%s: code %d, HTTP %d, want %d, 200", c.name, got, w.Code, c.want)
	}
	fmt.Fprintf(to, "-- %s --\n%s %s\n\n%d\n", c.name, c.r.Method, target, w.Code)
	for _, name := range slices.Sorted(maps.Keys(w.Header())) {
		fmt.Fprintf(to, "%s: %s\n", name, w.Header().Get(name))
	}
	fmt.Fprintf(to, "\n%s\n", w.Body)
}
