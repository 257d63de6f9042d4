package eventlog

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"ozswitch/ozml/trace"
)

// A Level says how much is kept on disk. Listeners get the same events at
// every level but for the bodies that Brief leaves out.
type Level uint8

// The levels of log.calls.
const (
	Full  Level = iota // everything
	Brief              // without message bodies
	Off                // nothing on disk
)

// ParseLevel reads full, brief or off; "" is Full.
func ParseLevel(s string) (Level, error) {
	switch s {
	case "", "full":
		return Full, nil
	case "brief":
		return Brief, nil
	case "off":
		return Off, nil
	}
	return Full, fmt.Errorf("eventlog: level %q is none of full, brief, off", s)
}

// A Config is what a Log needs; the zero value keeps events in memory only.
type Config struct {
	Dir    string           // the folder calls/ of the data folder, made if missing; "" = nothing on disk
	Level  Level            // how much is kept
	Queue  int              // events that may wait for the disk before sip.* and media.* are dropped; 0 = 16384
	Recent int              // events kept in memory for listeners; 0 = 8192
	Now    func() time.Time // nil = time.Now
	Log    *slog.Logger     // for trouble with the disk; nil = slog.Default()
}

const (
	maxBody   = 16 << 10 // bytes of Body and Text that are kept
	maxScript = 64 << 10 // bytes of Body of script.parsed, which is the document
	maxRecent = 16 << 20 // bytes of bodies and texts in the ring

	turn      = 200 * time.Millisecond // from the first event that waits to its write
	syncRound = time.Second            // from a write to its fsync
	again     = time.Second            // from a write that failed to the next try
	maxOwed   = 32 << 20               // bytes kept for the next try
)

// A Log takes the events of all calls. Emit may be called at any time by
// anyone, before, during and after Run.
type Log struct {
	c    Config
	root *os.Root // of c.Dir, nil = nothing on disk
	own  *CallLog // events of no call

	wake    chan struct{}      // something waits for the disk
	flush   chan chan struct{} // asks the writer to write at once
	ended   chan struct{}      // Run has returned
	running atomic.Bool        // Run is at work

	mu       sync.Mutex
	next     int64         // id of the next event
	ring     []trace.Event // event id stands at id % len(ring)
	oldest   int64         // id of the oldest event in ring
	held     int           // bytes of the bodies in ring
	pending  []entry       // waits for the disk
	spare    []entry       // takes turns with pending
	over     bool          // Run has returned: nothing goes to the disk any more
	droppers []*CallLog    // calls with dropped > 0
	sounding []*CallLog    // calls with packets that wait for the disk
	loud     int           // bytes of them
	live     map[string]*CallLog
	subs     map[*Subscription]struct{}
	trouble  error // of the last turn of the writer

	heard []*out // the writer's: files that got packets in this turn
}

type entry struct {
	call  *CallLog
	event trace.Event
}

// New makes a Log and its folder. It starts nothing.
func New(c Config) (*Log, error) {
	if c.Queue <= 0 {
		c.Queue = 16384
	}
	if c.Recent <= 0 {
		c.Recent = 8192
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	l := &Log{
		c:     c,
		wake:  make(chan struct{}, 1),
		flush: make(chan chan struct{}),
		ended: make(chan struct{}),
		// Ids go on growing after a restart without a file that says where they
		// stood: nobody logs a million events a second.
		next: c.Now().UnixMicro(),
		ring: make([]trace.Event, c.Recent),
		live: make(map[string]*CallLog),
		subs: make(map[*Subscription]struct{}),
	}
	l.oldest = l.next
	l.own = &CallLog{log: l}
	if c.Dir == "" {
		return l, nil
	}
	if err := os.MkdirAll(c.Dir, 0o750); err != nil {
		return nil, fmt.Errorf("eventlog: %w", err)
	}
	root, err := os.OpenRoot(c.Dir)
	if err != nil {
		return nil, fmt.Errorf("eventlog: %w", err)
	}
	l.root = root
	return l, nil
}

// Close gives the folder back. Call it after Run has returned; Emit and
// listeners go on to work in memory.
func (l *Log) Close() error {
	if l.root == nil {
		return nil
	}
	return l.root.Close()
}

// Err tells why the last events could not be written; nil when all is well.
func (l *Log) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.trouble
}

// Emit takes an event that belongs to no call, such as a registration. On disk
// it stands in the hour's _switch.jsonl.
func (l *Log) Emit(e trace.Event) { l.own.Emit(e) }

// A CallLog is the sink of one call. It fills T, Seq, ID and Call, never
// blocks, and may be used by several goroutines.
type CallLog struct {
	log *Log
	id  string

	sensitive atomic.Bool
	typed     entries // what the caller entered, while sensitive

	// Guarded by log.mu.
	seq     int
	dropped int64
	packets []byte // wait for the disk
	kept    int64  // bytes of packets taken so far

	out       // the writer's
	sound out // the writer's
}

