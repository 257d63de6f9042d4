package pace

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"ozswitch/media/rtp"
)

var (
	start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	far   = netip.MustParseAddrPort("192.0.2.1:4000")
	near  = netip.MustParseAddrPort("192.0.2.9:5000")
)

const ms = time.Millisecond

// fakeWire keeps what is sent and gives what was put into in.
type fakeWire struct {
	sent []rtp.Packet
	in   []came
	to   netip.AddrPort
	tied bool
	boom bool // panic at the next Send
}

type came struct {
	from netip.AddrPort
	b    []byte
}

func (w *fakeWire) Send(b []byte) error {
	if w.boom {
		panic("boom")
	}
	p, err := rtp.Parse(bytes.Clone(b))
	w.sent = append(w.sent, p)
	return err
}

func (w *fakeWire) Recv(bufs [][]byte, from []netip.AddrPort) int {
	n := 0
	for n < len(bufs) && len(w.in) > 0 {
		c := w.in[0]
		w.in = w.in[1:]
		if w.tied && c.from != w.to {
			continue
		}
		bufs[n], from[n] = append(bufs[n][:0], c.b...), c.from
		n++
	}
	return n
}

func (w *fakeWire) Aim(to netip.AddrPort) error      { w.to, w.tied = to, false; return nil }
func (w *fakeWire) Rebind(peer netip.AddrPort) error { w.to, w.tied = peer, true; return nil }
func (w *fakeWire) LocalAddr() netip.AddrPort        { return near }
func (w *fakeWire) Close() error                     { return nil }

// comes lets a packet of one frame arrive.
func (w *fakeWire) comes(from netip.AddrPort, p rtp.Packet) {
	b := make([]byte, rtp.HeaderLen)
	rtp.PutHeader(b, p)
	w.in = append(w.in, came{from, append(b, p.Payload...)})
}

func ulaw() Format {
	return Format{PT: 0, Ticks: 160, Silence: bytes.Repeat([]byte{0xff}, 160)}
}

// clip is frames of one letter each.
func clip(letters string) *Clip {
	c := &Clip{}
	for i := range len(letters) {
		c.Frames = append(c.Frames, bytes.Repeat([]byte{letters[i]}, 160))
	}
	return c
}

// rig is a shard with one leg on a fake wire.
type rig struct {
	t    *testing.T
	s    *Shard
	l    *Leg
	w    *fakeWire
	now  time.Time
	tick int // calls of Tick
}

func newRig(t *testing.T, change func(*LegConfig)) *rig {
	r := &rig{t: t, s: NewShard(start, 0), w: &fakeWire{}, now: start}
	c := LegConfig{Wire: r.w, Remote: far, Format: ulaw(), DTMFPT: 101, SSRC: 77, Seq: 65534, TS: 0xffffff00, Silence: true}
	if change != nil {
		change(&c)
	}
	r.l = NewLeg(c)
	if err := r.s.Add(r.l); err != nil {
		t.Fatal(err)
	}
	return r
}

// frames lets n frames pass, in time: Tick is called when it asked to be.
func (r *rig) frames(n int) {
	for end := r.now.Add(time.Duration(n) * 20 * ms); r.now.Before(end); r.tick++ {
		next := r.s.Tick(r.now)
		if !next.After(r.now) {
			r.t.Fatalf("Tick(%v) wants to be called at %v, not later", r.since(r.now), r.since(next))
		}
		r.now = next
	}
}

func (r *rig) since(t time.Time) time.Duration { return t.Sub(start) }

// heard writes what was sent, a word a packet: its letter, "_" for silence, k for
// a key, with M for a marker.
func (r *rig) heard() string {
	var out []string
	for _, p := range r.w.sent {
		w := string(p.Payload[:1])
		switch {
		case p.PT == 101:
			w = fmt.Sprintf("k%d", p.Payload[0])
			if p.Payload[1]&0x80 != 0 {
				w += "E"
			}
		case p.Payload[0] == 0xff:
			w = "_"
		}
		if p.Marker {
			w = "M" + w
		}
		out = append(out, w)
	}
	return strings.Join(out, " ")
}

// results takes all results, with times in ms since the start.
func (r *rig) results() string {
	var out []string
	for {
		x, ok := r.l.Next()
		if !ok {
			return strings.Join(out, ", ")
		}
		s := fmt.Sprintf("%v@%d", x.Kind, r.since(x.At).Milliseconds())
		switch x.Kind {
		case KeyPressed:
			s += fmt.Sprintf("=%c", x.Key)
		case Started, Ended, KeysSent:
			s += fmt.Sprintf("#%d", x.ID)
		case FirstPacket:
			s += "=" + x.From.String()
		case Failed:
			s += "=" + strings.SplitN(x.Err.Error(), "\n", 2)[0]
		}
		out = append(out, s)
	}
}

func (r *rig) want(what, got, want string) {
	r.t.Helper()
	if got != want {
		r.t.Errorf("%s:\n got  %s\n want %s", what, got, want)
	}
}

// ok is for commands that must be taken.
func (r *rig) ok(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func addr(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }
