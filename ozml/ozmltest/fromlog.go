package ozmltest

import (
	"slices"
	"strings"
	"time"

	"ozswitch/ozml"
	"ozswitch/ozml/contactid"
	"ozswitch/ozml/trace"
)

// FromLog makes a scenario of the event log of a real call: its keys, its end
// if the caller ended it, and what the web application answered, as far as the
// log has the bodies. So a complaint becomes a test.
func FromLog(events []trace.Event) *Scenario {
	s := &Scenario{Files: map[string]time.Duration{}, Spoken: map[string]time.Duration{}, Dial: map[string]Dialed{}}
	if len(events) == 0 {
		return s
	}
	start, text := events[0].T, ""
	var rung time.Time        // when a BlindTransfer began
	began := map[string]int{} // recordings that run, by file
	var failed []Answer
	for _, e := range events {
		at := e.T.Sub(start)
		switch e.Type {
		case trace.CallStarted:
			s.Info = ozml.CallInfo{ID: e.Call, Caller: e.From, Dialed: e.To, Direction: e.Direction}
			s.Show = true
		case trace.CallAnswered:
			start = e.T // the script begins here
		case trace.CommandStart:
			if e.Name == "Speak" || e.Name == "Play" || e.Name == "BlindTransfer" {
				text, rung = e.Text, e.T
			}
		case trace.CommandEnd:
			if e.Name == "Speak" && e.Reason == "" { // heard to its end
				s.Spoken[text] = time.Duration(e.Seconds * float64(time.Second)).Round(time.Millisecond)
			}
			if e.Name == "Play" && e.Reason == "" {
				s.Files[text] = time.Duration(e.Seconds * float64(time.Second)).Round(time.Millisecond)
			}
			if e.Name == "BlindTransfer" && e.Reason == "transferred" {
				s.Dial[text] = Dialed{After: e.T.Sub(rung)}
			}
		case trace.CommandFail:
			if e.Name == "BlindTransfer" && e.Code == ozml.CodeDial {
				_, state, _ := strings.Cut(e.Text, "result state '")
				s.Dial[text] = Dialed{State: strings.TrimSuffix(state, "'"), After: e.T.Sub(rung)}
			}
		case trace.Alarm:
			if m, err := contactid.Parse(e.Key); err == nil && e.Reason == "received" {
				s.Alarms = append(s.Alarms, Alarm{at, m})
			}
		case trace.Key:
			if len(e.Key) != 1 {
				continue // blanked
			}
			src := ozml.KeyEvent
			switch e.Source {
			case ozml.KeyInfo.String():
				src = ozml.KeyInfo
			case ozml.KeyInband.String():
				src = ozml.KeyInband
			}
			s.Acts = append(s.Acts, Act{At: at, Key: ozml.Key(e.Key[0]), Source: src})
		case trace.CallEnded:
			if e.Reason != "script" {
				s.Acts = append(s.Acts, Act{At: at, Hangup: true})
			}
		case trace.ScriptFetch:
			if e.Reason == trace.GivenUp {
				continue
			}
			a := Answer{URL: e.URL, Once: true, Status: e.Status, Body: e.Body, After: time.Duration(e.MS * float64(time.Millisecond))}
			if e.Status == 0 {
				a.Fail = e.Text
			}
			s.Web = append(s.Web, a)
		case trace.RecordStart:
			s.Recorded = append(s.Recorded, Ended{})
			began[e.File] = len(s.Recorded) - 1
		case trace.RecordEnd:
			if i, ok := began[e.File]; ok && e.Reason == "inactivity" {
				s.Recorded[i].Silent = time.Duration(e.Seconds * float64(time.Second))
			}
		case trace.NotifyFail:
			a := Answer{URL: e.URL, Status: e.Status}
			if e.Status == 0 {
				a.Fail = e.Text
			}
			failed = append(failed, a)
		case trace.NotifySent:
			s.Web = append(s.Web, Answer{URL: e.URL, Once: true, Status: e.Status, Body: e.Body, After: time.Duration(e.MS * float64(time.Millisecond))})
		}
	}
	s.Web = append(s.Web, failed...) // counts where no attempt that worked is left: on paper nothing is tried twice
	slices.SortStableFunc(s.Acts, func(a, b Act) int { return int(a.At - b.At) })
	return s
}
