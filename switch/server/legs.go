package server

import (
	"cmp"
	"slices"
	"time"

	"ozswitch/switch/call"
	"ozswitch/switch/exchange"
	"ozswitch/switch/store"
)

// legRows are the legs of a call that ended so, as the history keeps them; with
// call.None of one that is up.
// quality is by leg, as the event log had it.
func legRows(legs []exchange.Leg, result call.Result, ended time.Time, quality map[string]store.Quality) (rows []store.Leg) {
	for _, g := range legs {
		row := store.Leg{
			ID: string(g.ID), Party: g.Party.String(), Extension: g.Extension, Line: g.Line, Number: g.Number, Name: g.Name,
			Peer: g.Peer, UserAgent: g.UserAgent, Code: g.Failure.Code, Started: g.Started, Answered: g.Answered,
			Ended: g.Ended, Quality: quality[string(g.ID)],
		}
		switch {
		case g.Ended.IsZero() && result == call.None:
			row.State = g.State.String()
		case g.Answered.IsZero():
			row.State, row.Reason = unanswered(g.Failure, result)
		default:
			row.State, row.Reason = "Completed", legEnd(g, result)
		}
		if row.Ended.IsZero() {
			row.Ended = ended
		}
		rows = append(rows, row)
	}
	return rows
}

// unanswered names the end of a leg that was never answered, and says it in
// words.
func unanswered(f call.Failure, result call.Result) (state, words string) {
	switch code := f.Code; {
	case code == 487 && f.Reason == call.Elsewhere:
		return "AnsweredElsewhere", "answered elsewhere"
	case code == 0:
		return stateOfEnd(result, false), "the call ended: " + result.String()
	case code == 487:
		state = "Cancelled"
	case code == 486 || code == 600:
		state = "Busy"
	case code == 408 || code == 480:
		state = "NoAnswer"
	case code == 404 || code == 410 || code == 484 || code == 604:
		state = "NotFound"
	case code == 403 || code == 603:
		state = "Rejected"
	default:
		state = "Error"
	}
	return state, cmp.Or(f.Reason, state)
}

// legEnd says how a leg ended that was answered.
func legEnd(g exchange.Leg, result call.Result) string {
	switch {
	case !g.Last:
		return "left before the call ended: transferred, or replaced"
	case result == call.ByCaller && g.Party == call.Caller, result == call.ByCallee && g.Party == call.Callee:
		return "hung up"
	case result == call.ByCaller || result == call.ByCallee:
		return "the other party hung up"
	}
	return "the call ended: " + result.String()
}

// wentTo is the extension or number of whoever was talked to last, beside the
// first leg; "" = nobody was.
func wentTo(first call.LegID, legs []exchange.Leg) string {
	for _, g := range slices.Backward(legs) {
		if g.ID != first && !g.Answered.IsZero() && g.Party == call.Callee {
			return cmp.Or(g.Extension, g.Number)
		}
	}
	return ""
}

// legChanged tells who controls calls from outside of a transfer (CallChanged):
// somebody took the place of another, or of the script that had answered.
func (s *Server) legChanged(l *exchange.Line, g exchange.Leg) {
	s.phones.LegChanged(l, g)
	url := s.state.Load().cfg.CallChangedURL
	if url == "" || g.State != call.InCall || g.Was == call.Held || g.ID == l.Info().Leg {
		return
	}
	if answered := l.Status().Answered; g.Instead == "" && (answered.IsZero() || g.Started.Before(answered)) {
		return // the call itself is answered by that
	}
	for _, word := range []string{"Transferred", "InCall"} {
		s.scripts.Tell(l, url, word)
	}
}
