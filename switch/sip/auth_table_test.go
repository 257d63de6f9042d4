package sip

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ozswitch/switch/call"
)

// cells is what each of the 14 methods is answered with, outside a dialog and
// within the dialog of a call of extension 1001: without credentials, with a wrong
// password, with another extension's right one, and with its own. 0 = no answer.
//
// What starts something or speaks for somebody is challenged (RFC 3261 22.1), and
// nobody speaks for another. What belongs to a dialog that is not there is told so
// (481) whoever asks: a challenge would have it sent once more for nothing. Who
// knows the Call-ID and both tags of a dialog may do there what its far end may
// (RFC 3261 12.2.2), but not what costs money: REFER is challenged again.
var cells = []struct {
	name            string
	outside, inside [4]int
	extra, body     string
}{
	{"INVITE", [4]int{401, 401, 403, 200}, [4]int{200, 200, 200, 200}, "Content-Type: application/sdp\r\n", testSDP},
	{"ACK", [4]int{}, [4]int{}, "", ""}, // never answered (RFC 3261 17)
	{"BYE", [4]int{481, 481, 481, 481}, [4]int{200, 200, 200, 200}, "", ""},
	{"CANCEL", [4]int{481, 481, 481, 481}, [4]int{481, 481, 481, 481}, "", ""}, // found by its branch alone (RFC 3261 9.2)
	{"REGISTER", [4]int{401, 401, 403, 200}, [4]int{405, 405, 405, 405}, "", ""},
	{"OPTIONS", [4]int{200, 200, 200, 200}, [4]int{200, 200, 200, 200}, "", ""}, // says what we can, and nothing of who is here
	{"INFO", [4]int{481, 481, 481, 481}, [4]int{200, 200, 200, 200}, "Content-Type: application/dtmf-relay\r\n", "Signal=5\r\n"},
	{"UPDATE", [4]int{481, 481, 481, 481}, [4]int{200, 200, 200, 200}, "", ""},
	{"PRACK", [4]int{481, 481, 481, 481}, [4]int{481, 481, 481, 481}, "RAck: 1 1 INVITE\r\n", ""},
	{"SUBSCRIBE", [4]int{401, 401, 403, 200}, [4]int{405, 405, 405, 405}, "Event: dialog\r\nExpires: 600\r\n", ""},
	{"NOTIFY", [4]int{481, 481, 481, 481}, [4]int{481, 481, 481, 481}, "Event: refer\r\nSubscription-State: active\r\n", ""}, // we subscribe to nothing
	{"REFER", [4]int{403, 403, 403, 403}, [4]int{401, 401, 403, 202}, "Refer-To: <sip:1002@pbx>\r\n", ""},
	{"MESSAGE", [4]int{401, 401, 403, 200}, [4]int{405, 405, 405, 405}, "Content-Type: text/plain\r\n", "hello"},
	{"PUBLISH", [4]int{405, 405, 405, 405}, [4]int{405, 405, 405, 405}, "Event: presence\r\n", ""},
}

var credentialKinds = [4]struct{ name, user, password string }{
	{name: "none"}, {"wrong", "1001", "wrong"}, {"another's", "1002", "other"}, {"right", "1001", "right"},
}

// TestMethods: every method with every kind of credentials, and what the table in
// docs/interop.md says of it.
func TestMethods(t *testing.T) {
	var table strings.Builder
	table.WriteString("| Method | Outside a dialog: none | wrong | another's | right | Within: none | wrong | another's | right |\n|" + strings.Repeat(" --- |", 9) + "\n")
	for i := range cells {
		m := &cells[i]
		table.WriteString("| " + m.name + " |")
		for _, inside := range []bool{false, true} {
			want := m.outside
			if inside {
				want = m.inside
			}
			for k, kind := range credentialKinds {
				var got int
				var did string
				synctest.Test(t, func(t *testing.T) { got, did = askMethod(t, i, inside, k) })
				if got != want[k] {
					t.Errorf("%s, credentials %s, inside %v: %d, want %d", m.name, kind.name, inside, got, want[k])
				}
				if done := did != ""; done && got >= 300 {
					t.Errorf("%s, credentials %s, inside %v: answered %d, and yet %s", m.name, kind.name, inside, got, did)
				}
				if got == 0 {
					table.WriteString(" - |")
				} else {
					fmt.Fprintf(&table, " %d |", got)
				}
			}
		}
		table.WriteString("\n")
	}
	compareMarked(t, "methods", table.String())
}

