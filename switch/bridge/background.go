package bridge

import (
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"sync"
	"time"

	"ozswitch/media"
	"ozswitch/media/codec"
	"ozswitch/media/pace"
	"ozswitch/switch/call"
)

// A background is what a leg hears while nothing is played to it: a prompt
// interrupts it, and it goes on. It may be wanted before the leg is connected.
type background uint8

const (
	quiet background = iota
	ringback
	music
)

// Ringback plays the ringing tone to a leg, or ends it. Where music is wanted too the
// tone is heard.
func (b *Bridge) Ringback(id call.LegID, on bool) { b.want(id, ringback, on) }

// Music plays hold music to a leg, or ends it.
func (b *Bridge) Music(id call.LegID, on bool) { b.want(id, music, on) }

func (b *Bridge) want(id call.LegID, what background, on bool) {
	l := b.Leg(id)
	if l == nil {
		return
	}
	l.mu.Lock()
	l.wants[what] = on
	l.mu.Unlock()
	l.setBackground(false)
}

// setBackground brings the leg what it wants to hear, if that is not so already;
// anew says that its codec has become another.
func (l *Leg) setBackground(anew bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	is := quiet
	switch {
	case l.wants[ringback]:
		is = ringback
	case l.wants[music]:
		is = music
	}
	if !l.ready.Load() || is == l.back && !anew {
		return
	}
	l.back = is
	co := l.Codec()
	switch {
	case is == quiet:
		l.paced.SetBackground(nil)
	case co != nil:
		l.b.wg.Go(func() { l.bring(is, co) })
	}
}

// bring makes the clip, which may take a while, and plays it if it is still wanted.
func (l *Leg) bring(is background, co *codec.Codec) {
	defer func() {
		if v := recover(); v != nil {
			l.panicked(v, string(debug.Stack()))
		}
	}()
	c, err := l.b.backs.clip(l.b, is, co)
	if err != nil {
		l.b.c.Slog.Warn("no background for a call", "leg", l.id, "err", err)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.back == is && l.Codec() == co {
		l.paced.SetBackground(c)
	}
}

// backs keeps backgrounds coded, once for each codec; all calls share them.
type backs struct {
	mu    sync.Mutex
	clips map[back]*pace.Clip
	tune  *media.Buffer // the file of hold music, read once
}

type back struct {
	is background
	co *codec.Codec
}

func (k *backs) clip(b *Bridge, is background, co *codec.Codec) (*pace.Clip, error) {
	k.mu.Lock() // also while it is made: whoever comes next needs the same
	defer k.mu.Unlock()
	if c := k.clips[back{is, co}]; c != nil {
		return c, nil
	}
	var src media.Source
	if is == ringback {
		tone := ringing[country(b.c.Country)]
		src = tone.source(co.Rate)
	} else {
		src = k.music(b, co.Rate)
	}
	frames, err := co.Frames(src)
	if err != nil {
		return nil, fmt.Errorf("bridge: make a background: %w", err)
	}
	if k.clips == nil {
		k.clips = map[back]*pace.Clip{}
	}
	c := &pace.Clip{Frames: frames}
	k.clips[back{is, co}] = c
	return c, nil
}

// music is the file of hold music, else a melody of our own.
func (k *backs) music(b *Bridge, r media.Rate) media.Source {
	if k.tune == nil {
		k.tune = &media.Buffer{}
		if b.c.Music != nil {
			if err := k.read(b.c.Music); err != nil {
				b.c.Slog.Warn("the hold music cannot be played: the built-in melody is", "err", err)
			}
		}
	}
	if len(k.tune.PCM) == 0 {
		return melody(r)
	}
	return media.Samples(k.tune.R, k.tune.PCM) // Frames resamples it
}

// longestTune bounds what hold music takes of memory.
const longestTune = 10 * time.Minute

// read reads the file, at 16 kHz, its beginning if it is long.
func (k *backs) read(open func() (media.Source, error)) error {
	src, err := open()
	if err != nil || src == nil {
		return err
	}
	const rate = media.Rate(16000)
	src = media.Resample(src, rate)
	pcm := make([]int16, rate.Frame())
	for len(k.tune.PCM) < rate.N(longestTune) {
		n, err := src.Read(pcm)
		k.tune.PCM = append(k.tune.PCM, pcm[:n]...)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	k.tune.R = rate
	return nil
}
