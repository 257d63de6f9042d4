package phone

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"
	"time"

	"ozswitch/media/rtc"
	"ozswitch/switch/call"
	"ozswitch/switch/sip"
	"ozswitch/switch/sip/registrar"
	"ozswitch/switch/webphone"
)

// TestRegisterByWeb: a phone registers by WebSocket, comes back when the switch
// has cut its socket, is called down it with an offer of WebRTC and answers, and
// gives its binding up at the end. Real sockets, and nothing counts time.
func TestRegisterByWeb(t *testing.T) {
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError}))
	told := make(chan string, 20)
	e := sip.New(sip.Config{Listen: []string{"udp://127.0.0.1:0"}, Realm: "pbx", Accounts: []registrar.Account{registrar.NewAccount("1001", "pbx", "right", "")},
		Registration: func(r sip.Registration) {
			if r.What != "refused" {
				told <- r.What + " " + r.Transport
			}
		}, Log: log}, nil)
	if err := e.Bind(); err != nil {
		t.Fatal(err)
	}
	sockets := webphone.New(webphone.Config{Receive: e.Receive, Lost: e.Lost})
	srv := httptest.NewServer(sockets.Handler(webphone.Gate{Address: func(r *http.Request) netip.Addr { return netip.MustParseAddrPort(r.RemoteAddr).Addr() }}))
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _ = e.Run(ctx) })
	defer func() {
		stop()
		sockets.Close()
		srv.Close()
		wg.Wait()
	}()

	calls, knows := make(chan *Call, 1), make(chan error, 10)
	p := New(Config{Registered: func(err error) { knows <- err }, Transport: "ws", Register: srv.Listener.Addr().(*net.TCPAddr).String(), User: "1001", Password: "right", Log: log,
		Incoming: func(c *Call) Reply { calls <- c; return Reply{} }})
	on, off := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	go func() { gone <- p.Run(on) }()
	want := func(what string) {
		t.Helper()
		select {
		case got := <-told:
			if got != what {
				t.Fatalf("told %q, want %q", got, what)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("never told %q", what)
		}
	}
	want("registered ws")
	if err := <-knows; err != nil {
		t.Fatal(err)
	}
	p.sockets.Cut()
	want("gone ws")
	want("registered ws")
	if err := <-knows; err != nil {
		t.Fatal(err)
	}

	port, err := rtc.Listen(netip.MustParseAddrPort("127.0.0.1:0"), rtc.PortConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	up := make(chan struct{})
	wire, err := port.Open(rtc.Config{Up: func() { close(up) }})
	if err != nil {
		t.Fatal(err)
	}
	web := call.WebMedia(wire.Offer())
	offer := call.Media{Addr: port.LocalAddr(), Codecs: []call.Codec{{PT: 0, Name: "PCMU", ClockRate: 8000}}, Mux: true, Web: &web}
	events := make(chan call.Event, 20)
	e.Dial(call.Invite{Leg: "x", Target: e.Bindings("1001")[0].Contact, Phone: "1001", From: "9000", Offer: &offer}, func(ev call.Event) bool { events <- ev; return true })
	for ev := range events {
		if r, ok := ev.(call.Refused); ok {
			t.Fatalf("refused: %+v", r)
		}
		if a, ok := ev.(call.Accepted); ok {
			if a.Media == nil || a.Media.Web == nil {
				t.Fatalf("answered without WebRTC: %+v", a.Media)
			}
			if err := wire.Connect(rtc.Description(*a.Media.Web)); err != nil {
				t.Fatal(err)
			}
			break
		}
	}
	select {
	case <-up:
	case <-time.After(20 * time.Second):
		t.Fatal("no keys were agreed")
	}
	e.Do(call.Bye{Leg: "x"})
	if r := (<-calls).Wait(t.Context()); r.Cause != TheyHungUp {
		t.Errorf("the phone's call ended: %v", r)
	}
	off()
	if err := <-gone; err != nil {
		t.Error(err)
	}
	want("unregistered ws")
}
