package switchtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"ozswitch/media/rtp"
	"ozswitch/ozml"
	"ozswitch/ozml/trace"
)

// A rawPhone speaks SIP by hand, for what a Phone does not do.
type rawPhone struct {
	w        *World
	host     string
	sip      net.PacketConn
	rtp      net.PacketConn
	cseq     int
	theirTag string
}

func newRaw(w *World, host string) *rawPhone {
	w.T.Helper()
	w.Start()
	r := &rawPhone{w: w, host: host}
	var err error
	if r.sip, err = w.Net.PacketConn(host + ":5060"); err == nil {
		r.rtp, err = w.Net.PacketConn(host + ":4000")
	}
	if err != nil {
		w.T.Fatal(err)
	}
	return r
}

func (r *rawPhone) close() { r.sip.Close(); r.rtp.Close() }

// send sends a request of our one dialog; dir is the direction of an offer, "" for
// no body. "zero" holds as phones of RFC 2543 do: sendrecv, to the address 0.0.0.0.
func (r *rawPhone) send(method, dir, extra, body string) {
	if method != "ACK" {
		r.cseq++
	}
	if dir != "" {
		extra += "Content-Type: application/sdp\r\n"
		at := r.host
		if dir == "zero" {
			at, dir = "0.0.0.0", "sendrecv"
		}
		body = fmt.Sprintf("v=0\r\no=- 1 %d IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=%s\r\n",
			r.cseq, r.host, at, dir)
	}
	to := "<sip:9000@" + sipAddr + ">"
	if r.theirTag != "" {
		to += ";tag=" + r.theirTag
	}
	msg := fmt.Sprintf("%s sip:9000@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s:5060;branch=z9hG4bK%s%d\r\nMax-Forwards: 70\r\nFrom: <sip:1001@%s>;tag=raw\r\nTo: %s\r\n"+
		"Call-ID: raw@%s\r\nCSeq: %d %s\r\nContact: <sip:1001@%s:5060>\r\n%sContent-Length: %d\r\n\r\n%s",
		method, sipAddr, r.host, strings.ToLower(method), r.cseq, r.host, to, r.host, r.cseq, method, r.host, extra, len(body), body)
	to5060 := net.UDPAddrFromAddrPort(netip.MustParseAddrPort(sipAddr))
	if _, err := r.sip.WriteTo([]byte(msg), to5060); err != nil {
		r.w.T.Fatal(err)
	}
}

var tagOf = regexp.MustCompile(`(?m)^To:.*;tag=([^;\s]+)`)

// final waits, at most 5 s, for the final answer to our last request.
func (r *rawPhone) final() string {
	r.w.T.Helper()
	for {
		m := r.recv()
		if strings.HasPrefix(m, "SIP/2.0 1") || !strings.HasPrefix(m, "SIP/2.0") || !strings.Contains(m, fmt.Sprintf("CSeq: %d ", r.cseq)) {
			continue
		}
		if t := tagOf.FindStringSubmatch(m); t != nil {
			r.theirTag = t[1]
		}
		return m
	}
}

func (r *rawPhone) recv() string {
	r.w.T.Helper()
	_ = r.sip.SetReadDeadline(time.Now().Add(5 * time.Second))
	b := make([]byte, 4096)
	n, _, err := r.sip.ReadFrom(b)
	if err != nil {
		r.w.T.Fatalf("no answer: %v", err)
	}
	return string(b[:n])
}

// packets counts what comes by RTP in a time.
func (r *rawPhone) packets(d time.Duration) (n int) {
	_ = r.rtp.SetReadDeadline(time.Now().Add(d))
	b := make([]byte, 2048)
	for {
		if _, _, err := r.rtp.ReadFrom(b); err != nil {
			return n
		}
		n++
	}
}

// TestReinvite: hold by re-INVITE and by UPDATE, in each of the three ways, and
// back; the script goes on meanwhile.
func TestReinvite(t *testing.T) {
	Run(t, func(w *World) {
		w.Web.Serve("/ivr", `<Response><Delay>40</Delay></Response>`)
		r := newRaw(w, "10.2.0.1")
		defer r.close()
		offer := func(method, dir, want string) {
			t.Helper()
			r.send(method, dir, "", "")
			if m := r.final(); !strings.HasPrefix(m, "SIP/2.0 200") || !strings.Contains(m, "a="+want+"\r\n") {
				t.Fatalf("%s with %s, want 200 and %s: %s", method, dir, want, m)
			}
			if method == "INVITE" {
				r.send("ACK", "", "", "")
			}
			r.packets(100 * time.Millisecond) // under way
			n := r.packets(time.Second)
			if want == "sendrecv" && n < 45 || want != "sendrecv" && n != 0 {
				t.Errorf("%d packets in the second after %s with %s", n, method, dir)
			}
		}
		offer("INVITE", "sendrecv", "sendrecv")
		for _, method := range []string{"INVITE", "UPDATE"} {
			for _, hold := range [][2]string{{"sendonly", "recvonly"}, {"inactive", "inactive"}, {"zero", "recvonly"}} {
				offer(method, hold[0], hold[1])
				offer(method, "sendrecv", "sendrecv")
			}
		}
		if w.Up() != 1 {
			t.Error("the call is gone")
		}
		r.send("BYE", "", "", "")
		if m := r.final(); !strings.HasPrefix(m, "SIP/2.0 200") {
			t.Errorf("BYE: %s", m)
		}
	})
}

