package sip

import (
	"context"
	"fmt"
	"io"
	"iter"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/icholy/digest"

	"ozswitch/switch/call"
	"ozswitch/switch/sip/registrar"
)

// kept is a Keeper in memory.
type kept struct {
	mu   sync.Mutex
	docs map[string][]byte
}

func (k *kept) PutRegistration(id, _ string, _ time.Time, doc []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.docs[id] = doc
	return nil
}

func (k *kept) DropRegistration(id string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.docs, id)
	return nil
}

func (k *kept) count() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.docs)
}

func (k *kept) Registrations(context.Context) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for _, d := range k.docs {
			if !yield(d, nil) {
				return
			}
		}
	}
}

// A desk is an endpoint with a registrar, and a telephone beside it.
type desk struct {
	*phones
	t      *testing.T
	conn   net.PacketConn
	keep   *kept
	told   []string
	users  []string // who called
	serial int
}

func (d *desk) Invited(in call.Invited) (func(call.Event) bool, *call.Respond) {
	d.users = append(d.users, in.User)
	return nil, &call.Respond{Code: 486}
}

func newDesk(t *testing.T, ctx context.Context, n *testNet, change func(*Config)) *desk {
	d := &desk{phones: &phones{events: map[call.LegID][]string{}}, t: t, keep: &kept{docs: map[string][]byte{}}}
	c := Config{Listen: []string{"udp://" + ourAddr, "tcp://" + ourAddr}, ListenPacket: n.listen, ListenStream: n.listenStream, DialStream: n.dialFrom(ourAddr),
		Rand: seeded(1), Log: testLog(t), Realm: "pbx", Keeper: d.keep,
		Accounts: []registrar.Account{registrar.NewAccount("1001", "pbx", "right", ""), registrar.NewAccount("1002", "pbx", "other", "")},
		Registration: func(r Registration) {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.told = append(d.told, strings.TrimSpace(r.What+" "+r.User+" "+r.Why))
		}}
	if change != nil {
		change(&c)
	}
	d.e = New(c, d)
	if err := d.e.Bind(); err != nil {
		t.Fatal(err)
	}
	go d.e.Run(ctx)
	synctest.Wait()
	d.conn, _ = n.listen("udp", peerAddr)
	return d
}

// ask sends a request and gives the answer; method may have a Request-URI after it.
func (d *desk) ask(method, from, extra string) string {
	d.t.Helper()
	d.serial++
	method, uri, _ := strings.Cut(method, " ")
	if uri == "" {
		uri = "sip:pbx"
	}
	m := fmt.Sprintf("%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%d\r\nMax-Forwards: 70\r\nFrom: <sip:%s@pbx>;tag=a\r\nTo: <sip:%s@pbx>\r\nCall-ID: %s\r\nCSeq: %d %s\r\nUser-Agent: desk\r\n%sContent-Length: 0\r\n\r\n",
		method, uri, peerAddr, d.serial, from, from, method, d.serial, method, extra)
	if _, err := d.conn.WriteTo([]byte(m), net.UDPAddrFromAddrPort(netip.MustParseAddrPort(ourAddr))); err != nil {
		d.t.Fatal(err)
	}
	defer synctest.Wait()
	return d.read()
}

// read gives the next message that is no 100.
func (d *desk) read() string {
	buf := make([]byte, 1<<16)
	for {
		d.conn.SetReadDeadline(time.Now().Add(time.Second))
		n, _, err := d.conn.ReadFrom(buf)
		if err != nil {
			return "nothing came"
		}
		if s := string(buf[:n]); !strings.HasPrefix(s, "SIP/2.0 100") {
			return s
		}
	}
}

// login asks twice: the second time with the answer to the challenge.
func (d *desk) login(method, user, password, claimed, extra string) string {
	d.t.Helper()
	got := d.ask(method, claimed, extra)
	if first(got) != "401 Unauthorized" {
		return got
	}
	return d.ask(method, claimed, extra+d.credentials(got, method, user, password, 1))
}

