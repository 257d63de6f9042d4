package webphone

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"ozswitch/switch/call"
	"ozswitch/switch/sip/flow"
)

// TestGate: who is turned away, and how he is told.
func TestGate(t *testing.T) {
	s := New(Config{})
	defer s.Close()
	h := s.Handler(Gate{Address: peer, Page: func(r *http.Request) bool { return r.Header.Get("Origin") == "https://ours" }})
	for _, c := range []struct {
		name, origin, protocol string
		upgrade                bool
		code                   int
		says                   string
	}{
		{"a browser's address line", "", "", false, 426, "ws://example.com/sip"},
		{"an evil page", "https://evil.example", "sip", true, 403, "https://evil.example may not"},
		{"a page without a name", "null", "sip", true, 403, "http.origins"},
		{"no sub-protocol", "https://ours", "", true, 400, "sub-protocol sip"},
		{"another sub-protocol", "", "chat, sips", true, 400, "sub-protocol sip"},
		{"no key", "https://ours", "sip", true, 400, "Sec-WebSocket-Key"},
	} {
		r := httptest.NewRequest("GET", "/sip", nil)
		if c.upgrade {
			r.Header.Set("Connection", "Upgrade")
			r.Header.Set("Upgrade", "websocket")
			r.Header.Set("Sec-WebSocket-Version", "13")
		}
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		if c.protocol != "" {
			r.Header.Set("Sec-WebSocket-Protocol", c.protocol)
		}
		a := httptest.NewRecorder()
		h.ServeHTTP(a, r)
		if a.Code != c.code || !strings.Contains(a.Body.String(), c.says) {
			t.Errorf("%s: %d %q, want %d and %q", c.name, a.Code, a.Body, c.code, c.says)
		}
	}
	if got := s.Len(); got != 0 {
		t.Errorf("%d sockets are left", got)
	}
}

// TestCall: a whole call, from REGISTER to BYE, both ways; the contact is never
// looked up, all goes down the socket.
func TestCall(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		p := w.open("10.0.0.2")
		p.send(p.invite("1002"))
		ok := p.final()
		if status(ok) != "200 OK" || !strings.Contains(header(ok, "Contact"), "transport=ws") || !strings.Contains(header(ok, "Via"), "received=10.0.0.2") {
			t.Fatalf("INVITE was answered %s", ok)
		}
		in := "CSeq: 2 BYE"
		bye := strings.Replace(p.request("BYE", "1002", "", ""), "CSeq: 2 BYE", in, 1)
		bye = strings.NewReplacer("To: "+header(bye, "To"), "To: "+header(ok, "To"), "From: "+header(bye, "From"), "From: "+header(ok, "From"), header(bye, "Call-ID"), header(ok, "Call-ID")).Replace(bye)
		ack := strings.NewReplacer("BYE sip", "ACK sip", "2 BYE", "1 ACK", "z9hG4bK", "z9hG4bKack").Replace(bye)
		p.send(ack)
		p.send(bye)
		if got := status(p.final()); got != "200 OK" {
			t.Errorf("BYE was answered %s", got)
		}
		if got := w.saw(); got != "Invited by ws 10.0.0.2, Acked, Ended" {
			t.Errorf("the switch saw %s", got)
		}
	})
}

// TestFrames: a message in fragments, a binary one, one with a Ping in between
// and one without Content-Length are all read; a Ping is answered, and so is
// the keep-alive of RFC 5626, but not its answer.
func TestFrames(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		p := w.open("10.0.0.2")
		options := func() string { return p.request("OPTIONS", "1001", "", "") }
		if err := p.ws.Write(t.Context(), websocket.MessageBinary, []byte(options())); err != nil {
			t.Fatal(err)
		}
		if got := status(p.read()); got != "200 OK" {
			t.Errorf("binary: %q", got)
		}
		frag, err := p.ws.Writer(t.Context(), websocket.MessageText)
		if err != nil {
			t.Fatal(err)
		}
		m := options()
		for len(m) > 0 {
			n := min(20, len(m))
			fmt.Fprint(frag, m[:n])
			m = m[n:]
		}
		frag.Close()
		if got := status(p.read()); got != "200 OK" {
			t.Errorf("fragments: %q", got)
		}
		p.send("\r\n")
		p.send("\r\n\r\n")
		if got := p.read(); got != "\r\n" {
			t.Errorf("keep-alive: %q", got)
		}
		p.send("this is no SIP")
		p.send(options())
		if got := status(p.read()); got != "200 OK" {
			t.Errorf("after noise: %q", got)
		}
		answered := make(chan error)
		go func() { answered <- p.ws.Ping(t.Context()) }()
		got := p.read() // reads the Pong on the way
		if err := <-answered; err != nil {
			t.Errorf("Ping: %v, read %q", err, got)
		}
	})
}

