package script

import (
	"context"
	"net/url"
	"path"
	"strings"

	"ozswitch/media/recorder"
	"ozswitch/ozml"
	"ozswitch/ozml/syntax"
	"ozswitch/ozml/trace"
	"ozswitch/switch/call"
	"ozswitch/switch/exchange"
)

// Answered takes an answer with commands that nobody waits for: that of a state
// (CallChanged), whose commands run beside what is on the call, and that of a
// report which was delivered at a later try (decisions 8). l is nil when the call
// is over.
func (r *Runner) Answered(l *exchange.Line, id string, n ozml.Notification, f *syntax.File) {
	up := l != nil && l.Status().State != call.Completed
	switch {
	case up && n.Name == "CallChanged":
		r.Visit(l, f, ozml.Options{})
		return
	case up && n.Name == "RecordCompleted":
		c := r.on(l)
		c.mu.Lock()
		take := c.take
		c.mu.Unlock()
		if take != nil {
			take(&ozml.Takeover{File: f})
		} else {
			r.Visit(l, f, ozml.Options{})
		}
		return
	}
	r.wg.Go(func() {
		var sink trace.Sink = trace.SinkFunc(func(e trace.Event) { e.Call = id; r.c.Events.Emit(e) })
		info, task := r.about(id, n)
		if l != nil {
			task, _ = l.Info().Task.(Task)
			info, sink = infoOf(l), l.Sink()
		}
		defer r.guard(sink, "late answer")
		r.callless(info, task, r.web(info, task, sink), sink, f)
	})
}

// about is what is known of what a script without a call is an answer to: a text
// message has a sender, and an extension that it came to or from.
func (r *Runner) about(id string, n ozml.Notification) (ozml.CallInfo, Task) {
	info, task := ozml.CallInfo{ID: id}, Task{}
	switch n.Name {
	case "IncomingSMS":
		info.Caller, info.Dialed, info.Extension, info.Direction = n.Fields.Get("Sender"), n.Fields.Get("Recipient"), n.Fields.Get("ApiExtension"), "Inbound"
	case "SMSDeliveryReport":
		info.Caller, info.Dialed, info.Extension, info.Direction = n.Fields.Get("Sender"), n.Fields.Get("Recipient"), n.Fields.Get("ApiExtension"), "Outbound"
	}
	if r.c.Of != nil && info.Extension != "" {
		task = r.c.Of(info.Extension)
	}
	return info, task
}

// Recovered reports a recording that an earlier run of the switch left unfinished, or did not tell of: with reason error
// and what was saved, or with the reason it ended for if that was known. It returns the event that it
// emitted, zero if none.
func (r *Runner) Recovered(d recorder.Done) (saved trace.Event) {
	owner, err := url.ParseQuery(d.Data)
	if err != nil || d.Postponed {
		return saved
	}
	info := ozml.CallInfo{ID: owner.Get("call"), Caller: owner.Get("from"), Dialed: owner.Get("dialed"), Extension: owner.Get("ext"), Direction: owner.Get("dir")}
	var sink trace.Sink = trace.SinkFunc(func(e trace.Event) { e.Call = info.ID; r.c.Events.Emit(e) })
	reason, digit, _ := strings.Cut(d.Reason, " ")
	if d.Err != nil || reason == "" {
		reason = "error"
	}
	saved = trace.Event{Type: trace.RecordSaved, Call: info.ID, File: path.Join("recordings", d.Name), Size: d.Size, Seconds: d.Duration.Seconds(), Reason: reason}
	sink.Emit(saved)
	if d.Note != "" {
		sink.Emit(trace.Event{Type: trace.ScriptWarning, Code: trace.CodeMP3, Text: "the recording is saved as wav: " + d.Note})
	}
	if owner.Get("url") == "" {
		d.Told()
		return saved
	}
	r.wg.Go(func() {
		defer r.guard(sink, "record completed")
		web := r.web(info, Task{}, sink)
		f, err := web.ReportWait(context.Background(), r.recorded(d, reason, digit, ozml.RecordSpec{FinishedURL: owner.Get("url")}))
		r.told(d, err)
		if err == nil && f != nil && ozml.HasCommands(f) {
			r.callless(info, Task{}, web, sink, f)
		}
	})
	return saved
}
