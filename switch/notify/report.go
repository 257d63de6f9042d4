package notify

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"ozswitch/ozml"
	"ozswitch/ozml/syntax"
	"ozswitch/ozml/trace"
	"ozswitch/switch/queue"
)

// late is how long the commands in an answer count, however many attempts it
// took (decisions 8).
const late = 10 * time.Second

// A saved report is what the store keeps. Names are only added.
type saved struct {
	Info      ozml.CallInfo
	Name, URL string
	Form      string // the body: the same in each attempt
	At        ozml.Place
	Operator  bool `json:",omitempty"`
}

// pendings are the reports of this process.
type pendings struct {
	mu   sync.Mutex
	byID map[string]*pending
}

type pending struct {
	n    ozml.Notification // with its fields, for Answered
	sink trace.Sink
	wait chan reply // nil: nobody waits
}

type reply struct {
	file *syntax.File
	err  error
}

// Report implements ozml.Web: it queues n and returns at once. Commands in the
// answer go to Config.Answered. Without a URL nothing happens.
func (w *CallWeb) Report(n ozml.Notification) { w.report(n, nil) }

// ReportWait queues n and waits for the first attempt. It gives the document if
// the answer has commands that count, nil if there are none. After an error
// (a *ozml.FetchError, or context.Cause(ctx)) the queue goes on trying; what is
// answered then goes to Config.Answered while it counts. Give ctx a deadline: a
// report that waits behind another to the same URL has its first attempt late.
func (w *CallWeb) ReportWait(ctx context.Context, n ozml.Notification) (*syntax.File, error) {
	wait := make(chan reply, 1)
	id, err := w.report(n, wait)
	if id == "" {
		return nil, err
	}
	select {
	case r := <-wait:
		return r.file, r.err
	case <-ctx.Done():
	}
	if !w.c.reports.leave(id) { // the answer came at the same moment
		r := <-wait
		return r.file, r.err
	}
	return nil, context.Cause(ctx)
}

func (w *CallWeb) report(n ozml.Notification, wait chan reply) (id string, err error) {
	if n.URL == "" {
		return "", nil
	}
	c := w.c
	u, fa := readURL(n.URL)
	if fa != nil { // it would not become better by waiting
		e := hopEvent(trace.NotifyFail, n, hop{method: http.MethodPost, url: n.URL, fault: fa})
		e.Reason = "dropped"
		w.emit(e)
		return "", fa.fetchError(http.MethodPost, n.URL, 0)
	}
	row, err := json.Marshal(saved{Info: w.cc.Info, Name: n.Name, URL: n.URL, At: n.At, Operator: w.cc.isOperator(n.URL),
		Form: form(c.fields(n, w.cc.Info, time.Now()))})
	if err != nil {
		return "", err
	}
	if id = n.ID; id == "" {
		id = c.cfg.NewID()
	}
	c.reports.add(id, &pending{n: n, sink: w.cc.Sink, wait: wait})
	lane := "" // without a call there is no order to keep
	if w.cc.Info.ID != "" {
		lane = w.cc.Info.ID + "\n" + n.URL
	}
	group := u.Scheme + "://" + strings.ToLower(u.Host)
	if err := c.queue.Put(queue.Item{ID: id, Lane: lane, Group: group, Payload: row}); err != nil {
		c.reports.drop(id)
		w.emit(trace.Event{Type: trace.NotifyFail, Name: n.Name, Method: http.MethodPost, URL: Blank(n.URL), Text: err.Error(), Reason: "dropped"})
		return "", err
	}
	return id, nil
}

