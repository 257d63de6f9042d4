package recorder

import (
	"time"

	"ozswitch/media"
)

// The numbers of a trimmed recording.
const (
	margin = 200 * time.Millisecond // what is kept before the first voice and after the last
	empty  = 500 * time.Millisecond // of a recording in which there was none: every player opens such a file
	lag    = 2 * time.Second        // at most so late it is certain that voice was voice
	loud   = -35.0                  // dB below full scale: nothing that lasts and is louder is the noise of a line
	lasts  = 5                      // frames that make it last: a click does not
)

// A trim leaves out the silence before the first sound and after the last. Sound is
// the voice of either direction, or whatever lasts and is loud; the noise of a line
// and comfort noise are none. What comes before the first sound is never written,
// so a file is good at any moment; what comes after the last is cut at the end.
// Places are counted in samples of the recording, silence included.
type trim struct {
	rate     media.Rate
	channels int
	lanes    [2]lane
	held     []int16 // not written yet: the last moments before the first sound
	n        int64   // taken
	skipped  int64   // of those, not written
	began    bool
	end      int64 // of the last sound
}

// A lane is one direction.
type lane struct {
	voice *detector
	from  int64 // where its voice began, which is not certain yet
	loud  int   // frames in a row
}

func newTrim(r media.Rate, channels int) *trim {
	t := &trim{rate: r, channels: channels}
	t.lanes[0].voice, t.lanes[1].voice = newDetector(r), newDetector(r)
	return t
}

// frame takes a whole frame of both directions, and what came of them for the
// file; it returns what is to be written now.
func (t *trim) frame(a, b []int16, heardA, heardB bool, mixed, dst []int16) []int16 {
	first := int64(-1)
	for i, pcm := range [2][]int16{a, b} {
		present := [2]bool{heardA, heardB}[i]
		if from, to, ok := t.lanes[i].frame(t.rate, t.n, pcm, present); ok {
			if first < 0 || from < first {
				first = from
			}
			t.end = max(t.end, to)
		}
	}
	return t.take(len(a), first, mixed, dst)
}

// take keeps sound that is not written yet, or lets it pass once there was some at
// first.
func (t *trim) take(n int, first int64, mixed, dst []int16) []int16 {
	t.n += int64(n)
	if t.began {
		return append(dst, mixed...)
	}
	t.held = append(t.held, mixed...)
	if first >= 0 {
		t.began = true
		t.forget(t.n - max(0, first-int64(t.rate.N(margin))))
		dst = append(dst, t.held...)
		t.held = nil
		return dst
	}
	if most := int64(t.rate.N(lag + margin)); int64(len(t.held)/t.channels) > 2*most {
		t.forget(most)
	}
	return dst
}

// forget keeps the last n samples of what is held.
func (t *trim) forget(n int64) {
	if drop := int64(len(t.held)/t.channels) - n; drop > 0 {
		t.held = t.held[:copy(t.held, t.held[drop*int64(t.channels):])]
		t.skipped += drop
	}
}

// rest is what is to be written at the end, and how many samples the file then
// shall have.
func (t *trim) rest() (pcm []int16, samples int64) {
	for i := range t.lanes {
		if l := &t.lanes[i]; l.voice.on && l.voice.moved {
			t.end = max(t.end, l.heard(t.rate))
		}
	}
	if !t.began {
		t.forget(int64(t.rate.N(empty)))
		return t.held, int64(len(t.held) / t.channels)
	}
	return nil, min(t.n, t.end+int64(t.rate.N(margin))) - t.skipped
}

// heard is the end of the last frame with voice.
func (l *lane) heard(r media.Rate) int64 { return int64(l.voice.voiced) * int64(r.Frame()) }

// frame takes the frame at a place, and tells from where to where it is certain
// now that there is sound.
func (l *lane) frame(r media.Rate, at int64, pcm []int16, present bool) (from, to int64, ok bool) {
	end := at + int64(len(pcm))
	switch change, ago := l.voice.frame(pcm, present); change {
	case voiceBegan:
		l.from = max(0, at-int64(r.N(ago)))
	case voiceEnded:
		if to = end - int64(r.N(ago)); to > l.from {
			from, ok = l.from, true
		}
	default:
		if l.voice.on && l.voice.moved {
			from, to, ok = l.from, l.heard(r), true
		}
	}
	if l.loud++; !present || l.voice.latest[(l.voice.next+window-1)%window] < loud {
		l.loud = 0
	}
	if l.loud < lasts {
		return from, to, ok
	}
	if begun := end - int64(l.loud*r.Frame()); !ok || begun < from {
		from = begun
	}
	return from, end, true
}
