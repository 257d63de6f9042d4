package switchtest

import (
	"context"
	"iter"
	"time"

	"ozswitch/media"
	"ozswitch/media/mediatest"
	"ozswitch/media/tts"
	"ozswitch/ozml"
	"ozswitch/ozml/ozmltest"
)

// rate is what the voice makes; the codecs' own, so nothing is resampled.
const rate = media.Rate(8000)

// Length is how long the voice of a World takes for a text: as long as the call
// on paper thinks, or as spelling takes if that is longer.
func Length(text string) time.Duration {
	letters := time.Duration(len(mediatest.Normal(text))) * mediatest.LetterLen
	return max(ozmltest.Estimate(text), (letters + media.Frame - 1).Truncate(media.Frame))
}

// SpeakLength is Length in the shape of ozmltest.Config.
func SpeakLength(u ozml.Utterance) (time.Duration, error) { return Length(u.Text), nil }

// voice is a script.Voice that spells.
type voice struct{}

// Say gives a text in one piece, silence after its last letter included.
func (voice) Say(_ context.Context, r tts.Request) iter.Seq2[tts.Piece, error] {
	return func(yield func(tts.Piece, error) bool) {
		pcm := make([]int16, rate.N(Length(r.Text)))
		copy(pcm, mediatest.Spell(r.Text, rate))
		yield(tts.Piece{Rate: rate, PCM: pcm, Text: r.Text}, nil)
	}
}
