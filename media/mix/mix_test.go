package mix

import (
	"fmt"
	"math"
	"testing"
	"time"

	"ozswitch/media"
	"ozswitch/media/codec"
	"ozswitch/media/mediatest"
)

// party is a member, the tone that it makes and what it heard.
type party struct {
	*Member
	codec  *codec.Codec
	hz     float64
	frames [][]byte
	dec    codec.Decoder
	heard  []int16
}

func enter(t testing.TB, r *Room, c *codec.Codec, hz, db float64, d time.Duration) *party {
	t.Helper()
	frames, err := c.Frames(media.Tone(c.Rate, hz, db, d))
	if err != nil {
		t.Fatal(err)
	}
	return &party{Member: r.Join(c), codec: c, hz: hz, frames: frames, dec: c.NewDecoder()}
}

// turn is one frame of everybody.
func turn(r *Room, i int, all []*party) {
	for _, p := range all {
		var f []byte
		if i < len(p.frames) {
			f = p.frames[i]
		}
		p.Hear(p.codec, f)
	}
	r.Turn()
	var buf [1500]byte
	for _, p := range all {
		pcm := make([]int16, p.codec.Rate.Frame())
		if n := p.Say(p.codec, buf[:]); n > 0 {
			p.dec.Decode(pcm, buf[:n])
		}
		p.heard = append(p.heard, pcm...)
	}
}

// Ten members in four codecs each hear the nine others and not themselves.
func TestEachHearsTheOthers(t *testing.T) {
	for _, codecs := range [][]*codec.Codec{
		{codec.PCMU}, {codec.PCMA, codec.PCMU}, {codec.G722}, {codec.PCMU, codec.G722, codec.PCMA, codec.Opus},
	} {
		t.Run(fmt.Sprint(codecs), func(t *testing.T) {
			r := New()
			var all []*party
			for i := range 10 {
				all = append(all, enter(t, r, codecs[i%len(codecs)], float64(400+250*i), -24, 2*time.Second))
			}
			for i := range 100 {
				turn(r, i, all)
			}
			for i, p := range all {
				second := p.heard[p.codec.Rate.N(500*time.Millisecond):p.codec.Rate.N(1500*time.Millisecond)]
				for j, o := range all {
					got := mediatest.Level(second, p.codec.Rate, o.hz)
					if i == j && got > -45 {
						t.Errorf("member %d (%v) hears himself at %.1f dB", i, p.codec, got)
					}
					if i != j && (got < -28 || got > -20) {
						t.Errorf("member %d (%v) hears member %d (%v) at %.1f dB, want -24", i, p.codec, j, o.codec, got)
					}
				}
			}
		})
	}
}

// Who shouts is clipped and does not wrap round: the loudest of many sines is
// still a full-scale wave with the sign of their sum.
func TestSaturates(t *testing.T) {
	r := New()
	var all []*party
	for range 8 {
		all = append(all, enter(t, r, codec.PCMU, 500, -2, time.Second))
	}
	for i := range 50 {
		turn(r, i, all)
	}
	pcm := all[0].heard[4000:6000]
	var most, jump int
	for i := 1; i < len(pcm); i++ {
		most = max(most, int(pcm[i]))
		// At 500 Hz the wave passes from clip to clip within 3 samples, never at once.
		if a, b := int(pcm[i-1]), int(pcm[i]); a > 30000 && b < -30000 || a < -30000 && b > 30000 {
			jump++
		}
	}
	if most < 30000 {
		t.Errorf("the loudest sample is %d, want a clipped wave", most)
	}
	if jump > 0 && float64(jump) > 0.1*float64(len(pcm)) {
		t.Errorf("%d jumps from end to end of the scale in %d samples", jump, len(pcm))
	}
}

func TestMuteAndBellAndLateSound(t *testing.T) {
	r := New()
	a := enter(t, r, codec.PCMU, 600, -20, 3*time.Second)
	b := enter(t, r, codec.PCMU, 900, -20, 500*time.Millisecond) // then nothing comes of b
	all := []*party{a, b}
	i := 0
	pass := func(d time.Duration) {
		for end := i + int(d/media.Frame); i < end; i++ {
			turn(r, i, all)
		}
	}
	at := func(p *party, from time.Duration, hz float64) float64 {
		return mediatest.Level(p.heard[narrow.N(from):narrow.N(from+200*time.Millisecond)], narrow, hz)
	}
	pass(200 * time.Millisecond)
	b.heard = b.heard[:0]
	a.Mute(true)
	pass(600 * time.Millisecond)
	if got := at(b, 400*time.Millisecond, 600); got > -60 || !a.Muted() || a.Talks() {
		t.Errorf("b hears a, who is muted, at %.1f dB", got)
	}
	if got := at(a, 600*time.Millisecond, 900); got > -50 {
		t.Errorf("a hears b at %.1f dB 100 ms after b's last packet", got)
	}
	a.Mute(false)
	if err := r.Bell(media.Tone(16000, 1300, -12, time.Second)); err != nil {
		t.Fatal(err)
	}
	b.heard, a.heard = b.heard[:0], a.heard[:0]
	pass(400 * time.Millisecond)
	for _, p := range all {
		if got := at(p, 100*time.Millisecond, 1300); math.Abs(got+12) > 1 {
			t.Errorf("%v Hz hears the bell at %.1f dB, want -12", p.hz, got)
		}
	}
	if got := at(b, 100*time.Millisecond, 600); math.Abs(got+20) > 1 {
		t.Errorf("b hears a at %.1f dB after the mute, want -20", got)
	}
	r.Leave(a.Member)
	b.heard = b.heard[:0]
	all = all[1:]
	pass(time.Second)
	if got := at(b, 700*time.Millisecond, 600); got > -60 {
		t.Errorf("b hears a, who has left, at %.1f dB", got)
	}
}

