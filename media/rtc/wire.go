package rtc

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/ice/v4"
	prtp "github.com/pion/rtp"
	"github.com/pion/srtp/v3"
	"github.com/pion/stun/v4"
)

// A Config says what a Wire is made of. Its functions are called at most once each,
// from any goroutine, not while Open, Answer or Connect runs for it, and must not
// block.
type Config struct {
	// Full makes the wire look for the way itself, as a calling client does. A
	// switch, which all can reach, answers knocks only (ICE-lite, RFC 8445, 2.5).
	// Since a port tells full wires' answers apart by address, let each have a port
	// of its own.
	Full bool

	SetUp   time.Duration // how long finding a way and agreeing on keys may take; 0 = 30 s
	Consent time.Duration // how long we send without the far end's consent; 0 = 30 s (RFC 7675, 5.1)
	Timeout time.Duration // how long consent may be gone before Lost; 0 = for ever

	Lost   func()      // the far end has left, or gave no consent for Timeout; may be nil
	Failed func(error) // there will be no sound; may be nil
	Up     func()      // the keys are agreed; may be nil
}

const (
	setUpTime   = 30 * time.Second
	consentTime = 30 * time.Second
	leaveTime   = 2 * time.Second // for the BYE of a far end that has closed its media
)

// A Wire is one call's way over a Port: a pace.Wire, once Answer or Offer and then
// Connect were called. Where the far end is, is ICE's business: for the pacer it is
// always at the address that the wire was aimed at.
type Wire struct {
	p     *Port
	c     Config
	agent *ice.Agent
	mux   *mux
	shake *shake

	path  atomic.Pointer[netip.AddrPort] // the way that ICE found
	heard atomic.Int64                   // when the far end last showed consent, Unix nanoseconds
	muted atomic.Bool                    // consent has expired
	left  atomic.Int64                   // when the far end closed its handshake, Unix nanoseconds
	keys  atomic.Pointer[keys]
	found chan struct{} // closed with the first path
	once  sync.Once     // of found
	told  atomic.Bool   // Lost or Failed
	ctx   context.Context
	end   context.CancelFunc
	wg    sync.WaitGroup

	pwds atomic.Pointer[pwds]

	mu      sync.Mutex // guards what follows, the signalling's
	ours    Description
	theirs  Description
	offered bool // the first offer was ours
	begun   time.Time
	started bool // Connect was called

	// The pacer's.
	far    netip.AddrPort
	send   *sender
	out    []byte
	header prtp.Header
	came   [16]time.Time

	in ring
}

// keys are the contexts of SRTP: out is the pacer's, in the reader's.
type keys struct{ out, in *srtp.Context }

// pwds are the ICE passwords, for the reader.
type pwds struct{ ours, theirs string }

