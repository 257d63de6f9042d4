// Package conference is the rooms in which many callers hear each other. A caller
// gives the room's PIN, is let in with a tone, and hears all others until he hangs
// up (media/mix). Keys: *1 mute, *2 lock the room (host), *6 how many are there.
//
// What a visitor lives through stands in visit.go, top to bottom; what the room
// does for all of them in room.go.
package conference

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"ozswitch/media/recorder"
	"ozswitch/ozml"
	"ozswitch/ozml/trace"
	"ozswitch/switch/bridge"
	"ozswitch/switch/exchange"
	"ozswitch/switch/script"
)

// A Config is one room, as configured.
type Config struct {
	Number   string
	PIN      string // asked of everybody; "" = nobody is asked
	AdminPIN string // whoever gives it may lock the room; "" = everybody may
	Max      int    // members; 0 = 50
	Record   bool   // to recordings/conference/NUMBER/
	Quiet    bool   // no tones when somebody comes or goes
	Music    string // a file below media/ for who is alone; "" = silence
}

// Parts are what the rooms need of the switch. Panicked and Room may be nil.
type Parts struct {
	Scripts  *script.Runner
	Bridge   *bridge.Bridge
	Recorder *recorder.Recorder
	Events   trace.Sink   // for what belongs to a call that is over
	Room     func() error // nil error: a recording may begin
	Panicked func(where string)
	Slog     *slog.Logger
}

// Rooms are the conferences of a switch. A room is there from its first visitor to
// its last.
type Rooms struct {
	p Parts

	mu    sync.Mutex
	rooms map[string]*room
	wg    sync.WaitGroup
}

// New gives Rooms in which nobody is.
func New(p Parts) *Rooms {
	if p.Slog == nil {
		p.Slog = slog.New(slog.DiscardHandler)
	}
	return &Rooms{p: p, rooms: map[string]*room{}}
}

// Script gives what runs on a call to a room.
func (r *Rooms) Script(l *exchange.Line, c Config) exchange.Script {
	if c.Max <= 0 {
		c.Max = 50
	}
	return r.p.Scripts.Serve(l, script.Task{}, func(ctx context.Context, call ozml.Call) error {
		v := &visitor{rooms: r, line: l, call: call, cfg: c}
		return v.visit(ctx)
	})
}

// Wait returns when no room is left; the calls end before that.
func (r *Rooms) Wait() { r.wg.Wait() }

// Why somebody is not let in.
var (
	errFull   = errors.New("conference: the room is full")
	errLocked = errors.New("conference: the room is locked")
)

// enter lets a visitor in, and opens the room for the first.
func (r *Rooms) enter(v *visitor) (*room, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.rooms[v.cfg.Number]
	if m == nil {
		m = newRoom(r, v.cfg)
	}
	if err := m.enter(v); err != nil {
		return nil, err
	}
	if r.rooms[v.cfg.Number] == nil {
		r.rooms[v.cfg.Number] = m
		r.wg.Go(m.run)
	}
	return m, nil
}

// leave lets a visitor out; with the last the room closes.
func (r *Rooms) leave(m *room, v *visitor) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if m.leave(v) == 0 && r.rooms[m.cfg.Number] == m {
		delete(r.rooms, m.cfg.Number)
		close(m.over)
	}
}

// A State is a room as it is now.
type State struct {
	Number  string    `json:"number"`
	Since   time.Time `json:"since"`
	Locked  bool      `json:"locked"`
	Members []Member  `json:"members"`
}

// A Member is one of those in a room, in the order in which they came.
type Member struct {
	Call   string    `json:"call"`
	Number string    `json:"number"`
	Name   string    `json:"name"`
	Since  time.Time `json:"since"`
	Admin  bool      `json:"admin"`
	Muted  bool      `json:"muted"`
	Talks  bool      `json:"talks"`
}

// List gives the rooms that somebody is in, in no order.
func (r *Rooms) List() (all []State) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range r.rooms {
		all = append(all, m.state())
	}
	return all
}
