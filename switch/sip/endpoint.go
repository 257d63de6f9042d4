package sip

import (
	"cmp"
	"context"
	crand "crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	msg "github.com/emiago/sipgo/sip"

	"ozswitch/switch/call"
	"ozswitch/switch/sip/flow"
	"ozswitch/switch/sip/registrar"
	"ozswitch/switch/sip/transaction"
)

// A Config says what an Endpoint is. Only Listen is needed.
type Config struct {
	Listen       []string                                           // "udp://127.0.0.1:5060", tcp://, tls://; port 0 takes a free one
	ListenPacket func(network, addr string) (net.PacketConn, error) // nil = net.ListenPacket
	ListenStream func(network, addr string) (net.Listener, error)   // nil = net.Listen
	DialStream   func(ctx context.Context, network, addr string) (net.Conn, error)
	Resolver     Resolver    // of names that are called; nil = net.DefaultResolver
	TLS          *tls.Config // what tls:// shows (Certificates or GetCertificate) and outgoing TLS trusts
	Conns        int         // TCP and TLS connections at once; 0 = 10,000
	ConnsPerAddr int         // of these, opened by one address; 0 = 256
	// Way is the way to a far end by a transport that is none of ours, "ws" or
	// "wss"; name is its host's. Its messages come by Receive. nil = there is none.
	Way       func(transport string, to netip.AddrPort, name string) flow.Flow
	WebName   string // our host in Via and Contact of ws and wss, "x7k2.invalid" (RFC 7118 5); "" = an address
	External  string // address for Contact, Via and SDP behind NAT; "" = the one bound
	User      string // user part of our Contact; "" = none
	Username  string // for digest, when a far end challenges us; "" = User
	Password  string
	UserAgent string // User-Agent and Server; "" = "ozswitch"

	// Realm lets telephones register and callers prove who they are. "" = none of
	// that: everybody may call, nobody may register.
	Realm    string
	Accounts []registrar.Account // who may log in; SetAccounts replaces them
	// Passwords gives further passwords of one of Accounts; nil = there are none.
	// It must not wait.
	Passwords func(now time.Time, number string) []registrar.Account
	// Guest tells whether an INVITE without credentials may come from there; nil =
	// it may not. It counts only with a Realm.
	Guest func(source netip.AddrPort) bool
	// Proves tells whether who claims to be one of Accounts must prove it, where
	// guests may come, to call that number; nil = never.
	Proves func(to string) bool
	// Line knows an outside line by its name; nil = there are none. Whose tells by
	// which line an INVITE without credentials came, "" = by none; nil = by none
	// ever. A caller by a line need not log in, and is no extension.
	Line   func(name string) (Account, bool)
	Whose  func(source netip.AddrPort, transport, to string) (line string)
	Keeper Keeper // where registrations outlive us; nil = nowhere
	// Shown tells whether scripts may see a header of an INVITE; nil = none.
	Shown        func(name string) bool
	Registration func(Registration) // told of all that happens to registrations; must not wait
	Events       Events             // what telephones may subscribe to; nil = nothing
	Texts        Texts              // takes their text messages; nil = nobody does

	// SessionExpires is the session timer that our INVITEs ask for (RFC 4028); 0 =
	// none. Those of far ends are kept in any case.
	SessionExpires time.Duration

	CallsPerSecond int // new incoming calls; more are answered 503. 0 = no limit
	MaxCalls       int // incoming calls at once; 0 = no limit

	Rand rand.Source // branches, tags, Call-IDs, leg ids; nil = seeded by the system

	// Trace sees every message of a leg in its order; leg is "" for messages
	// of no leg. Keys of sound are blanked out. It must not wait nor call the Endpoint; b is its only until it
	// returns.
	Trace func(leg call.LegID, sent bool, transport string, remote netip.AddrPort, b []byte)
	Log   *slog.Logger // nil = slog.Default
}

// An Exchange is who takes calls: the switch, or a phone.
type Exchange interface {
	// Invited is called for each INVITE outside a dialog, when nothing but 100
	// was answered. It gives the mailbox of the leg's events, or a refusal (its
	// Leg need not be set). post must never wait nor call the Endpoint; when it
	// returns false (mailbox full, call gone) the leg is ended. Invited itself
	// may call Do for the leg. It must return soon: its listener waits.
	Invited(in call.Invited) (post func(call.Event) bool, refuse *call.Respond)
}

const shardCount = 8