// TestTooLong: a message above 64 KiB is answered 513, and its socket ends with
// the code that says so; one just below is read.
func TestTooLong(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		p := w.open("10.0.0.2")
		m := p.request("OPTIONS", "1001", "X: _\r\n", "")
		p.send(strings.Replace(m, "_", strings.Repeat("x", flow.MaxMessage-len(m)), 1))
		if got := status(p.read()); got != "200 OK" {
			t.Errorf("64 KiB: %q", got)
		}
		m = p.request("OPTIONS", "1001", "X: "+strings.Repeat("x", 100_000)+"\r\n", "")
		p.send(m)
		if got := status(p.read()); got != "513 Message Too Large" {
			t.Errorf("100 kB: %q", got)
		}
		_, _, err := p.ws.Read(t.Context())
		if websocket.CloseStatus(err) != websocket.StatusMessageTooBig {
			t.Errorf("it ended with %v", err)
		}
	})
}

// TestIdle: a socket without SIP ends after two minutes, whatever keeps it
// company; a message that is never finished ends its socket; one who registered
// may be silent until the binding runs out.
func TestIdle(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		silent, pinging, slow, bound := w.open("10.0.0.2"), w.open("10.0.0.3"), w.open("10.0.0.4"), w.open("10.0.0.5")
		bound.register("1001", "1")
		started := time.Now()
		ended := func(p *page) (string, time.Duration) {
			for {
				_, _, err := p.ws.Read(t.Context())
				if err == nil {
					continue
				}
				var why websocket.CloseError
				errors.As(err, &why)
				return why.Reason, time.Since(started)
			}
		}
		type end struct {
			why string
			at  time.Duration
		}
		ends := map[string]chan end{}
		for name, p := range map[string]*page{"silent": silent, "pinging": pinging, "slow": slow} {
			c := make(chan end, 1)
			ends[name] = c
			go func() {
				why, at := ended(p)
				c <- end{why, at}
			}()
		}
		stop := make(chan struct{})
		go func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(10 * time.Second):
					_ = pinging.ws.Write(t.Context(), websocket.MessageText, []byte("\r\n\r\n"))
				}
			}
		}()
		go func() {
			m, _ := slow.ws.Writer(t.Context(), websocket.MessageText)
			for {
				if _, err := fmt.Fprint(m, strings.Repeat("x", 1500)); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		}()
		for _, c := range []struct {
			name, why string
			from, to  time.Duration
		}{
			{"slow", "a message was not finished in time", 30 * time.Second, 35 * time.Second},
			{"silent", "idle for too long", 115 * time.Second, 130 * time.Second},
			{"pinging", "idle for too long", 115 * time.Second, 140 * time.Second},
		} {
			if e := <-ends[c.name]; e.why != c.why || e.at < c.from || e.at > c.to {
				t.Errorf("%s ended after %v: %q, want %q", c.name, e.at, e.why, c.why)
			}
		}
		close(stop)
		time.Sleep(5 * time.Minute)
		if got := w.sockets.Len(); got != 1 {
			t.Errorf("%d sockets, want the one that registered", got)
		}
		time.Sleep(10 * time.Minute)
		if got := w.sockets.Len(); got != 0 {
			t.Errorf("%d sockets are left after the binding ran out", got)
		}
	})
}

// TestCaps: so many sockets in all and from one address, and no more; one that
// ends makes room.
func TestCaps(t *testing.T) {
	inWorld(t, func(c *Config) { c.Conns, c.ConnsPerAddr = 5, 3 }, func(t *testing.T, w *world) {
		var all []*page
		for i := range 3 {
			_ = i
			all = append(all, w.open("10.0.0.2"))
		}
		refused := func(from string) {
			t.Helper()
			ws, res, err := w.dial(from)
			if err == nil {
				ws.CloseNow()
				t.Fatalf("%s got one more", from)
			}
			if res == nil || res.StatusCode != http.StatusTooManyRequests {
				t.Errorf("%s was refused with %v, %v", from, res, err)
			}
		}
		refused("10.0.0.2")
		all = append(all, w.open("10.0.0.3"), w.open("10.0.0.4"))
		refused("10.0.0.5")
		all[0].ws.CloseNow()
		time.Sleep(5 * time.Second)
		w.open("10.0.0.5")
		if got := w.sockets.Len(); got != 5 {
			t.Errorf("%d sockets, want 5", got)
		}
	})
}

