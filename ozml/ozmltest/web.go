package ozmltest

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"time"

	"ozswitch/ozml"
	"ozswitch/ozml/syntax"
	"ozswitch/ozml/trace"
)

// A Web is the web application on paper: it answers as the scenario says, and
// keeps what it was told.
type Web struct {
	Posted  []Posted
	c       *Call
	answers []Answer
}

// Posted is a request that was made.
type Posted struct {
	At     time.Duration
	Name   string
	URL    string
	Fields url.Values // all of them
}

func (w *Web) post(n ozml.Notification) *Answer {
	i := w.c.info
	f := url.Values{
		"NotificationName": {n.Name}, "CallID": {i.ID}, "CallId": {i.ID}, "CallerID": {i.Caller}, "CallerId": {i.Caller},
		"Direction": {i.Direction}, "Timestamp": {w.c.now.Format(time.RFC3339)},
	}
	for _, d := range ozml.Notifications() {
		if d.Name != n.Name {
			continue
		}
		for _, own := range d.Fields {
			switch own.Name {
			case "DialedNumber":
				f.Set(own.Name, i.Dialed)
			case "ApiExtension":
				f.Set(own.Name, i.Extension)
			}
		}
	}
	for k, v := range n.Fields {
		f[k] = v
	}
	w.Posted = append(w.Posted, Posted{w.c.now.Sub(epoch), n.Name, n.URL, f})
	for k := range w.answers {
		a := &w.answers[k]
		if a.used && a.Once || !a.fits(n.URL, f) {
			continue
		}
		a.used = true
		if a.Status == 0 {
			a.Status = 200
		}
		return a
	}
	return nil
}

func (a *Answer) fits(u string, f url.Values) bool {
	ok := a.URL == u || strings.HasPrefix(a.URL, "/") && strings.HasSuffix(u, a.URL)
	if p, star := strings.CutSuffix(a.URL, "*"); star {
		ok = strings.HasPrefix(u, p) || strings.HasPrefix(p, "/") && strings.Contains(u, p)
	}
	for k, v := range a.Fields {
		ok = ok && f.Get(k) == v
	}
	return ok
}

// Fetch asks for a document. It takes as long as the scenario says.
func (w *Web) Fetch(ctx context.Context, n ozml.Notification) (*syntax.File, error) {
	a := w.post(n)
	if a == nil {
		a = &Answer{Status: 404}
	}
	if err := w.c.pass(ctx, a.After); err != nil {
		return nil, err
	}
	ev := trace.Event{Type: trace.ScriptFetch, Name: n.Name, Method: "POST", URL: n.URL, Status: a.Status, MS: float64(a.After.Milliseconds())}
	if a.Fail != "" {
		ev.Status, ev.Text = 0, a.Fail
		w.c.Emit(ev)
		return nil, &ozml.FetchError{URL: n.URL, Code: ozml.CodeRefused, Msg: "POST " + n.URL + ": " + a.Fail}
	}
	w.c.Emit(ev)
	if a.Status < 200 || a.Status > 299 {
		return nil, &ozml.FetchError{URL: n.URL, Status: a.Status, Code: ozml.CodeStatus, Msg: "POST " + n.URL + ": status " + itoa(a.Status)}
	}
	f, err := w.c.cfg.Table.Parse(n.URL, []byte(a.Body))
	if e, ok := errors.AsType[*syntax.Error](err); ok {
		w.c.Emit(trace.Event{Type: trace.ScriptRefused, Doc: n.URL, Line: e.Pos.Line, Col: e.Pos.Column, URL: n.URL, Code: e.Code, Text: e.Msg, Hint: e.Hint})
		return nil, &ozml.FetchError{URL: n.URL, Status: a.Status, Code: e.Code, Pos: e.Pos, Msg: "no script from " + n.URL + ": " + e.Msg, Hint: e.Hint, Err: err}
	}
	return f, err
}

// Report delivers a notification at once.
func (w *Web) Report(n ozml.Notification) {
	a := w.post(n)
	if a == nil {
		a = &Answer{Status: 200}
	}
	w.c.insert(act{w.c.now.Add(a.After), func() { w.deliver(n, a) }, true})
}

func (w *Web) deliver(n ozml.Notification, a *Answer) {
	ev := trace.Event{Type: trace.NotifySent, Name: n.Name, Method: "POST", URL: n.URL, Status: a.Status, MS: float64(a.After.Milliseconds())}
	var f *syntax.File
	switch {
	case a.Fail != "":
		ev.Type, ev.Status, ev.Text = trace.NotifyFail, 0, a.Fail
	case a.Status < 200 || a.Status > 299:
		ev.Type, ev.Text = trace.NotifyFail, "status "+itoa(a.Status)
	}
	w.c.Emit(ev)
	if body := strings.TrimSpace(a.Body); ev.Type == trace.NotifySent && body != "" {
		var err error
		if f, err = w.c.cfg.Table.Parse(n.URL, []byte(body)); err != nil {
			f = nil
			if e, ok := errors.AsType[*syntax.Error](err); ok {
				w.c.Emit(trace.Event{Type: trace.ScriptWarning, Doc: n.URL, Line: e.Pos.Line, Col: e.Pos.Column, Code: e.Code, Text: e.Msg, Hint: e.Hint})
			}
		}
	}
	switch {
	case n.Name == "RecordCompleted":
		w.c.completed(f)
	case n.Name == "SMSDeliveryReport" && f != nil && ozml.HasCommands(f): // live they run at once, beside the call
		w.c.gone = append(w.c.gone, gone{f})
	}
}
