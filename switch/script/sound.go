package script

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"ozswitch/media"
	"ozswitch/media/codec"
	"ozswitch/media/mp3"
	"ozswitch/media/pace"
	"ozswitch/media/tts"
	"ozswitch/media/wav"
	"ozswitch/ozml"
	"ozswitch/ozml/trace"
)

// A Voice turns text into sound piece by piece; *tts.Voice is one.
type Voice interface {
	Say(ctx context.Context, r tts.Request) iter.Seq2[tts.Piece, error]
}

// A preparer is a Voice that can make texts before somebody wants them.
type preparer interface {
	Prepare(ctx context.Context, rs ...tts.Request)
}

// Prepare implements ozml.Preparer.
func (c *live) Prepare(ctx context.Context, us []ozml.Utterance) { c.r.prepare(ctx, us, c.line.Sink()) }

// prepare has the voice begin with texts, if it can.
func (r *Runner) prepare(ctx context.Context, us []ozml.Utterance, sink trace.Sink) {
	p, ok := r.c.Voice.(preparer)
	if !ok {
		return
	}
	var rs []tts.Request
	for _, u := range us {
		rs = append(rs, request(u))
	}
	r.wg.Go(func() {
		defer r.guard(sink, "prepare speech")
		p.Prepare(ctx, rs...)
	})
}

func request(u ozml.Utterance) tts.Request {
	return tts.Request{Text: u.Text, Language: u.Language, Voice: u.Voice}
}

// speech is a text as clips of the codec. What was spoken once to its end is
// kept, so that a prompt is resampled and encoded once for all calls; but not
// what the quick voice spoke in place of another.
func (r *Runner) speech(ctx context.Context, co *codec.Codec, u ozml.Utterance, sink trace.Sink) iter.Seq2[*pace.Clip, error] {
	key := strings.Join([]string{"say", co.String(), u.Voice, u.Language, u.Text}, "\x00")
	quick := false
	return r.clips.throughIf(key, func() bool { return !quick }, func(yield func(*pace.Clip, error) bool) {
		for p, err := range r.c.Voice.Say(ctx, request(u)) {
			if err != nil {
				yield(nil, unspoken(ctx, err))
				return
			}
			if p.Note != "" {
				sink.Emit(trace.Event{Type: trace.ScriptWarning, Code: trace.CodeVoice, Text: p.Note})
			}
			if p.Quick {
				quick = true
				sink.Emit(trace.Event{Type: trace.ScriptWarning, Code: trace.CodeQuickVoice, Text: "the voice took longer than a second: the quick voice speaks the first words"})
			}
			frames, err := co.Frames(media.Samples(p.Rate, p.PCM))
			if !yield(&pace.Clip{Frames: frames}, err) || err != nil {
				return
			}
		}
	})
}

// unspoken tells the author of a script why a text was not heard.
func unspoken(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return err
	}
	f := &ozml.Fault{Code: ozml.CodeSpeech, Msg: err.Error(), Err: err}
	if errors.Is(err, tts.ErrNothing) {
		f.Hint = "the text has no letter and no digit that the voice can read"
	}
	return f
}

// prompt is a sound file as clips of a second each.
func (r *Runner) prompt(ctx context.Context, co *codec.Codec, p ozml.Prompt, sink trace.Sink) iter.Seq2[*pace.Clip, error] {
	once := func(yield func(*pace.Clip, error) bool) { r.file(ctx, co, p.File, sink, yield) }
	if !p.Repeat {
		return once
	}
	return func(yield func(*pace.Clip, error) bool) {
		for played, more := true, true; played && more; {
			played = false // a file without sound must not spin
			for c, err := range once {
				played = played || err == nil && len(c.Frames) > 0
				if more = yield(c, err) && err == nil; !more {
					return
				}
			}
		}
	}
}

// file plays a sound file once. If its content has a name it is encoded once for
// all calls, whether anybody hears it to its end or not; what is too long to be
// kept each call encodes for itself as it goes.
func (r *Runner) file(ctx context.Context, co *codec.Codec, name string, sink trace.Sink, yield func(*pace.Clip, error) bool) {
	f, err := r.c.Prompts.Open(ctx, name)
	if err != nil {
		yield(nil, err)
		return
	}
	mine, alone, played := true, f.Key == "", 0
	defer func() {
		if mine {
			f.Close()
		}
	}()
	if !alone {
		begin := func(m *making) {
			mine = false
			r.wg.Go(func() {
				defer f.Close()
				defer m.end(errUnmade)
				defer r.guard(sink, "encode a prompt")
				m.fill(decoded(name, f, co))
			})
		}
		for clip, err := range r.clips.shared(ctx, "play\x00"+co.String()+"\x00"+f.Key, begin) {
			if alone = errors.Is(err, errLong); alone {
				break
			}
			if !yield(clip, err) || err != nil {
				return
			}
			played++
		}
	}
	if !alone {
		return
	}
	if !mine {
		if f, err = r.c.Prompts.Open(ctx, name); err != nil {
			yield(nil, err)
			return
		}
		mine = true
	}
	for clip, err := range decoded(name, f, co) {
		if played--; played >= 0 && err == nil {
			continue
		}
		if !yield(clip, err) || err != nil {
			return
		}
	}
}

// errUnmade is what listeners get of a prompt whose encoding panicked.
var errUnmade = errors.New("the sound file could not be encoded: a fault of the switch")

// decoded is an open sound file as clips of a second each.
func decoded(name string, f io.ReadSeeker, co *codec.Codec) iter.Seq2[*pace.Clip, error] {
	return func(yield func(*pace.Clip, error) bool) {
		src, err := decode(name, f)
		if err != nil {
			yield(nil, fmt.Errorf("Play: %s: %w", name, err))
			return
		}
		encode(src, co, yield)
	}
}

// decode reads a sound file by what it holds, not by its name.
func decode(name string, f io.ReadSeeker) (media.Source, error) {
	var head [4]byte
	if _, err := io.ReadFull(f, head[:]); err != nil {
		return nil, fmt.Errorf("the file is empty or cut off")
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	if string(head[:]) == "RIFF" {
		return wav.NewReader(f)
	}
	return mp3.NewReader(f)
}

// encode gives src second by second.
func encode(src media.Source, co *codec.Codec, yield func(*pace.Clip, error) bool) {
	src = media.Resample(src, co.Rate)
	enc, pcm, out := co.NewEncoder(), make([]int16, co.Rate.Frame()), make([]byte, codec.MaxFrame)
	const second = int(time.Second / media.Frame)
	for end := false; !end; {
		var frames [][]byte
		for len(frames) < second && !end {
			n, err := src.Read(pcm)
			if err != nil && !errors.Is(err, io.EOF) {
				yield(nil, err)
				return
			}
			end = err != nil
			if n > 0 {
				clear(pcm[n:])
				frames = append(frames, append([]byte(nil), out[:enc.Encode(out, pcm)]...))
			}
		}
		if len(frames) > 0 && !yield(&pace.Clip{Frames: frames}, nil) {
			return
		}
	}
}

// beep is 1000 Hz for half a second.
func (r *Runner) beep(co *codec.Codec) iter.Seq2[*pace.Clip, error] {
	return r.clips.through("beep\x00"+co.String(), func(yield func(*pace.Clip, error) bool) {
		frames, err := co.Frames(media.Tone(co.Rate, 1000, -12, 500*time.Millisecond))
		yield(&pace.Clip{Frames: frames}, err)
	})
}
