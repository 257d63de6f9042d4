package notify

import (
	"context"
	"net/http"
	"time"

	"ozswitch/ozml"
	"ozswitch/ozml/syntax"
)

// An Attempt is what a web app said to a notification that no call waits for.
type Attempt struct {
	Status      int // 0 = no answer
	ContentType string
	Took        time.Duration // of the last of its redirects
	Body        []byte
	Err         *ozml.FetchError // nil = a document
}

// Try posts a notification as a call would, under the same rules, and tells what
// came of it. Nothing is run and no event is told.
func (w *CallWeb) Try(ctx context.Context, n ozml.Notification) Attempt {
	c, a := w.c, w.newAsk(n)
	body := form(c.fields(a.Notification, w.cc.Info, a.at))
	h := c.exchange(ctx, request{
		method: http.MethodPost, url: a.URL, body: body, max: int64(c.cfg.Limits.Body), limit: c.cfg.Timeout,
		operator: w.cc.isOperator(a.URL), header: headers(a.id, c.secret(a.Name, w.cc.Info.Extension), body, time.Now()),
	}, func(hop) {})
	t := Attempt{Status: h.status, Took: h.took, Body: h.body}
	if h.head != nil {
		t.ContentType = h.head.Get("Content-Type")
	}
	fault := h.fault
	if fault == nil {
		var f *syntax.File
		if f, _, fault = c.read(Blank(h.url), charset(h.head), h.body); f == nil && fault == nil {
			fault = newFault(ozml.CodeEmpty, "the answer is empty or no XML")
		}
	}
	if fault != nil {
		t.Err = fault.fetchError(h.method, h.url, h.status)
	}
	return t
}