// An out is a file that the writer appends to.
type out struct {
	path string // below the root
	buf  []byte // gathered, to be written
	file *os.File
	raw  bool // packets, not lines
}

// ForCall opens the log of a call that began at start: its file stands in the
// folder of that hour (UTC). Call Close when the call is over.
func (l *Log) ForCall(id string, start time.Time) *CallLog {
	name := hour(start) + "/" + id
	c := &CallLog{log: l, id: id, out: out{path: name + ".jsonl"}, sound: out{path: name + ".rtp", raw: true}}
	l.mu.Lock()
	l.live[id] = c
	l.mu.Unlock()
	return c
}

func hour(t time.Time) string { return t.UTC().Format("2006-01-02/15") }

// Sensitive says that the keys of this call are secrets (sensitive_input): from
// now on keys, DtmfDigits and SIP INFO bodies are blanked.
func (c *CallLog) Sensitive() { c.sensitive.Store(true) }

// Close says that the call is over: those who follow only this call come to an
// end. Late events, such as a notification that was sent, are still taken.
func (c *CallLog) Close() {
	l := c.log
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.live[c.id] == c {
		delete(l.live, c.id)
	}
	for s := range l.subs {
		if s.call == c.id {
			s.rouse()
		}
	}
}

// Emit takes the next event of the call.
func (c *CallLog) Emit(e trace.Event) {
	l := c.log
	if e.T.IsZero() {
		e.T = l.c.Now()
	}
	if e.Call == "" {
		e.Call = c.id
	}
	if l.c.Level == Brief {
		e.Body = ""
	}
	most := maxBody
	if e.Type == trace.ScriptParsed {
		most = maxScript
	}
	if len(e.Body) > most && e.Size == 0 {
		e.Size = int64(len(e.Body))
	}
	e.Body, e.Text = cut(e.Body, most), cut(e.Text, maxBody)
	if c.sensitive.Load() {
		c.typed.note(&e)
		Blank(&e, true)
		c.typed.blank(&e)
	} else {
		Blank(&e, false)
	}
	l.mu.Lock()
	l.put(c, &e)
	l.mu.Unlock()
}

// cut shortens s to what is kept. The rest is let go, not held by a slice.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	n := most
	for n > most-utf8.UTFMax && !utf8.RuneStart(s[n]) {
		n--
	}
	return strings.Clone(s[:n])
}

// put numbers e, shows it to listeners and queues it. l.mu is held.
func (l *Log) put(c *CallLog, e *trace.Event) {
	c.seq++
	e.Seq, e.ID = c.seq, l.next
	l.next++

	slot := &l.ring[e.ID%int64(len(l.ring))]
	if e.ID-l.oldest >= int64(len(l.ring)) {
		l.forget()
	}
	*slot = *e
	for l.held += len(e.Body) + len(e.Text); l.held > maxRecent; {
		l.forget()
	}
	for s := range l.subs {
		if s.call == "" || s.call == e.Call {
			if s.first == 0 {
				s.first = e.ID
			}
			s.rouse()
		}
	}

	if l.root == nil || l.c.Level == Off || l.over {
		return
	}
	if n := len(l.pending); n >= l.c.Queue && !keep(e.Type, n >= 2*l.c.Queue) {
		l.drop(c, 1)
		return
	}
	l.pending = append(l.pending, entry{c, *e})
	if n := len(l.pending); n == 1 || n == l.c.Queue/2 {
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
}

// drop counts what c had to do without. l.mu is held.
func (l *Log) drop(c *CallLog, n int) {
	if c.dropped == 0 && n > 0 {
		l.droppers = append(l.droppers, c)
	}
	c.dropped += int64(n)
}

// forget takes the oldest event out of the ring.
func (l *Log) forget() {
	e := &l.ring[l.oldest%int64(len(l.ring))]
	l.held -= len(e.Body) + len(e.Text)
	*e = trace.Event{}
	l.oldest++
}

// keep tells whether an event goes to the disk although the queue is full;
// twice means that it is full twice over. Recordings, scripts, errors and a
// call's own life always do: their number is bounded by the calls there are.
func keep(t trace.Type, twice bool) bool {
	family, _, _ := strings.Cut(string(t), ".")
	switch family {
	case "sip", "media":
		return false
	case "recording", "script", "error", "call", "log":
		return true
	}
	return !twice
}

// Flush returns once every event emitted before is in its file, Run has
// returned, or ctx ends. Before Run there is nobody to write: it waits.
func (l *Log) Flush(ctx context.Context) error {
	if l.root == nil || l.c.Level == Off {
		return nil
	}
	done := make(chan struct{})
	select {
	case l.flush <- done:
	case <-l.ended:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	<-done
	return nil
}