func (d *desk) credentials(challenged, method, user, password string, count int) string {
	d.t.Helper()
	values := regexp.MustCompile(`(?m)^WWW-Authenticate: (.*)\r`).FindAllStringSubmatch(challenged, -1)
	if len(values) != 1 {
		d.t.Fatalf("%d challenges, want one: %s", len(values), challenged)
	}
	c, err := digest.ParseChallenge(values[0][1])
	if err != nil {
		d.t.Fatal(err)
	}
	method, _, _ = strings.Cut(method, " ")
	cred, err := digest.Digest(c, digest.Options{Method: method, URI: "sip:pbx", Username: user, Password: password, Count: count})
	if err != nil {
		d.t.Fatal(err)
	}
	return "Authorization: " + cred.String() + "\r\n"
}

func headers(s, name string) string {
	var all []string
	for _, m := range regexp.MustCompile(`(?m)^`+name+`: (.*)\r`).FindAllStringSubmatch(s, -1) {
		all = append(all, m[1])
	}
	return strings.Join(all, " | ")
}

const deskContact = "Contact: <sip:1001@" + peerAddr + ";x=y>;expires=120;+sip.instance=\"<urn:uuid:1>\"\r\n"

// TestRegister: one challenge, then bindings with what was granted; who is
// unknown, has the wrong password or speaks for another does not get in.
func TestRegister(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet(0, 0)
		ctx, stop := context.WithCancel(t.Context())
		d := newDesk(t, ctx, n, nil)
		got := d.login("REGISTER", "1001", "right", "1001", deskContact)
		if first(got) != "200 OK" || headers(got, "Expires") != "120" ||
			headers(got, "Contact") != "<sip:1001@10.0.0.2:5070;x=y>;expires=120;+sip.instance=\"<urn:uuid:1>\"" {
			t.Errorf("answered %s", got)
		}
		for _, c := range []struct{ name, user, password, claimed, extra, want string }{
			{"wrong password", "1001", "wrong", "1001", deskContact, "401 Unauthorized"},
			{"unknown", "4711", "wrong", "4711", deskContact, "401 Unauthorized"},
			{"for another", "1001", "right", "1002", deskContact, "403 Forbidden"},
			{"too brief", "1001", "right", "1001", "Contact: <sip:1001@10.0.0.2>;expires=59\r\n", "423 Interval Too Brief"},
			{"star with time", "1001", "right", "1001", "Contact: *\r\n", "400 Bad Request (Contact: * goes alone and with Expires: 0)"},
			{"no SIP", "1001", "right", "1001", "Contact: <http://10.0.0.2/>\r\n", "400 Bad Request (Contact is no SIP address)"},
		} {
			if got := first(d.login("REGISTER", c.user, c.password, c.claimed, c.extra)); got != c.want {
				t.Errorf("%s: %q, want %q", c.name, got, c.want)
			}
		}
		wrong, unknown := d.login("REGISTER", "1001", "wrong", "1001", ""), d.login("REGISTER", "4711", "wrong", "4711", "")
		strip := regexp.MustCompile(`nonce="[^"]*"|branch=[^\r]*|tag=[^\r]*|CSeq: [^\r]*|sip:\d+`)
		if a, b := strip.ReplaceAllString(wrong, "?"), strip.ReplaceAllString(unknown, "?"); a != b {
			t.Errorf("a wrong password is answered\n%s\nan unknown user\n%s", a, b)
		}
		if got := d.login("REGISTER", "1001", "right", "1001", "Contact: <sip:1001@10.0.0.9>\r\nSupported: path\r\nPath: <sip:p1;lr>, <sip:p2;lr>\r\nExpires: 999999\r\n"); headers(got, "Path") != "<sip:p1;lr> | <sip:p2;lr>" || headers(got, "Expires") != "3600" ||
			!strings.Contains(headers(got, "Contact"), " | <sip:1001@10.0.0.9>;expires=3600") {
			t.Errorf("path: %s", got)
		}
		if got := d.e.Bindings("1001"); len(got) != 2 || d.keep.count() != 2 {
			t.Errorf("bindings %v, %d kept, want 2", got, d.keep.count())
		}
		time.Sleep(2*time.Minute + sweepEvery)
		synctest.Wait()
		if got := d.e.Bindings("1001"); len(got) != 1 || d.keep.count() != 1 {
			t.Errorf("two minutes later: bindings %v, %d kept, want 1", got, d.keep.count())
		}
		if got := d.login("REGISTER", "1001", "right", "1001", "Contact: *\r\nExpires: 0\r\n"); first(got) != "200 OK" || headers(got, "Contact") != "" {
			t.Errorf("removed: %s", got)
		}
		want := []string{"registered 1001", "refused 1001 wrong password", "refused 4711 there is no such extension", "refused 1001 logged in as 1001 and spoke for 1002",
			"refused 1001 Interval Too Brief", "refused 1001 Bad Request Bad Request (Contact: * goes alone and with Expires: 0)", "refused 1001 Bad Request Bad Request (Contact is no SIP address)",
			"refused 1001 wrong password", "refused 4711 there is no such extension", "registered 1001", "expired 1001", "unregistered 1001"}
		d.mu.Lock()
		defer d.mu.Unlock()
		if got := strings.Join(d.told, "\n"); got != strings.Join(want, "\n") {
			t.Errorf("told\n%s\nwant\n%s", got, strings.Join(want, "\n"))
		}
		stop()
		d.conn.Close()
	})
}

