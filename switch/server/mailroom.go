package server

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"ozswitch/ozml"
	"ozswitch/switch/store"
)

// The limits of what waits for scripts.
const (
	mostUnread   = 32               // messages that wait for a WaitForMsg, of one extension
	unreadFor    = 10 * time.Minute // how long
	mostInternal = 60               // that scripts send to one extension within a minute
)

// A mailroom gives what comes for an extension to the script that waits for it,
// and keeps the rest: for a while for a WaitForMsg, and in the folders of users.
type mailroom struct {
	store   store.Store
	reading chan struct{} // holds the right to read folders

	mu      sync.Mutex
	waiting []*waits                   // the longest first
	unread  map[string][]ozml.Received // by extension, the oldest first
	lately  map[string][]time.Time     // what scripts sent, by extension
}

// waits is one WaitForMsg.
type waits struct {
	extension, from string
	got             chan ozml.Received // holds one
}

func newMailroom(s store.Store) *mailroom {
	return &mailroom{store: s, reading: make(chan struct{}, 1), unread: map[string][]ozml.Received{}, lately: map[string][]time.Time{}}
}

// comesFrom tells whether a message is from a connection or number; "" is any.
func comesFrom(m ozml.Received, from string) bool {
	return from == "" || strings.EqualFold(m.Connection, from) || m.From == from
}

// offer gives a message to the script that has waited longest for it; taken is
// false when none does: then it waits itself.
func (r *mailroom) offer(extension string, m ozml.Received) (taken bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, w := range r.waiting {
		if w.extension == extension && comesFrom(m, w.from) {
			r.waiting = slices.Delete(r.waiting, i, i+1)
			w.got <- m
			return true
		}
	}
	list := append(r.fresh(extension, m.Came), m)
	r.unread[extension] = list[max(0, len(list)-mostUnread):]
	return false
}

// fresh gives what waits for an extension and is not too old; the caller holds mu.
func (r *mailroom) fresh(extension string, now time.Time) []ozml.Received {
	list := slices.DeleteFunc(r.unread[extension], func(m ozml.Received) bool { return now.Sub(m.Came) > unreadFor })
	if len(list) == 0 {
		delete(r.unread, extension)
	} else {
		r.unread[extension] = list
	}
	return list
}

// await is ozml.Messages.Await.
func (r *mailroom) await(ctx context.Context, a ozml.Await) (ozml.Received, error) {
	if ctx.Err() != nil {
		return ozml.Received{}, context.Cause(ctx)
	}
	r.mu.Lock()
	list := r.fresh(a.Extension, time.Now())
	for i, m := range list {
		if !m.Came.Before(a.Since) && comesFrom(m, a.From) {
			r.unread[a.Extension] = slices.Delete(list, i, i+1)
			r.mu.Unlock()
			return m, nil
		}
	}
	w := &waits{a.Extension, a.From, make(chan ozml.Received, 1)}
	r.waiting = append(r.waiting, w)
	r.mu.Unlock()
	timer := time.NewTimer(a.Timeout)
	defer timer.Stop()
	err := ozml.ErrNoMessage
	select {
	case m := <-w.got:
		return m, nil
	case <-timer.C:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if r.leave(w) {
		return ozml.Received{}, err
	}
	return <-w.got, nil // it came at the same moment
}

// leave ends a wait; false when its message is there.
func (r *mailroom) leave(w *waits) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := slices.Index(r.waiting, w); i >= 0 {
		r.waiting = slices.Delete(r.waiting, i, i+1)
		return true
	}
	return false
}

// may counts a message of a script to an extension, and tells whether it is not
// one too many: scripts that answer each other come to an end.
func (r *mailroom) may(extension string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := slices.DeleteFunc(r.lately[extension], func(t time.Time) bool { return now.Sub(t) > time.Minute })
	if len(list) >= mostInternal {
		r.lately[extension] = list
		return false
	}
	r.lately[extension] = append(list, now)
	return true
}

// keep puts a message into the inbox of a user.
func (r *mailroom) keep(user string, m ozml.Received) error {
	return r.store.PutMessage(store.Message{
		Owner: user, ID: m.ID, Folder: store.Inbox, Connection: m.Connection, From: m.From, To: m.To, Type: m.Type, Text: m.Text, Sent: m.Sent, Came: m.Came,
	})
}