// Open makes a wire. Close ends it.
func (p *Port) Open(c Config) (*Wire, error) {
	if c.SetUp <= 0 {
		c.SetUp = setUpTime
	}
	if c.Consent <= 0 {
		c.Consent = consentTime
	}
	w := &Wire{p: p, c: c, found: make(chan struct{}), out: make([]byte, 0, mtu+64)}
	var err error
	if w.send, err = newSender(p.conn); err != nil {
		return nil, fmt.Errorf("rtc: open a wire: %w", err)
	}
	w.ctx, w.end = context.WithCancel(context.Background())
	w.mux, w.shake = &mux{w: w}, newShake(w)
	w.ours = Description{
		Ufrag: random(8), Pwd: random(24), Lite: !c.Full, Fingerprints: []string{"sha-256 " + p.print},
		Setup: actpass, Candidates: p.candidates(), EndOfCandidates: true,
	}
	w.pwds.Store(&pwds{ours: w.ours.Pwd})
	if err := w.newAgent(); err != nil {
		w.end()
		return nil, err
	}
	p.mu.Lock()
	p.wires[w], p.ufrags[w.ours.Ufrag] = struct{}{}, w
	p.mu.Unlock()
	if err := w.gather(); err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

var errNoWay = errors.New("rtc: there is no way to the far end yet")

// Send encrypts a packet of RTP or RTCP and sends it. What is sent before the keys
// are agreed, or without consent, is dropped with an error.
func (w *Wire) Send(b []byte) error {
	k, to := w.keys.Load(), w.path.Load()
	if k == nil || to == nil || w.muted.Load() || len(b) < 2 {
		return errNoWay
	}
	var err error
	if isRTCP(b) {
		w.out, err = k.out.EncryptRTCP(w.out[:0], b, nil)
	} else {
		w.out, err = k.out.EncryptRTP(w.out[:0], b, &w.header)
	}
	if err != nil {
		return err
	}
	return w.send.Send(w.out, *to)
}

// isRTCP tells reports from sound (RFC 5761, 4).
func isRTCP(b []byte) bool { return b[1] >= 192 && b[1] <= 223 }

// take decrypts a packet and lays it into the ring; it is the reader's.
func (w *Wire) take(b []byte, at time.Time) {
	k := w.keys.Load()
	if k == nil || len(b) < 12 {
		return
	}
	s := w.in.room()
	if s == nil {
		return // the pacer stands still
	}
	var err error
	if isRTCP(b) {
		s.b, err = k.in.DecryptRTCP(s.b[:0], b, nil)
	} else {
		s.b, err = k.in.DecryptRTP(s.b[:0], b, &w.in.header)
	}
	if err != nil { // forged, or a copy
		s.b = s.b[:0]
		return
	}
	s.at = at
	w.in.put()
}

// Recv takes what has come.
func (w *Wire) Recv(bufs [][]byte, from []netip.AddrPort) int {
	n := 0
	for n < len(bufs) {
		s := w.in.oldest()
		if s == nil {
			break
		}
		if b := bufs[n][:cap(bufs[n])]; len(s.b) <= len(b) {
			bufs[n] = b[:copy(b, s.b)]
			from[n] = w.far
			if n < len(w.came) {
				w.came[n] = s.at
			}
			n++
		}
		w.in.drop()
	}
	return n
}

// Came is when the i-th packet of the last Recv was read.
func (w *Wire) Came(i int) time.Time {
	if i < len(w.came) {
		return w.came[i]
	}
	return time.Time{}
}

// Aim names the address that packets shall seem to come from.
func (w *Wire) Aim(to netip.AddrPort) error {
	w.far = to
	return nil
}

// Rebind is Aim: a wire hears nobody but its far end anyway.
func (w *Wire) Rebind(peer netip.AddrPort) error { return w.Aim(peer) }

// Ready reports whether packets get through: a leg begins then.
func (w *Wire) Ready() bool { return w.keys.Load() != nil && w.path.Load() != nil }

// LocalAddr is the port's.
func (w *Wire) LocalAddr() netip.AddrPort { return w.p.local }

// Path is where packets go now; not valid before a way was found.
func (w *Wire) Path() netip.AddrPort {
	if a := w.path.Load(); a != nil {
		return *a
	}
	return netip.AddrPort{}
}

// Close ends the path and says so to the far end. It returns when the wire's
// goroutines have ended.
func (w *Wire) Close() error {
	w.told.Store(true)
	w.shake.close()
	w.end()
	w.p.forget(w)
	err := w.agent.Close()
	w.wg.Wait()
	return err
}

// knows tells whether the sender of a STUN message knows the password it takes:
// ours for a question, theirs for an answer (RFC 8445, 7.2.2).
func (w *Wire) knows(m *stun.Message) bool {
	p := w.pwds.Load()
	if m.Type.Class == stun.ClassRequest {
		return stun.MessageIntegrity(p.ours).Check(m) == nil
	}
	return p.theirs != "" && stun.MessageIntegrity(p.theirs).Check(m) == nil
}

// consented notes that the far end, known by its password, wants our packets.
func (w *Wire) consented(from netip.AddrPort) {
	if at := w.path.Load(); at == nil || *at == from {
		w.heard.Store(time.Now().UnixNano())
		w.muted.Store(false)
	}
}

// holds tells whether packets go there, with consent that is fresh.
func (w *Wire) holds(a netip.AddrPort) bool {
	at := w.path.Load()
	return at != nil && *at == a && time.Since(time.Unix(0, w.heard.Load())) < w.c.Consent/2
}

// selected is the way that ICE found, or found anew.
func (w *Wire) selected(to netip.AddrPort) {
	to = unmap(to)
	w.p.learn(to, w)
	w.path.Store(&to)
	w.heard.Store(time.Now().UnixNano())
	w.muted.Store(false)
	w.once.Do(func() { close(w.found) })
}

// look looks after consent; it is the port's watch's.
func (w *Wire) look(now time.Time) {
	if left := w.left.Load(); left != 0 && now.Sub(time.Unix(0, left)) > leaveTime {
		w.lost()
		return
	}
	if w.keys.Load() == nil {
		w.mu.Lock()
		late := w.started && now.Sub(w.begun) > w.c.SetUp
		w.mu.Unlock()
		if late {
			w.failed(w.whyLate())
		}
		return
	}
	gone := now.Sub(time.Unix(0, w.heard.Load()))
	if gone > w.c.Consent {
		w.muted.Store(true)
	}
	if w.c.Timeout > 0 && gone > w.c.Timeout {
		w.lost()
	}
}

func (w *Wire) lost() {
	if !w.told.Swap(true) && w.c.Lost != nil {
		w.c.Lost()
	}
}

func (w *Wire) failed(err error) {
	if w.ctx.Err() == nil && !w.told.Swap(true) && w.c.Failed != nil {
		w.c.Failed(err)
	}
}