// TestStuckReader: a browser that reads nothing holds nobody up, and its socket
// ends; its calls are lost and no other.
func TestStuckReader(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		stuck, good := w.open("10.0.0.2"), w.open("10.0.0.3")
		done := make(chan struct{})
		go func() { // asks and asks, and never listens
			defer close(done)
			for stuck.ws.Write(t.Context(), websocket.MessageText, []byte(stuck.request("OPTIONS", "1001", "", ""))) == nil {
			}
		}()
		for range 20 {
			began := time.Now()
			good.send(good.request("OPTIONS", "1002", "", ""))
			if got := status(good.read()); got != "200 OK" {
				t.Fatalf("the good one got %q", got)
			}
			if d := time.Since(began); d > 100*time.Millisecond {
				t.Errorf("the good one waited %v", d)
			}
			time.Sleep(time.Second)
		}
		<-done
		if got := w.sockets.Len(); got != 1 {
			t.Errorf("%d sockets, want the good one alone", got)
		}
	})
}

// register binds a contact and gives the answer.
func (p *page) register(user, instance string) string {
	p.w.t.Helper()
	contact := "Contact: <sip:" + user + "@" + p.host + ";transport=ws>;reg-id=1;+sip.instance=\"<urn:uuid:" + instance + ">\";expires=600\r\n"
	p.send(p.request("REGISTER", user, contact, ""))
	asked := p.read()
	if status(asked) != "401 Unauthorized" {
		p.w.t.Fatalf("REGISTER was answered %s", asked)
	}
	p.send(p.request("REGISTER", user, contact+credentials(p.w.t, asked, "REGISTER", "sip:9000@pbx", user), ""))
	return p.read()
}

// TestBindings: a binding by WebSocket is reached by it and by nothing else,
// ends with it, and is replaced when the same telephone comes by another socket.
func TestBindings(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		first := w.open("10.0.0.2")
		got := first.register("1001", "one")
		if status(got) != "200 OK" || header(got, "Require") != "outbound" || header(got, "Expires") != "600" {
			t.Fatalf("REGISTER: %s", got)
		}
		if got := w.registrations(); got != "registered 1001 ws" {
			t.Errorf("told %s", got)
		}
		contact := w.e.Bindings("1001")[0].Contact
		m := sound
		w.e.Dial(call.Invite{Leg: "x", Target: contact, Phone: "1001", From: "9000", Offer: &m}, w.post)
		in := first.read()
		if !strings.HasPrefix(in, "INVITE "+contact+" SIP/2.0\r\nVia: SIP/2.0/WS 10.0.0.1:9509;") || !strings.Contains(header(in, "Contact"), ";transport=ws") {
			t.Fatalf("the browser got %s", in)
		}
		// It goes away while it rings.
		first.ws.CloseNow()
		time.Sleep(time.Second)
		if got := w.saw(); got != "Refused 480" {
			t.Errorf("the caller saw %s", got)
		}
		if got := w.registrations(); got != "gone 1001 ws its connection has ended" {
			t.Errorf("told %s", got)
		}
		w.e.Dial(call.Invite{Leg: "y", Target: contact, Phone: "1001", From: "9000", Offer: &m}, w.post)
		if got := w.saw(); !strings.HasPrefix(got, "Refused 4") {
			t.Errorf("a call to one who is gone: %s", got)
		}

		// The page is loaded anew: another host, the same telephone.
		old := w.open("10.0.0.3")
		old.register("1001", "two")
		anew := w.open("10.0.0.4")
		anew.register("1001", "two")
		if at := w.e.Bindings("1001"); len(at) != 1 || at[0].Source.Addr() != netip.MustParseAddr("10.0.0.4") {
			t.Errorf("bindings %+v, want the newer one", at)
		}
		old.ws.CloseNow()
		time.Sleep(time.Second)
		if at := w.e.Bindings("1001"); len(at) != 1 {
			t.Errorf("bindings %+v, want the newer one still", at)
		}
		// The same contact by another socket, before the old one is known to be dead.
		back := w.open("10.0.0.5")
		back.host, back.seq = anew.host, anew.seq
		back.register("1001", "two")
		anew.ws.CloseNow()
		time.Sleep(time.Second)
		if at := w.e.Bindings("1001"); len(at) != 1 || at[0].Source.Addr() != netip.MustParseAddr("10.0.0.5") {
			t.Errorf("bindings %+v, want the one that came back", at)
		}
	})
}