// TestNonceServesAgain: a telephone that counts is not challenged again; one
// that sends the same twice is told that it is stale; a copy of a request gets
// the same answer.
func TestNonceServesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet(0, 0)
		ctx, stop := context.WithCancel(t.Context())
		d := newDesk(t, ctx, n, nil)
		challenge := d.ask("REGISTER", "1001", deskContact)
		for _, c := range []struct {
			count int
			want  string
		}{{1, "200 OK"}, {2, "200 OK"}, {2, "401 Unauthorized"}, {3, "200 OK"}} {
			got := d.ask("REGISTER", "1001", deskContact+d.credentials(challenge, "REGISTER", "1001", "right", c.count))
			if first(got) != c.want || strings.Contains(got, "stale=true") != (c.want[0] == '4') {
				t.Errorf("count %d: %s, want %s", c.count, got, c.want)
			}
		}
		last := d.serial
		d.serial-- // a copy
		got := d.ask("REGISTER", "1001", deskContact+d.credentials(challenge, "REGISTER", "1001", "right", 3))
		if first(got) != "200 OK" || d.serial != last {
			t.Errorf("a copy: %s", got)
		}
		stop()
		d.conn.Close()
	})
}

// TestCallersProveThemselves: an INVITE is challenged once unless guests may
// call, and always where it says that it comes from an extension; credentials that
// are offered must be right all the same.
func TestCallersProveThemselves(t *testing.T) {
	for _, guests := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			n := newNet(0, 0)
			ctx, stop := context.WithCancel(t.Context())
			d := newDesk(t, ctx, n, func(c *Config) {
				c.Guest, c.Proves = func(netip.AddrPort) bool { return guests }, func(string) bool { return true }
			})
			for from, want := range map[string]string{"1001": "401 Unauthorized", "nobody": "486 Busy Here"} {
				if !guests {
					want = "401 Unauthorized"
				}
				if got := first(d.ask("INVITE", from, "")); got != want {
					t.Errorf("guests %v, %s without credentials: %q, want %q", guests, from, got, want)
				}
			}
			challenge := d.ask("REGISTER", "1001", "")
			for _, c := range []struct{ user, password, from, want string }{
				{"1001", "wrong", "1001", "401 Unauthorized"},
				{"1001", "right", "1002", "403 Forbidden"},
				{"1001", "right", "1001", "486 Busy Here"},
			} {
				got := d.ask("INVITE", c.from, d.credentials(challenge, "INVITE", c.user, c.password, d.serial))
				if first(got) != c.want {
					t.Errorf("guests %v, %s with %s's password: %q, want %q", guests, c.from, c.user, first(got), c.want)
				}
			}
			want := "1001"
			if guests {
				want = " 1001" // nobody's first
			}
			if got := strings.Join(d.users, " "); got != want {
				t.Errorf("called as %q, want %q", got, want)
			}
			if got := d.e.Legs(); got != 0 {
				t.Errorf("%d legs left", got)
			}
			stop()
			d.conn.Close()
		})
	}
}