// A clerk is the exchange and all else that a method may reach.
type clerk struct {
	*desk2
	did []string // what was done
}

func (c *clerk) Watch(w Watch) (string, int, string) {
	c.did = append(c.did, w.User+" watches "+w.Number)
	return w.Number, 0, ""
}

func (c *clerk) Document(Watch, uint32) []byte { return nil }

// askMethod gives the final answer to one request, and what it has done.
func askMethod(t *testing.T, method int, inside bool, kind int) (code int, did string) {
	m, who := cells[method], credentialKinds[kind]
	n := newNet(0, 0)
	ctx, stop := context.WithCancel(t.Context())
	c := &clerk{desk2: &desk2{phones: &phones{events: map[call.LegID][]string{}}}}
	d := newDesk(t, ctx, n, func(config *Config) {
		config.Events = c
		config.Texts = func(x Text, reply func(int, string)) {
			c.did = append(c.did, x.From+" writes to "+x.To)
			reply(200, "")
		}
	})
	defer func() { stop(); synctest.Wait(); d.conn.Close() }()
	d.e.x, c.e = c, d.e
	challenge := d.ask("REGISTER", "1001", "")
	serial := 100
	ask := func(method, to, callID, extra, body string) string {
		serial++
		b := fmt.Sprintf("%s sip:pbx SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%d\r\nMax-Forwards: 70\r\nFrom: <sip:1001@pbx>;tag=a\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\nContact: <sip:1001@%s>\r\n%sContent-Length: %d\r\n\r\n%s",
			method, peerAddr, serial, to, callID, serial, method, peerAddr, extra, len(body), body)
		if _, err := d.conn.WriteTo([]byte(b), net.UDPAddrFromAddrPort(netip.MustParseAddrPort(ourAddr))); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if inside && method == "INVITE" { // the call takes what was offered anew
			time.Sleep(5 * time.Second)
		}
		for {
			came := d.read()
			if strings.HasPrefix(came, "SIP/2.0 ") && strings.HasSuffix(headers(came, "CSeq"), fmt.Sprintf("%d %s", serial, method)) || came == "nothing came" {
				return came
			}
		}
	}
	to, id := "<sip:9000@pbx>", "other"
	if m.name == "REGISTER" {
		to = "<sip:1001@pbx>" // whom it binds
	}
	if inside {
		got := ask("INVITE", to, "call", "Content-Type: application/sdp\r\n"+d.credentials(challenge, "INVITE", "1001", "right", 50), testSDP)
		if first(got) != "200 OK" {
			t.Fatal(got)
		}
		to, id = headers(got, "To"), "call"
		serial-- // an ACK has the number of its INVITE
		ask("ACK", to, id, "", "")
	}
	before := c.said(d)
	extra := m.extra
	if who.user != "" {
		extra += d.credentials(challenge, m.name, who.user, who.password, 60)
	}
	got := ask(m.name, to, id, extra, m.body)
	if match := regexp.MustCompile(`^SIP/2\.0 (\d+)`).FindStringSubmatch(got); match != nil {
		fmt.Sscan(match[1], &code)
	}
	return code, strings.TrimPrefix(c.said(d), before)
}

// said tells what was done so far.
func (c *clerk) said(d *desk) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := strings.Join(c.did, ", ")
	for _, in := range c.calls {
		s += " called by " + in.User
	}
	for _, r := range c.refers {
		s += " referred to " + r.To
	}
	for leg, events := range c.events {
		s += " " + string(leg) + ": " + strings.Join(events, " ")
	}
	for _, b := range d.e.Registrations() {
		s += " registered " + b.User
	}
	return s
}

// compareMarked compares a table with the one between the marks of that name in
// docs/interop.md, or writes it there with -update.
func compareMarked(t *testing.T, name, table string) {
	t.Helper()
	const file = "../../docs/interop.md"
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(b), "<!-- "+name+":")
	mark, rest, ok2 := strings.Cut(rest, "-->\n")
	was, after, ok3 := strings.Cut(rest, "<!-- end of "+name+" -->")
	switch {
	case !ok || !ok2 || !ok3:
		t.Fatalf("%s has no marks of %s", file, name)
	case was == table:
	case *update:
		if err := os.WriteFile(file, []byte(before+"<!-- "+name+":"+mark+"-->\n"+table+"<!-- end of "+name+" -->"+after), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s has another table; with -update it would be:\n%s", file, table)
	}
}
