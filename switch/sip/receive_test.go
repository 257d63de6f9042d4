package sip

import (
	"cmp"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"ozswitch/switch/call"
	"ozswitch/switch/sip/flow"
)

// fakeFlow keeps what is sent, or nothing with a nil sent.
type fakeFlow struct {
	kind   string // "" = udp
	sent   *[]string
	behind time.Duration
}

func (f fakeFlow) Transport() string      { return cmp.Or(f.kind, "udp") }
func (f fakeFlow) Remote() netip.AddrPort { return netip.MustParseAddrPort(peerAddr) }
func (f fakeFlow) Local() netip.AddrPort  { return netip.MustParseAddrPort(ourAddr) }
func (f fakeFlow) Reliable() bool         { return f.kind != "" }
func (f fakeFlow) Behind() time.Duration  { return f.behind }
func (f fakeFlow) Open() bool             { return true }
func (f fakeFlow) Keep(time.Duration)     {}
func (f fakeFlow) Back(*flow.Head)        {}
func (f fakeFlow) Send(b []byte) error {
	if f.sent != nil {
		*f.sent = append(*f.sent, string(b))
	}
	return nil
}

// refuser refuses every call at once.
type refuser struct{}

func (refuser) Invited(call.Invited) (func(call.Event) bool, *call.Respond) {
	return nil, &call.Respond{Code: 603}
}

// quietEndpoint has no sockets; logs vanish.
func quietEndpoint() *Endpoint {
	return New(Config{Rand: seeded(1), Log: slog.New(slog.DiscardHandler)}, refuser{})
}

// finals counts the final answers among what was sent.
func finals(sent []string) (n int) {
	for _, s := range sent {
		if strings.HasPrefix(s, "SIP/2.0 ") && !strings.HasPrefix(s, "SIP/2.0 1") {
			n++
		}
	}
	return n
}

// receiveOne checks one message: no bug is caught; a request that can be
// answered gets exactly one final answer, anything else none.
func receiveOne(t *testing.T, b []byte) []string {
	t.Helper()
	return receiveBy(t, "udp", b)
}

func receiveBy(t *testing.T, transport string, b []byte) []string {
	t.Helper()
	e := quietEndpoint()
	var sent []string
	e.receive(fakeFlow{kind: strings.TrimPrefix(transport, "udp"), sent: &sent}, b, nil)
	if e.Panics() != 0 {
		t.Fatalf("a bug was caught for %q", b)
	}
	want := 0
	if h, ok := flow.Scan(b); ok && h.Answerable() {
		want = 1
	}
	if got := finals(sent); got != want {
		t.Fatalf("%d final answers, want %d, for %q: %q", got, want, b, sent)
	}
	for _, s := range sent {
		if _, ok := flow.Scan([]byte(s)); !ok {
			t.Fatalf("our own answer does not scan: %q", s)
		}
	}
	return sent
}

const plainInvite = "INVITE sip:9000@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2:5070;branch=z9hG4bKa;rport\r\nMax-Forwards: 70\r\n" +
	"From: <sip:1001@10.0.0.2>;tag=a\r\nTo: <sip:9000@10.0.0.1>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\nContact: <sip:1001@10.0.0.2:5070>\r\n" +
	"Content-Type: application/sdp\r\nContent-Length: 0\r\n\r\n"

func FuzzReceive(f *testing.F) {
	f.Add([]byte(plainInvite))
	for _, m := range []string{"BYE", "ACK", "CANCEL", "OPTIONS", "INFO", "UPDATE", "REGISTER", "FOO"} {
		f.Add([]byte(strings.ReplaceAll(plainInvite, "INVITE", m)))
	}
	f.Add([]byte("SIP/2.0 200 OK\r\n" + plainInvite[strings.Index(plainInvite, "Via"):]))
	f.Add([]byte("OPTIONS sip:x SIP/2.0\r\nv: SIP/2.0/UDP [::1];branch=z9hG4bKa , SIP / 2.0 / TCP x\r\nf: \"a\\\"b\" <sip:x>;tag=1\r\nt: sip:y;tag=2\r\ni: 1\r\nCSeq: 1\r\n OPTIONS\r\nl: 0\r\n\r\n"))
	f.Add([]byte("\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		receiveOne(t, b)
		receiveBy(t, "ws", b)
	})
}

