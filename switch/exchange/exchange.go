// Package exchange is the shell around call.Call: it knows which calls are up,
// gives each a mailbox and one goroutine, and carries out the effects of its
// events in order. It decides nothing; what a call does is switch/call's, how
// it sounds switch/bridge's, how it is signalled switch/sip's, what it says
// switch/script's.
//
// Start at Exchange.Invited (a call comes in) and Line.loop (a call lives).
package exchange

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"ozswitch/ozml/trace"
	"ozswitch/switch/call"
)

// Signalling carries out Respond, Cancel and Bye, and Dial an Invite, whose
// events go to post. It never blocks.
type Signalling interface {
	Do(e call.Effect)
	Dial(i call.Invite, post func(call.Event) bool)
}

// Sound gives legs their sockets. Open, Agree and Connect are quick (no DNS, no
// file).
type Sound interface {
	Open(o call.OpenMedia, post func(call.Event) bool, sink trace.Sink) (call.Media, error)
	Agree(leg call.LegID, remote *call.Media) (call.Media, error)
	Connect(leg call.LegID, remote call.Media) error
	Close(leg call.LegID)
	Join(a, b call.LegID)
	Part(a, b call.LegID)
	Ringback(leg call.LegID, on bool)
	Music(leg call.LegID, on bool)
	SendKey(leg call.LegID, key byte)
}

// A Script is what runs on one call. Start may start goroutines; when all of
// them have ended the script posts call.ScriptEnded, exactly once. Over says that
// the call has ended: what is the call's and not the script's, a recording, ends
// in it. Then that is told, and then Stop ends the script.
type Script interface {
	Start(connected bool)
	Over(at time.Time)
	Stop(r call.Result)
	Key(k byte)
}

// An Info is what is known of a call from its start.
type Info struct {
	ID         call.ID
	Leg        call.LegID // the first; "" of a call of ours that nobody has answered yet, when it may ring several
	From       string     // number of the caller
	FromName   string
	Dialed     string // what was dialled
	Extension  string // whose script runs
	Direction  call.Direction
	Outgoing   bool
	Started    time.Time
	Transport  string
	UserAgent  string
	RemoteAddr string
	User       string        // the extension that the caller proved to be; "" = a guest
	Line       string        // the outside line it came by; "" = none
	Private    bool          // the caller wants nobody told who it is
	Headers    []call.Header // of the INVITE: those that scripts may see
	Task       any           // what the script needs to know; set by whoever routed or dialled
	Route      any           // how it was routed, for who wants to know later; not read here
}

// A Record is a finished call.
type Record struct {
	Info
	Answered, Ended time.Time // Answered is zero when it never was
	Result          call.Result
}

// Config is what an Exchange needs. All functions must be safe for concurrent
// use; none may block.
type Config struct {
	Signal Signalling
	Sound  Sound
	Limits call.Limits
	NewID  func() call.ID
	// Route says whose script answers an incoming call, or refuses it.
	Route func(in call.Invited) (extension string, d call.Direction, task any, refuse *call.Respond)
	// Security says whether a caller's sound goes by SRTP; nil = Plain.
	Security func(in call.Invited) call.Security
	// Script makes the script of a call.
	Script func(l *Line) Script
	// Log opens the event log of a call.
	Log func(i Info) trace.Sink
	// Changed is told of each change of state, in order per call.
	Changed func(l *Line, s call.State)
	// LegChanged is told of each change of a leg, in order per call; may be nil.
	LegChanged func(l *Line, leg Leg)
	// Transfer is told that the far end of a leg wants to be replaced. It starts a
	// job that dials instead of the leg, merges two calls, or posts
	// call.TransferRefused; nil refuses all.
	Transfer func(l *Line, t call.TransferAsked)
	// Finished is told when a call has left the switch.
	Finished func(*Line, Record)
	// Panicked is told of a recovered panic.
	Panicked func(where string)
	Slog     *slog.Logger
	// MaxCalls refuses calls above it; 0 = no limit.
	MaxCalls int
}

// An Exchange holds the calls that are up. It starts a goroutine per call;
// Drain waits for them.
type Exchange struct {
	c Config

	mu     sync.Mutex
	lines  map[call.ID]*Line
	legs   map[call.LegID]*Line
	closed bool
	wg     sync.WaitGroup
}

