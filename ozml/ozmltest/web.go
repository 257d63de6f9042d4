package ozmltest

import (
	"context"
	"errors"
	"net/http"
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
	if !a.fine() {
		cause, hint := a.words()
		return nil, &ozml.FetchError{URL: n.URL, Status: a.Status, Code: ozml.CodeStatus, Msg: "POST " + n.URL + ": " + cause, Hint: hint}
	}
	f, bad := w.read(n.URL, a.Body)
	if bad == nil {
		return f, nil
	}
	w.c.Emit(trace.Event{Type: trace.ScriptRefused, Doc: n.URL, Line: bad.Pos.Line, Col: bad.Pos.Column, URL: n.URL, Code: bad.Code, Text: bad.Msg, Hint: bad.Hint})
	where := "POST " + n.URL
	if bad.Pos.IsValid() {
		where = n.URL + ":" + bad.Pos.String()
	}
	return nil, &ozml.FetchError{URL: n.URL, Status: a.Status, Code: bad.Code, Pos: bad.Pos, Msg: where + ": " + bad.Msg, Hint: bad.Hint, Err: bad}
}

// fine tells whether the status is 2xx.
func (a *Answer) fine() bool { return a.Status >= 200 && a.Status <= 299 }

// words says what is wrong with the status.
func (a *Answer) words() (cause, hint string) {
	return ozml.StatusWords(a.Status, http.StatusText(a.Status))
}

// read makes a document of a body, or says why it is none, in the words of the
// live switch.
func (w *Web) read(name, body string) (*syntax.File, *syntax.Error) {
	if strings.Trim(body, " \t\r\n\x00\ufeff") == "" {
		return nil, &syntax.Error{File: name, Code: ozml.CodeEmpty, Msg: "the answer is empty", Hint: ozml.Cure(ozml.CodeEmpty)}
	}
	f, err := w.c.cfg.Table.Parse(name, []byte(body))
	if e, ok := errors.AsType[*syntax.Error](err); ok {
		return nil, e
	}
	return f, nil
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
	case !a.fine():
		ev.Type, ev.Code = trace.NotifyFail, ozml.CodeStatus
		ev.Text, ev.Hint = a.words()
	}
	var warning *trace.Event
	if ev.Type == trace.NotifySent && a.Body != "" {
		f, warning = w.answer(n, a, &ev)
	}
	w.c.Emit(ev)
	if warning != nil {
		w.c.Emit(*warning)
	}
	switch {
	case n.Name == "RecordCompleted":
		w.c.completed(f)
	case n.Name == "SMSDeliveryReport" && f != nil && ozml.HasCommands(f): // live they run at once, beside the call
		w.c.gone = append(w.c.gone, gone{f})
	}
}

// answer reads the answer to a report (decisions 2): one that is refused is a
// failed delivery, one that is no document at all a warning.
func (w *Web) answer(n ozml.Notification, a *Answer, ev *trace.Event) (*syntax.File, *trace.Event) {
	warn := trace.Event{Type: trace.ScriptWarning, Name: n.Name, URL: n.URL, Doc: n.URL}
	f, bad := w.read(n.URL, a.Body)
	switch {
	case bad != nil && bad.Code == ozml.CodeEmpty:
		return nil, nil
	case bad != nil && strings.TrimLeft(a.Body, " \t\r\n\ufeff")[0] != '<':
		warn.Code, warn.Text, warn.Hint = ozml.CodeNoScript, "the answer is no script: "+bad.Msg, ozml.Cure(ozml.CodeNoScript)
		return nil, &warn
	case bad != nil:
		ev.Type, ev.Code, ev.Text, ev.Hint = trace.NotifyFail, bad.Code, bad.Msg, bad.Hint
		ev.Doc, ev.Line, ev.Col = n.URL, bad.Pos.Line, bad.Pos.Column
		return nil, nil
	case !ozml.AnswerRuns(n.Name) && ozml.HasCommands(f):
		warn.Code, warn.Text, warn.Hint = ozml.CodeIgnored, "the commands of this answer are not run: that of "+n.Name+" is no script", ozml.Cure(ozml.CodeIgnored)
		return nil, &warn
	}
	return f, nil
}