// A codec may change in the middle; frames of the old one that come late are left out.
func TestChange(t *testing.T) {
	r := New()
	a, b := enter(t, r, codec.PCMU, 600, -20, time.Second), enter(t, r, codec.PCMU, 900, -20, 2*time.Second)
	all := []*party{a, b}
	for i := range 25 {
		turn(r, i, all)
	}
	r.Change(a.Member, codec.G722)
	a.Hear(codec.PCMU, a.frames[0]) // late
	var buf [1500]byte
	if n := a.Say(codec.G722, buf[:]); n != 0 {
		t.Errorf("Say gives %d bytes of the codec before", n)
	}
	frames, err := codec.G722.Frames(media.Tone(16000, 700, -20, time.Second))
	if err != nil {
		t.Fatal(err)
	}
	a.codec, a.frames, a.dec, a.heard = codec.G722, append(make([][]byte, 25), frames...), codec.G722.NewDecoder(), nil
	b.heard = nil
	for i := range 50 {
		turn(r, 25+i, all)
	}
	if got := mediatest.Level(a.heard[8000:], wide, 900); math.Abs(got+20) > 2 {
		t.Errorf("a hears b at %.1f dB in the new codec", got)
	}
	if got := mediatest.Level(b.heard[4000:], narrow, 700); math.Abs(got+20) > 2 {
		t.Errorf("b hears a at %.1f dB from the new codec", got)
	}
}

// A room whose turn stands still leaves sound out instead of lagging for ever.
func TestCatchesUp(t *testing.T) {
	r := New()
	m := r.Join(codec.PCMU)
	for range 20 {
		m.Hear(codec.PCMU, codec.PCMU.Silence)
	}
	r.Turn()
	if n := m.in.waiting(); n > keeps {
		t.Errorf("%d frames wait after a standstill, want %d at most", n, keeps)
	}
	for range 20 {
		r.Turn()
	}
	m.Say(codec.PCMU, make([]byte, 200))
	if n := m.out.waiting(); n > keeps {
		t.Errorf("%d frames wait to be said, want %d at most", n, keeps)
	}
}

// TestListen: a recording gets everybody.
func TestListen(t *testing.T) {
	r := New()
	all := []*party{enter(t, r, codec.PCMU, 600, -20, time.Second), enter(t, r, codec.G722, 900, -20, time.Second)}
	var pcm []int16
	r.Listen(func(rate media.Rate, frame []int16) {
		if rate != wide {
			t.Fatalf("the room has %d Hz, want that of G.722", rate)
		}
		pcm = append(pcm, frame...)
	})
	for i := range 50 {
		turn(r, i, all)
	}
	for _, hz := range []float64{600, 900} {
		if got := mediatest.Level(pcm[8000:], wide, hz); math.Abs(got+20) > 1.5 {
			t.Errorf("the recording has %v Hz at %.1f dB, want -20", hz, got)
		}
	}
}

func fifty(t testing.TB, speakers int, c *codec.Codec) (*Room, []*party) {
	r := New()
	var all []*party
	for i := range 50 {
		p := enter(t, r, c, float64(300+50*i), -20, 100*time.Millisecond)
		if i >= speakers {
			for j := range p.frames {
				p.frames[j] = c.Silence
			}
		}
		all = append(all, p)
	}
	return r, all
}

// once is a frame of fifty, without what the test itself needs.
func once(r *Room, all []*party, i int, buf []byte) {
	for _, p := range all {
		p.Hear(p.codec, p.frames[i%len(p.frames)])
	}
	r.Turn()
	for _, p := range all {
		p.Say(p.codec, buf)
	}
}

func TestNothingIsAllocated(t *testing.T) {
	for _, c := range []*codec.Codec{codec.PCMU, codec.G722} {
		r, all := fifty(t, 5, c)
		buf, i := make([]byte, 1500), 0
		if n := testing.AllocsPerRun(100, func() { once(r, all, i, buf); i++ }); n != 0 {
			t.Errorf("%v: %v allocations a frame", c, n)
		}
	}
}

// Budget: a frame of fifty within 2 % of its 20 ms in G.711, 25 % in G.722 and Opus,
// whose coders have state and so cannot be shared. 0 allocations.
func BenchmarkTurn(b *testing.B) {
	for _, c := range []*codec.Codec{codec.PCMU, codec.G722, codec.Opus} {
		for _, speakers := range []int{3, 50} {
			b.Run(fmt.Sprintf("%s/%d of 50 speak", c.Name, speakers), func(b *testing.B) {
				r, all := fifty(b, speakers, c)
				buf, i := make([]byte, 1500), 0
				for ; i < 40; i++ { // the coders of Opus grow to their size
					once(r, all, i, buf)
				}
				b.ReportAllocs()
				for b.Loop() {
					once(r, all, i, buf)
					i++
				}
			})
		}
	}
}
