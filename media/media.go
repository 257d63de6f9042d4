package media

import (
	"errors"
	"fmt"
	"io"
	"time"
)

// Frame is the length of sound that is moved at once, everywhere in the switch.
const Frame = 20 * time.Millisecond

// A Rate counts samples per second.
type Rate int

// D says how long n samples last.
func (r Rate) D(n int) time.Duration {
	// Whole seconds apart, so that hours of sound cannot overflow.
	s, rest := n/int(r), n%int(r)
	return time.Duration(s)*time.Second + time.Duration(rest)*time.Second/time.Duration(r)
}

// N says how many whole samples last for d.
func (r Rate) N(d time.Duration) int {
	s, rest := d/time.Second, d%time.Second
	return int(s)*int(r) + int(rest*time.Duration(r)/time.Second)
}

// Frame says how many samples make one frame of 20 ms.
func (r Rate) Frame() int { return r.N(Frame) }

// A Source makes sound when asked. Read fills buf and returns len(buf), nil; at
// the end the last n < len(buf) samples with io.EOF, and 0, io.EOF ever after.
// It never blocks: with nothing to give, it gives silence. Any error other than
// io.EOF ends the source as well.
type Source interface {
	Rate() Rate
	Read(buf []int16) (n int, err error)
}

// A Sink takes sound, a frame at a time or less at the end, and may not keep buf.
type Sink interface {
	Rate() Rate
	Write(buf []int16) error
}

// Copy moves src to dst, frame by frame and without a clock, until src ends.
// The two must have one rate; Copy does not resample behind the caller's back.
func Copy(dst Sink, src Source) error {
	if dst.Rate() != src.Rate() {
		return fmt.Errorf("media: copy %v (%d Hz) to a sink of %d Hz", Name(src), src.Rate(), dst.Rate())
	}
	buf := make([]int16, src.Rate().Frame())
	for {
		n, err := src.Read(buf)
		if n > 0 {
			if err := dst.Write(buf[:n]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// ReadAll reads src to its end into memory. It is for prompts and tests; a
// source without an end never returns.
func ReadAll(src Source) ([]int16, error) {
	b := Buffer{R: src.Rate()}
	err := Copy(&b, src)
	return b.PCM, err
}

// Buffer is a Sink in memory.
type Buffer struct {
	R   Rate
	PCM []int16
}

// Rate is the rate of the samples in the buffer.
func (b *Buffer) Rate() Rate { return b.R }

// Write appends buf.
func (b *Buffer) Write(buf []int16) error {
	b.PCM = append(b.PCM, buf...)
	return nil
}

// Name prints a source: its String method where there is one, else its type.
func Name(s Source) string {
	if n, ok := s.(fmt.Stringer); ok {
		return n.String()
	}
	return fmt.Sprintf("%T", s)
}

// names prints the sources of a stage, as in "tone(425 Hz), silence(2s)".
func names(srcs []Source) string {
	var out []byte
	for i, s := range srcs {
		if i > 0 {
			out = append(out, ", "...)
		}
		out = append(out, Name(s)...)
	}
	return string(out)
}

// clip rounds v to a sample, at the ends of the scale without wrapping round.
func clip(v float64) int16 {
	switch {
	case v >= 32767:
		return 32767
	case v <= -32768:
		return -32768
	case v < 0:
		return int16(v - 0.5)
	}
	return int16(v + 0.5)
}
