package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"ozswitch/ozml/trace"
	"ozswitch/switch/call"
	"ozswitch/switch/store"
)

// killed are the words for the end of a call that the end of the process cut off.
const killed = "the switch ended without warning; the call is told up to its last event"

// aliveFile has when the process was last alive, to the second: calls that were
// up then were up until then.
const aliveFile = "alive"

// lastAlive reads what the last run wrote; zero when there is nothing.
func (s *Server) lastAlive() time.Time {
	b, _ := os.ReadFile(filepath.Join(s.state.Load().cfg.Data, aliveFile))
	t, _ := time.Parse(time.RFC3339Nano, strings.TrimSpace(string(b)))
	return t
}

// beat writes that the process is alive, each second until ctx ends.
func (s *Server) beat(ctx context.Context) {
	f, err := os.OpenFile(filepath.Join(s.state.Load().cfg.Data, aliveFile), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		s.log.Warn("after a crash the ends of calls will be those of their last events", "err", err)
		return
	}
	defer f.Close()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if _, err := fmt.Fprintf(io.NewOffsetWriter(f, 0), "%-40s\n", time.Now().UTC().Format(time.RFC3339Nano)); err != nil {
			return // the disk is full: that is told elsewhere
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// restore writes the rows of calls whose event log is there and whose row is not:
// those that were up when the process was killed, and those that the history did
// not take. Calls of this run are left alone. alive is lastAlive, before beat.
func (s *Server) restore(ctx context.Context, alive time.Time) {
	longest := time.Duration(s.state.Load().cfg.Limits.Call)
	n := 0
	for id := range s.events.Recent(longest) {
		if ctx.Err() != nil {
			return
		}
		_, err := s.store.Call(ctx, id)
		if !errors.Is(err, store.ErrNotFound) {
			continue
		}
		row, ok := rebuild(id, alive, func(yield func(trace.Event) bool) {
			for e, err := range s.events.Read(id) {
				if err == nil && !yield(e) {
					return
				}
			}
		})
		if !ok || !row.Started.Before(s.begun) {
			continue
		}
		if err := s.store.PutCall(row); err != nil {
			s.log.Error("the history does not take a call of the last run", "call", id, "err", err)
			return
		}
		n++
	}
	if n > 0 {
		s.log.Info("calls of the last run were put into the history", "calls", n)
	}
}

// rebuild makes the row of a call from its events, as far as they go; ok is false
// when its beginning is not there. alive is when the process was last alive.
func rebuild(id string, alive time.Time, events func(yield func(trace.Event) bool)) (row store.Call, ok bool) {
	legs := map[string]*store.Leg{}
	var order []string
	var last time.Time
	leg := func(e trace.Event) *store.Leg {
		g := legs[e.Leg]
		if g == nil {
			g = &store.Leg{ID: e.Leg, Party: e.Name, Number: e.To, Extension: e.Extension, Line: e.Via, Started: e.T}
			legs[e.Leg], order = g, append(order, e.Leg)
		}
		return g
	}
	var doing doing
	first := ""
	for e := range events {
		doing.see(e)
		last = e.T
		switch e.Type {
		case trace.CallStarted:
			ok, first = true, e.Leg
			row = store.Call{ID: id, Type: "Audio", Direction: e.Direction, From: e.From, Source: e.From, Dialed: e.To, To: e.To, Peer: e.Peer, Started: e.T}
			if first != "" { // else it is a call of ours, and the first leg comes with its ringing
				legs[first], order = &store.Leg{ID: first, Party: call.Caller.String(), Number: e.From, Peer: e.Peer, Extension: e.Extension, Line: e.Via, Started: e.T}, []string{first}
			}
		case trace.CallAnswered:
			row.Answered = e.T
			if g := legs[first]; g != nil {
				g.Answered = e.T
			}
		case trace.LegRinging:
			leg(e)
		case trace.CallBridged, trace.CallTransferred:
			if e.Leg != "" {
				g := leg(e)
				g.Answered = e.T
				row.To = cmp.Or(g.Extension, g.Number)
			}
		case trace.LegFailed:
			g := leg(e)
			g.State, g.Reason = unanswered(call.Failure{Code: e.Status, Reason: e.Reason}, call.None)
			g.Code, g.Ended = e.Status, e.T
		case trace.MediaQuality:
			if g := legs[e.Leg]; g != nil {
				g.Quality = qualityOf(e)
			}
		case trace.RecordSaved:
			f := savedFile(e)
			if !slices.Contains(row.Recordings, f) {
				row.Recordings = append(row.Recordings, f)
			}
		case trace.CallEnded:
			row.Ended, row.Result, row.Reason = e.T, e.Reason, cmp.Or(e.Text, "ended by "+e.Reason)
		}
	}
	if !ok {
		return row, false
	}
	if row.State = stateByName(row); row.Ended.IsZero() {
		if alive.Before(last) {
			alive = last
		}
		row.Ended, row.State, row.Result, row.Reason = alive, "Error", call.Failed.String(), killed
	}
	row.Ring = row.Ended.Sub(row.Started)
	if !row.Answered.IsZero() {
		row.Ring, row.Talk = row.Answered.Sub(row.Started), row.Ended.Sub(row.Answered)
	}
	row.Script, row.Problem = doing.past()
	for _, name := range order {
		g := legs[name]
		if g.State == "" {
			g.State, g.Reason = "Completed", row.Reason
			if g.Answered.IsZero() {
				g.State = row.State
			}
		}
		if g.Ended.IsZero() {
			g.Ended = row.Ended
		}
		row.Legs = append(row.Legs, *g)
	}
	if g := legs[first]; g != nil {
		row.Quality = g.Quality
	}
	return row, true
}

// stateByName is the state of a row whose result is known by its word only.
func stateByName(row store.Call) string {
	for r := call.ByScript; r <= call.Failed; r++ {
		if r.String() == row.Result {
			return stateOfEnd(r, !row.Answered.IsZero())
		}
	}
	return "Error"
}
