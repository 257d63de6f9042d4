package sdes

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	prtp "github.com/pion/rtp"
	"github.com/pion/srtp/v3"

	"ozswitch/media/pace"
)

// A Wire carries a leg's sound over another wire, encrypted once the keys are set.
// Before that, and unless Plain was said, nothing gets through. Its control wire,
// if it has one, shares the keys; both belong to the leg's thread.
type Wire struct {
	pace.Wire
	all     *stream
	control bool

	out []byte
	in  []byte
	n   [batch]int // of the last Recv: which packet of the wire below was the i-th
}

// stream is what the wires of one leg share.
type stream struct {
	now atomic.Pointer[contexts]

	mu       sync.Mutex // guards what follows, the signalling's
	out, in  Key
	contexts *contexts

	header prtp.Header // scratch of the leg's thread
}

// contexts are those of SRTP; nil ones let everything through as it is.
type contexts struct{ out, in *srtp.Context }

const (
	mtu   = 1500
	batch = 16
)

// Wrap makes a Wire over w.
func Wrap(w pace.Wire) *Wire {
	return &Wire{Wire: w, all: &stream{}, out: make([]byte, 0, mtu+64), in: make([]byte, 0, mtu)}
}

// Control makes the wire of the RTCP of the same leg, over c.
func (w *Wire) Control(c pace.Wire) *Wire {
	return &Wire{Wire: c, all: w.all, control: true, out: make([]byte, 0, mtu+64), in: make([]byte, 0, mtu)}
}

// SetKeys begins to encrypt with out and to take what was encrypted with in, or
// goes on with other keys. With a key that stays, what was counted stays.
func (w *Wire) SetKeys(out, in Key) error {
	s := w.all
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &contexts{}
	old := s.contexts
	var err error
	if old != nil && old.out != nil && s.out.equal(out) {
		c.out = old.out
	} else if c.out, err = out.context(); err != nil {
		return fmt.Errorf("sdes: %w", err)
	}
	if old != nil && old.in != nil && s.in.equal(in) {
		c.in = old.in
	} else if c.in, err = in.context(); err != nil {
		return fmt.Errorf("sdes: %w", err)
	}
	s.out, s.in, s.contexts = out, in, c
	s.now.Store(c)
	return nil
}

// Plain lets everything through as it is: the far end wants no SRTP.
func (w *Wire) Plain() {
	s := w.all
	s.mu.Lock()
	defer s.mu.Unlock()
	s.out, s.in, s.contexts = Key{}, Key{}, &contexts{}
	s.now.Store(s.contexts)
}

// Secure reports whether the sound is encrypted.
func (w *Wire) Secure() bool {
	c := w.all.now.Load()
	return c != nil && c.out != nil
}

var errNoKeys = errors.New("sdes: there are no keys yet")

// Send encrypts a packet and sends it.
func (w *Wire) Send(b []byte) error {
	c := w.all.now.Load()
	switch {
	case c == nil || len(b) < 2:
		return errNoKeys
	case c.out == nil:
		return w.Wire.Send(b)
	}
	var err error
	if w.isControl(b) {
		w.out, err = c.out.EncryptRTCP(w.out[:0], b, nil)
	} else {
		w.out, err = c.out.EncryptRTP(w.out[:0], b, &w.all.header)
	}
	if err != nil {
		return err
	}
	return w.Wire.Send(w.out)
}

// isControl tells reports from sound (RFC 5761, 4).
func (w *Wire) isControl(b []byte) bool { return w.control || b[1] >= 192 && b[1] <= 223 }

// Recv takes what has come and was sent by who has the key; what is forged, or a
// copy, is left out.
func (w *Wire) Recv(bufs [][]byte, from []netip.AddrPort) int {
	n := w.Wire.Recv(bufs[:min(len(bufs), batch)], from)
	c := w.all.now.Load()
	good := 0
	for i := range n {
		if c == nil {
			break
		}
		if c.in != nil && !w.open(c.in, bufs[i]) {
			continue
		}
		if c.in != nil {
			b := bufs[good][:cap(bufs[good])]
			bufs[good] = b[:copy(b, w.in)]
		}
		from[good], w.n[good] = from[i], i
		good++
	}
	return good
}

// open decrypts a packet into w.in.
func (w *Wire) open(c *srtp.Context, b []byte) bool {
	if len(b) < 12 {
		return false
	}
	var err error
	if w.isControl(b) {
		w.in, err = c.DecryptRTCP(w.in[:0], b, nil)
	} else {
		w.in, err = c.DecryptRTP(w.in[:0], b, &w.all.header)
	}
	if err != nil {
		w.in = w.in[:0]
	}
	return err == nil
}

// Came is when the i-th packet of the last Recv arrived.
func (w *Wire) Came(i int) time.Time {
	if s, ok := w.Wire.(interface{ Came(int) time.Time }); ok && i < batch {
		return s.Came(w.n[i])
	}
	return time.Time{}
}
