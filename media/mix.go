package media

import (
	"errors"
	"io"
)

// Mix adds sources up, clipping at full scale, until the last of them ends. It
// runs at the rate of the first and resamples the others to it. Mixing nothing
// is an empty source of 8 kHz.
func Mix(srcs ...Source) Source {
	m := &mix{r: 8000, srcs: oneRate(srcs)}
	if len(srcs) > 0 {
		m.r = srcs[0].Rate()
	}
	m.name = "mix(" + names(m.srcs) + ")"
	return m
}

// oneRate brings all sources to the rate of the first, in a slice of its own.
func oneRate(srcs []Source) []Source {
	out := make([]Source, len(srcs))
	for i, s := range srcs {
		out[i] = Resample(s, srcs[0].Rate())
	}
	return out
}

type mix struct {
	r    Rate
	srcs []Source // those that have not ended
	sum  []int32
	one  []int16
	name string
}

func (m *mix) Rate() Rate     { return m.r }
func (m *mix) String() string { return m.name }

func (m *mix) Read(buf []int16) (int, error) {
	if len(m.one) < len(buf) { // grows to the largest read, then never again
		m.one, m.sum = make([]int16, len(buf)), make([]int32, len(buf))
	}
	sum, one := m.sum[:len(buf)], m.one[:len(buf)]
	clear(sum)
	longest, live := 0, m.srcs[:0]
	for _, s := range m.srcs {
		n, err := s.Read(one)
		for i, v := range one[:n] {
			sum[i] += int32(v)
		}
		longest = max(longest, n)
		if err == nil {
			live = append(live, s)
		} else if !errors.Is(err, io.EOF) {
			return 0, err
		}
	}
	clear(m.srcs[len(live):])
	m.srcs = live
	for i, v := range sum[:longest] {
		buf[i] = int16(min(max(v, -32768), 32767))
	}
	if longest < len(buf) {
		return longest, io.EOF
	}
	return longest, nil
}
