package media

import (
	"errors"
	"fmt"
	"io"
)

// Loop plays what open gives n times over, and for ever when n is 0 or less.
// Each round opens anew, the first when the rate or sound is first asked for;
// so a Loop blocks as long as open does and belongs in no pacing thread. A
// round without a single sample ends the loop, or it would spin.
func Loop(open func() (Source, error), n int) Source {
	return &loop{open: open, left: n, endless: n <= 0}
}

type loop struct {
	open    func() (Source, error)
	left    int // rounds to come
	endless bool
	cur     Source
	r       Rate
	played  bool // this round has given a sample
	err     error
}

// Rate is the rate of the first round, 8 kHz if that cannot be opened; Read then
// says why.
func (l *loop) Rate() Rate {
	if l.r == 0 && !l.next() {
		return 8000
	}
	return l.r
}

func (l *loop) String() string {
	if l.cur == nil {
		return "loop"
	}
	return fmt.Sprintf("loop(%s)", Name(l.cur))
}

// next opens the next round and reports whether there is one.
func (l *loop) next() bool {
	if l.err != nil || l.cur != nil {
		return l.err == nil
	}
	if !l.endless && l.left == 0 {
		l.err = io.EOF
		return false
	}
	src, err := l.open()
	if err != nil {
		l.err = fmt.Errorf("media: loop: %w", err)
		return false
	}
	l.left--
	l.played = false
	if l.r == 0 {
		l.r = src.Rate()
	}
	l.cur = Resample(src, l.r)
	return true
}

func (l *loop) Read(buf []int16) (int, error) {
	n := 0
	for n < len(buf) {
		if !l.next() {
			return n, l.err
		}
		m, err := l.cur.Read(buf[n:])
		n += m
		l.played = l.played || m > 0
		switch {
		case errors.Is(err, io.EOF):
			l.cur = nil
			if !l.played {
				l.err = io.EOF
			}
		case err != nil:
			l.err = err
		}
	}
	return n, nil
}
