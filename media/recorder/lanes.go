package recorder

import (
	"ozswitch/media"
	"ozswitch/media/codec"
)

// lanes make sound of the payloads of both directions. A call may change its codec while it is recorded; the file keeps
// its rate.
type lanes struct {
	codec   *codec.Codec
	in      *codec.Patcher // what the network lost is filled as a telephone would
	out     codec.Decoder  // nothing is lost on its way from us: what is not there was silence
	a, b    *toRate        // to the file's rate; nil where the codec has it
	scratch []int16
}

// begin goes on in another codec.
func (l *lanes) begin(c *codec.Codec, file media.Rate) {
	*l = lanes{codec: c, in: codec.NewPatcher(c), out: c.NewDecoder()}
	if c.Rate != file {
		l.a, l.b = newToRate(c.Rate, file), newToRate(c.Rate, file)
		l.scratch = make([]int16, c.Rate.Frame())
	}
}

// frame decodes a frame of each direction into a and b, and reports whether that of the caller had come.
func (l *lanes) frame(a, b []int16, in, out []byte) (heard bool) {
	l.decode(a, in, l.in, l.a)
	heard = l.in.Real()
	if len(out) == 0 && l.b == nil {
		clear(b)
		return heard
	}
	l.decode(b, out, l.out, l.b)
	return heard
}

func (l *lanes) decode(dst []int16, payload []byte, d codec.Decoder, to *toRate) {
	if to == nil {
		clear(dst[d.Decode(dst, payload):])
		return
	}
	n := 0
	if len(payload) > 0 || d == codec.Decoder(l.in) {
		n = d.Decode(l.scratch, payload)
	}
	clear(l.scratch[n:])
	to.frame(dst, l.scratch)
}

// toRate resamples frame by frame. Its filter looks ahead, so it lags a frame behind.
type toRate struct {
	src media.Source
	in  feed
}

// feed is the source of a toRate: the frame that is there, before the first one silence.
type feed struct {
	rate media.Rate
	pcm  []int16
}

func newToRate(from, to media.Rate) *toRate {
	t := &toRate{in: feed{rate: from}}
	t.in.pcm = make([]int16, from.Frame())
	t.src = media.Resample(&t.in, to)
	return t
}

// Rate implements media.Source.
func (f *feed) Rate() media.Rate { return f.rate }

// Read implements media.Source.
func (f *feed) Read(buf []int16) (int, error) {
	n := copy(buf, f.pcm)
	f.pcm = f.pcm[:copy(f.pcm, f.pcm[n:])]
	clear(buf[n:])
	return len(buf), nil
}

// frame puts a frame in and takes one out.
func (t *toRate) frame(dst, src []int16) {
	t.in.pcm = append(t.in.pcm, src...)
	_, _ = t.src.Read(dst) // a feed never ends
}
