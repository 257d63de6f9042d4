package tts

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

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
	Engine   string // "", "auto", "embedded": the embedded voice; "espeak-ng", "flite": that program; "http": URL
	Voice    string // for requests without one; "": the engine's default (slt, en)
	Language string // for requests without one; "": the engine's own
	Workers  int    // most pieces made at once; 0: one per core, embedded 4 at most (55 MB each), http 4
	CacheDir string // sentences and the compiled engine are kept here; "": not kept
	Memory   int64  // bytes of sentences kept in memory; 0: 64 MiB
	Disk     int64  // bytes of sentences kept below CacheDir; 0: 1 GiB, negative: no limit
	Log      *slog.Logger

	// Program and Args run a worker of the embedded voice; empty: this program with "worker tts". A test binary must
	// set Program to itself and call Serve from its TestMain.
	Program string
	Args    []string
	Env     []string

	// For the engine http, see web.
	URL     string        // gets the text
	Timeout time.Duration // of one piece, from the connection to the last byte; 0: 10 s
	Dial    Dial          // connects; nil: to any address
	Client  *http.Client  // nil: one of its own, by Dial, without proxies and redirects
}

// Dial connects as net.Dialer's DialContext does.
type Dial = func(ctx context.Context, network, address string) (net.Conn, error)

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

	// Quick: the voice that was asked for did not come within a second, so the quick one speaks this piece. What is made
	// of it must not be kept under the name of the other.
	Quick bool
}

// Voice turns texts into speech.
type Voice struct {
	cfg    Config
	main   *maker
	spare  *maker // has the quick voice, when the engine has none itself; or nil
	memory *memory
	disk   *disk

	mu        sync.Mutex
	flights   map[string]*flight
	ended     bool
	preparing int            // calls of Prepare
	wg        sync.WaitGroup // flights
}

// engine makes the sound of one piece.
type engine interface {
	name() string
	// pick says which of the engine's voices answers a request, and what of it cannot be had.
	pick(r Request) (voice, note string)
	// prepare makes of a request's whole text what may be cut into pieces.
	prepare(r Request) string
	// say makes the sound of one piece.
	say(ctx context.Context, voice, text string) (sound, error)
	run(ctx context.Context) error
	voices() []string
	workers() int // processes that stay and are worth warming
	places() int  // how many pieces it makes at once
	// quick names the voice for those who have waited too long; "": it has none.
	quick() string
	// english tells whether what pick gave speaks English, as far as is known.
	english(r Request, voice string) bool
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
	e, err := newEngine(c)
	if err != nil {
		return nil, err
	}
	v.main = newMaker(e)
	if e.quick() == "" {
		c.Workers = 1
		if e, err := newEmbedded(c); err == nil { // else all wait
			v.spare = newMaker(e)
		}
	}
	if c.CacheDir != "" {
		if err := os.MkdirAll(filepath.Join(c.CacheDir, "speech"), 0o750); err != nil {
			return nil, fmt.Errorf("tts: cache: %w", err)
		}
		v.disk = &disk{dir: filepath.Join(c.CacheDir, "speech"), most: or(c.Disk, 1<<30), log: c.Log}
	}
	return v, nil
}

func newEngine(c Config) (engine, error) {
	switch c.Engine {
	case "", "auto", "embedded":
		return newEmbedded(c)
	case "espeak-ng", "flite":
		return newProgram(c)
	case "http":
		return newWeb(c)
	}
	return nil, fmt.Errorf("tts: unknown engine %q: auto, espeak-ng, flite or http", c.Engine)
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
	wg.Go(func() { err = v.main.engine.run(ctx) })
	if v.spare != nil {
		wg.Go(func() { _ = v.spare.engine.run(ctx) })
	}
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
	e := v.main.engine
	voice, _ := e.pick(v.whole(Request{}))
	errs := make([]error, e.workers())
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { _, errs[i] = e.say(ctx, voice, "ready") })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// Engine names the engine, for doctor and logs.
func (v *Voice) Engine() string { return v.main.engine.name() }

// Voices lists the names a Request may give.
func (v *Voice) Voices() []string { return v.main.engine.voices() }

// whole fills in what a request leaves to the configuration.
func (v *Voice) whole(r Request) Request {
	r.Voice = or(r.Voice, v.cfg.Voice)
	r.Language = or(r.Language, v.cfg.Language)
	return r
}

// Say yields a text piece by piece; the next piece is being made while one is looked at. The first is short (12 words),
// so that it comes soon; if it does not come within a second the quick voice speaks it, where there is one for the
// language. An unknown voice or language is spoken by the default voice and remarked in the first Piece's Note. After an
// error nothing follows: ErrNothing, ErrSilent, ErrBusy, context.Cause(ctx), or what became of the engine. It needs Run.
func (v *Voice) Say(ctx context.Context, r Request) iter.Seq2[Piece, error] {
	return func(yield func(Piece, error) bool) {
		r := v.whole(r)
		voice, note := v.main.engine.pick(r)
		parts := split(v.main.engine.prepare(r))
		if len(parts) == 0 {
			yield(Piece{}, ErrNothing)
			return
		}
		next := v.fly(v.main, voice, parts[0], first)
		defer func() {
			if next != nil {
				v.drop(next)
			}
		}()
		for i, p := range parts {
			f := next
			next = nil
			if i+1 < len(parts) {
				next = v.fly(v.main, voice, parts[i+1], later)
			}
			var s sound
			var quick bool
			var err error
			if i == 0 {
				s, quick, err = v.landFirst(ctx, f, r, voice, p)
			} else {
				s, err = v.land(ctx, f)
			}
			if err != nil {
				yield(Piece{}, err)
				return
			}
			if !yield(Piece{Rate: s.rate, PCM: s.pcm, Text: p.text, Note: note, Quick: quick}, nil) {
				return
			}
			note = ""
		}
	}
}