// TestKeysOut: keys that a script sends go by telephone-events where those were
// agreed, else by INFO to who lists it, one after the other's answer, else as
// tones; the event tells which.
func TestKeysOut(t *testing.T) {
	for _, c := range []struct{ name, keys, allow, want string }{
		{"events", "telephone-event", "INVITE, ACK, BYE, INFO", "event"},
		{"INFO", "", "INVITE, ACK, BYE, INFO", "info"},
		{"INFO refused", "", "INVITE, ACK, BYE, INFO", "inband"},
		{"nothing", "", "INVITE, ACK, BYE", "inband"},
	} {
		t.Run(c.name, func(t *testing.T) {
			Run(t, func(w *World) {
				failed := errors.New("it did not run")
				w.Commands = with("SendKeys", func(ctx context.Context, m *ozml.Machine) error {
					failed = m.Call.SendKeys(ctx, ozml.All, "5#")
					return nil
				})
				w.Web.Serve("/ivr", `<Response><SendKeys/><Delay>40</Delay></Response>`)
				r := newRaw(w, "10.2.0.1")
				defer r.close()
				line, map101 := "m=audio 4000 RTP/AVP 0\r\n", ""
				if c.keys != "" {
					line, map101 = "m=audio 4000 RTP/AVP 0 101\r\n", "a=rtpmap:101 "+c.keys+"/8000\r\n"
				}
				r.send("INVITE", "", "Allow: "+c.allow+"\r\nContent-Type: application/sdp\r\n",
					"v=0\r\no=- 1 1 IN IP4 10.2.0.1\r\ns=-\r\nc=IN IP4 10.2.0.1\r\nt=0 0\r\n"+line+map101)
				r.final()
				r.send("ACK", "", "", "")
				got := ""
				if c.name == "INFO" || c.name == "INFO refused" {
					for range 2 {
						m := r.recv()
						if !strings.HasPrefix(m, "INFO ") {
							t.Fatalf("want INFO, got %s", m)
						}
						w.Pass(200 * time.Millisecond)
						_ = r.sip.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
						if n, _, err := r.sip.ReadFrom(make([]byte, 4096)); err == nil {
							t.Errorf("%d bytes came before the answer to the first key", n)
						}
						_, body, _ := strings.Cut(m, "\r\n\r\n")
						got += strings.TrimPrefix(strings.Split(body, "\r\n")[0], "Signal=")
						if c.name != "INFO" {
							r.answer(m, "415 Unsupported Media Type")
							break
						}
						r.answer(m, "200 OK")
					}
				}
				w.Pass(3 * time.Second)
				if c.name == "INFO" && got != "5#" {
					t.Errorf("keys by INFO: %q, want 5#", got)
				}
				sent := ""
				for _, e := range w.Events(w.Dialled("1001")[0]) {
					if e.Type == trace.KeySent {
						sent += e.Key + " " + e.Source
					}
				}
				if sent != "5# "+c.want || failed != nil {
					t.Errorf("the log says %q and the script %v, want 5# by %s", sent, failed, c.want)
				}
				r.send("BYE", "", "", "")
				r.final()
			})
		})
	}
}

// answer answers a request of the switch.
func (r *rawPhone) answer(m, status string) {
	b := "SIP/2.0 " + status + "\r\n"
	for line := range strings.SplitSeq(m, "\r\n") {
		if name, _, _ := strings.Cut(line, ":"); name == "Via" || name == "From" || name == "To" || name == "Call-ID" || name == "CSeq" {
			b += line + "\r\n"
		}
	}
	_, _ = r.sip.WriteTo([]byte(b+"Content-Length: 0\r\n\r\n"), net.UDPAddrFromAddrPort(netip.MustParseAddrPort(sipAddr)))
}

// TestKeysOfTwoSources: a key by INFO counts, and the same key by RTP within
// half a second is its echo (decisions 5.1 a).
func TestKeysOfTwoSources(t *testing.T) {
	Run(t, func(w *World) {
		w.Web.Serve("/ivr", `<Response><UserInput Timeout="5" Digits="3" ForwardToUrl="http://app/keys"/></Response>`)
		w.Web.Serve("/keys", `<Response><Delay>1</Delay></Response>`)
		r := newRaw(w, "10.2.0.1")
		defer r.close()
		r.send("INVITE", "sendrecv", "", "")
		answer := r.final()
		r.send("ACK", "", "", "")
		port := regexp.MustCompile(`m=audio (\d+)`).FindStringSubmatch(answer)
		if port == nil {
			t.Fatalf("no SDP in %s", answer)
		}
		seq := uint16(0)
		event := func(key byte) { // three packets of the end of one event (RFC 4733)
			ts := uint32(seq) * 160
			for range 3 {
				seq++
				b := make([]byte, rtp.HeaderLen, 16)
				rtp.PutHeader(b, rtp.Packet{PT: 101, Seq: seq, TS: ts, SSRC: 7, Marker: seq%3 == 1})
				b = append(b, key-'0', 0x80|10, 0x03, 0x20)
				_, _ = r.rtp.WriteTo(b, net.UDPAddrFromAddrPort(netip.MustParseAddrPort(switchHost+":"+port[1])))
			}
		}
		info := func(key string) {
			r.send("INFO", "", "Content-Type: application/dtmf-relay\r\n", "Signal="+key+"\r\nDuration=160\r\n")
			if m := r.final(); !strings.HasPrefix(m, "SIP/2.0 200") {
				t.Errorf("INFO: %s", m)
			}
		}
		w.Pass(500 * time.Millisecond)
		info("4")
		event('4') // the same press
		w.Pass(time.Second)
		event('4') // another one
		w.Pass(time.Second)
		info("2")
		w.Pass(3 * time.Second)
		if got := w.Web.Wait("DtmfEntered", 1).Fields.Get("DtmfDigits"); got != "442" {
			t.Errorf("entered %q, want 442", got)
		}
		if n := count(w.Events(w.Dialled("1001")[0]), trace.Key); n != 3 {
			t.Errorf("%d keys in the log, want 3", n)
		}
	})
}
