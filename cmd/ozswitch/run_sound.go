package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"ozswitch/media"
	"ozswitch/media/tts"
	"ozswitch/media/wav"
	"ozswitch/ozml"
	"ozswitch/ozml/ozmltest"
	"ozswitch/switch/notify"
	"ozswitch/switch/server"
)

// telephone is the rate of --wav: what most calls sound like.
const telephone media.Rate = 8000

// unknownLength is how long a sound file plays that is not at hand.
const unknownLength = 3 * time.Second

// A runSound knows how long sounds last, and with --wav writes them down.
type runSound struct {
	folder string // of sound files
	strict bool   // it was named: a file that is missing is a fault
	say    func(format string, args ...any)
	spoken map[ozml.Utterance][]int16
	played map[string][]int16 // nil: not at hand

	voice *tts.Voice // nil: lengths are estimated, speech is silence
	file  *os.File   // nil: no --wav
	out   *wav.Writer
	err   error
}

func (r *run) newSound(folder string) (*runSound, error) {
	s := &runSound{
		folder: folder, say: func(f string, a ...any) { talk(r.c, f, a...) },
		spoken: map[ozml.Utterance][]int16{}, played: map[string][]int16{},
	}
	if r.media != "" {
		s.folder, s.strict = r.media, true
	}
	if r.wav == "" {
		return s, nil
	}
	var err error
	s.voice, err = newVoice(server.Speech{})
	switch {
	case errors.Is(err, tts.ErrNotBuiltIn):
		s.say("ozswitch: speech will be silence: %v", err)
	case err != nil:
		return nil, fmt.Errorf("run: %w", err)
	}
	if s.file, err = os.Create(r.wav); err != nil {
		return nil, fmt.Errorf("run: --wav: %w", err)
	}
	if s.out, err = wav.NewWriter(s.file, telephone, 1); err != nil {
		return nil, errors.Join(fmt.Errorf("run: --wav: %w", err), s.file.Close())
	}
	return s, nil
}

// newVoice gives a voice that runs workers of this very program, in tests too.
func newVoice(s server.Speech) (*tts.Voice, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return tts.New(tts.Config{
		Engine: s.Engine, Voice: s.Voice, Language: s.Language, URL: s.URL, Timeout: time.Duration(s.Timeout),
		Dial: notify.OperatorDial(time.Duration(s.Timeout)), Program: self, Log: slog.New(slog.DiscardHandler),
	})
}

// start runs the voice until the function that it returns is called.
func (s *runSound) start(ctx context.Context) (stop func()) {
	if s.voice == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.voice.Run(ctx) // it ends with ctx
	}()
	return func() { cancel(); <-done }
}

// speakLength is that of the voice, nil (estimated) without one.
func (s *runSound) speakLength(ctx context.Context) func(ozml.Utterance) (time.Duration, error) {
	if s.voice == nil {
		return nil
	}
	return func(u ozml.Utterance) (time.Duration, error) {
		pcm, err := s.speech(ctx, u)
		return length(pcm), err
	}
}

// length counts whole frames, as a live call does.
func length(pcm []int16) time.Duration {
	d := telephone.D(len(pcm))
	return (d + media.Frame - 1) / media.Frame * media.Frame
}

// speech says a text once.
func (s *runSound) speech(ctx context.Context, u ozml.Utterance) ([]int16, error) {
	if pcm, ok := s.spoken[u]; ok {
		return pcm, nil
	}
	var all []int16
	for p, err := range s.voice.Say(ctx, tts.Request{Text: u.Text, Language: u.Language, Voice: u.Voice}) {
		switch {
		case errors.Is(err, tts.ErrNothing):
		case err != nil && ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case err != nil:
			return nil, &ozml.Fault{Code: ozml.CodeSpeech, Msg: err.Error(), Err: err}
		default:
			if p.Note != "" {
				s.say("ozswitch: %s", p.Note)
			}
			pcm, err := media.ReadAll(media.Resample(media.Samples(p.Rate, p.PCM), telephone))
			if err != nil {
				return nil, err
			}
			all = append(all, pcm...)
		}
	}
	s.spoken[u] = all
	return all, nil
}

