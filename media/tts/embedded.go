package tts

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"ozswitch/media/worker"
)

// artefacts holds flite.wasm.gz when the program was built after `make assets`.
//
//go:embed all:assets
var artefacts embed.FS

const fliteFile = "assets/flite.wasm.gz"

// ErrNotBuiltIn: the program was built without the embedded voice.
var ErrNotBuiltIn = errors.New("tts: built without the embedded voice; run `make assets` and build again, or set speech.engine to espeak-ng or flite")

// BuiltIn tells whether the embedded voice is in this program: nil or ErrNotBuiltIn.
func BuiltIn() error {
	if _, err := artefacts.Open(fliteFile); err != nil {
		return ErrNotBuiltIn
	}
	return nil
}

// job is what goes to the worker; a sound (formatSound) comes back.
type job struct {
	Voice string `json:"voice"`
	Text  string `json:"text"`
}

// embedded is the switch's side of the embedded voice.
type embedded struct {
	pool *worker.Pool
	n    int
}

func newEmbedded(c Config) (engine, error) {
	if err := BuiltIn(); err != nil {
		return nil, err
	}
	args := c.Args
	if args == nil {
		args = []string{"worker", "tts"}
		if c.CacheDir != "" {
			args = append(args, "--cache", filepath.Join(c.CacheDir, "engine"))
		}
	}
	n := or(c.Workers, min(4, runtime.NumCPU()))
	pool := worker.New(worker.Config{Program: c.Program, Args: args, Env: c.Env, Max: n, StartTimeout: starting, Log: c.Log})
	return &embedded{pool, n}, nil
}

// starting is how long the engine may take to be unpacked and compiled: 2 s, but on a machine that is busy with calls
// (the worker has low priority), or in a test with the race detector, many times that.
const starting = 2 * time.Minute

func (e *embedded) name() string                  { return "flite 2.3 wasm 0.1.1" }
func (e *embedded) run(ctx context.Context) error { return e.pool.Run(ctx) }
func (e *embedded) voices() []string              { return []string{"slt", "kal16", "rms", "awb"} }

func (e *embedded) workers() int  { return e.n }
func (e *embedded) places() int   { return e.n }
func (e *embedded) quick() string { return quickVoice }

func (e *embedded) english(Request, string) bool { return true } // it reads everything as English

// quickVoice makes a piece in 11 to 30 ms, where the good ones need 105 to 210.
const quickVoice = "kal16"

func (e *embedded) pick(r Request) (string, string) {
	return pickEnglish(r, e.voices())
}

// pickEnglish is for engines that know English only.
func pickEnglish(r Request, voices []string) (voice, note string) {
	voice = strings.ToLower(r.Voice)
	if voice == "" {
		voice = voices[0]
	}
	if !slices.Contains(voices, voice) {
		voice = voices[0]
		note = fmt.Sprintf("no voice %q: %s speaks (there are %s)", r.Voice, voice, strings.Join(voices, ", "))
	}
	if !english(r.Language) {
		if note != "" {
			note += "; "
		}
		note += fmt.Sprintf("no voice speaks %q: %s reads it as English (set speech.engine to espeak-ng for other languages)", r.Language, voice)
	}
	return voice, note
}

func english(tag string) bool {
	base, _, _ := strings.Cut(strings.ReplaceAll(tag, "_", "-"), "-")
	return base == "" || strings.EqualFold(base, "en") || strings.EqualFold(base, "english")
}

func (e *embedded) prepare(r Request) string { return normalize(r.Text, dayFirst(r.Language)) }

// dayFirst: of the English-speaking countries only the United States put the month first; "en" alone is theirs.
func dayFirst(tag string) bool {
	tag = strings.ToLower(strings.ReplaceAll(tag, "_", "-"))
	return tag != "" && tag != "en" && tag != "english" && tag != "en-us"
}

func (e *embedded) say(ctx context.Context, voice, text string) (sound, error) {
	b, err := json.Marshal(job{voice, text})
	if err != nil {
		return sound{}, fmt.Errorf("tts: %w", err)
	}
	// A piece is made in half a second; on a machine that is busy with calls (the worker has low priority) in some.
	out, err := e.pool.Do(ctx, worker.Job{Payload: b, Limit: 30 * time.Second})
	if err != nil {
		return sound{}, fmt.Errorf("tts: %s: %w", voice, err)
	}
	s, ok := parseSound(out)
	if !ok {
		return sound{}, fmt.Errorf("tts: %s: %d bytes from the worker that are no sound", voice, len(out))
	}
	return s, nil
}
