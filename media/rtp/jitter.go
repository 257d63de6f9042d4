package rtp

import "time"

// JitterConfig says what a Jitter holds.
type JitterConfig struct {
	Clock   int           // ticks of the timestamp in a second
	Ticks   int           // ticks of one frame of 20 ms
	Silence []byte        // one coded frame of silence; a payload has as many bytes for so many ticks
	Target  time.Duration // how long the first packet is held; 0 = 40 ms

	// For a codec whose payloads are wholes: as in codec.Codec. nil = bytes are time.
	Lasts func(payload []byte) int
	Join  func(dst, a, b []byte) int
}

// maxWhole is the longest payload that is kept whole: that of an Ethernet packet,
// and what Get's dst has room for.
const maxWhole = 1460

// cells is how many frames the buffer has room for: 640 ms.
const cells = 32

const frame = 20 * time.Millisecond

// A Jitter puts packets back in order and in time. It is a strip of cells, one
// for each frame of 20 ms, laid out by timestamp; a payload is written where its
// timestamp says, across cells where the sender's packets are longer or shorter
// than 20 ms, and Get reads one cell after another. So order, copies and gaps
// need no further thought. That is for codecs whose bytes can be cut anywhere
// (G.711, G.722). Payloads of others (Opus) stay whole: one lies in the cell where
// it begins, and the cells that it lasts beyond that stay empty; those that begin in
// one cell are joined.
//
// The first packet is played Target after it came and the others by their
// timestamps. From then on the hold follows the network: when packets come late,
// or with less than 20 ms to spare, it grows by a frame in which nothing is played
// (to be filled by whoever decodes), up to 200 ms; when for four seconds none had
// less than 60 ms to spare, a frame is left out. Both are done in a gap where one
// comes in time. So a sender whose clock runs fast or slow neither piles up delay
// nor runs the buffer dry. When everything comes too late for 100 ms on end, or
// far too early, the sender's time has jumped and the buffer begins anew.
type Jitter struct {
	c    JitterConfig
	data []byte      // cells frames, cell n at (n mod cells)
	have [cells]bool // something was written to the cell
	size int         // bytes of a cell
	part [cells]part // what is in a cell, where payloads are wholes
	join []byte      // for two that are joined; nil = bytes are time

	began  bool      // a first packet came
	runs   bool      // a first frame was due
	wait   time.Time // Get gives nothing before
	lastTS uint32
	pos    int64 // of lastTS, in ticks, the first packet being at cell number cells
	play   int64 // the cell Get reads next
	high   int64 // the highest cell written

	lateSince time.Time // since when nothing but late packets came
	slack     slack
	gets      int // frames taken in this second
	urge      int // frames for which the hold has been too short
	late      int64
	left      int64
	waits     int64
}

// NewJitter makes a buffer.
func NewJitter(c JitterConfig) *Jitter {
	if c.Target <= 0 {
		c.Target = 40 * time.Millisecond
	}
	j := &Jitter{c: c, size: len(c.Silence)}
	if c.Lasts != nil {
		j.size, j.join = maxWhole, make([]byte, maxWhole)
	}
	j.data = make([]byte, cells*j.size)
	return j
}

// A part is a payload that is a whole, in its cell.
type part struct {
	n        int   // bytes
	from, to int64 // ticks
}

// Reset forgets the stream, for one that begins anew with another SSRC.
func (j *Jitter) Reset() { j.began = false }

// Put stores a payload that came at now. A copy of one that was stored does no harm.
func (j *Jitter) Put(now time.Time, ts uint32, payload []byte) {
	length := j.ticks(payload)
	if length <= 0 || j.join != nil && len(payload) > maxWhole {
		return
	}
	if !j.began {
		j.begin(now, ts)
	}
	// Timestamps wrap; positions do not. Only a packet in time moves the mark, so
	// that a stray one cannot lead the following astray.
	pos := j.pos + int64(int32(ts-j.lastTS))
	ticks := int64(j.c.Ticks)
	first, last := floorDiv(pos, ticks), floorDiv(pos+length-1, ticks)
	if early := j.play - first; early > 0 && early <= 2 && !j.runs {
		// The very first packets were out of order: begin that much earlier.
		j.play = first
		j.wait = j.wait.Add(-time.Duration(early) * frame)
	}
	switch {
	case last < j.play:
		j.late++
		j.slack.note(max(first-j.play, -widest))
		if j.lateSince.IsZero() {
			j.lateSince = now
		}
		if now.Sub(j.lateSince) < 100*time.Millisecond {
			return
		}
		j.begin(now, ts)
		pos, first = j.pos, j.play
		last = floorDiv(pos+length-1, ticks)
	case last >= j.play+cells:
		j.begin(now, ts)
		pos, first = j.pos, j.play
		last = floorDiv(pos+length-1, ticks)
	}
	j.lateSince = time.Time{}
	j.lastTS, j.pos = ts, pos
	ahead := first - j.play
	if !j.runs && now.Before(j.wait) {
		ahead += int64((j.wait.Sub(now) + frame - 1) / frame)
	}
	j.slack.note(ahead)
	if last = min(last, j.play+cells-1); j.join != nil {
		j.keep(pos, pos+length, max(first, j.play), payload)
		j.high = max(j.high, last)
		return
	}
	j.write(pos, first, last, payload)
}