// New gives an Exchange without calls.
func New(c Config) *Exchange {
	return &Exchange{c: c, lines: map[call.ID]*Line{}, legs: map[call.LegID]*Line{}}
}

// ErrClosed is returned by Dial once the exchange drains.
var ErrClosed = errors.New("exchange: shutting down")

// ErrFull is returned by Dial at the limit of calls.
var ErrFull = errors.New("exchange: the limit of calls is reached")

// Invited takes an incoming call; switch/sip calls it before any answer.
func (x *Exchange) Invited(in call.Invited) (post func(call.Event) bool, refuse *call.Respond) {
	ext, dir, task, refuse := x.c.Route(in)
	if refuse != nil {
		refuse.Leg = in.Leg
		return nil, refuse
	}
	if x.c.Security != nil {
		in.Security = x.c.Security(in)
	}
	l, err := x.open(Info{
		Leg: in.Leg, From: in.From, FromName: in.FromName, Dialed: in.To, Extension: ext, Direction: dir,
		User: in.User, Line: in.Line, Private: in.Private, Headers: in.Headers, Transport: in.Transport, UserAgent: in.UserAgent, RemoteAddr: in.Source.String(), Task: task,
	})
	if err != nil {
		return nil, &call.Respond{Leg: in.Leg, Code: 503, RetryAfter: 10 * time.Second, Warning: err.Error()}
	}
	l.Post(in)
	return x.poster(in.Leg), nil
}

// Dial makes the line of an outgoing call; nothing happens on it until the
// caller posts or asks call.Originate.
func (x *Exchange) Dial(i Info) (*Line, error) {
	i.Outgoing = true
	return x.open(i)
}

func (x *Exchange) open(i Info) (*Line, error) {
	i.ID, i.Started = x.c.NewID(), time.Now()
	l := &Line{x: x, box: newBox(), done: make(chan struct{}), settled: map[call.Ticket]chan call.Settle{}}
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case x.closed:
		return nil, ErrClosed
	case x.c.MaxCalls > 0 && len(x.lines) >= x.c.MaxCalls:
		return nil, ErrFull
	}
	for x.lines[i.ID] != nil {
		i.ID = x.c.NewID()
	}
	l.info, l.call = i, call.New(x.c.Limits)
	l.sink = x.c.Log(i)
	l.script = x.c.Script(l)
	x.lines[i.ID] = l
	if i.Leg != "" {
		l.legs, x.legs[i.Leg] = []*Leg{firstLeg(i)}, l
	}
	x.wg.Go(l.loop)
	return l, nil
}

func (x *Exchange) forget(l *Line) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.lines, l.info.ID)
	for _, g := range l.Legs() {
		if x.legs[g.ID] == l {
			delete(x.legs, g.ID)
		}
	}
}

// SetLimits replaces Config.Limits and Config.MaxCalls; calls that are up keep
// the limits they began with.
func (x *Exchange) SetLimits(l call.Limits, calls int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.c.Limits, x.c.MaxCalls = l, calls
}

// Find gives the call with that id, nil when there is none.
func (x *Exchange) Find(id call.ID) *Line {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.lines[id]
}

// ByLeg gives the call a leg belongs to, nil when there is none.
func (x *Exchange) ByLeg(leg call.LegID) *Line {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.legs[leg]
}

// Lines lists the calls that are up, in no order.
func (x *Exchange) Lines() []*Line {
	x.mu.Lock()
	defer x.mu.Unlock()
	all := make([]*Line, 0, len(x.lines))
	for _, l := range x.lines {
		all = append(all, l)
	}
	return all
}

// Len tells how many calls are up.
func (x *Exchange) Len() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.lines)
}

// Close refuses new calls from now on.
func (x *Exchange) Close() {
	x.mu.Lock()
	x.closed = true
	x.mu.Unlock()
}

// Drain refuses new calls, waits until ctx ends for the calls to leave by
// themselves, hangs up the rest and returns when every call's goroutine has
// ended.
func (x *Exchange) Drain(ctx context.Context) {
	x.Close()
	gone := make(chan struct{})
	go func() {
		x.wg.Wait()
		close(gone)
	}()
	select {
	case <-gone:
		return
	case <-ctx.Done():
	}
	for _, l := range x.Lines() {
		l.Post(call.HangupWanted{By: call.Shutdown, Reason: "the switch is stopping"})
	}
	<-gone
}
