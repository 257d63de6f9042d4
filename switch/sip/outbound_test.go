package sip

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ozswitch/switch/call"
	"ozswitch/switch/sip/registrar"
)

// TestOutbound is RFC 5626 6, and RFC 3327 5.3 for the proxies on the way.
func TestOutbound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet(time.Millisecond, 0) // so that the latest is known
		ctx, stop := context.WithCancel(t.Context())
		d := newDesk(t, ctx, n, nil)
		const instance = `;+sip.instance="<urn:uuid:7>"`
		const wants = "Supported: path, outbound\r\n"
		contact := func(user, params string) string {
			return "Contact: <sip:" + user + "@somewhere.invalid;ob>" + instance + params + "\r\n"
		}
		const proxy = "Via: SIP/2.0/UDP proxy;branch=z9hG4bK1\r\n"
		for _, c := range []struct{ name, extra, code, require, contacts string }{
			{"a flow", wants + contact("a", ";reg-id=1"), "200 OK", "outbound", "a"},
			{"the same flow from elsewhere", wants + contact("b", ";reg-id=1"), "200 OK", "outbound", "b"},
			{"a second flow", wants + contact("c", ";reg-id=2;q=0.5"), "200 OK", "outbound", "b c"},
			{"not asked for: a further contact of that telephone without a flow", contact("d", ";reg-id=1"), "200 OK", "", "d b c"},
			{"two contacts with a flow", wants + contact("e", ";reg-id=1") + contact("f", ""), "400 Bad Request (reg-id wants one Contact)", "", ""},
			{"no flow: zero", wants + contact("d", ";reg-id=0"), "200 OK", "", "d b c"},
			{"no instance", wants + "Contact: <sip:g@h>;reg-id=1;expires=0\r\n", "200 OK", "", "d b c"},
			{"a proxy that keeps no flow", proxy + wants + contact("b", ";reg-id=1"), "439 First Hop Lacks Outbound Support", "", ""},
			{"a proxy that keeps it", proxy + wants + "Path: <sip:far;lr>, <sip:near;lr;ob>\r\n" + contact("b", ";reg-id=1"), "200 OK", "outbound", "b d c"},
			{"a Path that the telephone does not know", "Path: <sip:near;lr>\r\n" + contact("b", ""), "420 Bad Extension", "", ""},
			{"only asks", "", "200 OK", "", "b d c"},
		} {
			got := d.login("REGISTER", "1001", "right", "1001", c.extra)
			if first(got) != c.code || headers(got, "Require") != c.require || (headers(got, "Flow-Timer") == "29") != (c.require != "") {
				t.Errorf("%s: %s\nwant %s, Require %q", c.name, got, c.code, c.require)
			}
			if c.code != "200 OK" {
				continue
			}
			if s := headers(got, "Supported"); s != "path, outbound" {
				t.Errorf("%s: Supported %q", c.name, s)
			}
			var have []string
			for _, b := range d.e.Bindings("1001") {
				have = append(have, b.Contact[4:5])
			}
			if got := strings.Join(have, " "); got != c.contacts {
				t.Errorf("%s: bindings %s, want %s", c.name, got, c.contacts)
			}
		}
		if b := d.e.Bindings("1001")[0]; b.Allow != "" || !b.Allows("MESSAGE") || strings.Join(b.Path, " ") != "sip:far;lr sip:near;lr;ob" {
			t.Errorf("bound %+v", b)
		}
		d.login("REGISTER", "1001", "right", "1001", wants+contact("b", ";reg-id=1")+"Allow: INVITE, ACK\r\nAllow: BYE\r\n")
		if b := d.e.Bindings("1001")[0]; b.Allow != "INVITE, ACK, BYE" || b.Allows("MESSAGE") || !b.Allows("bye") || len(b.Path) != 0 || b.UserAgent != "desk" {
			t.Errorf("bound %+v", b)
		}
		stop()
		d.conn.Close()
	})
}

// TestKeepAlive: what a telephone sends to keep its flow up is answered (RFC 5626
// 4.4.2), or nothing (4.4.1 is for streams).
func TestKeepAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet(0, 0)
		ctx, stop := context.WithCancel(t.Context())
		d := newDesk(t, ctx, n, nil)
		for _, ping := range []string{"\x00\x01\x00\x00\x21\x12\xa4\x42abcdefghijkl", "\r\n\r\n"} {
			if _, err := d.conn.WriteTo([]byte(ping), net.UDPAddrFromAddrPort(netip.MustParseAddrPort(ourAddr))); err != nil {
				t.Fatal(err)
			}
		}
		if got := d.read(); !strings.HasPrefix(got, "\x01\x01\x00\x0c\x21\x12\xa4\x42abcdefghijkl\x00\x20\x00\x08\x00\x01") {
			t.Errorf("the ping was answered %q", got)
		}
		if got := d.read(); got != "nothing came" {
			t.Errorf("blank lines were answered %q", got)
		}
		stop()
		d.conn.Close()
	})
}

