package media

import (
	"errors"
	"io"
)

// Concat plays sources one after another without a gap. It runs at the rate of
// the first and resamples the others to it. Nothing is an empty source of 8 kHz.
func Concat(srcs ...Source) Source {
	c := &concat{r: 8000, srcs: oneRate(srcs)}
	if len(srcs) > 0 {
		c.r = srcs[0].Rate()
	}
	c.name = "concat(" + names(c.srcs) + ")"
	return c
}

type concat struct {
	r    Rate
	srcs []Source // the one that plays, and those to come
	name string
}

func (c *concat) Rate() Rate     { return c.r }
func (c *concat) String() string { return c.name }

func (c *concat) Read(buf []int16) (int, error) {
	n := 0
	for len(c.srcs) > 0 {
		m, err := c.srcs[0].Read(buf[n:])
		n += m
		if err == nil {
			return n, nil
		}
		if !errors.Is(err, io.EOF) {
			return n, err
		}
		c.srcs = c.srcs[1:]
	}
	if n < len(buf) {
		return n, io.EOF
	}
	return n, nil
}
