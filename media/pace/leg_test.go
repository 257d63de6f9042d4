package pace

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"ozswitch/media/rtp"
)

func TestClips(t *testing.T) {
	r := newRig(t, nil)
	r.frames(2)
	r.ok(r.l.Enqueue(7, clip("abc")))
	r.ok(r.l.Enqueue(8, clip("")))
	r.ok(r.l.Enqueue(9, clip("d")))
	r.frames(5)
	r.want("sent", r.heard(), "M_ _ a b c d _")
	r.want("results", r.results(), "Started@40#7, Ended@80#7, Started@100#8, Ended@100#8, Started@100#9, Ended@100#9")
}

func TestWithoutSilence(t *testing.T) {
	r := newRig(t, func(c *LegConfig) { c.Silence = false })
	r.frames(3)
	r.ok(r.l.Enqueue(1, clip("ab")))
	r.frames(4)
	r.ok(r.l.Enqueue(2, clip("c")))
	r.frames(1)
	r.want("sent", r.heard(), "Ma b Mc") // each talk spurt is marked, RFC 3551, 4.1
	for i, at := range []uint32{3, 4, 7} {
		if got, want := r.w.sent[i].TS, 0xffffff00+160*at; got != want {
			t.Errorf("packet %d has timestamp %d, want %d", i, got, want)
		}
		if got, want := r.w.sent[i].Seq, uint16(65534+i); got != want {
			t.Errorf("packet %d has number %d, want %d", i, got, want)
		}
	}
}

func TestFlush(t *testing.T) {
	r := newRig(t, nil)
	r.ok(r.l.Enqueue(1, clip("abcdef")))
	r.ok(r.l.Enqueue(2, clip("gh")))
	r.frames(2)
	r.ok(r.l.Flush())
	r.ok(r.l.Enqueue(3, clip("x")))
	r.frames(3)
	r.want("sent", r.heard(), "Ma b x _ _")
	r.want("results", r.results(), "Started@0#1, Started@40#3, Ended@40#3")
	if n := r.l.cmds.n.Load(); n != 0 {
		t.Errorf("%d commands are still counted as waiting, want 0", n)
	}
}

func TestHold(t *testing.T) {
	r := newRig(t, func(c *LegConfig) { c.Hold = true })
	r.ok(r.l.Enqueue(1, clip("abcd")))
	r.frames(2)
	r.ok(r.l.SetSending(true))
	r.frames(1)
	r.ok(r.l.SetSending(false))
	r.frames(2)
	r.want("sent", r.heard(), "Mc") // the clip went on unheard
	r.want("results", r.results(), "Started@0#1, Ended@60#1")
}

func TestSendKeys(t *testing.T) {
	r := newRig(t, nil)
	r.ok(r.l.Enqueue(1, clip("abc")))
	r.frames(1)
	r.ok(r.l.SendKeys(5, "1"))
	r.ok(r.l.SendKeys(6, "a"))
	r.frames(19)
	r.want("sent", r.heard(), "Ma Mk1 k1 k1 k1 k1 k1E k1E k1E Mk12 k12 k12 k12 k12 k12E k12E k12E b c _")
	r.want("results", r.results(), "Started@0#1, KeysSent@160#5, KeysSent@320#6, Ended@360#1")
	for i, p := range r.w.sent {
		want := 0xffffff00 + uint32(i)*160
		if p.PT == 101 {
			want = 0xffffff00 + uint32(1+(i-1)/8*8)*160 // when the key went down
		}
		if p.TS != want || p.Seq != uint16(65534+i) {
			t.Errorf("packet %d has timestamp %d and number %d, want %d and %d", i, p.TS, p.Seq, want, uint16(65534+i))
		}
	}
	if err := r.l.SendKeys(7, "1x"); err == nil {
		t.Error(`SendKeys("1x") took x for a key`)
	}
	deaf := newRig(t, func(c *LegConfig) { c.DTMFPT = 0 })
	if err := deaf.l.SendKeys(1, "1"); !errors.Is(err, ErrNoKeys) {
		t.Errorf("SendKeys without telephone-event: %v, want %v", err, ErrNoKeys)
	}
}

