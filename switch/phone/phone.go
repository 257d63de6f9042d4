// Package phone is a SIP caller as a library: it calls and is called, has sound
// and presses keys, and writes down what happens. `ozswitch call`, `demo`,
// tests and load use it; many calls share one Phone, its socket and its pacer.
//
// It is not a switch: no script runs here and no two calls are joined. It proves
// who it is when it is challenged, and registers when it is told to. By WebSocket
// it is what a browser is: its sound goes by WebRTC then. Start reading at
// Phone.Place.
package phone

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"ozswitch/media/pace"
	"ozswitch/switch/call"
	"ozswitch/switch/sip"
	"ozswitch/switch/sip/flow"
	"ozswitch/switch/webphone"
)

// A Config says what a Phone is. Its zero value is a phone at a free port of
// 127.0.0.1 that calls and takes no calls.
type Config struct {
	Listen       string                                             // "udp://127.0.0.1:0" when empty
	ListenPacket func(network, addr string) (net.PacketConn, error) // nil = net.ListenPacket
	ListenStream func(network, addr string) (net.Listener, error)   // nil = net.Listen
	DialStream   func(ctx context.Context, network, addr string) (net.Conn, error)
	ListenRTP    func() (pace.Wire, error) // nil = a free port of Listen's address
	Pacer        *pace.Pacer               // nil = one of its own; a given one is run by its owner
	Transport    string                    // udp, tcp, tls, ws or wss, of the calls that we make; "" = udp. ws and wss have their sound by WebRTC
	TLS          *tls.Config               // what tls and wss trust; nil = the system's roots
	Register     string                    // the registrar, host:port, where User is bound while Run runs; "" = nowhere
	Expires      time.Duration             // for how long at a time; 0 = 10 min
	User         string                    // our number; "" = "phone"
	Password     string                    // answers 401 and 407 (digest) for User
	Name         string                    // our display name

	// Registered is told what comes of Register, by its own goroutine: nil, or why
	// not. It is tried again every half minute then. nil = nobody wants to know.
	Registered func(error)

	// Incoming says what to do about a call that comes. It must not wait. nil
	// refuses every call (480).
	Incoming func(*Call) Reply

	Rand  rand.Source // nil = seeded by the system
	Trace func(leg call.LegID, sent bool, transport string, remote netip.AddrPort, msg []byte)
	Log   *slog.Logger
}

// A Phone is a SIP caller.
type Phone struct {
	c       Config
	ua      *sip.Endpoint
	sockets *webphone.Sockets
	pacer   *pace.Pacer
	own     bool // pacer is ours to run
	log     *slog.Logger
	stop    chan struct{} // closed: every call hangs up
	calls   sync.WaitGroup
	serial  atomic.Int64
	panics  atomic.Int64
	running atomic.Int64
	lost    chan struct{} // our WebSocket is gone

	mu      sync.Mutex
	stopped bool // no call may start any more
	rand    *rand.Rand
}

// New gives a phone. It binds nothing and starts nothing.
func New(c Config) *Phone {
	if c.Listen == "" {
		c.Listen = "udp://127.0.0.1:0" // with TLS too: it calls and cannot be called, so needs no certificate
		if c.Transport == "tcp" {
			c.Listen = "tcp://127.0.0.1:0"
		}
	}
	c.User = cmp.Or(c.User, "phone")
	c.Log = cmp.Or(c.Log, slog.Default())
	p := &Phone{c: c, pacer: c.Pacer, log: c.Log, stop: make(chan struct{}), lost: make(chan struct{}, 1)}
	src := c.Rand
	if src == nil {
		src = rand.NewPCG(rand.Uint64(), rand.Uint64())
	} else {
		// The endpoint and the phone draw from different goroutines: each has its own.
		src = rand.NewPCG(src.Uint64(), src.Uint64())
	}
	p.rand = rand.New(src)
	if p.pacer == nil {
		p.pacer, p.own = pace.New(pace.Config{}), true
	}
	name := ""
	if p.byWeb() { // as a browser does it (RFC 7118 5)
		name = fmt.Sprintf("p%08x.invalid", p.rand.Uint32())
	}
	p.sockets = webphone.New(webphone.Config{Dial: c.DialStream, TLS: c.TLS,
		Receive: func(f flow.Flow, b []byte, fault *flow.Fault) { p.ua.Receive(f, b, fault) },
		Lost: func(f flow.Flow, err error) {
			p.ua.Lost(f, err)
			select {
			case p.lost <- struct{}{}:
			default:
			}
		},
		Panicked: func(remote netip.AddrPort, cause any) {
			p.log.Error("phone: a bug was caught", "remote", remote, "panic", cause)
		}})
	p.ua = sip.New(sip.Config{Listen: []string{c.Listen}, ListenPacket: c.ListenPacket, ListenStream: c.ListenStream, DialStream: c.DialStream,
		TLS: c.TLS, User: c.User, Password: c.Password, Way: p.sockets.To, WebName: name,
		UserAgent: "ozswitch phone", Rand: c.Rand, Trace: c.Trace, Log: c.Log}, p)
	return p
}