// TestRestart: a hundred telephones register, the switch starts anew, and every
// one of them is called.
func TestRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const many = 100
		n := newNet(0, 0)
		accounts := func(c *Config) {
			c.Accounts = nil
			for i := range many {
				c.Accounts = append(c.Accounts, registrar.NewAccount(fmt.Sprint(2000+i), "pbx", "right", ""))
			}
		}
		ctx, stop := context.WithCancel(t.Context())
		d := newDesk(t, ctx, n, accounts)
		for i := range many {
			user := fmt.Sprint(2000 + i)
			if got := d.login("REGISTER", user, "right", user, "Contact: <sip:"+user+"@"+user+".invalid>;q=0.5\r\nAllow: INVITE\r\n"); first(got) != "200 OK" {
				t.Fatalf("%s: %s", user, got)
			}
		}
		stop()
		synctest.Wait()
		d.conn.Close()
		ctx, stop = context.WithCancel(t.Context())
		keep := d.keep
		d = newDesk(t, ctx, n, func(c *Config) { accounts(c); c.Keeper = keep })
		if got := len(d.e.Registrations()); got != many {
			t.Errorf("%d registrations are there, want %d", got, many)
		}
		for i := range many {
			user, leg := fmt.Sprint(2000+i), call.LegID(fmt.Sprint("x", i))
			b := d.e.Bindings(user)
			if len(b) != 1 || b[0].Rank != 500 || b[0].Allow != "INVITE" {
				t.Fatalf("%s is at %+v", user, b)
			}
			d.e.Dial(call.Invite{Leg: leg, Target: b[0].Contact, Phone: user, From: "9000"}, d.post(leg))
			if got := d.read(); !strings.HasPrefix(got, "INVITE sip:"+user+"@"+user+".invalid SIP/2.0\r\n") {
				t.Fatalf("%s got %q", user, got)
			}
			d.e.Do(call.Cancel{Leg: leg})
		}
		stop()
		time.Sleep(time.Minute)
		d.conn.Close()
	})
}

// TestRefusedInWords: whoever is not let in is told of in words, with what to do.
func TestRefusedInWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet(0, 0)
		ctx, stop := context.WithCancel(t.Context())
		var told []Registration
		d := newDesk(t, ctx, n, func(c *Config) {
			c.Registration = func(r Registration) { told = append(told, r) }
		})
		for _, c := range []struct{ user, password, claimed, extra, why, do string }{
			{"1001", "wrong", "1001", deskContact, "wrong password", "enter the password"},
			{"4711", "right", "4711", deskContact, "no such extension", "number of an extension"},
			{"1001", "right", "1002", deskContact, "logged in as 1001 and spoke for 1002", "must both be 1001"},
			{"1001", "right", "1001", strings.Repeat("Contact: <sip:a@h>\r\n", 11), "Too Many Contacts", "at most 10 contacts"},
			{"1001", "right", "1001", "Contact: <sip:a@h>;expires=5\r\n", "Interval Too Brief", "a minute or longer"},
			{"1001", "right", "1001", "Via: SIP/2.0/UDP p;branch=z9hG4bK1\r\nSupported: outbound\r\nContact: <sip:a@h>;reg-id=1;+sip.instance=\"<urn:x>\"\r\n", "First Hop", "turn outbound off"},
		} {
			told = nil
			d.login("REGISTER", c.user, c.password, c.claimed, c.extra)
			if len(told) != 1 || told[0].What != "refused" || told[0].User != c.user || !strings.Contains(told[0].Why, c.why) || !strings.Contains(told[0].Do, c.do) || told[0].Transport != "udp" {
				t.Errorf("told %+v, want %s: %s, %s", told, c.user, c.why, c.do)
			}
		}
		told = nil
		wrong := strings.Replace(d.ask("REGISTER", "1001", ""), `realm="pbx"`, `realm="elsewhere"`, 1)
		d.ask("REGISTER", "1001", d.credentials(wrong, "REGISTER", "1001", "right", 1))
		d.ask("INVITE", "1001", d.credentials(wrong, "INVITE", "1001", "right", 1))
		if len(told) != 1 || told[0].User != "1001" || !strings.Contains(told[0].Why, `"elsewhere"`) || !strings.Contains(told[0].Do, `"pbx"`) {
			t.Errorf("told %+v, want that it logs in to the domain elsewhere", told)
		}
		stop()
		d.conn.Close()
	})
}
