package media

import (
	"fmt"
	"io"
	"time"
)

// Silence is d of silence; without end when d is negative.
func Silence(r Rate, d time.Duration) Source {
	return &silence{r: r, d: d, left: r.N(d)}
}

type silence struct {
	r    Rate
	d    time.Duration
	left int
}

func (s *silence) Rate() Rate { return s.r }

func (s *silence) String() string {
	if s.d < 0 {
		return "silence"
	}
	return fmt.Sprintf("silence(%v)", s.d)
}

func (s *silence) Read(buf []int16) (int, error) {
	if s.d < 0 {
		clear(buf)
		return len(buf), nil
	}
	n := min(len(buf), s.left)
	clear(buf[:n])
	s.left -= n
	if n < len(buf) {
		return n, io.EOF
	}
	return n, nil
}
