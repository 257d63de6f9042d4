package recorder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"runtime"
	"strings"
	"sync"
	"time"

	"ozswitch/media"
	"ozswitch/media/codec"
	"ozswitch/media/wav"
)

var (
	// ErrFull: the disk took too long and the recording's buffer was full.
	ErrFull = errors.New("recorder: the disk does not keep up; the buffer is full")
	// ErrEnded: the recorder has ended.
	ErrEnded = errors.New("recorder: has ended")
)

// Config says where and how.
type Config struct {
	Dir     *os.Root     // the recordings folder; the caller's to close, after Run has returned
	Workers int          // goroutines that decode and write; 0: one per core
	Buffer  int          // most bytes of payload that wait, per recording; 0: 2 MiB
	Log     *slog.Logger // nil: silent
}

// Spec is one recording.
type Spec struct {
	Name     string        // final name below the folder, with slashes, ending in .wav; its folders are made
	Channels int           // 1: both sides mixed; 2: caller left, switch right
	Codec    *codec.Codec  // of the leg, both ways; the file has its rate
	Max      time.Duration // sound beyond this is left out; 0: no end

	// OnVoice, if set, is told that the caller's voice began (true) or stopped (false), and at which place of the
	// recording: for an end, where the last sound of voice was, which is up to 300 ms ago. It is called from a worker
	// at most 100 ms of sound late, in order, never after OnDone, and must not block.
	OnVoice func(on bool, at time.Duration)

	// OnDone is told the result, exactly once, from a worker, after the file has its name. It must not block.
	OnDone func(Done)

	// Data is kept in the journal and comes back in Done, also after a crash: what the owner needs to report then.
	Data string
}

// Done is the result of a recording.
type Done struct {
	Name     string        // as in Spec; the file's path below the folder. It exists unless Size is 0
	Size     int64         // bytes
	Duration time.Duration // from the samples
	Channels int
	Rate     media.Rate
	Reason   string // as given to Stop; empty after a crash
	Data     string
	Err      error // why the file is not all that should be in it; what was written is kept where possible
}

// A Recorder owns the running recordings of one folder.
type Recorder struct {
	cfg     Config
	journal journal
	turns   chan struct{} // capacity Workers: wakes a worker

	mu    sync.Mutex
	queue []*Recording // with work to do; each at most once
	live  map[*Recording]struct{}
	named []*Recording // finished, but not yet brought to the disk
	ended bool
}

// New returns a recorder; Run starts it.
func New(c Config) *Recorder {
	if c.Workers == 0 {
		c.Workers = runtime.NumCPU()
	}
	if c.Buffer == 0 {
		c.Buffer = 2 << 20
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Recorder{
		cfg: c, journal: journal{dir: c.Dir},
		turns: make(chan struct{}, c.Workers), live: map[*Recording]struct{}{},
	}
}

// Run does the work until ctx ends; then it finishes what still runs, with the reason "shutdown", and returns nil.
func (r *Recorder) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range r.cfg.Workers {
		wg.Go(func() { r.work(stop) })
	}
	wg.Go(func() { r.syncEachSecond(stop) })
	<-ctx.Done()
	r.mu.Lock()
	r.ended = true
	var live []*Recording
	for rec := range r.live {
		live = append(live, rec)
	}
	r.mu.Unlock()
	for _, rec := range live {
		rec.Stop("shutdown")
	}
	for _, rec := range live {
		<-rec.finished
	}
	close(stop)
	wg.Wait()
	r.sync()
	return r.journal.close()
}

// Start makes NAME.part and returns a recording that takes blocks. It fails when the folder cannot be written, the name
// is taken or leads out of the folder; the call goes on without.
func (r *Recorder) Start(s Spec) (*Recording, error) {
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("recorder: start %q: %w", s.Name, err)
	}
	rec := newRecording(r, s)
	r.mu.Lock()
	if r.ended {
		r.mu.Unlock()
		return nil, ErrEnded
	}
	r.live[rec] = struct{}{} // before the file: Run waits for it
	r.mu.Unlock()
	if err := rec.create(); err != nil {
		r.forget(rec)
		return nil, fmt.Errorf("recorder: start %q: %w", s.Name, err)
	}
	rec.yield()
	return rec, nil
}

func (s *Spec) check() error {
	switch {
	case !strings.HasSuffix(s.Name, ".wav"):
		return errors.New("name does not end in .wav")
	case !fs.ValidPath(s.Name) || strings.ContainsRune(s.Name, 0):
		return errors.New("no clean name below the folder")
	case s.Channels != 1 && s.Channels != 2:
		return fmt.Errorf("%d channels", s.Channels)
	case s.Codec == nil:
		return errors.New("no codec")
	}
	return nil
}

// forget ends the recorder's interest in a recording.
func (r *Recorder) forget(rec *Recording) {
	r.mu.Lock()
	delete(r.live, rec)
	r.mu.Unlock()
	close(rec.finished)
}

const part = ".part"

// create makes the folder, the file and the journal's line.
func (rec *Recording) create() error {
	dir, name := rec.r.cfg.Dir, rec.spec.Name
	if d := path.Dir(name); d != "." {
		if err := dir.MkdirAll(d, 0o750); err != nil {
			return err
		}
	}
	if _, err := dir.Lstat(name); err == nil {
		return fs.ErrExist
	}
	f, err := dir.OpenFile(name+part, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o640)
	if err != nil {
		return err
	}
	rec.wav, err = wav.NewWriter(f, rec.spec.Codec.Rate, rec.spec.Channels)
	if err == nil {
		err = rec.r.journal.begin(name, rec.spec.Data)
	}
	if err != nil {
		f.Close()
		dir.Remove(name + part)
		return err
	}
	rec.file = f
	return nil
}