// TestCallTheRegistered: a call to a binding goes where its REGISTER came from,
// whatever its contact says; after a restart too.
func TestCallTheRegistered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet(0, 0)
		ctx, stop := context.WithCancel(t.Context())
		d := newDesk(t, ctx, n, nil)
		d.login("REGISTER", "1001", "right", "1001", "Contact: <sip:1001@somewhere.invalid;ob>\r\nSupported: path\r\nPath: <sip:proxy.invalid;lr>\r\n")
		call1 := func(e *Endpoint) {
			t.Helper()
			b := e.Bindings("1001")
			if len(b) != 1 {
				t.Fatalf("bindings %v, want one", b)
			}
			e.Dial(call.Invite{Leg: "x", Target: b[0].Contact, Phone: "1001", From: "9000"}, d.post("x"))
			got := d.read()
			if !strings.HasPrefix(got, "INVITE sip:1001@somewhere.invalid;ob SIP/2.0\r\n") || headers(got, "Route") != "<sip:proxy.invalid;lr>" {
				t.Errorf("the telephone got %q", got)
			}
			e.Do(call.Cancel{Leg: "x"})
		}
		call1(d.e)
		stop()
		synctest.Wait()
		d.conn.Close()
		ctx, stop = context.WithCancel(t.Context())
		keep := d.keep
		d = newDesk(t, ctx, n, func(c *Config) { c.Keeper = keep })
		call1(d.e)
		stop()
		d.conn.Close()
	})
}

// TestAnotherTakesTheContact: an extension that registers with the contact of
// another gets none of its calls, nor ends its way when it leaves.
func TestAnotherTakesTheContact(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet(0, 0)
		ctx, stop := context.WithCancel(t.Context())
		d := newDesk(t, ctx, n, nil)
		const same = "Contact: <sip:x@y.invalid>\r\n"
		if got := first(d.login("REGISTER", "1001", "right", "1001", same)); got != "200 OK" {
			t.Fatal(got)
		}
		theirs := d.conn
		d.conn, _ = n.listen("udp", "10.0.0.66:5060")
		for _, step := range []string{same, "Contact: *\r\nExpires: 0\r\n"} {
			if got := first(d.login("REGISTER", "1002", "other", "1002", step)); got != "200 OK" {
				t.Fatal(got)
			}
			d.e.Dial(call.Invite{Leg: "x", Target: "sip:x@y.invalid", Phone: "1001", From: "9000"}, d.post("x"))
			if got := d.read(); got != "nothing came" {
				t.Errorf("1002 got the call: %s", got)
			}
			d.conn, theirs = theirs, d.conn
			if got := d.read(); !strings.HasPrefix(got, "INVITE sip:x@y.invalid ") {
				t.Errorf("1001 got %q", got)
			}
			d.conn, theirs = theirs, d.conn
			d.e.Do(call.Cancel{Leg: "x"})
			time.Sleep(time.Minute)
		}
		d.e.Dial(call.Invite{Leg: "y", Target: "sip:x@y.invalid", Phone: "1002", From: "9000"}, d.post("y"))
		if got := d.of("y"); got != "Refused" {
			t.Errorf("a call to who has left: %q, want Refused", got)
		}
		theirs.Close()
		stop()
		d.conn.Close()
	})
}

