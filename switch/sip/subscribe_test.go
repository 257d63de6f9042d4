package sip

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// board is what can be watched in these tests.
type board struct{ state string }

func (b *board) Watch(w Watch) (string, int, string) {
	switch {
	case w.Event == "message-summary" && w.Number == "9300":
		return w.User, 0, ""
	case w.Event == "message-summary" && w.Number != w.User:
		return "", 403, "Not Your Mailbox"
	case w.Number == "4711":
		return "", 404, ""
	}
	return w.Number, 0, ""
}

func (b *board) Document(w Watch, version uint32) []byte {
	if b.state == "" {
		return nil
	}
	return fmt.Appendf(nil, "%s of %s: %s, version %d", w.Event, w.Number, b.state, version)
}

func newBoard(t *testing.T) (d *desk, b *board, stop func()) {
	b = &board{state: "idle"}
	ctx, cancel := context.WithCancel(t.Context())
	d = newDesk(t, ctx, newNet(time.Millisecond, 0), func(c *Config) { c.Events = b })
	return d, b, func() { cancel(); time.Sleep(time.Minute); d.conn.Close() }
}

// fetch asks within the dialog that an answer made.
func (d *desk) fetch(method, answer, extra string, seq int) string {
	d.t.Helper()
	d.serial++
	tag := regexp.MustCompile(`(?m)^To: .*;tag=(\w+)`).FindStringSubmatch(answer)
	if tag == nil {
		d.t.Fatalf("no tag in %s", answer)
	}
	m := fmt.Sprintf("%s sip:10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%d\r\nMax-Forwards: 70\r\nFrom: <sip:1001@pbx>;tag=a\r\nTo: <sip:1001@pbx>;tag=%s\r\nCall-ID: SUBSCRIBE\r\nCSeq: %d %s\r\nContact: <sip:1001@%s>\r\n%sContent-Length: 0\r\n\r\n",
		method, peerAddr, d.serial, tag[1], seq, method, peerAddr, extra)
	d.write(m)
	return d.read()
}

func (d *desk) write(m string) {
	d.t.Helper()
	if _, err := d.conn.WriteTo([]byte(m), net.UDPAddrFromAddrPort(netip.MustParseAddrPort(ourAddr))); err != nil {
		d.t.Fatal(err)
	}
	synctest.Wait()
}

// answer answers a request that came.
func (d *desk) answer(req, status string) {
	d.t.Helper()
	lines := []string{"SIP/2.0 " + status}
	for line := range strings.SplitSeq(req, "\r\n") {
		if regexp.MustCompile(`^(Via|From|To|Call-ID|CSeq):`).MatchString(line) {
			lines = append(lines, line)
		}
	}
	d.write(strings.Join(lines, "\r\n") + "\r\nContent-Length: 0\r\n\r\n")
	time.Sleep(5 * time.Millisecond) // on its way
	synctest.Wait()
}

// subscribed gives the answer to a SUBSCRIBE and the NOTIFY after it.
func (d *desk) subscribed(to, extra string) (answer, notify string) {
	d.t.Helper()
	answer = d.login("SUBSCRIBE "+to, "1001", "right", "1001", "Contact: <sip:1001@"+peerAddr+">\r\n"+extra)
	if first(answer) != "200 OK" {
		return answer, ""
	}
	return answer, d.read()
}

func told(notify string) string {
	_, body, _ := strings.Cut(notify, "\r\n\r\n")
	return first(notify) + " | " + headers(notify, "Event") + " | " + headers(notify, "Subscription-State") + " | " + headers(notify, "CSeq") + " | " + headers(notify, "Content-Type") + " | " + body
}

// TestSubscribe is the life of a subscription: full state at once, one NOTIFY for
// each change, refresh, end (RFC 6665 4.2).
func TestSubscribe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, b, stop := newBoard(t)
		want := func(got, want string) {
			t.Helper()
			if got = told(got); got != "NOTIFY sip:1001@10.0.0.2:5070 SIP/2.0 | "+want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		}
		answer, notify := d.subscribed("sip:1002@pbx", "Event: dialog;id=7;x=y\r\nAccept: text/plain, application/*;q=0.5\r\nExpires: 120\r\n")
		if headers(answer, "Expires") != "120" || headers(answer, "Allow-Events") != "dialog, message-summary" || headers(answer, "Contact") == "" {
			t.Errorf("answered %s", answer)
		}
		want(notify, "dialog;id=7 | active;expires=120 | 1 NOTIFY | application/dialog-info+xml | dialog of 1002: idle, version 0")
		if !strings.HasPrefix(notify, "NOTIFY ") || headers(notify, "To") != "<sip:1001@pbx>;tag=a" || headers(notify, "Call-ID") != "SUBSCRIBE" {
			t.Errorf("notified with %s", notify)
		}
		// While the NOTIFY waits for its answer, changes gather.
		for _, s := range []string{"rings", "talks"} {
			b.state = s
			d.e.Notify("dialog", "1002")
			d.e.Notify("dialog", "1003")
			d.e.Notify("message-summary", "1002")
		}
		if got := d.read(); got != notify { // repeated (17.1.2.1)
			t.Errorf("came %s, want the NOTIFY again", got)
		}
		time.Sleep(20 * time.Second)
		for d.read() == notify {
		}
		d.answer(notify, "200 OK")
		notify = d.read()
		want(notify, "dialog;id=7 | active;expires=98 | 2 NOTIFY | application/dialog-info+xml | dialog of 1002: talks, version 1")
		d.answer(notify, "503 Busy") // he lives
		b.state = "rests"
		d.e.Notify("dialog", "1002")
		notify = d.read()
		d.answer(notify, "200 OK")
		want(notify, "dialog;id=7 | active;expires=98 | 3 NOTIFY | application/dialog-info+xml | dialog of 1002: rests, version 2")
		// A refresh tells once more, what is wrong with it changes nothing.
		for _, c := range []struct{ method, extra, want string }{
			{"SUBSCRIBE", "Event: dialog\r\nExpires: 5\r\n", "423 Interval Too Brief"},
			{"SUBSCRIBE", "Event: message-summary\r\n", "489 Bad Event"},
			{"MESSAGE", "", "405 Method Not Allowed"},
		} {
			if got := first(d.fetch(c.method, answer, c.extra, 100+d.serial)); got != c.want {
				t.Errorf("%s %q: %s, want %s", c.method, c.extra, got, c.want)
			}
		}
		if got := d.fetch("SUBSCRIBE", answer, "Event: dialog\r\n", 1); first(got) != "500 CSeq Out Of Order" {
			t.Errorf("an old number: %s", got)
		}
		if got := d.fetch("SUBSCRIBE", answer, "Event: dialog;id=7\r\n", 500); first(got) != "200 OK" || headers(got, "Expires") != "3600" {
			t.Errorf("refreshed: %s", got)
		}
		notify = d.read()
		d.answer(notify, "200 OK")
		want(notify, "dialog;id=7 | active;expires=3600 | 4 NOTIFY | application/dialog-info+xml | dialog of 1002: rests, version 3")
		if got := d.fetch("SUBSCRIBE", answer, "Event: dialog\r\nExpires: 0\r\n", 501); first(got) != "200 OK" || headers(got, "Expires") != "0" {
			t.Errorf("given up: %s", got)
		}
		notify = d.read()
		want(notify, "dialog;id=7 | terminated;reason=timeout | 5 NOTIFY | application/dialog-info+xml | dialog of 1002: rests, version 4")
		if got := d.fetch("SUBSCRIBE", answer, "Event: dialog\r\n", 502); first(got) != "481 Call/Transaction Does Not Exist" {
			t.Errorf("after the end: %s", got)
		}
		d.answer(notify, "200 OK")
		if n := d.e.Subscriptions(); n != 0 {
			t.Errorf("%d subscriptions are left", n)
		}
		stop()
	})
}

// TestSubscribeRefused: only who logs in watches, and only what he may.
func TestSubscribeRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, _, stop := newBoard(t)
		for _, c := range []struct{ name, password, claimed, to, extra, want string }{
			{"wrong password", "wrong", "1001", "1002", "Event: dialog\r\n", "401 Unauthorized"},
			{"for another", "right", "1002", "1002", "Event: dialog\r\n", "403 Forbidden"},
			{"presence", "right", "1001", "1002", "Event: presence\r\n", "489 Bad Event"},
			{"no event", "right", "1001", "1002", "", "489 Bad Event"},
			{"short", "right", "1001", "1002", "Event: dialog\r\nExpires: 59\r\n", "423 Interval Too Brief"},
			{"reads something else", "right", "1001", "1002", "o: dialog\r\nAccept: application/pidf+xml\r\n", "406 Not Acceptable"},
			{"another's mailbox", "right", "1001", "1002", "Event: message-summary\r\n", "403 Not Your Mailbox"},
			{"nobody", "right", "1001", "4711", "Event: dialog\r\n", "404 Not Found"},
		} {
			got := d.login("SUBSCRIBE sip:"+c.to+"@pbx", "1001", c.password, c.claimed, c.extra)
			if first(got) != c.want || strings.HasPrefix(c.want, "489") && headers(got, "Allow-Events") != "dialog, message-summary" || strings.HasPrefix(c.want, "423") && headers(got, "Min-Expires") != "60" {
				t.Errorf("%s: %s, want %s", c.name, got, c.want)
			}
		}
		for i := range mostSubscribed + 1 {
			d.serial += 10
			want := "200 OK"
			if i == mostSubscribed {
				want = "403 Too Many Subscriptions"
			}
			if got, notify := d.subscribed("sip:9300@pbx", "Event: message-summary\r\n"); first(got) != want {
				t.Fatalf("subscription %d: %s", i, got)
			} else if i < mostSubscribed {
				d.answer(notify, "200 OK")
			}
		}
		if !d.e.Watched("message-summary", "1001") || d.e.Watched("message-summary", "9300") || d.e.Watched("dialog", "1001") {
			t.Error("the wrong mailbox is watched")
		}
		d.e.EndSubscriptions()
		if got := d.read(); headers(got, "Subscription-State") != "terminated;reason=probation;retry-after=15" || d.e.Subscriptions() != 0 {
			t.Errorf("at the end: %s; %d left", got, d.e.Subscriptions())
		}
		stop()
	})
}

