package api

import (
	"cmp"
	"context"
	"errors"
	"io"
	"iter"
	"path"
	"slices"
	"strings"
	"time"

	"ozswitch/ozml/trace"
	"ozswitch/switch/eventlog"
	"ozswitch/switch/export"
	"ozswitch/switch/store"
)

// A CallDetail is one call, live or over.
type CallDetail struct {
	ID         string        `json:"id"`
	Live       bool          `json:"live"`
	From       string        `json:"from"`
	FromName   string        `json:"from_name,omitempty"`
	To         string        `json:"to"` // as dialled
	Extension  string        `json:"extension"`
	Direction  string        `json:"direction"`
	State      string        `json:"state"`
	Result     string        `json:"result"`
	Reason     string        `json:"reason"`
	Started    time.Time     `json:"started"`
	Answered   time.Time     `json:"answered,omitzero"`
	Ended      time.Time     `json:"ended,omitzero"`
	Peer       string        `json:"peer"`
	UserAgent  string        `json:"user_agent"`
	Codec      string        `json:"codec"`
	Quality    store.Quality `json:"quality"`
	Legs       []store.Leg   `json:"legs"` // all far ends, oldest first
	Script     string        `json:"script"`
	Documents  []Document    `json:"documents"`
	Recordings []Recording   `json:"recordings"`
	Sound      bool          `json:"sound"`     // there are peaks and a wav
	Sensitive  bool          `json:"sensitive"` // keys were never written down
}

// A Document is a script that ran on a call.
type Document struct {
	Name string `json:"name"`
	URL  string `json:"url,omitempty"`
	Seq  int    `json:"seq"`            // of the event that it was read by
	Text string `json:"text,omitempty"` // at most 64 KiB
	Type string `json:"type,omitempty"`
}

// A Recording is a file that a call left.
type Recording struct {
	File    string  `json:"file"` // below recordings/
	URL     string  `json:"url"`  // to get it, for as long as its token is good
	Format  string  `json:"format"`
	Seconds float64 `json:"seconds"`
	Size    int64   `json:"size"`
	Reason  string  `json:"reason"`
}

// events gives what the log has of a call now, oldest first; nil when nothing.
func (v *V1) events(ctx context.Context, id string) ([]trace.Event, error) {
	if !v.Log.Known(id) {
		return nil, nil
	}
	sub := v.Log.Subscribe(id, 0)
	defer sub.Close()
	var all []trace.Event
	// The first may have to be read from the disk; of a call that is up, one that
	// does not come at once has not happened yet.
	for wait := 5 * time.Second; ; wait = 20 * time.Millisecond {
		next, cancel := context.WithTimeout(ctx, wait)
		e, err := sub.Next(next)
		cancel()
		switch {
		case err == nil:
			all = append(all, e)
			continue
		case errors.Is(err, io.EOF), errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil, errors.Is(err, eventlog.ErrSlow):
			return all, nil
		}
		return nil, err
	}
}

// getCall tells of one call.
func (v *V1) getCall(ctx context.Context, in *CallPath) (*one[CallDetail], error) {
	id := in.ID
	c, live, err := v.call(ctx, id)
	if err != nil {
		return nil, err
	}
	events, err := v.events(ctx, id)
	if err != nil {
		return nil, err
	}
	d := CallDetail{
		ID: c.ID, Live: live, From: c.From, FromName: c.FromName, To: cmp.Or(c.Dialed, c.To), Extension: c.Extension, Direction: c.Direction,
		State: c.State, Result: c.Result, Reason: c.Reason, Started: c.Started, Answered: c.Answered, Ended: c.Ended,
		Peer: c.Peer, UserAgent: c.UserAgent, Codec: c.Quality.Codec, Quality: c.Quality, Legs: slices.Concat([]store.Leg{}, c.Legs), Script: c.Script,
		Documents: documents(events), Recordings: []Recording{}, Sensitive: v.Sensitive(c.Extension),
	}
	for _, e := range events {
		if e.Type == trace.MediaStarted && d.Codec == "" {
			d.Codec = e.Name
		}
	}
	for _, f := range c.Recordings {
		d.Recordings = append(d.Recordings, Recording{
			File: f.Path, URL: v.Tokens.Path(f.Path, time.Now()), Format: f.Format, Seconds: f.Duration.Seconds(), Size: f.Size, Reason: f.Reason,
		})
	}
	d.Sound = len(d.Recordings) > 0
	if f, err := v.Log.OpenSound(ctx, id); err == nil {
		f.Close()
		d.Sound = true
	}
	return give(d)
}

