package bridge

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"ozswitch/media"
	"ozswitch/media/dtmf"
	"ozswitch/media/pace"
)

// ahead is how much sound is handed to the pacer before it is due: enough that
// a slow disk or voice is not heard, little enough to throw away at a key.
const ahead = 2 * time.Second

// Play plays clips one after the other, fetching them as they are needed, and
// returns when the last was heard to its end, with the time it was heard. It
// ends early with the cause of ctx (the rest is thrown away at once) or the
// error of clips. The pacer's slot lies within the frame after now, so that
// the end of a prompt is its start plus its length and the next prompt follows
// without a gap (ADR 0009). When the leg's codec becomes another it ends with
// ErrChanged; PlayIn goes on.
func (l *Leg) Play(ctx context.Context, clips iter.Seq2[*pace.Clip, error]) (heard time.Duration, err error) {
	_, changed := l.speaks()
	if err := l.Usable(); err != nil {
		return 0, err
	}
	return l.play(ctx, clips, changed, false)
}

func (l *Leg) play(ctx context.Context, clips iter.Seq2[*pace.Clip, error], changed <-chan struct{}, over bool) (heard time.Duration, err error) {
	var end time.Time // when all that was enqueued will have been heard
	var total time.Duration
	var last chan struct{}
	var id uint32
	timer := time.NewTimer(0)
	defer timer.Stop()
	by := func() time.Duration { return max(0, total-max(0, time.Until(end))) }
	stop := func() (time.Duration, error) {
		if over {
			l.paced.FlushOver()
		} else {
			l.paced.Flush()
		}
		l.drop(id)
		return by(), context.Cause(ctx)
	}
	other := func() (time.Duration, error) {
		l.drop(id)
		return by(), ErrChanged
	}
	for c, err := range clips {
		if ctx.Err() != nil {
			return stop()
		}
		if err != nil {
			return total, err
		}
		if len(c.Frames) == 0 {
			continue
		}
		if last != nil {
			l.drop(id)
		}
		id, last = l.expect()
		if now := time.Now(); end.Before(now) {
			end = now
		}
		if err := l.enqueue(id, c, changed, over); errors.Is(err, ErrChanged) {
			return other()
		} else if err != nil {
			l.drop(id)
			return total, l.over(err)
		}
		n := time.Duration(len(c.Frames)) * media.Frame
		end, total = end.Add(n), total+n
		timer.Reset(time.Until(end) - ahead)
		select {
		case <-timer.C:
		case <-ctx.Done():
			return stop()
		case <-changed:
			return other()
		case <-l.done:
			return total, ErrClosed
		}
	}
	if last == nil {
		return 0, nil
	}
	select {
	case <-last:
	case <-ctx.Done():
		return stop()
	case <-changed:
		return other()
	case <-l.done:
		return total, ErrClosed
	}
	timer.Reset(time.Until(end))
	select {
	case <-timer.C:
		return total, nil
	case <-ctx.Done():
		return stop()
	case <-l.done:
		return total, ErrClosed
	}
}

// ErrClosed is returned by Play and SendKeys when the leg's sound has ended.
var ErrClosed = fmt.Errorf("bridge: the leg is closed")

// over names the error of a leg that is being closed as of one that is.
func (l *Leg) over(err error) error {
	if errors.Is(err, pace.ErrGone) {
		return ErrClosed
	}
	return err
}

// SendKeys sends keys by RFC 4733, or as tones where the far end takes no events,
// and returns when the last was sent.
func (l *Leg) SendKeys(ctx context.Context, keys string) error {
	_, changed := l.speaks()
	id, sent := l.expect()
	err := l.paced.SendKeys(id, keys)
	if !errors.Is(err, pace.ErrNoKeys) {
		changed = nil // events go on in any codec
	} else {
		err = l.sendTones(id, keys)
	}
	if err != nil {
		l.drop(id)
		return l.over(err)
	}
	select {
	case <-sent:
		return nil
	case <-changed:
		l.drop(id)
		return fmt.Errorf("bridge: send keys as tones: %w", ErrChanged)
	case <-ctx.Done():
		l.drop(id)
		return context.Cause(ctx)
	case <-l.done:
		return ErrClosed
	}
}

// TakesEvents tells whether SendKeys sends events, and not tones. It is for a leg
// that is connected.
func (l *Leg) TakesEvents() bool { return l.events.Load() }

// sendTones plays keys. The silence before them lets the two ends of a codec with
// state agree on it.
func (l *Leg) sendTones(id uint32, keys string) error {
	co := l.Codec()
	if co == nil {
		return l.Usable()
	}
	tones, err := dtmf.Keys(co.Rate, keys, 0, 0)
	if err != nil {
		return fmt.Errorf("bridge: send keys: %w", err)
	}
	frames, err := co.Frames(media.Concat(media.Silence(co.Rate, 100*time.Millisecond), tones))
	if err != nil {
		return fmt.Errorf("bridge: send keys: %w", err)
	}
	l.lay()
	return l.paced.Enqueue(id, &pace.Clip{Frames: frames})
}
