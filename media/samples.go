package media

import (
	"fmt"
	"io"
)

// Samples is sound from memory. It keeps pcm and only reads it, so several
// sources may share one slice.
func Samples(r Rate, pcm []int16) Source { return &samples{r: r, pcm: pcm} }

type samples struct {
	r   Rate
	pcm []int16
	at  int
}

func (s *samples) Rate() Rate     { return s.r }
func (s *samples) String() string { return fmt.Sprintf("samples(%v)", s.r.D(len(s.pcm))) }

func (s *samples) Read(buf []int16) (int, error) {
	n := copy(buf, s.pcm[s.at:])
	s.at += n
	if n < len(buf) {
		return n, io.EOF
	}
	return n, nil
}