// An Endpoint is one SIP user agent.
type Endpoint struct {
	c         Config
	x         Exchange
	log       *slog.Logger
	parser    *msg.Parser
	listeners []flow.Listener
	streams   *flow.Streams
	shards    [shardCount]*shard
	limit     flow.Limit
	incoming  atomic.Int64
	most      atomic.Int64 // MaxCalls
	panics    atomic.Int64
	secret    uint64
	lookups   chan lookup
	auth      *registrar.Auth
	bindings  *registrar.Table
	restored  chan struct{} // closed once registrations of an earlier run are there
	subs      subscriptions

	randMu sync.Mutex
	rand   *rand.Rand

	mu     sync.Mutex
	legs   map[call.LegID]*leg
	phones map[registrar.Place]flow.Flow
	routes map[netip.Addr]netip.Addr // our address towards a far end, where we listen on all
}

// New gives an endpoint. It binds nothing and starts nothing.
func New(c Config, x Exchange) *Endpoint {
	c.UserAgent = flow.Line(cmp.Or(c.UserAgent, "ozswitch"))
	c.Log = cmp.Or(c.Log, slog.Default())
	if show := c.Trace; show != nil {
		c.Trace = func(leg call.LegID, sent bool, transport string, remote netip.AddrPort, b []byte) {
			show(leg, sent, transport, remote, blank(b))
		}
	}
	if c.Rand == nil {
		var seed [32]byte
		_, _ = crand.Read(seed[:]) // never fails (crypto/rand)
		c.Rand = rand.NewChaCha8(seed)
	}
	e := &Endpoint{c: c, x: x, log: c.Log, parser: msg.NewParser(), rand: rand.New(c.Rand),
		lookups: make(chan lookup, 64), legs: map[call.LegID]*leg{}, routes: map[netip.Addr]netip.Addr{},
		phones: map[registrar.Place]flow.Flow{}, bindings: registrar.NewTable(), restored: make(chan struct{})}
	e.SetLimits(c.CallsPerSecond, c.MaxCalls)
	e.secret = e.rand.Uint64()
	e.auth = registrar.NewAuth(c.Realm, []byte(e.random(32)), c.Accounts)
	e.auth.Also(c.Passwords)
	e.streams = flow.NewStreams(flow.StreamConfig{Listen: c.ListenStream, Dial: c.DialStream, TLS: c.TLS, Conns: c.Conns, ConnsPerAddr: c.ConnsPerAddr,
		Receive: e.receive, Lost: e.lost, Panicked: func(remote netip.AddrPort, cause any) {
			e.panics.Add(1)
			e.log.Error("sip: bug caught, a connection is closed", "remote", remote, "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
		}})
	now := time.Now()
	for i := range e.shards {
		w := transaction.NewWheel(now)
		e.shards[i] = &shard{e: e, wheel: w, txs: transaction.NewTable[owner](w),
			legs: map[string]*leg{}, callers: map[string]*leg{}, subs: map[string]*subscription{}, wake: make(chan struct{}, 1)}
	}
	return e
}

// Bind binds the listeners, so that Addr can be asked before Run, which binds
// them otherwise.
func (e *Endpoint) Bind() error {
	if len(e.listeners) > 0 {
		return nil
	}
	if len(e.c.Listen) == 0 {
		return errors.New("sip: nothing to listen on")
	}
	for _, spec := range e.c.Listen {
		l, err := e.listen(spec)
		if err != nil {
			e.Close()
			return err
		}
		e.listeners = append(e.listeners, l)
	}
	return nil
}

func (e *Endpoint) listen(spec string) (l flow.Listener, err error) {
	transport, addr, err := flow.Address(spec)
	if err != nil {
		return nil, err
	}
	if transport == "udp" {
		l, err = flow.ListenUDP(addr, e.c.ListenPacket, func(f flow.Flow, b []byte) { e.receive(f, b, nil) })
	} else {
		l, err = e.streams.Listen(transport, addr)
	}
	if err != nil {
		return nil, fmt.Errorf("sip: listen %s: %w", spec, err)
	}
	return l, nil
}

// Close gives back what Bind took when Run is not to follow.
func (e *Endpoint) Close() {
	for _, l := range e.listeners {
		l.Close()
	}
	e.listeners = nil
}

// Addrs are the bound addresses, "udp://127.0.0.1:5060"; call Bind first.
func (e *Endpoint) Addrs() (all []string) {
	for _, l := range e.listeners {
		all = append(all, l.Transport()+"://"+l.Local().String())
	}
	return all
}

// Addr is the bound address of the first listener; call Bind first.
func (e *Endpoint) Addr() netip.AddrPort {
	if len(e.listeners) == 0 {
		return netip.AddrPort{}
	}
	return e.listeners[0].Local()
}

// Restored is closed when Run knows the telephones that had registered with an
// earlier run: who calls one before that finds nobody.
func (e *Endpoint) Restored() <-chan struct{} { return e.restored }

// Run serves until ctx ends, and returns when all it started has ended. Legs
// that are up then are not told: hang up first.
func (e *Endpoint) Run(ctx context.Context) error {
	if err := e.Bind(); err != nil {
		return err
	}
	var wg sync.WaitGroup
	for _, s := range e.shards {
		wg.Go(func() { s.run(ctx) })
	}
	if e.c.Realm != "" {
		e.restore(ctx)
		wg.Go(func() { e.registrar(ctx) })
	}
	close(e.restored)
	for _, l := range e.listeners {
		wg.Go(func() { _ = l.Serve() })
	}
	for {
		select {
		case q := <-e.lookups:
			wg.Go(func() { e.lookup(ctx, q) })
			continue
		case <-ctx.Done():
		}
		break
	}
	for _, l := range e.listeners {
		l.Close()
	}
	e.streams.Close()
	wg.Wait()
	return nil
}

// Receive handles a message that came by a flow which is not ours, a WebSocket:
// one after another for each flow. b is the Endpoint's until it returns. With a
// fault the message could not be framed; it is refused.
func (e *Endpoint) Receive(f flow.Flow, b []byte, fault *flow.Fault) { e.receive(f, b, fault) }

// Panics is the number of bugs that were caught so far; each ended one call.
func (e *Endpoint) Panics() int64 { return e.panics.Load() }

// Legs is the number of legs alive.
func (e *Endpoint) Legs() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.legs)
}