// Flush lets go of a key properly and sends no further ones.
func TestFlushKeys(t *testing.T) {
	r := newRig(t, nil)
	r.ok(r.l.SendKeys(5, "12"))
	r.ok(r.l.SendKeys(6, "3"))
	r.frames(2)
	r.ok(r.l.Flush())
	r.ok(r.l.SendKeys(7, "4"))
	r.frames(15)
	r.want("sent", r.heard(), "Mk1 k1 k1 k1 k1 k1E k1E k1E Mk4 k4 k4 k4 k4 k4E k4E k4E M_")
	r.want("results", r.results(), "KeysSent@300#7")
	if n := r.l.cmds.n.Load(); n != 0 {
		t.Errorf("%d commands are still counted as waiting, want 0", n)
	}
}

// speech is the i-th packet of a stream.
func speech(i int) rtp.Packet {
	return rtp.Packet{SSRC: 5, Seq: uint16(i), TS: uint32(i * 160), Payload: bytes.Repeat([]byte{byte('a' + i%26)}, 160)}
}

// event is a packet of a key that went down at frame i.
func event(i int, seq int, code byte, end bool) rtp.Packet {
	p := rtp.Packet{PT: 101, SSRC: 5, Seq: uint16(seq), TS: uint32(i * 160), Payload: []byte{code, 10, 1, 0}}
	if end {
		p.Payload[1] |= 0x80
	}
	return p
}

func TestHear(t *testing.T) {
	r := newRig(t, nil)
	r.frames(1)
	r.w.comes(far, speech(0))
	r.frames(1)
	for i := range 3 {
		r.w.comes(far, event(1, 1+i, 9, i == 2))
		r.frames(1)
	}
	r.w.comes(far, event(1, 3, 9, true)) // a copy
	r.w.comes(far, event(9, 6, 11, false))
	r.w.in = append(r.w.in, came{far, []byte("junk")})
	r.frames(1)
	r.want("results", r.results(), "FirstPacket@20=192.0.2.1:4000, KeyPressed@40=9, KeyPressed@100=#")
	r.s.close(r.now)
	st := r.l.Stats()
	if st.PacketsIn != 6 || st.Lost != 2 || st.Duplicates != 1 || st.Invalid != 1 || st.PacketsOut != 6 || st.BytesOut != 6*160 {
		t.Errorf("Stats = %+v, want 6 in, 2 lost, 1 copy, 1 invalid, 6 out", st)
	}
}

func TestMediaLost(t *testing.T) {
	r := newRig(t, func(c *LegConfig) { c.Timeout = time.Second })
	r.frames(100)
	r.want("nothing ever came", r.results(), "MediaLost@1000")
	r.w.comes(far, speech(0))
	r.frames(100)
	r.want("something came once", r.results(), "FirstPacket@2000=192.0.2.1:4000, MediaLost@3000")
	r.ok(r.l.SetTimeout(0))
	r.frames(500)
	r.want("no timeout", r.results(), "")
}

// A key must not be lost because nobody reads: the leg ends, and says so.
func TestNobodyReads(t *testing.T) {
	r := newRig(t, nil)
	for i := range 64 {
		r.w.comes(far, event(i*10, i, byte(i%10), false))
		r.frames(1)
	}
	got := strings.Split(r.results(), ", ")
	if len(got) != 65 || got[64] != "Failed@1260=pace: nobody takes the results of the leg" {
		t.Errorf("%d results, the last %q, want 64 and Failed", len(got), got[len(got)-1])
	}
}

func TestTooManyCommands(t *testing.T) {
	r := newRig(t, nil)
	for i := range most {
		r.ok(r.l.Enqueue(uint32(i), clip("a")))
	}
	if err := r.l.Enqueue(999, clip("a")); !errors.Is(err, ErrFull) {
		t.Errorf("one command too many: %v, want %v", err, ErrFull)
	}
	r.frames(1)
	r.ok(r.l.Enqueue(999, clip("a")))
}

