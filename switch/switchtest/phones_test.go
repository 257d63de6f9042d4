package switchtest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ozswitch/switch/phone"
	"ozswitch/switch/server"
)

// TestLamps: who watches an extension sees it ring, talk, hold and be free again,
// and with whom; and that it calls an application.
func TestLamps(t *testing.T) {
	company(t, func(w *World) {
		w.Web.Handle("/ivr", func(Post) Answer { // a state that lasts no time need not be told
			return Answer{Body: `<Response><Delay>60</Delay></Response>`, After: 500 * time.Millisecond}
		})
		a, b := w.Phone("1001"), w.Phone("1002")
		d := w.desk("1003", "10.1.9.1")
		defer d.close()
		if got := d.ask("SUBSCRIBE", "1002", "Event: dialog\r\n", ""); got != "200 OK" {
			t.Fatalf("watching 1002: %s", got)
		}
		d.lit("at first", "acti")
		b.Reply = func() phone.Reply { return phone.Reply{Options: phone.Options{RingFor: 3 * time.Second}} }
		ac := a.Place("1002", phone.Options{})
		bc := b.Next()
		w.Pass(time.Second)
		d.lit("it rings", "acti recipient trying 1001", "acti recipient early 1001")
		if err := ac.Answered(context.Background()); err != nil {
			t.Fatal(err)
		}
		d.lit("they talk", "acti recipient confirmed 1001")
		ac.Call.Hangup()
		bc.Over()
		ac.Over()
		d.lit("it is over", "acti recipient terminated 1001")
		if got := d.ask("SUBSCRIBE", "1001", "Event: dialog\r\n", ""); got != "200 OK" {
			t.Fatalf("watching 1001: %s", got)
		}
		d.lit("1001 is free", "acti")
		c := a.Dial("9000")
		w.Pass(time.Second)
		c.Hangup()
		c.Over()
		d.lit("1001 called an application", "acti initiator trying 9000", "acti initiator confirmed 9000", "acti initiator terminated 9000")
		if got := d.ask("SUBSCRIBE", "1001", "Event: message-summary\r\n", ""); got != "403 Forbidden (not your mailbox)" {
			t.Errorf("another's mailbox: %s", got)
		}
		if got := d.ask("SUBSCRIBE", "1003", "Event: message-summary\r\n", ""); got != "200 OK" {
			t.Errorf("one's own mailbox: %s", got)
		}
		d.lit("one's own mailbox", "acti 0/0 (0/0)")
		if got := d.ask("SUBSCRIBE", "4711", "Event: dialog\r\n", ""); got != "404 Not Found" {
			t.Errorf("nobody: %s", got)
		}
		w.Stop()
		d.lit("the switch leaves", "term", "term", "term 0/0 (0/0)")
	}, "1001", "1002", "1003")
}

// TestTexts: a text reaches the telephone; what comes while it is away waits, over
// a restart too, and comes in order when it registers.
func TestTexts(t *testing.T) {
	company(t, func(w *World) {
		w.Config.Extensions = append(w.Config.Extensions, server.Extension{Number: "9900", Type: "echo"})
		a, b := w.desk("1001", "10.1.9.1"), w.desk("1002", "10.1.9.2")
		defer a.close()
		defer b.close()
		const plain = "Content-Type: text/plain;charset=utf-8\r\n"
		send := func(to, text, want string) {
			t.Helper()
			if got := a.ask("MESSAGE", to, plain, text); got != want {
				t.Errorf("%q to %s: %s, want %s", text, to, got, want)
			}
		}
		came := func(when string, want ...string) {
			t.Helper()
			w.Pass(time.Second)
			_, got := b.shown()
			for i := range got {
				if !strings.HasPrefix(got[i], "<sip:1001@localhost>;tag=") || !strings.Contains(got[i], " text/plain;charset=utf-8 ") {
					t.Errorf("%s: %s", when, got[i])
				}
				got[i] = got[i][strings.LastIndex(got[i], " ")+1:]
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: got %q, want %q", when, got, want)
			}
		}
		here := func() {
			t.Helper()
			if got := b.ask("REGISTER", "1002", "Expires: 600\r\n", ""); got != "200 OK" {
				t.Fatalf("registered: %s", got)
			}
		}
		send("1002", "one", "202 Accepted")
		send("1002", "two", "202 Accepted")
		send("4711", "x", "404 Not Found")
		send("9900", "x", "488 Not Acceptable Here (no phone)")
		w.Stop()
		w.Restart()
		send("1002", "three", "202 Accepted")
		came("away")
		here()
		came("it is here", "one", "two", "three")
		send("1002", "four", "200 OK")
		came("at once", "four")
		here()
		came("refreshed")
		// Its telephone does not answer: the texts wait until it refreshes.
		b.says("MESSAGE", "none")
		send("1002", "five", "202 Accepted")
		send("1002", "six", "202 Accepted")
		b.says("MESSAGE", "200 OK")
		here()
		came("it answers again", "five", "six")
		b.says("MESSAGE", "415 Unsupported Media Type")
		send("1002", "seven", "415 Unsupported Media Type")
		b.says("MESSAGE", "200 OK")
		here()
		came("what was refused does not come again")
	}, "1001", "1002")
}

