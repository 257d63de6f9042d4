package script

import (
	"cmp"
	"net/url"
	"time"

	"ozswitch/ozml"
	"ozswitch/switch/call"
	"ozswitch/switch/exchange"
)

// StateWords are the states that CallChanged tells when a call becomes st
// (http-api.md A5 "Call states"): an answer is told as Answered, once, and as
// InCall.
func (r *Runner) StateWords(l *exchange.Line, st call.State) []string {
	switch st {
	case call.Ringing:
		return []string{"Ringing"}
	case call.InCall:
		if l.Status().Resumed {
			return []string{"InCall"}
		}
		return []string{"Answered", "InCall"}
	case call.Held:
		return []string{"Hold"}
	case call.Completed:
		return []string{endState(l.Info(), !l.Status().Answered.IsZero(), l.Result())}
	default: // Setup is not told
		return nil
	}
}

// ends are the two ends of a call, extension, line or else number of each, and what
// was dialled towards the callee: who is there now, or was there last.
func ends(l *exchange.Line) (source, destination, dialed string) {
	i := l.Info()
	source, destination = i.From, cmp.Or(i.Extension, i.Dialed)
	if i.Outgoing {
		source, destination = i.Extension, i.Dialed
	}
	dialed = destination
	for _, g := range l.Legs() {
		name := cmp.Or(g.Extension, g.Line, g.Number)
		switch {
		case g.State == call.Completed && g.Answered.IsZero() || name == "":
		case g.Party == call.Caller:
			source = name
		default:
			destination, dialed = name, cmp.Or(g.Number, name)
		}
	}
	return source, destination, dialed
}

// Tell sends CallChanged (decisions 8, class State).
func (r *Runner) Tell(l *exchange.Line, to, state string) {
	t, _ := l.Info().Task.(Task)
	i, s := l.Info(), l.Status()
	now := time.Now()
	var ring, talk time.Duration
	if s.Answered.IsZero() {
		ring = now.Sub(i.Started)
	} else {
		ring, talk = s.Answered.Sub(i.Started), now.Sub(s.Answered)
	}
	source, destination, _ := ends(l)
	t.Operator = append(t.Operator[:len(t.Operator):len(t.Operator)], to)
	r.web(infoOf(l), t, l.Sink()).State(ozml.Notification{Name: "CallChanged", URL: to, Fields: url.Values{
		"CallState": {state}, "Source": {source}, "Destination": {destination},
		"StartTime":    {i.Started.Format(ozml.Stamp)},
		"RingDuration": {ozml.Decimals(ring)}, "TalkDuration": {ozml.Decimals(talk)},
	}})
}
