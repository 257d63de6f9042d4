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

// A Block is up to 100 ms of both directions, as it came and went.
type Block struct {
	Frames int          // 1 to MaxFrames, of 20 ms each
	Codec  *codec.Codec // of all its payloads; nil: that of the Spec. It may change from block to block
	// In and Out are the payloads from the caller and to it. nil: nothing came (the sound is carried on for 60 ms, or it
	// is the rest of a payload longer than a frame), or nothing was sent, which is silence.
	In, Out [MaxFrames][]byte
}

// A Recording is one running file.
type Recording struct {
	r        *Recorder
	spec     Spec
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
	frames  int
	codec   *codec.Codec
	in, out [MaxFrames]uint16 // lengths, each frame's in behind its out
}

func newRecording(r *Recorder, s Spec) *Recording {
	rec := &Recording{r: r, spec: s, finished: make(chan struct{}), queued: true} // until its file exists
	frame := s.Codec.Rate.Frame()
	rec.w = worker{
		a: make([]int16, frame), b: make([]int16, frame),
		voice: newDetector(s.Codec.Rate), most: int64(s.Codec.Rate.N(s.Max)),
	}
	if s.Max <= 0 {
		rec.w.most = 1<<63 - 1
	}
	if s.Trim {
		rec.w.trim = newTrim(s.Codec.Rate, s.Channels)
	}
	return rec
}

// Write adds a block. It copies the payload, never blocks and is safe in the thread that paces calls: a short lock, no
// system call but a worker's waking, no allocation once the buffers have their size. After Stop, or once the recording
// has failed, it does nothing. A frame of the wrong size is none.
func (rec *Recording) Write(b Block) {
	if b.Frames < 1 || b.Frames > MaxFrames {
		return
	}
	e := entry{frames: b.Frames, codec: b.Codec}
	if e.codec == nil {
		e.codec = rec.spec.Codec
	}
	size := 0
	for i := range b.Frames {
		e.in[i], e.out[i] = length(e.codec, b.In[i]), length(e.codec, b.Out[i])
		size += int(e.in[i]) + int(e.out[i])
	}
	rec.mu.Lock()
	if rec.stopped || rec.err != nil {
		rec.mu.Unlock()
		return
	}
	if len(rec.bytes)+size > rec.r.cfg.Buffer {
		rec.err = ErrFull
	} else {
		rec.waiting = append(rec.waiting, e)
		for i := range b.Frames {
			rec.bytes = append(append(rec.bytes, b.Out[i][:e.out[i]]...), b.In[i][:e.in[i]]...)
		}
	}
	wake := !rec.queued
	rec.queued = true
	rec.mu.Unlock()
	if wake {
		rec.r.enqueue(rec)
	}
}

// length is that of a payload, 0 of one that is no frame of the codec.
func length(c *codec.Codec, payload []byte) uint16 {
	if c.Lasts == nil && len(payload) != len(c.Silence) || len(payload) > 1<<16-1 {
		return 0
	}
	return uint16(len(payload))
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