// TestNewSocketInCall: a browser whose network was away is told of the end of its
// call by its new socket: once it registered by that, whether or not the old one
// is known to be dead, or sent anything of the call by it. Another extension with
// the same contact is not told.
func TestNewSocketInCall(t *testing.T) {
	for _, c := range []struct {
		name       string
		registered bool // it registers by the new socket, else it sends INFO
		dead       bool // the old socket is known to have ended
		proven     bool // the INVITE had credentials, else it came by the socket that registered
		outgoing   bool // the switch called
	}{
		{"registered, the old one hangs", true, false, false, false},
		{"registered, the old one ended", true, true, false, false},
		{"registered, proven", true, true, true, false},
		{"registered, called by us", true, false, false, true},
		{"INFO", false, false, false, false},
		{"INFO, the old one ended", false, true, false, true},
	} {
		inWorld(t, nil, func(t *testing.T, w *world) {
			old := w.open("10.0.0.2")
			old.register("1001", "one")
			var to, from, id string // of what the browser sends in the dialog
			switch {
			case c.outgoing:
				m := sound
				w.e.Dial(call.Invite{Leg: "x", Target: w.e.Bindings("1001")[0].Contact, Phone: "1001", From: "9000", Offer: &m}, w.post)
				in := old.read()
				to, from, id = header(in, "From"), header(in, "To")+";tag=b", header(in, "Call-ID")
				old.send("SIP/2.0 200 OK\r\nVia: " + header(in, "Via") + "\r\nFrom: " + to + "\r\nTo: " + from + "\r\nCall-ID: " + id + "\r\nCSeq: " + header(in, "CSeq") +
					"\r\nContact: <sip:1001@" + old.host + ";transport=ws;ob>\r\nContent-Type: application/sdp\r\n\r\n" + offered)
				if got := old.read(); !strings.HasPrefix(got, "ACK ") {
					t.Fatalf("%s: after the answer the browser got %s", c.name, got)
				}
			default:
				invite := old.invite("1001")
				if c.proven {
					old.send(old.request("REGISTER", "1001", "", "")) // to be challenged
					invite = strings.Replace(invite, "Contact:", credentials(t, old.read(), "INVITE", "sip:9000@pbx", "1001")+"Contact:", 1)
				}
				old.send(invite)
				got := old.final()
				if status(got) != "200 OK" {
					t.Fatalf("%s: INVITE was answered %s", c.name, got)
				}
				to, from, id = header(got, "To"), header(got, "From"), header(got, "Call-ID")
				old.send(inside("ACK", header(got, "CSeq"), old, from, to, id))
			}
			time.Sleep(time.Second)
			if got := w.saw(); !strings.Contains(got, "Ac") {
				t.Fatalf("%s: the switch saw %s", c.name, got)
			}
			if c.dead {
				old.ws.CloseNow()
				time.Sleep(time.Second)
			}
			thief := w.open("10.0.0.66")
			thief.host = old.host
			thief.seq = 100
			thief.register("1002", "thief")
			anew := w.open("10.0.0.3")
			anew.host, anew.seq = old.host, old.seq+100
			if c.registered {
				if got := anew.register("1001", "one"); status(got) != "200 OK" {
					t.Fatalf("%s: %s", c.name, got)
				}
			} else {
				anew.send(inside("INFO", "1000 INFO", anew, from, to, id))
				if got := anew.read(); status(got) != "200 OK" {
					t.Fatalf("%s: INFO was answered %s", c.name, got)
				}
			}
			leg := w.leg
			if c.outgoing {
				leg = "x"
			}
			w.e.Do(call.Bye{Leg: leg})
			if got := anew.read(); !strings.HasPrefix(got, "BYE sip:1001@"+old.host) {
				t.Errorf("%s: the new socket got %q, want a BYE", c.name, got)
			}
			if got := thief.read(); got != "silence" {
				t.Errorf("%s: another extension got %s", c.name, got)
			}
		})
	}
}

// inside is a request of the browser within a dialog.
func inside(method, seq string, p *page, from, to, id string) string {
	n, _, _ := strings.Cut(seq, " ")
	return method + " sip:10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/WS " + p.host + ";branch=z9hG4bK" + method + "\r\nMax-Forwards: 69\r\nFrom: " + from + "\r\nTo: " + to +
		"\r\nCall-ID: " + id + "\r\nCSeq: " + n + " " + method + "\r\nContent-Length: 0\r\n\r\n"
}

// TestGoneWhileRinging: who closes the page before the answer has hung up.
func TestGoneWhileRinging(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		w.silent = true
		p := w.open("10.0.0.2")
		p.send(p.invite("1002"))
		for !strings.HasPrefix(p.read(), "SIP/2.0 180") {
		}
		p.ws.CloseNow()
		time.Sleep(time.Second)
		if got := w.saw(); got != "Invited by ws 10.0.0.2, Cancelled" {
			t.Errorf("the switch saw %s", got)
		}
		if got := w.e.Legs(); got != 0 {
			t.Errorf("%d legs are left", got)
		}
	})
}

// TestStop: browsers are told when the switch stops.
func TestStop(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		p := w.open("10.0.0.2")
		go w.end()
		ctx, stop := context.WithTimeout(t.Context(), 5*time.Second)
		defer stop()
		_, _, err := p.ws.Read(ctx)
		if websocket.CloseStatus(err) != websocket.StatusGoingAway {
			t.Errorf("the socket ended with %v", err)
		}
		synctest.Wait()
		if _, res, err := w.dial("10.0.0.2"); err == nil || res != nil && res.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("one more was taken: %v, %v", res, err)
		}
	})
}
