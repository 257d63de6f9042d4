package tts

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"ozswitch/media"
)

var (
	// ErrNothing: the text holds nothing that the voice can say.
	ErrNothing = errors.New("tts: nothing to say")
	// ErrSilent: the engine made no sound of a text that should have given some.
	ErrSilent = errors.New("tts: the voice made no sound")
	// ErrEnded: the voice has ended.
	ErrEnded = errors.New("tts: has ended")
)

// Config says which engine speaks and what it may use. The zero value is the embedded voice, cached in memory only.
type Config struct {
	Engine   string // "", "auto", "embedded": the embedded voice; "espeak-ng", "flite": that program
	Voice    string // for requests without one; "": the engine's default (slt, en)
	Workers  int    // most sentences made at once; 0: one per core, 4 at most (55 MB each)
	CacheDir string // sentences and the compiled engine are kept here; "": not kept
	Memory   int64  // bytes of sentences kept in memory; 0: 64 MiB
	Disk     int64  // bytes of sentences kept below CacheDir; 0: 1 GiB
	Log      *slog.Logger

	// Program and Args run a worker of the embedded voice; empty: this program with "worker tts". A test binary must
	// set Program to itself and call Serve from its TestMain.
	Program string
	Args    []string
	Env     []string
}

// Request is something to be said.
type Request struct {
	Text     string
	Language string // a tag such as en-GB; "": the voice's own
	Voice    string // one of Voices; "": the default
}

// Piece is a stretch of speech: at most a sentence, the silence after it included.
type Piece struct {
	Rate media.Rate
	PCM  []int16 // shared with other calls: read only
	Text string  // what is said in it, as given to the engine
	Note string  // a remark for the author of the script, on the first piece only: "no voice ..."
}

// Voice turns texts into speech.
type Voice struct {
	cfg    Config
	engine engine
	memory *memory
	disk   *disk

	mu      sync.Mutex
	flights map[string]*flight
	ended   bool
	wg      sync.WaitGroup // flights
}

// engine makes the sound of one piece.
type engine interface {
	name() string
	// pick says which of the engine's voices answers a request, and what of it cannot be had.
	pick(r Request) (voice, note string)
	// prepare makes of a request's whole text what may be cut into pieces.
	prepare(r Request) string
	// say makes the sound of one piece, of even level. first: somebody waits in silence.
	say(ctx context.Context, voice, text string, first bool) (sound, error)
	run(ctx context.Context) error
	voices() []string
	workers() int // processes that stay and are worth warming
}

// sound is what an engine makes.
type sound struct {
	rate media.Rate
	pcm  []int16
}

// New returns a voice; Run starts it. It fails when the engine is unknown, is not installed, or was not built in (the
// error names the command that fetches it).
func New(c Config) (*Voice, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	v := &Voice{cfg: c, memory: newMemory(or(c.Memory, 64<<20)), flights: map[string]*flight{}}
	var err error
	switch c.Engine {
	case "", "auto", "embedded":
		v.engine, err = newEmbedded(c)
	case "espeak-ng", "flite":
		v.engine, err = newProgram(c)
	default:
		err = fmt.Errorf("tts: unknown engine %q: auto, espeak-ng or flite", c.Engine)
	}
	if err != nil {
		return nil, err
	}
	if c.CacheDir != "" {
		if err := os.MkdirAll(filepath.Join(c.CacheDir, "speech"), 0o750); err != nil {
			return nil, fmt.Errorf("tts: cache: %w", err)
		}
		v.disk = &disk{dir: filepath.Join(c.CacheDir, "speech"), most: or(c.Disk, 1<<30), log: c.Log}
	}
	return v, nil
}

func or[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}

// Run keeps the engine's processes and the cache until ctx ends, and returns when everything has.
func (v *Voice) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	var err error
	wg.Go(func() { err = v.engine.run(ctx) })
	if v.disk != nil {
		wg.Go(func() { v.disk.run(ctx) })
	}
	<-ctx.Done()
	v.mu.Lock()
	v.ended = true
	for _, f := range v.flights {
		f.cancel(ErrEnded)
	}
	v.mu.Unlock()
	wg.Wait()
	v.wg.Wait()
	return err
}

// Warm makes one short sentence in each worker, past all caches, so that no caller waits for an engine's start. It
// needs Run.
func (v *Voice) Warm(ctx context.Context) error {
	voice, _ := v.engine.pick(Request{Voice: v.cfg.Voice})
	errs := make([]error, v.engine.workers())
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { _, errs[i] = v.engine.say(ctx, voice, "ready", true) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// Engine names the engine, for doctor and logs.
func (v *Voice) Engine() string { return v.engine.name() }

// Voices lists the names a Request may give.
func (v *Voice) Voices() []string { return v.engine.voices() }

// Say yields a text piece by piece; the next piece is being made while one is looked at. The first is short (12 words),
// so that it comes soon. An unknown voice or language is spoken by the default voice and remarked in the first Piece's
// Note. After an error nothing follows: ErrNothing, ErrSilent, context.Cause(ctx), or what became of the engine. It
// needs Run.
func (v *Voice) Say(ctx context.Context, r Request) iter.Seq2[Piece, error] {
	return func(yield func(Piece, error) bool) {
		if r.Voice == "" {
			r.Voice = v.cfg.Voice
		}
		voice, note := v.engine.pick(r)
		parts := split(v.engine.prepare(r))
		if len(parts) == 0 {
			yield(Piece{}, ErrNothing)
			return
		}
		next := v.fly(voice, parts[0], true)
		defer func() {
			if next != nil {
				v.drop(next)
			}
		}()
		for i, p := range parts {
			f := next
			next = nil
			if i+1 < len(parts) {
				next = v.fly(voice, parts[i+1], false)
			}
			s, err := v.land(ctx, f)
			if err != nil {
				yield(Piece{}, err)
				return
			}
			if !yield(Piece{Rate: s.rate, PCM: s.pcm, Text: p.text, Note: note}, nil) {
				return
			}
			note = ""
		}
	}
}
