package recorder

import (
	"sync"
	"sync/atomic"
	"time"

	"ozswitch/media"
	"ozswitch/media/codec"
	"ozswitch/media/wav"
)

// MaxFrames is the most frames a block may hold: 100 ms.
const MaxFrames = 5

// A Block is up to 100 ms of both directions, as it came and went: payload of the leg's codec.
type Block struct {
	Frames int    // 1 to MaxFrames, of 20 ms each
	In     []byte // from the caller: Frames frames of payload, or nil when nothing came
	Out    []byte // to the caller, likewise
	NoIn   uint8  // bit i set: frame i did not come; the bytes in its place do not matter. Its sound is carried on for 60 ms
	NoOut  uint8
}

// A Recording is one running file.
type Recording struct {
	r        *Recorder
	spec     Spec
	payload  int // bytes of a frame
	file     file
	wav      *wav.Writer
	dirty    atomic.Bool   // written since the last sync
	finished chan struct{} // closed when OnDone has been called

	mu      sync.Mutex
	waiting []entry // a queue: blocks in order
	bytes   []byte  // their payload, in order: waiting[0]'s first
	queued  bool    // in the recorder's queue, or being worked on
	stopped bool
	reason  string
	err     error // the first failure

	w worker // used by one goroutine at a time, as queued says
}

// entry is a block whose payload lies in bytes.
type entry struct {
	frames      int
	in, out     int // lengths, 0 or frames × payload
	noIn, noOut uint8
}

func newRecording(r *Recorder, s Spec) *Recording {
	rec := &Recording{r: r, spec: s, payload: len(s.Codec.Silence), finished: make(chan struct{}), queued: true} // until its file exists
	frame := s.Codec.Rate.Frame()
	rec.w = worker{
		in: codec.NewPatcher(s.Codec), out: s.Codec.NewDecoder(),
		a: make([]int16, frame), b: make([]int16, frame),
		voice: newDetector(s.Codec.Rate), most: int64(s.Codec.Rate.N(s.Max)),
	}
	if s.Max <= 0 {
		rec.w.most = 1<<63 - 1
	}
	return rec
}

// Write adds a block. It copies the payload, never blocks and is safe in the thread that paces calls: a short lock, no
// system call but a worker's waking, no allocation once the buffers have their size. After Stop, or once the recording
// has failed, it does nothing. A block of the wrong size is silence.
func (rec *Recording) Write(b Block) {
	if b.Frames < 1 || b.Frames > MaxFrames {
		return
	}
	if len(b.In) != b.Frames*rec.payload {
		b.In = nil
	}
	if len(b.Out) != b.Frames*rec.payload {
		b.Out = nil
	}
	rec.mu.Lock()
	if rec.stopped || rec.err != nil {
		rec.mu.Unlock()
		return
	}
	if len(rec.bytes)+len(b.In)+len(b.Out) > rec.r.cfg.Buffer {
		rec.err = ErrFull
	} else {
		rec.waiting = append(rec.waiting, entry{b.Frames, len(b.In), len(b.Out), b.NoIn, b.NoOut})
		rec.bytes = append(append(rec.bytes, b.In...), b.Out...)
	}
	wake := !rec.queued
	rec.queued = true
	rec.mu.Unlock()
	if wake {
		rec.r.enqueue(rec)
	}
}

// Stop ends the recording after what was written so far; OnDone follows. Only the first reason counts.
func (rec *Recording) Stop(reason string) {
	rec.mu.Lock()
	if rec.stopped {
		rec.mu.Unlock()
		return
	}
	rec.stopped, rec.reason = true, reason
	wake := !rec.queued
	rec.queued = true
	rec.mu.Unlock()
	if wake {
		rec.r.enqueue(rec)
	}
}

// Behind tells how much sound waits for a worker. More than a moment's means that the disk stalls, and that OnVoice has
// not heard of it.
func (rec *Recording) Behind() time.Duration {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	n := 0
	for _, e := range rec.waiting {
		n += e.frames
	}
	return time.Duration(n) * media.Frame
}

// Name is the final name.
func (rec *Recording) Name() string { return rec.spec.Name }

// fail keeps the first failure and has the recording finished.
func (rec *Recording) fail(err error) {
	rec.mu.Lock()
	if rec.err == nil && err != nil {
		rec.err = err
	}
	wake := !rec.queued
	rec.queued = true
	rec.mu.Unlock()
	if wake {
		rec.r.enqueue(rec)
	}
}