// Bind binds the SIP socket, so that Addr can be asked; Run does it otherwise.
func (p *Phone) Bind() error { return p.ua.Bind() }

// Addr is where the phone can be called; call Bind first.
func (p *Phone) Addr() netip.AddrPort { return p.ua.Addr() }

// Run serves until ctx ends, hangs up what is left and returns when all it
// started has ended.
func (p *Phone) Run(ctx context.Context) error {
	if err := p.ua.Bind(); err != nil {
		return err
	}
	under, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	var wg sync.WaitGroup
	failed := make(chan error, 2)
	wg.Go(func() { failed <- p.ua.Run(under) })
	if p.own {
		wg.Go(func() { failed <- p.pacer.Run(under) })
	}
	leave, gone := context.CancelFunc(func() {}), make(chan struct{})
	if p.c.Register == "" {
		close(gone)
	} else {
		var reg context.Context
		reg, leave = context.WithCancel(ctx)
		wg.Go(func() { defer close(gone); p.register(reg) })
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	p.mu.Lock()
	p.stopped = true
	p.mu.Unlock()
	close(p.stop)
	p.calls.Wait()
	leave()
	<-gone
	end()
	p.sockets.Close()
	wg.Wait()
	return err
}

// Running is the number of calls that have not ended.
func (p *Phone) Running() int { return int(p.running.Load()) }

// Panics is the number of bugs caught; each ended one call.
func (p *Phone) Panics() int64 { return p.panics.Load() + p.ua.Panics() }

// random gives 32 random bits: SSRC, first sequence number, first timestamp.
func (p *Phone) random() uint32 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.rand.Uint32()
}

var errStopped = errors.New("phone: stopped")

// start lets a call live in its own goroutine.
func (p *Phone) start(c *Call, life func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped {
		return false
	}
	p.running.Add(1)
	p.calls.Go(func() {
		defer p.running.Add(-1)
		defer c.recovered()
		life()
	})
	return true
}

// Place calls a number or a SIP URI and returns at once; Options.Events and
// Call.Answered tell what comes of it. A number alone, "9000", needs
// Options.Server.
func (p *Phone) Place(to string, o Options) (*Call, error) {
	target := to
	if !strings.HasPrefix(strings.ToLower(to), "sip:") {
		if o.Server == "" {
			return nil, fmt.Errorf("phone: call %s: no server to send it to", to)
		}
		target = "sip:" + sip.Escape(to) + "@" + o.Server
	}
	if t := p.c.Transport; t != "" && t != "udp" && !strings.Contains(target, ";transport=") {
		target += ";transport=" + t
	}
	c := p.newCall(call.LegID(fmt.Sprintf("out-%d", p.serial.Add(1))), o)
	c.to, c.from = to, cmp.Or(o.From, p.c.User)
	if err := c.listen(p.byWeb()); err != nil {
		return nil, fmt.Errorf("phone: call %s: %w", to, err)
	}
	if !p.start(c, func() { c.outgoing(target) }) {
		c.wire.Close()
		return nil, errStopped
	}
	return c, nil
}

// Dial calls and waits for the answer. When ctx ends before that the call is
// given up. The error of a call that was refused is a *Refused.
func (p *Phone) Dial(ctx context.Context, to string, o Options) (*Call, error) {
	c, err := p.Place(to, o)
	if err != nil {
		return nil, err
	}
	return c, c.Answered(ctx)
}

// A Refused is why a call was not answered.
type Refused struct {
	To     string
	Code   int // SIP status; 408 nobody answered, 487 given up, 503 could not be sent
	Reason string
}

func (r *Refused) Error() string { return fmt.Sprintf("phone: call %s: %d %s", r.To, r.Code, r.Reason) }

// A Reply is what is done about a call that comes: it rings for Options.RingFor
// and is answered, or it is refused with a status.
type Reply struct {
	Refuse  int    // SIP status; 0 = answer
	To      string // SIP URI, where a 3xx sends the caller
	Options Options
}

// Invited makes the phone a sip.Exchange.
func (p *Phone) Invited(in call.Invited) (func(call.Event) bool, *call.Respond) {
	if p.c.Incoming == nil {
		return nil, &call.Respond{Code: 480}
	}
	c := p.newCall(in.Leg, Options{})
	c.incoming, c.from, c.to, c.replaces = true, in.From, in.To, in.Replaces
	r := p.c.Incoming(c)
	if r.Refuse != 0 {
		refuse := &call.Respond{Code: r.Refuse}
		if r.To != "" {
			refuse.Contacts = []string{r.To}
		}
		return nil, refuse
	}
	c.o = r.Options
	if !p.start(c, func() { c.called(in.Offer) }) {
		return nil, &call.Respond{Code: 503}
	}
	return c.post, nil
}