// boxes are mailboxes that a test fills.
type boxes struct {
	mu     sync.Mutex
	counts map[string][2]int
	asked  int
}

func (b *boxes) Counts(number string) (fresh, old int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked++
	n := b.counts[number]
	return n[0], n[1]
}

// TestMailboxLamp: who watches his mailbox is told what is in it at once and when
// that changes; nobody looks into a mailbox that nobody watches.
func TestMailboxLamp(t *testing.T) {
	company(t, func(w *World) {
		d := w.desk("1001", "10.1.9.1")
		defer d.close()
		b := &boxes{counts: map[string][2]int{"1001": {2, 3}}}
		phones := w.Server.Phones()
		phones.SetMailboxes(b)
		phones.MailboxChanged("1001")
		w.Settle()
		if b.asked != 0 {
			t.Errorf("asked %d times for what nobody watches", b.asked)
		}
		if got := d.ask("SUBSCRIBE", "1001", "Event: message-summary\r\nExpires: 600\r\n", ""); got != "200 OK" {
			t.Fatalf("watching: %s", got)
		}
		d.lit("at first", "acti 2/3 (0/0)")
		b.counts["1001"] = [2]int{0, 5}
		phones.MailboxChanged("1002")
		phones.MailboxChanged("1001")
		d.lit("heard", "acti 0/5 (0/0)")
		if b.asked != 2 {
			t.Errorf("asked %d times, want 2", b.asked)
		}
		w.Pass(11 * time.Minute)
		d.lit("it ran out", "term 0/5 (0/0)")
		b.counts["1001"] = [2]int{1, 5}
		phones.MailboxChanged("1001")
		w.Settle()
		if got := d.ask("SUBSCRIBE", "1001", "Event: message-summary\r\nExpires: 0\r\n", ""); got != "200 OK" {
			t.Fatalf("asking once: %s", got)
		}
		d.lit("once", "term 1/5 (0/0)")
	}, "1001", "1002")
}

// TestTextsAreSwept: what nobody fetched within retention.messages is gone.
func TestTextsAreSwept(t *testing.T) {
	company(t, func(w *World) {
		w.Config.Retention.Messages = server.Duration(24 * time.Hour)
		a, b := w.desk("1001", "10.1.9.1"), w.desk("1002", "10.1.9.2")
		defer a.close()
		defer b.close()
		a.ask("MESSAGE", "1002", "Content-Type: text/plain\r\n", "old")
		w.Pass(12 * time.Hour)
		a.ask("MESSAGE", "1002", "Content-Type: text/plain\r\n", "new")
		w.Pass(13*time.Hour + time.Minute)
		b.ask("REGISTER", "1002", "Expires: 600\r\n", "")
		w.Pass(time.Second)
		if _, got := b.shown(); len(got) != 1 || !strings.HasSuffix(got[0], " new") {
			t.Errorf("came %q, want the new one alone", got)
		}
	}, "1001", "1002")
}