// TestRefused: what is malformed is answered with its reason, or dropped.
func TestRefused(t *testing.T) {
	edit := func(old, new string) string { return strings.Replace(plainInvite, old, new, 1) }
	for _, c := range []struct{ name, msg, want string }{
		{"keep-alive", "\r\n\r\n", ""},
		{"noise", "hello world", ""},
		{"STUN", "\x00\x01\x00\x00\x21\x12\xa4\x42", ""},
		{"response to nothing", "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP x;branch=z9hG4bKa\r\nFrom: <sip:a>\r\nTo: <sip:b>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\r\n", ""},
		{"two lengths", edit("Content-Length: 0", "Content-Length: 0\r\nl: 3"), "400 Bad Request (more than one Content-Length)"},
		{"negative length", edit("Content-Length: 0", "Content-Length: -1"), "400 Bad Request (bad Content-Length)"},
		{"length too large", edit("Content-Length: 0", "Content-Length: 9"), "400 Bad Request (Content-Length is larger than the message)"},
		{"two Call-IDs", edit("Call-ID: c", "Call-ID: c\r\ni: d"), "400 Bad Request (more than one Call-ID)"},
		{"two Tos", edit("To: ", "t: <sip:x>\r\nTo: "), "400 Bad Request (more than one To)"},
		{"no From", edit("From: <sip:1001@10.0.0.2>;tag=a\r\n", ""), "400 Bad Request (Via, From, To, Call-ID or CSeq is missing)"},
		{"no Via", edit("Via: SIP/2.0/UDP 10.0.0.2:5070;branch=z9hG4bKa;rport\r\n", ""), ""},
		{"other version", edit("SIP/2.0\r\n", "SIP/7.0\r\n"), "505 Version Not Supported"},
		{"other CSeq method", edit("1 INVITE", "1 BYE"), "400 Bad Request (CSeq names another method)"},
		{"201 headers", edit("Max-Forwards", strings.Repeat("X: y\r\n", 200)+"Max-Forwards"), "400 Bad Request (too many headers)"},
		{"no blank line", strings.TrimSuffix(plainInvite, "\r\n"), "400 Bad Request (no blank line after the headers)"},
		{"bare LF in a header", edit("Call-ID: c", "Call-ID: c\nd"), "400 Bad Request (broken header line)"},
		{"spaces in the URI", edit("sip:9000@10.0.0.1 SIP", "sip:9000 @10.0.0.1 SIP"), "400 Bad Request (broken Request-URI)"},
		{"IPv6 without brackets", edit("sip:9000@10.0.0.1 ", "sip:9000@2001:db8::1 "), "400 Bad Request (IPv6 address without brackets)"},
		{"Max-Forwards 0", edit("Max-Forwards: 70", "Max-Forwards: 0"), "483 Too Many Hops"},
		{"ACK of nothing", strings.ReplaceAll(plainInvite, "INVITE", "ACK"), ""},
		{"malformed ACK", strings.ReplaceAll(edit("Call-ID: c", "Call-ID c"), "INVITE", "ACK"), ""},
	} {
		got := ""
		for _, s := range receiveOne(t, []byte(c.msg)) {
			got, _, _ = strings.Cut(strings.TrimPrefix(s, "SIP/2.0 "), "\r\n")
		}
		if got != c.want {
			t.Errorf("%s: answered %q, want %q", c.name, got, c.want)
		}
	}
}

