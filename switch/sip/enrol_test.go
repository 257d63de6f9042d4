package sip

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ozswitch/switch/call"
	"ozswitch/switch/sip/registrar"
)

// TestEnrol: an endpoint registers at another, is called by the contact it gave
// and gives it up again; by UDP and by TCP, where it is reached by the connection.
func TestEnrol(t *testing.T) {
	for _, transport := range []string{"udp", "tcp"} {
		synctest.Test(t, func(t *testing.T) {
			n := newNet(time.Millisecond, 0)
			ctx, stop := context.WithCancel(t.Context())
			d := newDesk(t, ctx, n, nil)
			d.conn.Close() // its address is the phone's here
			a := startStream(t, ctx, n, peerAddr, 2, func(c *Config) {
				c.Listen = append(c.Listen, "udp://"+peerAddr)
				c.User, c.Password = "1001", "right"
			})
			synctest.Wait()
			place, err := a.e.Enrol("1001", "sip:"+ourAddr+";transport="+transport)
			if err != nil {
				t.Fatal(err)
			}
			granted, err := place.Register(ctx, 10*time.Minute)
			if err != nil || granted != 10*time.Minute {
				t.Fatalf("granted %v, %v", granted, err)
			}
			if granted, err = place.Register(ctx, 10*time.Second); err != nil || granted != registrar.MinExpires {
				t.Errorf("too short a time: granted %v, %v, want a minute", granted, err)
			}
			at := d.e.Bindings("1001")
			if len(at) != 1 || at[0].Transport != transport {
				t.Fatalf("bindings %+v, want one by %s", at, transport)
			}
			m := testMedia
			d.e.Dial(call.Invite{Leg: "x", Target: at[0].Contact, Phone: "1001", From: "9000", Offer: &m}, d.post("x"))
			time.Sleep(time.Second)
			if got := d.of("x"); got != "Provisional Accepted" {
				t.Errorf("the caller saw %q", got)
			}
			d.e.Do(call.Bye{Leg: "x"})
			if _, err = place.Register(ctx, 0); err != nil {
				t.Error(err)
			}
			if at := d.e.Bindings("1001"); len(at) != 0 {
				t.Errorf("bindings %+v are left", at)
			}
			if got := fmt.Sprint(d.told); got != "[registered 1001 refused 1001 Interval Too Brief refreshed 1001 unregistered 1001]" {
				t.Errorf("told %s", got)
			}
			time.Sleep(time.Minute)
			stop()
		})
	}
}

// TestEnrolRefused: a wrong password is tried once, and where nobody answers the
// wait has an end.
func TestEnrolRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet(time.Millisecond, 0)
		ctx, stop := context.WithCancel(t.Context())
		d := newDesk(t, ctx, n, nil)
		d.conn.Close()
		a := startStream(t, ctx, n, peerAddr, 2, func(c *Config) {
			c.Listen = []string{"udp://" + peerAddr}
			c.User, c.Password = "1001", "wrong"
		})
		synctest.Wait()
		for at, want := range map[string]string{
			ourAddr:                            "401 Unauthorized",
			"10.0.0.77:5060":                   "408 no answer in time",
			"10.0.0.77:5060;transport=tcp":     "503 ",
			ourAddr + ";transport=ws":          "503 not listening for ws",
			"[fd00::1]:5060;transport=udp;x=y": "503 not listening for udp",
		} {
			place, err := a.e.Enrol("1001", "sip:"+at)
			if err != nil {
				t.Fatal(err)
			}
			if _, err = place.Register(ctx, time.Minute); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %s", at, err, want)
			}
		}
		if _, err := a.e.Enrol("1001", "nobody"); err == nil {
			t.Error("no URI was taken")
		}
		stop()
	})
}

// TestWeAnswerChallengesInside: a far end may ask who sends BYE, re-INVITE and
// INFO too; each is answered once, and refused then.
func TestWeAnswerChallengesInside(t *testing.T) {
	const ask = "SIP/2.0 401 Unauthorized"
	for _, c := range []struct {
		method string
		do     call.Effect
	}{
		{"BYE", call.Bye{Leg: "x"}},
		{"INVITE", call.Reinvite{Leg: "x"}},
		{"INFO", call.Info{Leg: "x", Key: '5'}},
	} {
		synctest.Test(t, func(t *testing.T) {
			n := newNet(time.Millisecond, 0)
			ctx, stop := context.WithCancel(t.Context())
			far, _ := n.listen("udp", ourAddr)
			a := startStream(t, ctx, n, peerAddr, 2, func(c *Config) {
				c.Listen = []string{"udp://" + peerAddr}
				c.User, c.Password = "1001", "right"
			})
			synctest.Wait()
			var logins, seen int
			go func() { // a far end that answers INVITE, and challenges what comes later
				buf := make([]byte, 1<<16)
				for {
					k, from, err := far.ReadFrom(buf)
					if err != nil {
						return
					}
					m := string(buf[:k])
					method, _, _ := strings.Cut(m, " ")
					if method == "ACK" || method == "SIP/2.0" {
						continue
					}
					inside := strings.Contains(headers(m, "To"), "tag=")
					status, extra := "SIP/2.0 200 OK", ""
					if inside && method == c.method {
						seen++
						status, extra = ask, "WWW-Authenticate: Digest realm=\"pbx\", nonce=\"n\", qop=\"auth\"\r\n"
						if strings.Contains(m, "Authorization: ") {
							logins++
						}
					}
					if method == "INVITE" && status != ask {
						extra = "Contact: <sip:" + ourAddr + ">\r\nContent-Type: application/sdp\r\n"
					}
					to := headers(m, "To")
					if !inside {
						to += ";tag=far"
					}
					body := ""
					if strings.Contains(extra, "application/sdp") {
						body = testSDP
					}
					far.WriteTo(fmt.Appendf(nil, "%s\r\nVia: %s\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %s\r\n%sContent-Length: %d\r\n\r\n%s", status,
						headers(m, "Via"), headers(m, "From"), to, headers(m, "Call-ID"), headers(m, "CSeq"), extra, len(body), body), from)
				}
			}()
			m := testMedia
			a.e.Dial(call.Invite{Leg: "x", Target: "sip:9000@" + ourAddr + ";transport=udp", From: "1001", Offer: &m}, a.post("x"))
			time.Sleep(time.Second)
			a.e.Do(c.do)
			time.Sleep(10 * time.Second)
			synctest.Wait()
			if seen != 2 || logins != 1 {
				t.Errorf("%s: sent %d times, %d with credentials; want 2 and 1", c.method, seen, logins)
			}
			a.e.Do(call.Bye{Leg: "x"})
			time.Sleep(time.Minute)
			if got := a.e.Legs(); got != 0 {
				t.Errorf("%s: %d legs left", c.method, got)
			}
			stop()
			far.Close()
		})
	}
}
