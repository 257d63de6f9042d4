package alarm

import (
	"io"
	"time"

	"ozswitch/media"
)

// loudness of our tones in dBFS of their peaks: about -9 dBm0, as panels do it.
const loudness = -12

// A mouth says one thing after another, silence between. What it has said is the
// clock of its owner.
type mouth struct {
	src  media.Source // nil: nothing to say
	said int          // samples
}

func (m *mouth) busy() bool { return m.src != nil }

// say says parts one after another, instead of what is being said.
func (m *mouth) say(parts ...media.Source) { m.src = media.Concat(parts...) }

// read fills buf.
func (m *mouth) read(buf []int16) {
	n := 0
	if m.src != nil {
		var err error
		if n, err = m.src.Read(buf); err != nil { // io.EOF: tones have no other
			m.src = nil
		}
	}
	clear(buf[n:])
	m.said += len(buf)
}

// in is the instant d from now.
func (m *mouth) in(d time.Duration) int { return m.said + Rate.N(d) }

// end is what Read gives: io.EOF once its owner is done and has finished speaking.
func (m *mouth) end(done bool, buf []int16) (int, error) {
	if done && !m.busy() {
		return 0, io.EOF
	}
	m.read(buf)
	return len(buf), nil
}
