package sip

import (
	"cmp"
	"context"
	"strings"
	"sync"
	"time"

	"ozswitch/switch/call"
	"ozswitch/switch/sip/dialog"
	"ozswitch/switch/sip/flow"
	"ozswitch/switch/sip/registrar"
	"ozswitch/switch/sip/transaction"
)

// A Text is a text message from one telephone to another (MESSAGE, RFC 3428).
type Text struct {
	From     string // the extension that sent it, proven
	FromName string
	To       string // what it dialled
	Type     string // Content-Type: text/plain, with its parameters
	Body     []byte
	Sent     time.Time // when it came; of one that has waited its telephone is told
	Hops     int       // Max-Forwards that are left; 0 = 70
}

// Texts takes the text messages of telephones. It must not wait; answer is to be
// called once, by any goroutine, within 20 s (the sender waits for 32): with 200
// when a telephone has the text, 202 when it is kept, else with what went wrong.
type Texts func(t Text, answer func(code int, reason string))

const (
	textType = "text/plain"
	mostText = 8 << 10 // bytes of a body; what goes by UDP has some 1300 (RFC 3428 8)
)

// text handles MESSAGE outside a dialog.
func (e *Endpoint) text(s *shard, m *message) {
	user, ok := e.prove(m, m.req.From().Address.User)
	if !ok {
		return
	}
	t := Text{From: user, FromName: strings.Trim(flow.Line(m.req.From().DisplayName), `"`), To: unescape(m.req.Recipient.User), Sent: time.Now(), Hops: 70}
	if h := m.req.ContentType(); h != nil {
		t.Type = flow.Line(h.Value())
	}
	kind, _, _ := strings.Cut(t.Type, ";")
	coding := m.req.GetHeader("content-encoding")
	switch {
	case len(m.req.Body()) > mostText:
		e.refuse(m, 413, "", "")
		return
	case !strings.EqualFold(strings.TrimSpace(kind), textType):
		e.refuse(m, 415, "", "Accept: "+textType+"\r\n")
		return
	case coding != nil && !strings.EqualFold(strings.TrimSpace(coding.Value()), "identity"):
		e.refuse(m, 415, "", "Accept-Encoding: identity\r\n")
		return
	}
	if h := m.req.MaxForwards(); h != nil {
		t.Hops = min(int(h.Val())-1, 70) // 0 was refused: who sends texts on to us for ever comes to an end
	}
	if t.Hops == 0 {
		e.refuse(m, 483, "", "")
		return
	}
	t.Body = append(t.Body, m.req.Body()...)
	callID, tag := string(m.head.CallID), e.fixedTag(&m.head)
	var x *tx
	var origin flow.Origin
	s.guard(callID, func(time.Time) {
		s.trace(nil, "", false, m.from, m.head.Message)
		x, origin = s.begin(m, transaction.Server, nil), m.head.Origin(m.from.Remote())
	})
	if x == nil {
		return // a bug was caught
	}
	var once sync.Once
	e.c.Texts(t, func(code int, reason string) {
		once.Do(func() {
			s.guard(callID, func(now time.Time) { s.finish(now, x, &origin, flow.Reply{Code: code, Reason: reason, Tag: tag}) })
		})
	})
}

// SendText sends a text to one telephone, and waits for its answer or until ctx
// ends: Code is that of the answer; 480 = it cannot be reached, 408 = it said
// nothing.
func (e *Endpoint) SendText(ctx context.Context, b registrar.Binding, t Text) call.Failure {
	f := e.phone(&b)
	if f == nil {
		return call.Failure{Code: 480, Reason: "its connection is gone"}
	}
	d := dialog.Dialog{CallID: e.random(20), LocalTag: e.random(10), Target: b.Contact, Routes: b.Path}
	d.Local, d.Remote = "<sip:"+Escape(t.From)+"@"+e.c.Realm+">;tag="+d.LocalTag, "<sip:"+Escape(b.User)+"@"+e.c.Realm+">"
	if t.FromName != "" {
		d.Local = quote(t.FromName) + " " + d.Local
	}
	extra := ""
	if !t.Sent.IsZero() && time.Since(t.Sent) > time.Minute { // it has waited
		extra = "Date: " + t.Sent.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT") + "\r\n"
	}
	_, why := e.askWith(ctx, f, &d, dialog.Request{Method: "MESSAGE", Hops: t.Hops, Extra: extra, Type: cmp.Or(t.Type, textType), Body: t.Body})
	return why
}
