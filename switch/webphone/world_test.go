package webphone

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"ozswitch/internal/simnet"
	"ozswitch/switch/call"
	"ozswitch/switch/sip"
	"ozswitch/switch/sip/registrar"
)

const (
	switchHTTP = "10.0.0.1:9509"
	switchSIP  = "10.0.0.1:5060"
)

var sound = call.Media{Addr: netip.MustParseAddrPort("10.0.0.1:20000"), Codecs: []call.Codec{{PT: 0, Name: "PCMU", ClockRate: 8000}}, Ptime: 20 * time.Millisecond}

// A world is a switch with /sip on a network in memory.
type world struct {
	t       *testing.T
	net     *simnet.Net
	e       *sip.Endpoint
	sockets *Sockets
	end     func()

	mu     sync.Mutex
	silent bool       // calls ring for ever
	leg    call.LegID // of the latest caller
	told   []string
	events []string
}

// inWorld runs a test in a bubble.
func inWorld(t *testing.T, change func(*Config), test func(t *testing.T, w *world)) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, net: simnet.New(1)}
		w.e = sip.New(sip.Config{Listen: []string{"udp://" + switchSIP}, ListenPacket: func(_, at string) (net.PacketConn, error) { return w.net.PacketConn(at) },
			Rand: rand.NewPCG(1, 1), Log: quiet(t), Realm: "pbx", Guest: func(netip.AddrPort) bool { return true },
			Accounts: []registrar.Account{registrar.NewAccount("1001", "pbx", "right", ""), registrar.NewAccount("1002", "pbx", "right", "")},
			Registration: func(r sip.Registration) {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.told = append(w.told, strings.TrimSpace(r.What+" "+r.User+" "+r.Transport+" "+r.Why))
			}}, w)
		if err := w.e.Bind(); err != nil {
			t.Fatal(err)
		}
		c := Config{Receive: w.e.Receive, Lost: w.e.Lost, Panicked: func(_ netip.AddrPort, cause any) { t.Errorf("panic: %v", cause) }}
		if change != nil {
			change(&c)
		}
		w.sockets = New(c)
		l, err := w.net.Listen(switchHTTP)
		if err != nil {
			t.Fatal(err)
		}
		srv := &http.Server{Handler: w.sockets.Handler(Gate{Page: func(*http.Request) bool { return false }, Address: peer})}
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { _ = w.e.Run(ctx) })
		wg.Go(func() { _ = srv.Serve(l) })
		w.end = sync.OnceFunc(func() {
			w.sockets.Close()
			srv.Close()
			stop()
			wg.Wait()
		})
		synctest.Wait()
		test(t, w)
		w.end()
		if got := w.sockets.Len(); got != 0 {
			t.Errorf("%d sockets are left", got)
		}
		if got := w.e.Panics(); got != 0 {
			t.Errorf("%d bugs were caught", got)
		}
	})
}

// peer is Gate.Address without a proxy.
func peer(r *http.Request) netip.Addr { return netip.MustParseAddrPort(r.RemoteAddr).Addr() }

func quiet(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// Invited answers every call, or lets it ring.
func (w *world) Invited(in call.Invited) (func(call.Event) bool, *call.Respond) {
	w.mu.Lock()
	silent := w.silent
	w.leg = in.Leg
	w.events = append(w.events, "Invited by "+in.Transport+" "+in.Source.Addr().String())
	w.mu.Unlock()
	go func() {
		w.e.Do(call.Respond{Leg: in.Leg, Code: 180})
		if !silent {
			m := sound
			w.e.Do(call.Respond{Leg: in.Leg, Code: 200, Media: &m})
		}
	}()
	return w.post, nil
}

func (w *world) post(ev call.Event) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := strings.TrimPrefix(fmt.Sprintf("%T", ev), "call.")
	if r, ok := ev.(call.Refused); ok {
		s += fmt.Sprint(" ", r.Code)
	}
	w.events = append(w.events, s)
	return true
}

// saw gives what happened since the last time.
func (w *world) saw() string {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	s := strings.Join(w.events, ", ")
	w.events = nil
	return s
}

func (w *world) registrations() string {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	s := strings.Join(w.told, ", ")
	w.told = nil
	return s
}

// A page is a browser's end of a socket.
type page struct {
	w    *world
	ws   *websocket.Conn
	host string // of its Via and Contact
	seq  int
}

// open opens a socket from an address.
func (w *world) open(from string) *page {
	w.t.Helper()
	ws, _, err := w.dial(from)
	if err != nil {
		w.t.Fatal(err)
	}
	return &page{w: w, ws: ws, host: "b" + strings.ReplaceAll(from, ".", "") + ".invalid"}
}

func (w *world) dial(from string) (*websocket.Conn, *http.Response, error) {
	client := &http.Client{Transport: &http.Transport{DialContext: w.net.DialContext(netip.MustParseAddr(from)), DisableKeepAlives: true}}
	return websocket.Dial(w.t.Context(), "ws://"+switchHTTP+"/sip", &websocket.DialOptions{HTTPClient: client, Subprotocols: []string{"sip"}})
}

// read gives the next message; "" when the socket ended, "silence" after ten
// seconds without one, which end it too.
func (p *page) read() string {
	ctx, stop := context.WithTimeout(p.w.t.Context(), 10*time.Second)
	defer stop()
	_, b, err := p.ws.Read(ctx)
	switch {
	case ctx.Err() != nil:
		return "silence"
	case err != nil:
		return ""
	}
	return string(b)
}

// final reads on to an answer that is no 1xx.
func (p *page) final() string {
	for {
		if m := p.read(); !strings.HasPrefix(m, "SIP/2.0 1") {
			return m
		}
	}
}

// send sends one message.
func (p *page) send(m string) {
	p.w.t.Helper()
	if err := p.ws.Write(p.w.t.Context(), websocket.MessageText, []byte(m)); err != nil {
		p.w.t.Fatal(err)
	}
}

// request is one as JsSIP makes it: no rport, no Content-Length of RFC 7118 4.
func (p *page) request(method, user, extra, body string) string {
	p.seq++
	return fmt.Sprintf("%s sip:9000@pbx SIP/2.0\r\nVia: SIP/2.0/WS %s;branch=z9hG4bK%s%d\r\nMax-Forwards: 69\r\nFrom: <sip:%s@pbx>;tag=a%s\r\nTo: <sip:%s@pbx>\r\nCall-ID: %s-%s\r\nCSeq: %d %s\r\nSupported: path,gruu,outbound\r\nUser-Agent: page\r\n%s\r\n%s",
		method, p.host, p.host, p.seq, user, method, user, method, p.host, p.seq, method, extra, body)
}

const offered = "v=0\r\no=- 1 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"

func (p *page) invite(user string) string {
	return p.request("INVITE", user, "Contact: <sip:"+user+"@"+p.host+";transport=ws;ob>\r\nContent-Type: application/sdp\r\n", offered)
}

// status is the first line without the version.
func status(m string) string {
	l, _, _ := strings.Cut(m, "\r\n")
	return strings.TrimPrefix(l, "SIP/2.0 ")
}

// header gives the value of a header.
func header(m, name string) string {
	for l := range strings.SplitSeq(m, "\r\n") {
		if v, ok := strings.CutPrefix(l, name+": "); ok {
			return v
		}
	}
	return ""
}
