package mp3

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"ozswitch/media"
	"ozswitch/media/worker"
)

// artefacts holds mp3.wasm when the program was built after `make assets`.
//
//go:embed all:assets
var artefacts embed.FS

const lameFile = "assets/mp3.wasm"

// ErrNoEncoder: the program was built without the encoder and there is no other.
var ErrNoEncoder = errors.New("mp3: built without the mp3 encoder; run `make assets` and build again, or install lame")

// Config says what encodes, and where.
type Config struct {
	Wasm string // a file to be used instead of the embedded encoder: LAME is under the LGPL, so it can be replaced; "" = none
	Lame string // the lame program; "" = the one on PATH if Wasm is empty, "off" = none

	Program string       // what is executed as worker; "" = this program
	Args    []string     // its arguments; nil = worker mp3
	Env     []string     // additions to its environment, NAME=value
	Workers int          // most processes; 0 = one per core
	Log     *slog.Logger // nil: silent
}

// A Sound is 16-bit PCM, little-endian and interleaved, somewhere in a file.
type Sound struct {
	Dir      string // a folder; nothing outside of it is read or written
	In       string // file below Dir, with slashes
	Offset   int64  // of its first sample, in bytes
	Samples  int64  // per channel
	Rate     media.Rate
	Channels int    // 1 or 2
	Out      string // file below Dir that is made, or made anew
}

// check is what the worker relies on.
func (s Sound) check() error {
	if s.Samples < 0 || s.Offset < 0 || s.Rate < 1000 || s.Rate > 192000 || s.Channels != 1 && s.Channels != 2 {
		return fmt.Errorf("mp3: no such sound: %d samples of %d channels at %d Hz", s.Samples, s.Channels, s.Rate)
	}
	return nil
}

// An Encoder has files encoded by worker processes.
type Encoder struct {
	pool  *worker.Pool
	ready error
}

// NewEncoder looks for what can encode; Run starts it.
func NewEncoder(c Config) *Encoder {
	lame := c.Lame
	switch {
	case lame == "off":
		lame = ""
	case lame == "" && c.Wasm == "":
		lame, _ = exec.LookPath("lame")
	}
	args := c.Args
	if args == nil {
		args = []string{"worker", "mp3"}
	}
	if lame != "" {
		args = append(args, "--lame", lame)
	}
	if c.Wasm != "" {
		args = append(args, "--wasm", c.Wasm)
	}
	w := worker.Config{Program: c.Program, Args: args, Env: c.Env, Max: c.Workers, Log: c.Log}
	return &Encoder{pool: worker.New(w), ready: errors.Join(available(lame, c.Wasm), w.Check())}
}

func available(lame, wasm string) error {
	if wasm != "" {
		if _, err := os.Stat(wasm); err != nil {
			return fmt.Errorf("mp3: the encoder of the configuration: %w", err)
		}
		return nil
	}
	if _, err := artefacts.Open(lameFile); err != nil && lame == "" {
		return ErrNoEncoder
	}
	return nil
}

// Ready tells why nothing can be encoded; nil when it can. ErrNoEncoder is one reason.
func (e *Encoder) Ready() error { return e.ready }

// Run supervises the processes until ctx ends.
func (e *Encoder) Run(ctx context.Context) error { return e.pool.Run(ctx) }

// Encode makes s.Out: 16 kHz, layer III, 32 kbit/s, or 64 for two channels (decision 4.5), on the disk when it returns.
// It returns the file's size; after an error there may be half a file. It takes about a hundredth of the sound's length.
func (e *Encoder) Encode(ctx context.Context, s Sound) (size int64, err error) {
	if e.ready != nil {
		return 0, e.ready
	}
	if s.Dir, err = filepath.Abs(s.Dir); err != nil {
		return 0, fmt.Errorf("mp3: %w", err)
	}
	b, err := json.Marshal(s)
	if err != nil {
		return 0, fmt.Errorf("mp3: %w", err)
	}
	// Ten times what it takes, and a start on a machine that is busy with calls: the worker has low priority.
	limit := time.Minute + s.Rate.D(int(s.Samples))/4
	out, err := e.pool.Do(ctx, worker.Job{Payload: b, Limit: limit})
	if err != nil {
		return 0, fmt.Errorf("mp3: encode %q: %w", s.In, err)
	}
	var r result
	if err := json.Unmarshal(out, &r); err != nil {
		return 0, fmt.Errorf("mp3: encode %q: the worker's answer: %w", s.In, err)
	}
	return r.Size, nil
}

// result is the worker's answer to a Sound.
type result struct{ Size int64 }