// playLength is that of the file, three seconds when it is not at hand.
func (s *runSound) playLength(ctx context.Context) func(ozml.Prompt) (time.Duration, error) {
	return func(p ozml.Prompt) (time.Duration, error) {
		pcm, err := s.prompt(ctx, p.File)
		switch {
		case ctx.Err() != nil:
			return 0, context.Cause(ctx)
		case err != nil && s.strict:
			return 0, &ozml.Fault{Code: ozml.CodeNoFile, Msg: err.Error(), Err: err}
		case err != nil:
			s.say("ozswitch: %v: taken for %v", err, unknownLength)
			return unknownLength, nil
		}
		return length(pcm), nil
	}
}

// maxPrompt is the size of a sound file by URL (decisions 10).
const maxPrompt = 64 << 20

// prompt reads a sound file once.
func (s *runSound) prompt(ctx context.Context, name string) ([]int16, error) {
	if pcm, ok := s.played[name]; ok && pcm != nil {
		return pcm, nil
	}
	var src io.Reader
	switch {
	case isURL(name):
		web, err := notify.New(notify.Config{Allow: everywhere(), UserAgent: userAgent()})
		if err != nil {
			return nil, err
		}
		page, err := web.Get(ctx, name, nil, maxPrompt, time.Minute, true)
		if err != nil {
			return nil, err
		}
		src = bytes.NewReader(page.Body)
	case !filepath.IsLocal(strings.TrimLeft(name, `/\`)):
		return nil, fmt.Errorf("%s leads out of the folder of sound files", name)
	default:
		f, err := os.Open(filepath.Join(s.folder, name))
		if err != nil {
			return nil, fmt.Errorf("no such sound file: %s", name)
		}
		defer f.Close()
		src = f
	}
	w, err := wav.NewReader(src)
	if err != nil {
		return nil, fmt.Errorf("%s is no WAV file that can be read", name)
	}
	pcm, err := media.ReadAll(media.Resample(w, telephone))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	s.played[name] = pcm
	return pcm, nil
}

// heard writes a sound to its place in the file, nil without a file.
func (s *runSound) heard(ctx context.Context) func(ozmltest.Sound) {
	if s.out == nil {
		return nil
	}
	return func(h ozmltest.Sound) {
		s.silence(h.At)
		n := telephone.N(h.Heard)
		var pcm []int16
		var err error
		switch {
		case h.Beep:
			pcm, err = media.ReadAll(media.Tone(telephone, 1000, -12, 500*time.Millisecond))
		case h.Speak != nil && s.voice != nil:
			pcm, err = s.speech(ctx, *h.Speak)
		case h.Play != nil:
			if pcm, err = s.prompt(ctx, h.Play.File); err != nil {
				return // was told; silence
			}
		}
		s.err = errors.Join(s.err, err)
		for n > 0 && len(pcm) > 0 && s.err == nil {
			part := pcm[:min(n, len(pcm))]
			s.err = s.out.Write(part)
			if n -= len(part); h.Play == nil || !h.Play.Repeat {
				break
			}
		}
	}
}

// silence fills the file up to a time of the call.
func (s *runSound) silence(to time.Duration) {
	quiet := make([]int16, telephone)
	for s.err == nil {
		missing := telephone.N(to) - int(s.out.Samples())
		if missing <= 0 {
			return
		}
		s.err = s.out.Write(quiet[:min(missing, len(quiet))])
	}
}

// finish completes the file of a call of that length.
func (s *runSound) finish(call time.Duration) error {
	if s.out == nil {
		return nil
	}
	s.silence(call)
	return errors.Join(s.err, s.out.Close(), s.file.Close())
}
