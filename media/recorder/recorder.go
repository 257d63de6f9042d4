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
	"ozswitch/media/mp3"
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
	Workers int          // goroutines that decode and write, and as many files encoded at once; 0: one per core
	Buffer  int          // most bytes of payload that wait, per recording; 0: 2 MiB
	MP3     mp3.Config   // what makes mp3 files
	Encoder Encoder      // nil: an mp3.Encoder of MP3; Run runs it
	Log     *slog.Logger // nil: silent

	// Late is told what Recover does not return, because its mp3 is made meanwhile. As OnDone it must not block; nil:
	// nobody wants to know.
	Late func(Done)
}

// An Encoder makes mp3 files; mp3.Encoder is one.
type Encoder interface {
	Run(ctx context.Context) error
	Ready() error // why none can be made
	Encode(ctx context.Context, s mp3.Sound) (size int64, err error)
}

// file is what a recording is written to.
type file interface {
	wav.File
	Sync() error
	Close() error
}

// Spec is one recording.
type Spec struct {
	Name     string        // final name below the folder, with slashes, ending in .wav or .mp3; its folders are made
	Channels int           // 1: both sides mixed; 2: caller left, switch right
	Codec    *codec.Codec  // of the leg, both ways; the file has its rate
	Max      time.Duration // sound beyond this is left out; 0: no end
	Trim     bool          // the silence before the first sound and after the last is left out; see trim

	// OnVoice, if set, is told that the caller's voice began (true) or stopped (false), and at which place of the
	// recording: for an end, where the last sound of voice was, which is up to 300 ms ago. When a noise began that was
	// taken for voice (for a quarter of a second), it is where voice stopped before it. It is called from a worker
	// at most 100 ms of sound late, in order, never after OnDone, and must not block.
	OnVoice func(on bool, at time.Duration)

	// OnDone is told the result, exactly once, from a worker, after the file has its name (or is Postponed). It must not
	// block. It owes Done.Told, or the next start's Recover tells it again.
	OnDone func(Done)

	// Data is kept in the journal and comes back in Done, also after a crash: what the owner needs to report then.
	Data string
}

// Done is the result of a recording.
type Done struct {
	Name     string        // the file's path below the folder; as in Spec, but .wav when no mp3 could be made
	Size     int64         // bytes; 0: there is no file
	Duration time.Duration // from the samples
	Channels int
	Rate     media.Rate // as recorded
	Reason   string     // as given to Stop; empty when a crash ended it
	Data     string
	Err      error  // why the file is not all that should be in it; what was written is kept where possible
	Note     string // why it is a wav file though an mp3 was wanted

	// Postponed: the recorder ends before the mp3 is made. The sound lies in NAME.part; the next start's Recover makes
	// the file and tells it then.
	Postponed bool

	settle func()
}

// Told says that whoever must know of this result does, or will, whatever happens to this process. Until then a crash
// makes the next start's Recover tell it again.
func (d Done) Told() {
	if d.settle != nil {
		d.settle()
	}
}

// A Recorder owns the running recordings of one folder.
type Recorder struct {
	cfg     Config
	journal journal
	open    func(name string) (file, error) // makes a new file below the folder
	turns   chan struct{}                   // capacity Workers: wakes a worker
	encodes chan struct{}                   // likewise, for those that encode
	halt    chan struct{}                   // closed by Postpone

	mu        sync.Mutex
	queue     []*Recording // with work to do; each at most once
	live      map[*Recording]struct{}
	named     []named // finished, but not yet brought to the disk
	tasks     []*task // to be encoded, the shortest first
	ended     bool
	postponed bool
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
	if c.Encoder == nil {
		if c.MP3.Workers == 0 {
			c.MP3.Workers = c.Workers
		}
		if c.MP3.Log == nil {
			c.MP3.Log = c.Log
		}
		c.Encoder = mp3.NewEncoder(c.MP3)
	}
	return &Recorder{
		cfg: c, journal: journal{dir: c.Dir}, turns: make(chan struct{}, c.Workers), encodes: make(chan struct{}, c.Workers),
		halt: make(chan struct{}), live: map[*Recording]struct{}{},
		open: func(name string) (file, error) {
			return c.Dir.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o640)
		},
	}
}

// MP3 tells why no mp3 files can be made; nil when they can.
func (r *Recorder) MP3() error { return r.cfg.Encoder.Ready() }

// Run does the work until ctx ends; then it finishes what still runs, with the reason "shutdown", leaves mp3 files that
// are not made to the next start, and returns nil.
func (r *Recorder) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	stop := make(chan struct{})
	encoding, cease := context.WithCancel(context.WithoutCancel(ctx))
	defer cease()
	for range r.cfg.Workers {
		wg.Go(func() { r.work(stop) })
		wg.Go(func() { r.encodeAll(encoding) })
	}
	wg.Go(func() { r.syncEachSecond(stop) })
	wg.Go(func() { <-r.halt; cease() })
	wg.Go(func() {
		if err := r.cfg.Encoder.Run(encoding); err != nil {
			r.cfg.Log.Error("no mp3 files are made", "err", err)
		}
	})
	<-ctx.Done()
	r.mu.Lock()
	r.ended = true
	var live []*Recording
	for rec := range r.live {
		live = append(live, rec)
	}
	r.mu.Unlock()
	r.Postpone()
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

// patience is how long Start waits for the file.
const patience = 500 * time.Millisecond

// Start makes NAME.part and returns a recording that takes blocks. It fails when the folder cannot be written, the name
// is taken or leads out of the folder; the call goes on without. A disk that stalls does not hold it up for long: the
// recording then begins in memory, and what fails is told by OnDone.
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
	made, left := make(chan error), make(chan struct{})
	go func() { // ends with the file; Run waits for the recording, and so for this
		err := rec.create()
		if err != nil {
			err = fmt.Errorf("recorder: start %q: %w", s.Name, err)
		}
		select {
		case made <- err:
		case <-left:
			rec.began(err)
		}
	}()
	wait := time.NewTimer(patience)
	defer wait.Stop()
	select {
	case err := <-made:
		if err != nil {
			r.forget(rec)
			return nil, err
		}
		rec.began(nil)
	case <-wait.C:
		close(left)
	}
	return rec, nil
}

// began lets the workers at a recording whose file is there, or ends one whose file could not be made in the end.
func (rec *Recording) began(err error) {
	if err == nil {
		rec.yield()
		return
	}
	rec.mu.Lock()
	rec.stopped, rec.err = true, err
	d := Done{Name: rec.spec.Name, Channels: rec.spec.Channels, Rate: rec.spec.Codec.Rate, Data: rec.spec.Data, Reason: rec.reason, Err: err}
	rec.mu.Unlock()
	rec.tell(d)
	rec.r.forget(rec)
}

func (s *Spec) check() error {
	switch {
	case !strings.HasSuffix(s.Name, ".wav") && !isMP3(s.Name):
		return errors.New("name does not end in .wav or .mp3")
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

func isMP3(name string) bool { return strings.HasSuffix(name, ".mp3") }

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
	f, err := rec.r.open(name + part)
	if err != nil {
		return err
	}
	rec.wav, err = wav.NewWriter(f, rec.spec.Codec.Rate, rec.spec.Channels)
	if err == nil {
		err = rec.r.journal.begin(name, rec.spec.Data)
	}
	if err != nil {
		_ = rec.r.journal.forget(name) // what could not be begun, as on a full disk
		f.Close()
		dir.Remove(name + part)
		return err
	}
	rec.file = f
	return nil
}