// TestSubscriptionEnds: by time, by who answers that there is none, and by who does
// not answer.
func TestSubscriptionEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, b, stop := newBoard(t)
		begin := func(extra string) string {
			t.Helper()
			d.serial += 10
			answer, notify := d.subscribed("sip:1002@pbx", "Event: dialog\r\n"+extra)
			if first(answer) != "200 OK" {
				t.Fatalf("answered %s", answer)
			}
			return notify
		}
		left := func(when string, want int) {
			t.Helper()
			if n := d.e.Subscriptions(); n != want {
				t.Errorf("%s: %d subscriptions, want %d", when, n, want)
			}
		}
		d.answer(begin("Expires: 60\r\n"), "200 OK")
		time.Sleep(59 * time.Second)
		left("a second before its end", 1)
		time.Sleep(2 * time.Second)
		got := d.read()
		if headers(got, "Subscription-State") != "terminated;reason=timeout" {
			t.Errorf("at its end came %s", got)
		}
		d.answer(got, "200 OK")
		for d.read() != "nothing came" { // copies of it
		}
		left("after its end", 0)
		for _, code := range []string{"481 Gone", "489 Bad Event", "404 Not Found", "401 Unauthorized"} {
			d.answer(begin(""), code)
			left("after "+code, 0)
		}
		d.answer(begin(""), "500 Wait")
		left("after 500", 1)
		b.state = "rings"
		d.e.Notify("dialog", "1002") // and nobody answers
		time.Sleep(33 * time.Second)
		left("nobody answered", 0)
		for d.read() != "nothing came" {
		}
		// A fetch (RFC 6665 4.4.3), of what is not known at first.
		b.state = ""
		if got := begin("Expires: 0\r\n"); got != "nothing came" {
			t.Errorf("came %s", got)
		}
		left("until it is known", 1)
		b.state = "known"
		d.e.Notify("dialog", "1002")
		got = d.read()
		if headers(got, "Subscription-State") != "terminated;reason=timeout" || !strings.HasSuffix(got, "dialog of 1002: known, version 0") {
			t.Errorf("fetched %s", got)
		}
		d.answer(got, "200 OK")
		left("fetched", 0)
		// Who asked for what never became known is forgotten.
		b.state = ""
		begin("Expires: 0\r\n")
		time.Sleep(40 * time.Second)
		left("never known", 0)
		stop()
	})
}

// TestCan: OPTIONS and refusals tell the same (RFC 3261 11.2, RFC 6665 8.2.2).
func TestCan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, all := range []bool{true, false} {
			ctx, cancel := context.WithCancel(t.Context())
			d := newDesk(t, ctx, newNet(time.Millisecond, 0), func(c *Config) {
				if all {
					c.Events, c.Texts = &board{}, func(_ Text, answer func(int, string)) { answer(200, "") }
				}
			})
			got := d.ask("OPTIONS", "1001", "")
			for header, want := range map[string]string{
				"Allow": "REGISTER, SUBSCRIBE, MESSAGE", "Allow-Events": "dialog, message-summary", "Accept": "text/plain", "Supported": "",
			} {
				if have := headers(got, header); strings.Contains(have, want) != all && want != "" || have == "" && header != "Allow-Events" {
					t.Errorf("all %v: %s: %q", all, header, have)
				}
			}
			if refused := d.ask("PUBLISH", "1001", ""); headers(refused, "Allow") != headers(got, "Allow") {
				t.Errorf("refused with Allow %q, OPTIONS %q", headers(refused, "Allow"), headers(got, "Allow"))
			}
			cancel()
			time.Sleep(time.Minute)
			d.conn.Close()
		}
	})
}
