package recorder

import (
	"time"

	"ozswitch/media"
)

// A Span is a stretch of a sound, counted from its beginning.
type Span struct{ From, To time.Duration }

// Voice tells where somebody talks in a sound: what keeps a recording with
// Inactivity going. It is the same judgement as on a live call, so a test on
// paper can be told by a sound file when its caller talks.
func Voice(r media.Rate, pcm []int16) (talks []Span) {
	d, n := newDetector(r), r.N(media.Frame)
	at := time.Duration(0) // the end of the frame
	for on := true; on || d.on; {
		at += media.Frame
		var frame []int16
		if on = len(pcm) >= n; on {
			frame, pcm = pcm[:n], pcm[n:]
		}
		switch change, before := d.frame(frame, on); change {
		case voiceBegan:
			talks = append(talks, Span{From: at - media.Frame - before})
		case voiceEnded:
			last := &talks[len(talks)-1]
			if last.To = at - before; last.To <= last.From { // it was noise that began
				talks = talks[:len(talks)-1]
			}
		}
	}
	return talks
}