// call gives a call that is up, or the row of one that is over. Right after its
// end a call has no row yet; then its events tell.
func (v *V1) call(ctx context.Context, id string) (c store.Call, live bool, err error) {
	if c, ok := v.Line(id); ok {
		return c, true, nil
	}
	c, err = v.Calls.History.Call(ctx, id)
	if !errors.Is(err, store.ErrNotFound) {
		return c, false, err
	}
	events, err := v.events(ctx, id)
	if err != nil {
		return c, false, err
	}
	if len(events) == 0 {
		return c, false, noCall(id)
	}
	c = store.Call{ID: id, Started: events[0].T}
	for _, e := range events {
		switch e.Type {
		case trace.CallStarted:
			c.From, c.Dialed, c.Direction, c.Peer, c.Started = e.From, e.To, e.Direction, e.Peer, e.T
		case trace.CallAnswered:
			c.Answered = e.T
		case trace.CallEnded:
			c.Ended, c.Result, c.Reason = e.T, e.Reason, "ended by "+e.Reason
		}
	}
	return c, false, nil
}

// documents lists the scripts that ran, in their order.
func documents(events []trace.Event) []Document {
	out := []Document{}
	for _, e := range events {
		if e.Type != trace.ScriptParsed || e.Doc == "" {
			continue
		}
		d := Document{Name: e.Doc, Seq: e.Seq}
		if strings.HasPrefix(e.Doc, "http://") || strings.HasPrefix(e.Doc, "https://") {
			d.URL = e.Doc
		}
		out = append(out, d)
	}
	return out
}

// getLog gives all events of a call so far.
func (v *V1) getLog(ctx context.Context, in *CallPath) (*one[[]trace.Event], error) {
	events, err := v.events(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if len(events) == 0 {
		return nil, noCall(in.ID)
	}
	return give(events)
}

// getDocument gives the script that ran: the last of that name, or the one of
// the event seq.
func (v *V1) getDocument(ctx context.Context, in *struct {
	CallPath
	Name string `query:"name" doc:"its name; without one the last that ran"`
	Seq  int    `query:"seq" minimum:"0" doc:"the event that it was read by, of several of that name; without one the last"`
}) (*one[*Document], error) {
	events, err := v.events(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if len(events) == 0 {
		return nil, noCall(in.ID)
	}
	name, seq := in.Name, in.Seq
	var out *Document
	for _, e := range events {
		if e.Type == trace.ScriptParsed && (e.Doc == name || name == "") && (seq == 0 || seq == e.Seq) {
			out = &Document{Name: e.Doc, Seq: e.Seq, Text: e.Body, Type: "application/xml"}
		}
	}
	switch {
	case out == nil:
		return nil, notFound("no script %q ran on this call", name)
	case out.Text == "":
		return nil, notFound("the text of %s was not kept: see log.calls and sensitive_input", path.Base(out.Name))
	}
	return give(out)
}

// exported is a call as package export wants it.
func (v *V1) exported(ctx context.Context, id string) (export.Call, error) {
	if !v.Log.Known(id) {
		return export.Call{}, noCall(id)
	}
	return export.Call{
		ID: id,
		Events: func() iter.Seq2[trace.Event, error] {
			return func(yield func(trace.Event, error) bool) {
				all, err := v.events(ctx, id)
				if err != nil {
					yield(trace.Event{}, err)
					return
				}
				for _, e := range all {
					if !yield(e, nil) {
						return
					}
				}
			}
		},
		Sound: func() (io.ReadSeekCloser, error) { return v.Log.OpenSound(ctx, id) },
		Open: func(file string) (io.ReadSeekCloser, error) {
			return v.Root.Open(strings.TrimPrefix(file, "recordings/"))
		},
	}, nil
}
