package bridge

import (
	"context"
	"errors"
	"iter"
	"time"

	"ozswitch/media"
	"ozswitch/media/codec"
	"ozswitch/media/pace"
)

// ErrChanged is returned by Play when the leg goes on in another codec (RFC 3264,
// 8.3): what was to be played is of the old one.
var ErrChanged = errors.New("bridge: the codec of the leg has changed")

// speak goes on in what a later offer agreed on, if that is another codec or has
// other payload types.
func (l *Leg) speak(s speech, keys uint8) error {
	was := l.speaking.Load()
	same := s.co == was.co && is(s.Codec, was.Codec)
	if same && was.PT == s.PT && l.keysPT == keys {
		return nil
	}
	to := pace.Change{Format: s.format(), DTMFPT: keys, Decode: s.decode(), Rate: s.rate(), Same: same}
	if l.keeper != nil && l.keeper.Secret() {
		to.Unkept = keys
	}
	l.mu.Lock()
	err := l.paced.SetFormat(to)
	if err == nil {
		l.speaking.Store(&s)
	}
	if err == nil && !same {
		l.moved.Store(true)
		close(l.changed)
		l.changed = make(chan struct{})
	}
	l.mu.Unlock()
	if err != nil {
		return l.over(err)
	}
	l.keysPT = keys
	l.started(s.Codec)
	return nil
}

// speaks is the codec and what is closed when it becomes another.
func (l *Leg) speaks() (*codec.Codec, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Codec(), l.changed
}

// enqueue hands a clip to the pacer unless the codec that it was made for is gone.
func (l *Leg) enqueue(id uint32, c *pace.Clip, changed <-chan struct{}, over bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-changed:
		return ErrChanged
	default:
		l.lay()
		if over {
			return l.paced.EnqueueOver(id, c, l.mix())
		}
		return l.paced.Enqueue(id, c)
	}
}

// A mixer makes frames of a codec of two such.
type mixer struct {
	co *codec.Codec
	pace.Coder
}

// mix gives the mixer of the codec that the leg has now; it needs mu.
func (l *Leg) mix() pace.Coder {
	if co := l.Codec(); l.mixer == nil || l.mixer.co != co {
		l.mixer = &mixer{co, codec.NewTranscoder(co, co)}
	}
	return l.mixer
}

// PlayIn is Play of a prompt that can be had in any codec. When the leg's becomes
// another in the middle, the prompt is fetched anew and goes on where it was.
func (l *Leg) PlayIn(ctx context.Context, prompt func(*codec.Codec) iter.Seq2[*pace.Clip, error]) (heard time.Duration, err error) {
	return l.playIn(ctx, prompt, false)
}

// PlayOver is PlayIn of a prompt that lies over whatever else the far end hears:
// what is played, whom it is joined with, music. That is lowered by 12 dB meanwhile,
// and its clock goes on (decisions 7.4a).
func (l *Leg) PlayOver(ctx context.Context, prompt func(*codec.Codec) iter.Seq2[*pace.Clip, error]) (heard time.Duration, err error) {
	return l.playIn(ctx, prompt, true)
}

func (l *Leg) playIn(ctx context.Context, prompt func(*codec.Codec) iter.Seq2[*pace.Clip, error], over bool) (heard time.Duration, err error) {
	for {
		co, changed := l.speaks()
		if err := l.Usable(); err != nil {
			return heard, err
		}
		n, err := l.play(ctx, behind(prompt(co), int(heard/media.Frame)), changed, over)
		if heard += n; !errors.Is(err, ErrChanged) {
			return heard, err
		}
	}
}

// behind leaves out the first frames of clips: a frame is as long in every codec.
func behind(clips iter.Seq2[*pace.Clip, error], frames int) iter.Seq2[*pace.Clip, error] {
	if frames == 0 {
		return clips
	}
	return func(yield func(*pace.Clip, error) bool) {
		for c, err := range clips {
			if err == nil && frames > 0 {
				n := min(frames, len(c.Frames))
				frames -= n
				c = &pace.Clip{Frames: c.Frames[n:]}
			}
			if !yield(c, err) {
				return
			}
		}
	}
}
