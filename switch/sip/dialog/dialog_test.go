package dialog

import (
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
)

func parse(t *testing.T, lines ...string) sip.Message {
	t.Helper()
	m, err := sip.ParseMessage([]byte(strings.Join(lines, "\r\n") + "\r\n\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestBuild: route sets both ways, loose and strict (RFC 3261 12.2.1.1).
func TestBuild(t *testing.T) {
	req := parse(t, "INVITE sip:9000@b SIP/2.0", "Via: SIP/2.0/UDP a;branch=z9hG4bK1", "Record-Route: <sip:p1;lr>, <sip:p2;lr>", "From: <sip:1001@a>;tag=ft",
		"To: <sip:9000@b>", "Call-ID: c", "CSeq: 5 INVITE", "Contact: <sip:1001@10.0.0.2:5070>").(*sip.Request)
	uas := Answering(req, "<sip:1001@a>;tag=ft", "ft", "<sip:9000@b>", "tt")
	got := string(uas.Build(Request{Method: "BYE", Seq: 1, Via: "V", Extra: "X: y\r\n"}))
	want := "BYE sip:1001@10.0.0.2:5070 SIP/2.0\r\nVia: V\r\nRoute: <sip:p1;lr>\r\nRoute: <sip:p2;lr>\r\nMax-Forwards: 70\r\n" +
		"From: <sip:9000@b>;tag=tt\r\nTo: <sip:1001@a>;tag=ft\r\nCall-ID: c\r\nCSeq: 1 BYE\r\nX: y\r\nContent-Length: 0\r\n\r\n"
	if got != want {
		t.Errorf("called end:\n%s\nwant\n%s", got, want)
	}
	res := parse(t, "SIP/2.0 200 OK", "Via: SIP/2.0/UDP a;branch=z9hG4bK1", "Record-Route: <sip:p1>, <sip:p2>", "From: <sip:1001@a>;tag=ft",
		"To: <sip:9000@b>;tag=tt", "Call-ID: c", "CSeq: 5 INVITE", "Contact: <sip:9000@10.0.0.9>").(*sip.Response)
	uac := Dialog{CallID: "c", LocalTag: "ft", Local: "<sip:1001@a>;tag=ft", Remote: "<sip:9000@b>", LocalSeq: 5}.Answered(res, "<sip:9000@b>;tag=tt", "tt")
	if uac.RemoteTag != "tt" || uac.Next() != "sip:p2" {
		t.Errorf("calling end: remote tag %q, next hop %q", uac.RemoteTag, uac.Next())
	}
	got = string(uac.Build(Request{Method: "INFO", Seq: 6, Via: "V", Type: "application/dtmf", Body: []byte("5")}))
	want = "INFO sip:p2 SIP/2.0\r\nVia: V\r\nRoute: <sip:p1>\r\nRoute: <sip:9000@10.0.0.9>\r\nMax-Forwards: 70\r\n" +
		"From: <sip:1001@a>;tag=ft\r\nTo: <sip:9000@b>;tag=tt\r\nCall-ID: c\r\nCSeq: 6 INFO\r\nContent-Type: application/dtmf\r\nContent-Length: 1\r\n\r\n5"
	if got != want {
		t.Errorf("strict router:\n%s\nwant\n%s", got, want)
	}
}

func TestReceiveOrder(t *testing.T) {
	var d Dialog
	for _, c := range []struct {
		seq  uint32
		want bool
	}{{3, true}, {3, false}, {2, false}, {9, true}} {
		if got := d.Receive(c.seq); got != c.want {
			t.Errorf("Receive(%d) = %v, want %v", c.seq, got, c.want)
		}
	}
}

func TestRepeat(t *testing.T) {
	var r Repeat
	start := time.Unix(0, 0)
	r.Start(start)
	var at []time.Duration
	for r.Running() {
		now := r.Deadline()
		if again, over := r.Due(now); again || over {
			at = append(at, now.Sub(start))
		}
	}
	if len(at) != 11 || at[0] != 500*time.Millisecond || at[3] != 7500*time.Millisecond || at[10] != 32*time.Second {
		t.Errorf("repeated at %v", at)
	}
}
