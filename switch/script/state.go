package script

import (
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
	source, destination := i.From, i.Extension
	if i.Outgoing {
		source, destination = i.Extension, i.Dialed
	}
	t.Operator = append(t.Operator[:len(t.Operator):len(t.Operator)], to)
	r.web(infoOf(l), t, l.Sink()).State(ozml.Notification{Name: "CallChanged", URL: to, Fields: url.Values{
		"CallState": {state}, "Source": {source}, "Destination": {destination},
		"StartTime":    {i.Started.Format("2006-01-02 15:04:05")},
		"RingDuration": {ozml.Decimals(ring)}, "TalkDuration": {ozml.Decimals(talk)},
	}})
}