// Do carries out Respond, Cancel, Bye, Info, Reinvite and ReferProgress (Invite is
// Dial's); other effects are not SIP's and are logged. An effect for a leg that is gone does nothing. Do
// may be called by any goroutine but not from within post or Trace; it never
// waits for the network.
func (e *Endpoint) Do(effect call.Effect) {
	switch f := effect.(type) {
	case call.Respond:
		e.with(f.Leg, func(s *shard, now time.Time, l *leg) { s.respond(now, l, f) })
	case call.Cancel:
		e.with(f.Leg, func(s *shard, now time.Time, l *leg) { s.cancel(now, l, cancelReason(f)) })
	case call.Info:
		e.with(f.Leg, func(s *shard, now time.Time, l *leg) { s.press(now, l, f) })
	case call.Reinvite:
		e.with(f.Leg, func(s *shard, now time.Time, l *leg) { s.reinvite(now, l, f.Media) })
	case call.Bye:
		e.with(f.Leg, func(s *shard, now time.Time, l *leg) { s.bye(now, l, reason{text: f.Reason, q850: f.Q850}) })
	case call.ReferProgress:
		e.with(f.Leg, func(s *shard, now time.Time, l *leg) { s.progress(now, l, f.Code, f.Reason) })
	default: // Invite too: it needs a mailbox, so Dial takes it
		e.log.Warn("sip: not an effect that Do carries out", "effect", fmt.Sprintf("%T", effect))
	}
}

// with runs f under the lock of the leg's shard.
func (e *Endpoint) with(id call.LegID, f func(*shard, time.Time, *leg)) {
	e.mu.Lock()
	l := e.legs[id]
	e.mu.Unlock()
	if l == nil {
		return
	}
	l.shard.guard(l.callID, func(now time.Time) {
		if l.state != gone {
			f(l.shard, now, l)
		}
	})
}

// shardOf is where everything of that Call-ID lives.
func (e *Endpoint) shardOf(callID []byte) *shard {
	h := fnv.New32a()
	h.Write(callID)
	return e.shards[h.Sum32()%shardCount]
}

// random gives n characters for a tag, branch or id.
func (e *Endpoint) random(n int) string {
	const letters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	b := make([]byte, n)
	e.randMu.Lock()
	defer e.randMu.Unlock()
	for i := range b {
		b[i] = letters[e.rand.IntN(len(letters))]
	}
	return string(b)
}

// fixedTag is a tag that every answer to copies of one request shares, though
// no transaction remembers it (RFC 3261 8.2.7).
func (e *Endpoint) fixedTag(h *flow.Head) string {
	f := fnv.New64a()
	var s [8]byte
	binary.LittleEndian.PutUint64(s[:], e.secret)
	f.Write(s[:])
	f.Write(h.Top())
	f.Write(h.CallID)
	f.Write(h.From)
	return base36(f.Sum64())
}

func base36(n uint64) string {
	var b [13]byte
	for i := range b {
		b[i] = "0123456789abcdefghijklmnopqrstuvwxyz"[n%36]
		n /= 36
	}
	return string(b[:])
}