func TestSourceLock(t *testing.T) {
	nat, other := addr("203.0.113.7:9999"), addr("198.51.100.1:1")
	moved := addr("192.0.2.1:4444") // far behind a NAT that forgot it
	r := newRig(t, nil)

	// Five packets in a row move the lock; the fifth binds the wire.
	for i := range 4 {
		r.w.comes(nat, speech(i))
	}
	r.w.comes(other, speech(100)) // one at a time
	r.frames(1)
	if r.w.tied || r.w.to != far {
		t.Fatalf("after 4 packets the wire is at %v, want %v", r.w.to, far)
	}
	r.w.comes(nat, speech(4))
	r.frames(1)
	if !r.w.tied || r.w.to != nat {
		t.Fatalf("after 5 packets the wire is at %v, want to be bound to %v", r.w.to, nat)
	}
	// Signalling that repeats itself changes nothing; a new address does.
	r.ok(r.l.SetRemote(far))
	r.frames(1)
	if r.w.to != nat {
		t.Errorf("the same SDP again moved the wire to %v", r.w.to)
	}
	r.ok(r.l.SetRemote(other))
	r.frames(1)
	if r.w.tied || r.w.to != other {
		t.Fatalf("a new SDP left the wire at %v, want %v", r.w.to, other)
	}
	// Stragglers of the old peer do not win it back.
	for i := range 10 {
		r.w.comes(nat, speech(5+i))
	}
	r.w.comes(other, speech(0))
	r.frames(1)
	if !r.w.tied || r.w.to != other {
		t.Errorf("the wire is at %v, want to be bound to %v", r.w.to, other)
	}

	// From SDP's address one packet is enough. Later the same stream goes on from
	// another port of the same host: only after two seconds of nothing.
	r = newRig(t, nil)
	r.w.comes(far, speech(0))
	r.frames(99)
	r.w.tied = false // the fake hears everybody: judge must refuse by itself
	r.w.comes(moved, speech(1))
	r.frames(1)
	if r.w.to != far {
		t.Errorf("the lock moved to %v after less than two seconds", r.w.to)
	}
	r.frames(2)
	for _, p := range []rtp.Packet{{SSRC: 6, Seq: 1, TS: 160}, speech(0), speech(40000)} {
		r.w.comes(moved, p) // not the same stream
	}
	r.w.comes(addr("192.0.2.2:4000"), speech(1)) // not the same host
	r.frames(1)
	if r.w.to != far {
		t.Errorf("a stranger moved the lock to %v", r.w.to)
	}
	r.w.comes(moved, speech(1))
	r.frames(1)
	if !r.w.tied || r.w.to != moved {
		t.Errorf("the wire is at %v, want to be bound to %v", r.w.to, moved)
	}
	r.s.close(r.now)
	if got := r.l.Stats().Refused; got != 5 {
		t.Errorf("Refused = %d, want 5", got)
	}
}

// Strangers that never stay are taken five times at most.
func TestStrangers(t *testing.T) {
	r := newRig(t, nil)
	for i := range 100 {
		p := speech(i)
		p.SSRC = uint32(i)
		r.w.comes(addr(fmt.Sprintf("198.51.100.%d:1", i+1)), p)
		r.frames(26) // half a second: the next may try
	}
	r.s.close(r.now)
	if st := r.l.Stats(); st.PacketsIn != 5 || st.Refused != 95 {
		t.Errorf("%d strange packets taken, %d refused, want 5 and 95", st.PacketsIn, st.Refused)
	}
}

func TestNoRemoteYet(t *testing.T) {
	r := newRig(t, func(c *LegConfig) { c.Remote = addr("0.0.0.0:0") })
	r.frames(2)
	if r.w.to.IsValid() {
		t.Errorf("the wire was aimed at %v", r.w.to)
	}
	r.ok(r.l.SetRemote(far))
	r.frames(1)
	if r.w.to != far {
		t.Errorf("the wire is at %v, want %v", r.w.to, far)
	}
}

// Another stream from the same source (a new SSRC) is heard from its second packet
// on, after the hold of the jitter buffer, whatever its timestamps.
func TestNewStream(t *testing.T) {
	for _, ts := range []uint32{0, 1 << 31, 0xfffff000} {
		r := newRig(t, nil)
		tap := NewTap(TapConfig{})
		r.ok(r.l.SetTap(tap))
		for i := range 4 {
			r.w.comes(far, speech(i))
			r.frames(1)
		}
		for i := range 6 {
			p := speech(i)
			p.SSRC, p.TS, p.Seq = 6, p.TS+ts, p.Seq+9000
			p.Payload = bytes.Repeat([]byte{byte('A' + i)}, 160)
			r.w.comes(far, p)
			r.frames(1)
		}
		r.want("heard", blocks(tap, true), "0: _- _- _a _b _c | 100: _- _- _B _C _D")
	}
}
