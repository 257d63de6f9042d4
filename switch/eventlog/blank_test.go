package eventlog

import (
	"strings"
	"testing"

	"ozswitch/ozml/trace"
)

func TestBlankText(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"nothing", "INVITE sip:9000@10.0.0.7 SIP/2.0\r\nFrom: <sip:1001@localhost>;tag=a\r\n", ""},
		{"url", "http://ann:s3cret@app.example/x?y=1", "http://ann:***@app.example/x?y=1"},
		{"url, at in the password", "https://ann:s3@cret@app/x", "https://ann:***@app/x"},
		{"url with a name only", "http://ann@app.example/", ""},
		{"url with a port, mail behind", "http://app:8080/?to=a@b.example", ""},
		{"url in words", `fetch POST http://u:p@127.0.0.1:8080/ivr.php 200`, `fetch POST http://u:***@127.0.0.1:8080/ivr.php 200`},
		{"url, encoded", "Url=http%3a%2f%2fann%3as3cret%40app%2fx&b=1", "Url=http%3a%2f%2fann%3a***%40app%2fx&b=1"},
		{"url, encoded, mail behind", "Url=http%3A%2F%2Fapp%3A80%2Fx%3Fto%3Da%40b", ""},
		{"query", "/api?command=Hangup&Username=u&Password=qwe123&CallId=1", "/api?command=Hangup&Username=u&Password=***&CallId=1"},
		{"query, last", "/?PASSWORD=qwe", "/?PASSWORD=***"},
		{"query, empty", "/?password=&a=1", ""},
		{"token", "RecordURL=http%3A%2F%2Fh%2Frecordings%2Fa.wav%3Ftoken%3Dabc.def&Duration=1", "RecordURL=http%3A%2F%2Fh%2Frecordings%2Fa.wav%3Ftoken%3D***&Duration=1"},
		{"token and more, encoded", "u=%3Ftoken%3Dabc%26x%3D1", "u=%3Ftoken%3D***%26x%3D1"},
		{"names that end so", "client_secret=a&securityToken=b&user_pass=c", "client_secret=***&securityToken=***&user_pass=***"},
		{"names that only sound so", "bypass=1&compass=2&passage=3", ""},
		{"attribute", `<Call Password="a b" x="1"/>`, `<Call Password="***" x="1"/>`},
		{"attribute, spaced", `<Call Password = 'a b'/>`, `<Call Password = '***'/>`},
		{"element", "<Config><Password>s3cret</Password><ID>1</ID></Config>", "<Config><Password>***</Password><ID>1</ID></Config>"},
		{"prose", "Please say your password > now <", ""},
		{"json", `{"password": "a\"b", "x":1}`, `{"password": "***", "x":1}`},
		{"json number", `{"secret":12,"x":1}`, `{"secret":***,"x":1}`},
		{"header", "REGISTER sip:x SIP/2.0\r\nAuthorization: Digest username=\"a\", response=\"b\"\r\nCSeq: 1\r\n", "REGISTER sip:x SIP/2.0\r\nAuthorization: Digest ***\r\nCSeq: 1\r\n"},
		{"header, folded", "a\r\nproxy-authorization : Digest username=\"a\",\r\n response=\"b\"\r\nCSeq: 1", "a\r\nproxy-authorization : Digest ***\r\nCSeq: 1"},
		{"header, no scheme", "Authorization: abc\nX: 1", "Authorization: ***\nX: 1"},
		{"header, last", "Authorization: Basic abc", "Authorization: Basic ***"},
		{"header in the middle of a line", "the Authorization: header", ""},
		{"cookies", "HTTP/1.1 200 OK\r\nSet-Cookie: id=abc def; Path=/\r\nX: 1\r\ncookie: a=b; c=d\r\nY: cookie: z", "HTTP/1.1 200 OK\r\nSet-Cookie: ***\r\nX: 1\r\ncookie: ***\r\nY: cookie: z"},
		{"key in SDP", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNf/X+z==|2^20|1:32\r\na=ptime:20", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:***|2^20|1:32\r\na=ptime:20"},
		{"password of ICE", "a=ice-ufrag:ab\r\na=ice-pwd:asd88fgpdd777uzjYhagZg\r\na=mid:0", "a=ice-ufrag:ab\r\na=ice-pwd:***\r\na=mid:0"},
		{"keys stay", "NotificationName=DtmfEntered&DtmfDigits=4711", ""},
		{"ends in a name", "password", ""},
		{"ends after the sign", "password=", ""},
		{"ends in a quote", `password="`, ""},
	} {
		want := c.want
		if want == "" {
			want = c.in
		}
		if got := BlankText(c.in, false); got != want {
			t.Errorf("%s: BlankText(%q) = %q, want %q", c.name, c.in, got, want)
		}
	}
	if got, want := BlankText("a=1&DtmfDigits=4711&b=2", true), "a=1&DtmfDigits=****&b=2"; got != want {
		t.Errorf("sensitive: %q, want %q", got, want)
	}
}

func TestSensitive(t *testing.T) {
	l, _ := New(Config{Now: at(noon)})
	c := l.ForCall("a", noon)
	s := l.Subscribe("a", 0)
	defer s.Close()
	c.Sensitive()
	info := "INFO sip:9000@h SIP/2.0\r\nContent-Type: application/dtmf-relay\r\n\r\nSignal=4\r\nDuration=160\r\n"
	for _, e := range []trace.Event{
		{Type: trace.Key, Key: "4", Source: "event"},
		{Type: trace.SIPReceived, Method: "INFO", Body: info},
		{Type: trace.SIPReceived, Body: info},
		{Type: trace.CommandEnd, Name: "UserInput", Key: "4711"},
		{Type: trace.ScriptFetch, URL: "http://app/enter?code=4711", Body: "DtmfDigits=4711&x=1"},
		{Type: trace.CommandStart, Name: "Speak", Text: "you entered 4711"},
	} {
		c.Emit(e)
	}
	es, err := take(t, s, 6)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range es {
		for _, v := range []string{e.Key, e.URL, e.Body, e.Text} {
			if strings.Contains(v, "4711") || strings.Contains(v, "Signal=4") || v == "4" {
				t.Errorf("%s %s tells the keys: %q", e.Type, e.Name, v)
			}
		}
	}
	if es[0].Key != "•" || es[3].Key != "••••" {
		t.Errorf("keys %q and %q, want a dot for each", es[0].Key, es[3].Key)
	}
	if !strings.Contains(es[1].Body, "dtmf-relay\r\n\r\n***") {
		t.Errorf("INFO: %q, want the head kept", es[1].Body)
	}
	if es[4].Body != "DtmfDigits=****&x=1" {
		t.Errorf("form: %q", es[4].Body)
	}
}

// FuzzBlankText: no crash, and a password in a form never gets through.
func FuzzBlankText(f *testing.F) {
	for _, s := range []string{"", "http://a:b@c/", "password=x&y", "Authorization: Digest a\r\n b\r\n", `"token" : "x`, "%3a%2f%2fa%3ab%40", "<Password>a", "pass =\"", "secret%3D%26"} {
		f.Add(s, "s3cret")
	}
	f.Fuzz(func(t *testing.T, s, secret string) {
		once := BlankText(s, true)
		if !strings.ContainsAny(s, "ptsadPTSAD:%") && once != s {
			t.Errorf("BlankText(%q) = %q, nothing to blank", s, once)
		}
		if len(secret) < 4 || strings.ContainsAny(secret, "& \t\r\n\"'<>#*") || strings.Contains("password=***", secret) {
			return
		}
		if got := BlankText("password="+secret, true); strings.Contains(got, secret) {
			t.Errorf("password=%s stays: %q", secret, got)
		}
	})
}
