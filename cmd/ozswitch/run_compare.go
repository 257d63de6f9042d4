package main

import (
	"fmt"
	"strings"
	"time"

	"ozswitch/ozml/trace"
)

// compareLog tells how the call on paper differs from the call in a log: diff
// is the first difference, "" when the same happened in the same order. most is
// the largest difference of a time, at the step where.
func compareLog(live, paper []trace.Event) (diff string, steps int, most time.Duration, where string) {
	a, b := replaySteps(live), replaySteps(paper)
	for i := range max(len(a), len(b)) {
		switch {
		case i == len(a):
			return fmt.Sprintf("the log ends after %d steps, on paper follows\n%s", i, b[i]), i, most, where
		case i == len(b):
			return fmt.Sprintf("on paper the call ends after %d steps, in the log (event %d) follows\n%s", i, a[i].seq, a[i]), i, most, where
		case a[i].what != b[i].what:
			return fmt.Sprintf("step %d (event %d of the log):\n- log   %s\n+ paper %s", i+1, a[i].seq, a[i], b[i]), i, most, where
		}
		if d := (a[i].at - b[i].at).Abs(); d >= most {
			most, where = d, a[i].what
		}
	}
	return "", len(a), most, where
}

// A replayStep is something that must happen alike when a call is made again.
type replayStep struct {
	at   time.Duration // since the script began
	seq  int
	what string
	over bool // nothing that follows is the script's
}

// transferred is the reason for which a script ends that has handed its call on.
const transferred = "transferred"

func (s replayStep) String() string { return fmt.Sprintf("%8.2f  %s", s.at.Seconds(), s.what) }

// replaySteps are the steps of a call. What the network and the clock decide,
// such as when a report arrived, is none.
func replaySteps(events []trace.Event) (all []replayStep) {
	var start time.Time
	for _, e := range events {
		if n := len(all); n > 0 && all[n-1].over { // who took the call over has a script of his own, or none
			break
		}
		what := ""
		switch e.Type {
		case trace.CommandStart:
			if start.IsZero() {
				start = e.T
			}
			what = strings.TrimSpace(e.Name + " " + trace.Short(e.Text))
		case trace.CommandEnd:
			if e.Reason != transferred {
				continue
			}
			what = e.Name + " " + transferred
		case trace.CommandFail:
			what = "failed: " + e.Name + " " + e.Code
		case trace.CommandSkip:
			what = "skipped: " + e.Name + " " + e.Code
		case trace.Key:
			what = "key " + e.Key
		case trace.Input:
			what = strings.TrimSpace("entry " + e.Key + " " + e.Text)
		case trace.RecordStart:
			what = "Record started"
		case trace.RecordEnd:
			what = strings.TrimSpace("Record ended: " + e.Reason + " " + e.Key)
		case trace.CallEnded:
			what = "call ended: " + byWhom(e.Reason)
		default:
			continue
		}
		if e.Line > 0 {
			what = fmt.Sprintf("%d:%d %s", e.Line, e.Col, what)
		}
		all = append(all, replayStep{e.T.Sub(start), e.Seq, what, e.Reason == transferred || e.Type == trace.CallEnded})
	}
	if start.IsZero() && len(events) > 0 { // no command ran
		for i := range all {
			all[i].at -= events[0].T.Sub(start)
		}
	}
	return all
}

// byWhom says who ended a call. On paper a call that the network ended is ended
// by its caller.
func byWhom(reason string) string {
	switch reason {
	case "script", "rejected", transferred:
		return reason
	}
	return "caller"
}

// judge says on the remarks' side whether the same happened, and whether that
// is so.
func (r *run) judge() (same bool) {
	diff, steps, most, where := compareLog(r.log, r.tape.all)
	if diff != "" {
		r.other = "first difference: " + diff
		talk(r.c, "ozswitch: %s", r.other)
		return false
	}
	talk(r.c, "ozswitch: the same as in the log: %d steps; times differ by %.2f s at most (%s)", steps, most.Seconds(), where)
	return true
}
