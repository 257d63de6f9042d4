package codec

import "ozswitch/media"

// A Transcoder makes frames of one codec from those of another, or of the same,
// and lays other sound over them. Lost frames are patched. It implements
// pace.Coder, is for one direction of one call and allocates nothing once it is
// made.
//
// A frame of 20 ms costs, by measurement, what its codecs take (1 µs for G.711, 25
// for each half of G.722, 20 to decode Opus and 32 to code it) and 7 µs for 8 to 16
// kHz. So Opus to PCMU and back is 66 µs in 20 ms, 0.33 % of a processor; twice that
// where two threads share a core and both are busy. A thread of the pacer has time
// for a hundred such calls at the worst, which were on time with fifty (test/bench,
// part bridge). So none of it is put into goroutines of its own, which would cost
// each frame a hand-over and a wait for the next turn.
type Transcoder struct {
	in   *Patcher
	rate *media.Resampler
	over Decoder // of what is laid over it
	enc  Encoder

	pcm   []int16 // as decoded
	a, b  []int16 // the frame, and the last one that was leapt over, at the encoder's rate
	top   []int16 // what is laid over it
	spare []byte  // for what nobody hears
	leapt bool
	level int32 // of what was heard, in parts of full
}

const (
	full = 1 << 12
	low  = 1029 // full less 12 dB
)

// NewTranscoder makes one.
func NewTranscoder(from, to *Codec) *Transcoder {
	n := to.Rate.Frame()
	return &Transcoder{
		in: NewPatcher(from), rate: media.NewResampler(from.Rate, to.Rate), over: to.NewDecoder(), enc: to.NewEncoder(),
		pcm: make([]int16, from.Rate.Frame()), a: make([]int16, n), b: make([]int16, n), top: make([]int16, n), level: full,
		spare: make([]byte, MaxFrame),
	}
}

// Begin tells what the listener has heard last; empty = nothing.
func (t *Transcoder) Begin(last []byte) {
	if len(last) > 0 {
		// The encoder takes up where another was: its listener's decoder would make a
		// bang of the difference (G.722).
		t.decode(t.a, last)
		t.enc.Encode(t.spare, t.a)
	}
	t.level = full
}

// Hear takes the next frame; empty = it is missing.
func (t *Transcoder) Hear(payload []byte) { t.decode(t.a, payload) }

// Leap takes the frame behind it: Say fades over to that.
func (t *Transcoder) Leap(payload []byte) {
	t.decode(t.b, payload)
	t.leapt = true
}

func (t *Transcoder) decode(dst []int16, payload []byte) {
	n := t.in.Decode(t.pcm, payload)
	clear(t.pcm[n:])
	n = t.rate.Write(dst, t.pcm)
	clear(dst[n:])
}

// Even reports whether what is heard is at its full level.
func (t *Transcoder) Even() bool { return t.level == full }

// Say codes what was heard into dst and returns the length; 0 = there is nothing.
// over is laid over it, if any; what was heard is lowered by 12 dB meanwhile, and
// comes and goes within a frame.
func (t *Transcoder) Say(dst, over []byte) int {
	want := int32(full)
	switch {
	case len(over) > 0:
		want = low
		clear(t.top[t.over.Decode(t.top, over):])
	case t.in.Faded():
		t.level, t.leapt = full, false
		return 0
	default:
		clear(t.top)
	}
	n := int32(len(t.a))
	for i := range n {
		v := int32(t.a[i])
		if t.leapt {
			v = (v*(n-i) + int32(t.b[i])*i) / n
		}
		v = v*(t.level+(want-t.level)*i/n)>>12 + int32(t.top[i])
		t.a[i] = int16(min(max(v, -32768), 32767))
	}
	t.level, t.leapt = want, false
	return t.enc.Encode(dst, t.a)
}
