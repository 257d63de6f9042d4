package conference

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"ozswitch/media"
	"ozswitch/media/mix"
)

// A room is one conference while somebody is in it. Its goroutine mixes, one turn
// each 20 ms, counted from its start.
type room struct {
	rooms *Rooms
	cfg   Config
	mix   *mix.Room
	since time.Time
	over  chan struct{}

	mu       sync.Mutex // guards what follows
	visitors []*visitor
	locked   bool
	broken   bool
	record   *record // nil = it is not recorded
}

func newRoom(r *Rooms, c Config) *room {
	return &room{rooms: r, cfg: c, mix: mix.New(), since: time.Now(), over: make(chan struct{})}
}

// enter lets a visitor in.
func (m *room) enter(v *visitor) error {
	if err := v.leg.Usable(); err != nil {
		return err
	}
	co := v.leg.Codec()
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.broken:
		return errBroken
	case len(m.visitors) >= m.cfg.Max:
		return errFull
	case m.locked && !(v.admin && m.cfg.AdminPIN != ""):
		return errLocked
	}
	v.since, v.codec, v.member = time.Now(), co, m.mix.Join(co)
	m.visitors = append(m.visitors, v)
	if len(m.visitors) == 1 && m.cfg.Record {
		m.record = m.startRecord(v)
	}
	m.bell(659, 880)
	m.rouse()
	return nil
}

// leave lets a visitor out and tells how many are left.
func (m *room) leave(v *visitor) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mix.Leave(v.member)
	m.visitors = slices.DeleteFunc(m.visitors, func(o *visitor) bool { return o == v })
	if !slices.ContainsFunc(m.visitors, func(o *visitor) bool { return o.admin }) {
		m.locked = false // nobody could open it any more
	}
	m.bell(880, 659)
	m.rouse()
	return len(m.visitors)
}

// bell is two short tones. It needs mu.
func (m *room) bell(first, second float64) {
	if m.cfg.Quiet {
		return
	}
	const each = 120 * time.Millisecond
	_ = m.mix.Bell(media.Concat(media.Tone(16000, first, -20, each), media.Tone(16000, second, -20, each))) // a tone does not fail
}

// rouse wakes the visitors. It needs mu.
func (m *room) rouse() {
	for _, v := range m.visitors {
		if v.wake != nil {
			v.wake(errRoom)
			v.wake = nil
		}
	}
}

// watch tells whether v is alone; wake is called once that may have changed.
func (m *room) watch(v *visitor, wake context.CancelCauseFunc) (alone bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken {
		return false, errBroken
	}
	v.wake = wake
	return len(m.visitors) == 1, nil
}

var errBroken = fmt.Errorf("conference: a fault of the switch ended the room")

// lock locks the room, or opens it, and tells which.
func (m *room) lock() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.locked = !m.locked
	return m.locked
}

func (m *room) len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.visitors)
}

func (m *room) state() State {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := State{Number: m.cfg.Number, Since: m.since, Locked: m.locked, Members: []Member{}}
	for _, v := range m.visitors {
		i := v.line.Info()
		s.Members = append(s.Members, Member{
			Call: string(i.ID), Number: i.From, Name: i.FromName, Since: v.since, Admin: v.admin, Muted: v.member.Muted(), Talks: v.member.Talks(),
		})
	}
	return s
}

// behind is how late a turn may be and still be made up for; of a machine that
// stood still for longer, the members leave sound out as well.
const behind = 100 * time.Millisecond

// run mixes until the last visitor has left. A panic ends this room and no other.
func (m *room) run() {
	defer func() {
		if v := recover(); v != nil {
			m.panicked(v)
		}
		if m.record != nil {
			m.record.stop()
		}
	}()
	next := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-m.over:
			return
		}
		now := time.Now()
		if late := now.Sub(next); late > behind {
			next = next.Add(late.Truncate(media.Frame))
		}
		for ; !next.After(now); next = next.Add(media.Frame) {
			m.follow()
			m.mix.Turn()
		}
		timer.Reset(time.Until(next))
	}
}

// follow goes on in another codec with a member that does.
func (m *room) follow() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, v := range m.visitors {
		if co := v.leg.Codec(); co != nil && co != v.codec {
			v.codec = co
			m.mix.Change(v.member, co)
		}
	}
}

// panicked lets all visitors go.
func (m *room) panicked(v any) {
	m.rooms.p.Slog.Error("panic in a conference", "room", m.cfg.Number, "panic", v, "stack", string(debug.Stack()))
	if m.rooms.p.Panicked != nil {
		m.rooms.p.Panicked("conference")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.broken = true
	m.rouse()
}