// TestRegisterByTCP: the connection of a telephone that registered is kept, and
// calls come by it.
func TestRegisterByTCP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet(0, 0)
		ctx, stop := context.WithCancel(t.Context())
		d := newDesk(t, ctx, n, nil)
		d.conn.Close()
		c := n.dial(t, "10.0.0.2")
		d.conn = packets{c}
		got := d.login("REGISTER", "1001", "right", "1001", "Contact: <sip:1001@x.invalid;transport=tcp>;expires=600\r\n")
		if first(got) != "200 OK" {
			t.Fatal(got)
		}
		time.Sleep(5 * time.Minute)
		d.e.Dial(call.Invite{Leg: "x", Target: d.e.Bindings("1001")[0].Contact, Phone: "1001", From: "9000"}, d.post("x"))
		if got := d.read(); !strings.HasPrefix(got, "INVITE sip:1001@x.invalid;transport=tcp SIP/2.0\r\n") {
			t.Errorf("the telephone got %q", got)
		}
		c.Close()
		time.Sleep(time.Second)
		if got := d.of("x"); got != "Refused" {
			t.Errorf("its connection ended: %q, want Refused", got)
		}
		time.Sleep(10 * time.Minute)
		if got := len(d.e.Registrations()) + d.e.streams.Len(); got != 0 {
			t.Errorf("%d registrations and connections left", got)
		}
		stop()
	})
}

// packets reads messages from a stream as if they were packets.
type packets struct{ net.Conn }

func (p packets) WriteTo(b []byte, _ net.Addr) (int, error) { return p.Write(b) }
func (p packets) ReadFrom(b []byte) (int, net.Addr, error) {
	n := 0
	for !strings.Contains(string(b[:n]), "\r\n\r\n") {
		k, err := p.Read(b[n : n+1])
		if n += k; err != nil {
			return 0, nil, io.EOF
		}
	}
	return n, nil, nil
}

// TestWeAnswerChallenges: an endpoint with a password calls one that wants it,
// by each way to ask; with a wrong password it is refused, and asks once only.
func TestWeAnswerChallenges(t *testing.T) {
	for _, c := range []struct{ kind, password, transport, want string }{
		{"md5", "right", "udp", "Provisional Accepted"},
		{"sha-256", "right", "tcp", "Provisional Accepted"},
		{"both", "right", "udp", "Provisional Accepted"},
		{"md5", "wrong", "udp", "Refused"},
		{"md5", "", "udp", "Refused"},
	} {
		synctest.Test(t, func(t *testing.T) {
			n := newNet(time.Millisecond, 0)
			ctx, stop := context.WithCancel(t.Context())
			startStream(t, ctx, n, ourAddr, 1, func(c2 *Config) {
				c2.Listen = append(c2.Listen, "udp://"+ourAddr)
				c2.Realm, c2.Accounts = "pbx", []registrar.Account{registrar.NewAccount("1001", "pbx", "right", c.kind)}
			})
			a := startStream(t, ctx, n, peerAddr, 2, func(c2 *Config) {
				c2.Listen = append(c2.Listen, "udp://"+peerAddr)
				c2.User, c2.Password = "1001", c.password
			})
			synctest.Wait()
			m := testMedia
			a.e.Dial(call.Invite{Leg: "x", Target: "sip:9000@" + ourAddr + ";transport=" + c.transport, From: "1001", Offer: &m}, a.post("x"))
			time.Sleep(time.Second)
			if got := a.of("x"); got != c.want {
				t.Errorf("%+v: saw %q", c, got)
			}
			a.e.Do(call.Bye{Leg: "x"})
			time.Sleep(time.Minute)
			if got := a.e.Legs(); got != 0 {
				t.Errorf("%d legs left", got)
			}
			stop()
		})
	}
}