// TestRefusedInWords: /v1 tells who was not let in, from where and what to do, until
// that telephone is.
func TestRefusedInWords(t *testing.T) {
	company(t, func(w *World) {
		a, far := w.desk("1001", "10.1.9.1"), w.desk("1001", "10.1.9.2")
		defer a.close()
		defer far.close()
		failure := func(want string) {
			t.Helper()
			if _, got := w.v1("GET", "/v1/extensions/1001", ""); strings.Contains(got, `"last_failure"`) != (want != "") || !strings.Contains(got, want) {
				t.Errorf("1001 is %s\nwant %q", got, want)
			}
		}
		failure("")
		a.password = "wrong"
		if got := a.ask("REGISTER", "1001", "User-Agent: Desk/1\r\nExpires: 600\r\n", ""); got != "401 Unauthorized" {
			t.Errorf("with the wrong password: %s", got)
		}
		const words = "wrong password (from 10.1.9.1:5060 by udp, Desk/1, at 2000-01-01 "
		failure(words)
		failure("): enter the password of this extension in the phone once more")
		if got := far.ask("REGISTER", "1001", "Expires: 600\r\n", ""); got != "200 OK" {
			t.Errorf("another telephone: %s", got)
		}
		failure(words)
		if _, got := w.v1("GET", "/v1/status", ""); !strings.Contains(got, `"registrations_refused":["1001: `+words) {
			t.Errorf("the status is %s", got)
		}
		a.password = ""
		if got := a.ask("REGISTER", "1001", "Expires: 600\r\n", ""); got != "200 OK" {
			t.Errorf("with the right password: %s", got)
		}
		failure("")
		if _, got := w.v1("GET", "/v1/status", ""); !strings.Contains(got, `"registrations_refused":[]`) {
			t.Errorf("the status is %s", got)
		}
	}, "1001")
}

// TestFeatureCodes: a telephone changes its settings by dialling, and calls go
// where it said.
func TestFeatureCodes(t *testing.T) {
	company(t, func(w *World) {
		a, b, c := w.Phone("1001"), w.Phone("1002"), w.Phone("1003")
		says := func(p *Phone, code, want string) {
			t.Helper()
			call := p.Dial(code)
			call.Over()
			if said := w.Transcript(call.ID()); !strings.Contains(said, want) || strings.Contains(said, "error") || strings.Contains(said, "Beep") != strings.HasSuffix(want, ".") {
				t.Errorf("%s: want %q said, a beep when it was done, and no error:\n%s", code, want, said)
			}
		}
		reached := func(want *Phone) {
			t.Helper()
			ac := a.Dial("1002")
			bc := want.Next()
			ac.Call.Hangup()
			ac.Over()
			bc.Over()
		}
		reached(b)
		says(b, "*721003", "Calls are forwarded to 1 0 0 3.")
		reached(c)
		says(b, "*721002", "Nothing was changed")
		says(b, "*72", "Nothing was changed: dial")
		says(b, "*73", "Calls are no longer forwarded.")
		reached(b)
		says(b, "*78", "Do not disturb is on.")
		if got := a.Refused("1002"); got != 486 {
			t.Errorf("do not disturb: %d, want 486", got)
		}
		says(b, "*901003", "Calls are forwarded when busy to 1 0 0 3.")
		reached(c)
		says(b, "*79", "Do not disturb is off.")
		reached(b)
	}, "1001", "1002", "1003")
}

// TestHundredReturn: a hundred telephones register, the switch starts anew, and
// every one of them is reached.
func TestHundredReturn(t *testing.T) {
	numbers := []string{"1001"}
	for i := range 100 {
		numbers = append(numbers, fmt.Sprint(2000+i))
	}
	company(t, func(w *World) {
		for i, n := range numbers[1:] {
			d := w.desk(n, fmt.Sprintf("10.2.0.%d", i+1))
			defer d.close()
			d.says("INVITE", "486 Busy Here")
			if got := d.ask("REGISTER", n, "Expires: 3600\r\n", ""); got != "200 OK" {
				t.Fatalf("%s registered: %s", n, got)
			}
		}
		w.Stop()
		w.Restart()
		a := w.Phone("1001")
		for _, n := range numbers[1:] {
			if got := a.Refused(n); got != 486 {
				t.Errorf("%s said %d, want its 486\n%s", n, got, w.Transcript(""))
			}
		}
	}, numbers...)
}