// deliver is one attempt at a report. The queue is its recover boundary.
func (c *Client) deliver(ctx context.Context, a queue.Attempt) queue.Outcome {
	var s saved
	if err := json.Unmarshal(a.Payload, &s); err != nil {
		c.cfg.Log.Error("notify: a report cannot be read and is dropped", "id", a.ID, "err", err)
		return queue.Outcome{}
	}
	p := c.reports.find(a.ID, s, c.cfg.Trace)
	w := &CallWeb{c: c, cc: CallContext{Info: s.Info, Sink: p.sink}}

	h := c.exchange(ctx, request{method: http.MethodPost, url: s.URL, body: s.Form, operator: s.Operator, limit: c.cfg.Timeout,
		max: int64(c.cfg.Limits.Body), header: headers(a.ID, c.secret(s.Name, s.Info.Extension), s.Form, time.Now())}, func(hop) {})
	if ctx.Err() != nil && h.fault != nil {
		c.reports.answer(a.ID, reply{err: errGone})
		return queue.Outcome{Again: true} // stopped: the attempt does not count
	}
	fa, o := h.fault, Refused
	var f *syntax.File
	if fa == nil {
		f, o, fa = c.read(Blank(h.url), charset(h.head), h.body)
	}
	if After(s.Name, o, false) == Retry {
		return c.tryAgain(w, p.n, a, h, fa)
	}

	e := hopEvent(trace.NotifySent, p.n, h)
	e.Count, e.Succeeded = int64(a.N), true
	w.emit(e)
	r := reply{}
	counts := a.N == 1 || time.Since(a.Created) <= late
	switch {
	case o == Plain && fa.code != ozml.CodeEmpty:
		w.emit(trace.Event{Type: trace.ScriptWarning, Name: s.Name, URL: Blank(h.url), Doc: Blank(h.url), Code: ozml.CodeNoScript,
			Text: "the answer is no script: " + fa.cause, Hint: ozml.Cure(ozml.CodeNoScript)})
	case o == Document && !ozml.AnswerRuns(s.Name) && commands(f) > 0:
		w.ignored(p.n, h, "that of "+s.Name+" is no script")
	case o == Document && !counts && commands(f) > 0:
		w.ignored(p.n, h, "it came too late")
	case o == Document:
		if commands(f) > 0 {
			r.file = f
		}
	}
	if !c.reports.answer(a.ID, r) && r.file != nil {
		c.answered(s.Info.ID, p.n, r.file)
	}
	c.reports.drop(a.ID)
	return queue.Outcome{}
}

// tryAgain tells what failed, and to the one who waits.
func (c *Client) tryAgain(w *CallWeb, n ozml.Notification, a queue.Attempt, h hop, fa *fault) queue.Outcome {
	e := hopEvent(trace.NotifyFail, n, h)
	e.Code, e.Text, e.Hint, e.Succeeded = fa.code, fa.cause, fa.hint, false
	e.Count, e.Reason = int64(a.N), "retry"
	if fa.pos.IsValid() {
		e.Doc, e.Line, e.Col = Blank(h.url), fa.pos.Line, fa.pos.Column
	}
	w.emit(e)
	c.reports.answer(a.ID, reply{err: fa.fetchError(h.method, h.url, h.status)})
	return queue.Outcome{Again: true, Why: fa.cause}
}

// answered is a recover boundary: a fault in the handler must not make the
// report be sent again.
func (c *Client) answered(callID string, n ozml.Notification, f *syntax.File) {
	defer c.guard("handling the answer to " + n.Name)
	if c.cfg.Answered != nil {
		c.cfg.Answered(callID, n, f)
	}
}

func (w *CallWeb) ignored(n ozml.Notification, h hop, why string) {
	w.emit(trace.Event{Type: trace.ScriptWarning, Name: n.Name, URL: Blank(h.url), Doc: Blank(h.url), Code: ozml.CodeIgnored,
		Text: "the commands of this answer are not run: " + why, Hint: ozml.Cure(ozml.CodeIgnored)})
}

// gaveUp tells of a report that nobody took for a day.
func (c *Client) gaveUp(a queue.Attempt) {
	var s saved
	if json.Unmarshal(a.Payload, &s) != nil {
		return
	}
	p := c.reports.find(a.ID, s, c.cfg.Trace)
	w := &CallWeb{c: c, cc: CallContext{Info: s.Info, Sink: p.sink}}
	w.emit(trace.Event{Type: trace.NotifyFail, Name: s.Name, Method: http.MethodPost, URL: Blank(s.URL), Count: int64(a.N),
		Text: "given up after a day: " + a.Last, Reason: "dropped"})
	c.reports.answer(a.ID, reply{err: errGone})
	c.reports.drop(a.ID)
}

func (p *pendings) add(id string, r *pending) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.byID[id] = r
}

func (p *pendings) drop(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.byID, id)
}

// find gives what is known of a report; one of an earlier process has no sink
// of its own and nobody who waits.
func (p *pendings) find(id string, s saved, sink trace.Sink) pending {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r := p.byID[id]; r != nil {
		return *r
	}
	fields, _ := url.ParseQuery(s.Form) // written by form
	return pending{n: ozml.Notification{Name: s.Name, URL: s.URL, Fields: fields, At: s.At}, sink: sink}
}

// answer gives r to the one who waits; false when nobody does.
func (p *pendings) answer(id string, r reply) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := p.byID[id]
	if w == nil || w.wait == nil {
		return false
	}
	w.wait <- r // holds one, and one is all there is
	w.wait = nil
	return true
}

// leave says that nobody waits any more; false when the answer was given.
func (p *pendings) leave(id string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := p.byID[id]
	if w == nil || w.wait == nil {
		return false
	}
	w.wait = nil
	return true
}