// begin starts a strip at ts.
func (j *Jitter) begin(now time.Time, ts uint32) {
	j.began, j.runs, j.wait = true, false, now.Add(j.c.Target)
	j.lastTS, j.pos, j.play, j.high = ts, int64(cells*j.c.Ticks), cells, cells-1
	j.have = [cells]bool{}
	j.lateSince = time.Time{}
	j.gets, j.urge = 0, 0
	j.slack.reset()
}

// write lays payload over the cells from first to last.
func (j *Jitter) write(pos, first, last int64, payload []byte) {
	size := int64(j.size)
	at := pos * size / int64(j.c.Ticks) // in bytes
	for n := first; n <= last; n++ {
		if n < j.play {
			continue // the front of a long packet came too late
		}
		cell := j.data[n%cells*size:][:size]
		if !j.have[n%cells] {
			copy(cell, j.c.Silence)
			j.have[n%cells] = true
		}
		from, to := max(at, n*size), min(at+int64(len(payload)), (n+1)*size)
		if from < to {
			copy(cell[from-n*size:], payload[from-at:to-at])
		}
	}
	j.high = max(j.high, last)
}

// keep puts a payload that is a whole, from tick to tick, into a cell, with those
// that are there. A copy of one that is there is passed over; of one that cannot be
// joined the sound is lost.
func (j *Jitter) keep(from, to, n int64, payload []byte) {
	i := n % cells
	cell, p := j.data[int(i)*j.size:][:j.size], &j.part[i]
	switch {
	case !j.have[i]:
		j.have[i] = true
		*p = part{copy(cell, payload), from, to}
	case j.c.Join == nil || from < p.to && to > p.from:
	default:
		a, b := cell[:p.n], payload
		if from < p.from {
			a, b = b, a
		}
		if n := j.c.Join(j.join, a, b); n > 0 {
			*p = part{copy(cell, j.join[:n]), min(p.from, from), max(p.to, to)}
		}
	}
}

// ticks is how long a payload lasts.
func (j *Jitter) ticks(payload []byte) int64 {
	switch {
	case j.c.Lasts != nil:
		return int64(j.c.Lasts(payload))
	case len(j.c.Silence) == 0:
		return 0 // of a codec that nobody knows nothing is kept
	}
	return int64(len(payload)) * int64(j.c.Ticks) / int64(len(j.c.Silence))
}

// Get takes the frame that is due now into dst, which must have room for one,
// and returns its length: 0 when there is nothing to play, which is silence, or the
// rest of a payload that is longer than a frame. It is called once each 20 ms.
func (j *Jitter) Get(now time.Time, dst []byte) int {
	if !j.began || now.Before(j.wait) {
		return 0
	}
	j.runs = true
	if j.follow() {
		return 0
	}
	return j.take(dst)
}

// patience is how many frames a change of the hold waits for a gap.
const patience = 25

// follow fits the hold to the network. It reports whether the frame that is due
// shall wait.
func (j *Jitter) follow() (wait bool) {
	gap := !j.have[j.play%cells]
	j.gets++
	second := j.gets >= 50
	switch {
	case j.slack.tooNarrow():
		if j.urge++; gap || j.urge > patience {
			wait, j.urge = true, 0
			j.slack.shift(+1)
			j.waits++
		}
	case (second || gap && j.play < j.high) && j.slack.tooWide():
		j.take(nil)
		j.slack.shift(-1)
		j.left++
		fallthrough
	default:
		j.urge = 0
	}
	if second {
		j.gets = 0
		j.slack.turn()
	}
	return wait
}

// Rest takes the next frame without waiting for its turn, as Get; ok is false when
// the buffer is empty.
func (j *Jitter) Rest(dst []byte) (n int, ok bool) {
	if !j.began || j.play > j.high {
		return 0, false
	}
	j.runs = true
	return j.take(dst), true
}

// Skip leaves out n frames that nobody will ask for.
func (j *Jitter) Skip(n int) {
	if !j.began {
		return
	}
	for range min(n, cells) {
		j.take(nil)
	}
	j.play += int64(max(0, n-cells))
}

func (j *Jitter) take(dst []byte) int {
	i := j.play % cells
	j.play++
	if !j.have[i] {
		return 0
	}
	j.have[i] = false
	n := j.size
	if j.join != nil {
		n = j.part[i].n
	}
	return copy(dst, j.data[int(i)*j.size:][:n])
}

// Late is how many packets came when their moment had passed.
func (j *Jitter) Late() int64 { return j.late }

// LeftOut is how many frames were left out to shorten the hold.
func (j *Jitter) LeftOut() int64 { return j.left }

// Waits is how many frames were waited to lengthen it.
func (j *Jitter) Waits() int64 { return j.waits }

// Hold is the longest that a packet of the last seconds was held.
func (j *Jitter) Hold() time.Duration { return time.Duration(max(0, j.slack.most())) * frame }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