// TestStatelessAnswerIsTheSame: copies of a request that has no transaction
// get the same bytes (RFC 3261 8.2.7).
func TestStatelessAnswerIsTheSame(t *testing.T) {
	e := quietEndpoint()
	var sent []string
	for range 3 {
		e.receive(fakeFlow{sent: &sent}, []byte(strings.ReplaceAll(plainInvite, "INVITE", "OPTIONS")), nil)
	}
	if len(sent) != 3 || sent[0] != sent[1] || sent[1] != sent[2] || !strings.Contains(sent[0], ">;tag=") {
		t.Errorf("answers differ, or have no tag: %q", sent)
	}
}

// TestAnswerGoesBack: the whole text of an answer (RFC 3581, RFC 3261 8.2.6.2).
func TestAnswerGoesBack(t *testing.T) {
	e := quietEndpoint()
	var sent []string
	e.receive(fakeFlow{sent: &sent}, []byte("DANCE sip:x@y SIP/2.0\r\nv: SIP/2.0/UDP host.example;rport;branch=z9hG4bK1 , SIP/2.0/TCP a;branch=b\r\nVia: SIP/2.0/UDP c\r\n"+
		"From: \"a, b\" <sip:a@b>;tag=1\r\nTo:\r\n <sip:x@y>\r\nCall-ID: 1@x\r\nCSeq: 7  DANCE\r\nRecord-Route: <sip:p;lr>\r\n\r\nrest"), nil)
	want := "SIP/2.0 501 Not Implemented\r\nVia: SIP/2.0/UDP host.example;branch=z9hG4bK1;received=10.0.0.2;rport=5070, SIP/2.0/TCP a;branch=b\r\nVia: SIP/2.0/UDP c\r\n" +
		"From: \"a, b\" <sip:a@b>;tag=1\r\nTo: <sip:x@y>;tag=TAG\r\nCall-ID: 1@x\r\nCSeq: 7  DANCE\r\n" + allow + "Server: ozswitch\r\nContent-Length: 0\r\n\r\n"
	if len(sent) != 1 {
		t.Fatalf("sent %q", sent)
	}
	_, rest, _ := strings.Cut(sent[0], "<sip:x@y>;tag=")
	tag, _, _ := strings.Cut(rest, "\r\n")
	if got := strings.Replace(sent[0], tag, "TAG", 1); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestBehind: a reader that cannot keep up turns new calls away, and only these.
func TestBehind(t *testing.T) {
	e := quietEndpoint()
	var sent []string
	f := fakeFlow{sent: &sent, behind: tooLate + 1}
	e.receive(f, []byte(plainInvite), nil)
	e.receive(f, []byte(strings.ReplaceAll(plainInvite, "INVITE", "OPTIONS")), nil)
	if len(sent) != 2 || !strings.HasPrefix(sent[0], "SIP/2.0 503 ") || !strings.Contains(sent[0], "\r\nRetry-After: 5\r\n") || !strings.HasPrefix(sent[1], "SIP/2.0 200 ") {
		t.Errorf("sent %q, want 503 with Retry-After to the INVITE and 200 to OPTIONS", sent)
	}
	if got := e.Legs(); got != 0 {
		t.Errorf("%d legs made", got)
	}
}

// BenchmarkCall is a whole incoming call through receive: INVITE, 100, 603,
// ACK. Budget: 60 us.
func BenchmarkCall(b *testing.B) {
	b.ReportAllocs()
	e := quietEndpoint()
	var sent []string
	i := 0
	for b.Loop() {
		i++
		sent = sent[:0]
		m := strings.Replace(plainInvite, "z9hG4bKa", fmt.Sprintf("z9hG4bK%d", i), 1)
		m = strings.Replace(m, "Call-ID: c", fmt.Sprintf("Call-ID: %d", i), 1)
		e.receive(fakeFlow{sent: &sent}, []byte(m), nil)
		e.receive(fakeFlow{sent: &sent}, []byte(strings.ReplaceAll(m, "INVITE", "ACK")), nil)
		if i%1000 == 0 {
			for _, s := range e.shards {
				s.mu.Lock()
				s.txs.All(func(x *tx) { s.txs.Drop(x) })
				s.mu.Unlock()
			}
		}
	}
}
