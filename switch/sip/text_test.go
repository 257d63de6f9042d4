package sip

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ozswitch/switch/call"
)

// message is a MESSAGE with credentials that answer a challenge.
func (d *desk) message(to, extra, body string) string {
	d.t.Helper()
	send := func(login string) string {
		d.serial++
		d.write(fmt.Sprintf("MESSAGE sip:%s@pbx SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%d\r\nFrom: \"Ann\" <sip:1001@pbx>;tag=a\r\nTo: <sip:%s@pbx>\r\nCall-ID: m%d\r\nCSeq: 1 MESSAGE\r\n%s%sContent-Length: %d\r\n\r\n%s",
			to, peerAddr, d.serial, to, d.serial, login, extra, len(body), body))
		return d.read()
	}
	got := send("")
	if first(got) != "401 Unauthorized" {
		return got
	}
	return send(d.credentials(got, "MESSAGE", "1001", "right", 1))
}

// TestText: what may be sent, and what is answered (RFC 3428 7).
func TestText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		var got []Text
		var late func(int, string)
		d := newDesk(t, ctx, newNet(time.Millisecond, 0), func(c *Config) {
			c.Texts = func(m Text, answer func(int, string)) {
				got = append(got, m)
				if late = answer; m.To == "1002" {
					answer(202, "")
					answer(500, "twice")
				}
			}
		})
		const plain = "Content-Type: text/plain;charset=utf-8\r\n"
		for _, c := range []struct{ name, to, extra, body, want string }{
			{"plain", "1002", "Max-Forwards: 3\r\n" + plain, "Grüß dich\r\n\r\nAnn", "202 Accepted"},
			{"empty", "%31002", plain, "", "202 Accepted"},
			{"HTML", "1002", "Content-Type: text/html\r\n", "<b>", "415 Unsupported Media Type"},
			{"that she types", "1002", "Content-Type: application/im-iscomposing+xml\r\n", "<isComposing/>", "415 Unsupported Media Type"},
			{"of no type", "1002", "", "x", "415 Unsupported Media Type"},
			{"packed", "1002", plain + "Content-Encoding: gzip\r\n", "x", "415 Unsupported Media Type"},
			{"long", "1002", plain, strings.Repeat("x", mostText+1), "413 Request Entity Too Large"},
			{"went too far", "1002", "Max-Forwards: 1\r\n" + plain, "x", "483 Too Many Hops"},
			{"wants something", "1002", "Require: recipient-list-message\r\n" + plain, "x", "420 Bad Extension"},
		} {
			answer := d.message(c.to, c.extra, c.body)
			if first(answer) != c.want || strings.HasPrefix(c.want, "415") && headers(answer, "Accept")+headers(answer, "Accept-Encoding") == "" {
				t.Errorf("%s: %s, want %s", c.name, answer, c.want)
			}
		}
		if len(got) != 2 || got[0].From != "1001" || got[0].FromName != "Ann" || got[0].To != "1002" || got[0].Type != "text/plain;charset=utf-8" ||
			string(got[0].Body) != "Grüß dich\r\n\r\nAnn" || got[0].Hops != 2 || got[1].To != "1002" || got[1].Hops != 70 {
			t.Errorf("came %+v", got)
		}
		// An answer that takes its time; copies meanwhile are no texts.
		if answer := d.message("1003", plain, "x"); answer != "nothing came" {
			t.Errorf("answered at once: %s", answer)
		}
		again := fmt.Sprintf("MESSAGE sip:1003@pbx SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%d\r\nFrom: \"Ann\" <sip:1001@pbx>;tag=a\r\nTo: <sip:1003@pbx>\r\nCall-ID: m%d\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n",
			peerAddr, d.serial, d.serial)
		d.write(again)
		if answer := d.read(); answer != "nothing came" || len(got) != 3 {
			t.Errorf("a copy: %s, %d texts", answer, len(got))
		}
		late(404, "")
		if answer := d.read(); first(answer) != "404 Not Found" {
			t.Errorf("late: %s", answer)
		}
		d.write(again)
		if answer := d.read(); first(answer) != "404 Not Found" {
			t.Errorf("a copy after the answer: %s", answer)
		}
		stop()
		d.conn.Close()
	})
}

// TestSendText: a text goes where its telephone registered, and what it answers is
// told.
func TestSendText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		d := newDesk(t, ctx, newNet(time.Millisecond, 0), nil)
		d.login("REGISTER", "1002", "other", "1002", "Contact: <sip:bob@somewhere.invalid>\r\n")
		b := d.e.Bindings("1002")[0]
		sent := func(text Text) <-chan call.Failure {
			done := make(chan call.Failure, 1)
			go func() { done <- d.e.SendText(ctx, b, text) }()
			return done
		}
		done := sent(Text{From: "1001", FromName: `A "n"`, To: "1002", Type: "text/plain;charset=utf-8", Body: []byte("Hi"), Sent: time.Now(), Hops: 5})
		got := d.read()
		for header, want := range map[string]string{
			"From": `"A \"n\"" <sip:1001@pbx>;tag=`, "To": "<sip:1002@pbx>", "Max-Forwards": "5", "Content-Type": "text/plain;charset=utf-8", "Date": "", "CSeq": "1 MESSAGE",
		} {
			if have := headers(got, header); !strings.HasPrefix(have, want) || want == "" && have != "" {
				t.Errorf("%s is %q, want %q", header, have, want)
			}
		}
		if !strings.HasPrefix(got, "MESSAGE sip:bob@somewhere.invalid SIP/2.0\r\n") || !strings.HasSuffix(got, "\r\n\r\nHi") {
			t.Errorf("came %s", got)
		}
		d.answer(got, "200 OK")
		if why := <-done; why.Code != 200 {
			t.Errorf("sent: %+v", why)
		}
		sentAt := time.Now()
		time.Sleep(time.Hour)
		d.login("REGISTER", "1002", "other", "1002", "Contact: <sip:bob@somewhere.invalid>\r\n")
		done = sent(Text{From: "1001", To: "1002", Body: []byte("Hi"), Sent: sentAt})
		got = d.read()
		if at, err := time.Parse(time.RFC1123, headers(got, "Date")); err != nil || !at.Equal(sentAt.Truncate(time.Second)) {
			t.Errorf("its Date is %s, want %s", headers(got, "Date"), sentAt)
		}
		d.answer(got, "486 Busy Here")
		if why := <-done; why.Code != 486 {
			t.Errorf("sent: %+v", why)
		}
		if why := <-sent(Text{From: "1001", To: "1002", Body: []byte("Hi")}); why.Code != 408 { // nobody answers
			t.Errorf("sent: %+v, want 408", why)
		}
		stop()
		d.conn.Close()
	})
}
