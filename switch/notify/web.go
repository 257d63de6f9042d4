package notify

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"ozswitch/ozml"
	"ozswitch/ozml/syntax"
	"ozswitch/ozml/trace"
)

// A CallContext is what the web side must know of a call.
type CallContext struct {
	Info ozml.CallInfo // zero ID: no call (an SMS, an API request)

	FallbackURL    string // of the extension
	FallbackScript string // of the extension: a name for Config.ReadScript
	ErrorURL       string // gets Error when the ladder is used, "" = nobody

	// Operator are URLs that count as the operator's (decisions 9): those of the
	// configuration, and those that a user with urls: any sent by the HTTP API.
	Operator []string
	// Sensitive leaves the answers to DtmfEntered out of events.
	Sensitive bool
	// Sink gets the events; it must take them after the call's end too, because
	// reports go on. Nil = Config.Trace.
	Sink trace.Sink
}

// A CallWeb is the web as one call sees it. It may be used from several
// goroutines.
type CallWeb struct {
	c  *Client
	cc CallContext
}

var _ ozml.Web = (*CallWeb)(nil)

// ForCall gives the web of one call.
func (c *Client) ForCall(cc CallContext) *CallWeb {
	if cc.Sink == nil {
		cc.Sink = c.cfg.Trace
	}
	return &CallWeb{c: c, cc: cc}
}

func (cc *CallContext) isOperator(url string) bool {
	for _, u := range cc.Operator {
		if u == url {
			return true
		}
	}
	return false
}

func (w *CallWeb) emit(e trace.Event) {
	if e.Call == "" {
		e.Call = w.cc.Info.ID
	}
	w.cc.Sink.Emit(e)
}

// Fetch implements ozml.Web. Beside a *ozml.FetchError it returns
// context.Cause(ctx) when ctx ends.
func (w *CallWeb) Fetch(ctx context.Context, n ozml.Notification) (*syntax.File, error) {
	f, h, fa := w.ask(ctx, w.newAsk(n), w.c.cfg.Timeout)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if fa != nil {
		return nil, fa.fetchError(h.method, h.url, h.status)
	}
	return f, nil
}

// An ask is one notification, however often and wherever it is posted.
type ask struct {
	ozml.Notification
	id string
	at time.Time
}

func (w *CallWeb) newAsk(n ozml.Notification) ask {
	return ask{Notification: n, id: w.c.cfg.NewID(), at: time.Now()}
}

// ask posts an Ask and reads the document of its answer.
func (w *CallWeb) ask(ctx context.Context, a ask, limit time.Duration) (*syntax.File, hop, *fault) {
	c := w.c
	body := form(c.fields(a.Notification, w.cc.Info, a.at))
	quiet := w.cc.Sensitive && a.Name == "DtmfEntered"
	h := c.exchange(ctx, request{
		method: http.MethodPost, url: a.URL, body: body, max: int64(c.cfg.Limits.Body), limit: limit,
		operator: w.cc.isOperator(a.URL), quiet: quiet,
		header: headers(a.id, c.secret(a.Name, w.cc.Info.Extension), body, time.Now()),
	}, func(h hop) {
		e := hopEvent(trace.ScriptFetch, a.Notification, h)
		if quiet {
			e.Body = ""
		}
		if ctx.Err() != nil { // a key, or the call's end: nobody's fault
			e.Code, e.Text, e.Hint, e.Reason = "", "", "", trace.GivenUp
		}
		w.emit(e)
	})
	if ctx.Err() != nil || h.fault != nil {
		return nil, h, h.fault
	}
	f, _, fa := c.read(Blank(h.url), charset(h.head), h.body)
	if fa != nil && quiet {
		fa = fa.quiet()
	}
	w.tellRefused(fa, Blank(h.url), h.head.Get("Content-Type"), len(h.body))
	return f, h, fa
}

// tellRefused makes the event of a document that was refused; one that was read
// is told by the machine that runs it.
func (w *CallWeb) tellRefused(fa *fault, name, contentType string, n int) {
	if fa == nil {
		return
	}
	e := trace.Event{Type: trace.ScriptRefused, Doc: name, URL: name, Line: fa.pos.Line, Col: fa.pos.Column,
		Code: fa.code, Text: fa.cause, Hint: fa.hint, Body: cut([]byte(fa.line)), Size: int64(n)}
	if contentType != "" {
		e.Reason = "Content-Type: " + contentType
	}
	w.emit(e)
}

// commands counts the elements under the root.
func commands(f *syntax.File) (n int) {
	for _, c := range f.Root.Children {
		if _, ok := c.(*syntax.Element); ok {
			n++
		}
	}
	return n
}

// hopEvent tells one hop.
func hopEvent(t trace.Type, n ozml.Notification, h hop) trace.Event {
	e := trace.Event{Type: t, Name: n.Name, Method: h.method, URL: Blank(h.url), Status: h.status,
		MS: float64(h.took.Microseconds()) / 1000, Size: int64(len(h.body)), Body: cut(h.body),
		Doc: n.At.Doc, Line: n.At.Pos.Line, Col: n.At.Pos.Column, Succeeded: h.fault == nil}
	switch {
	case h.fault != nil:
		e.Code, e.Text, e.Hint = h.fault.code, h.fault.cause, h.fault.hint
	case h.lost:
		e.Text, e.Code, e.Hint = "redirected to "+Blank(h.to)+"; the fields are lost, because it is followed with GET", ozml.CodeLostFields, ozml.Cure(ozml.CodeLostFields)
	case h.to != "":
		e.Text = "redirected to " + Blank(h.to)
	}
	return e
}

// cut gives at most 16 KiB of a body as text.
func cut(b []byte) string {
	const most = 16 << 10
	if len(b) > most {
		b = b[:most]
		for i := 1; i < 4; i++ { // not within a character
			if c := b[len(b)-i]; c >= 0xC0 {
				b = b[:len(b)-i]
				break
			} else if c < 0x80 {
				break
			}
		}
	}
	return strings.ToValidUTF8(string(b), "\uFFFD")
}

// A Page is something that was fetched as it stands: a sound for Play, a script
// for vet.
type Page struct {
	URL    string // where it was found after redirects, blanked
	Status int
	Header http.Header
	Body   []byte
}

// Get fetches a URL by GET under the same rules as everything else. max bounds
// the body, unpacked; timeout 0 is Config.Timeout. header is sent along, may be
// nil. The error is a *ozml.FetchError or context.Cause(ctx). A 304 is no error.
func (c *Client) Get(ctx context.Context, url string, header http.Header, max int64, timeout time.Duration, operator bool) (*Page, error) {
	if timeout <= 0 {
		timeout = c.cfg.Timeout
	}
	h := c.exchange(ctx, request{method: http.MethodGet, url: url, header: header, max: max, limit: timeout, operator: operator}, func(hop) {})
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case h.fault != nil && h.status != http.StatusNotModified:
		return nil, h.fault.fetchError(h.method, h.url, h.status)
	}
	return &Page{URL: Blank(h.url), Status: h.status, Header: h.head, Body: h.body}, nil
}

// errGone is the reason of a waiter that nobody will answer any more.
var errGone = errors.New("notify: stopped")
