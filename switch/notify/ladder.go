package notify

import (
	"context"
	"errors"
	"time"

	"ozswitch/ozml"
	"ozswitch/ozml/syntax"
	"ozswitch/ozml/trace"
)

// fallbackTime bounds the fetch of fallback_url: the caller hears something
// within 2 s of the failure (decisions 2).
const fallbackTime = 1500 * time.Millisecond

// BuiltIn is the script of a call for which no other can be had.
const BuiltIn = `<Response><Speak>We are sorry, this number is not available now</Speak><Hangup/></Response>`

// builtInName is how it is called in events.
const builtInName = "ozswitch:fallback"

// First gives the first document of a call: the answer to n (IncomingCall,
// CallConnected), or the highest rung of the ladder of decisions 2 that holds:
// fallback_url, fallback_script, the built-in sentence. It sends the Error
// notification and tells each step as an event.
//
// The error is context.Cause(ctx), or for CallConnected without any fallback the
// *ozml.FetchError: then the call is hung up.
func (w *CallWeb) First(ctx context.Context, n ozml.Notification) (*syntax.File, error) {
	limit, a := w.c.cfg.Timeout, w.newAsk(n)
	f, h, fa := w.ask(ctx, a, limit)
	if left := limit - time.Since(a.at); fa != nil && fa.early && left > 0 && ctx.Err() == nil {
		w.step(fa, h, "retry")
		f, h, fa = w.ask(ctx, a, left)
	}
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case fa == nil:
		return f, nil
	}
	failed := fa.fetchError(h.method, h.url, h.status)
	if After(n.Name, Refused, w.cc.FallbackURL != "" || w.cc.FallbackScript != "") == HangUp {
		w.step(fa, h, HangUp.String())
		w.Error(n.At, failed)
		return nil, failed
	}
	return w.climb(ctx, a, fa, h, failed)
}

// Script gives the document of a file (a script extension), or else the ladder
// from fallback_url on, which is then asked with n.
func (w *CallWeb) Script(ctx context.Context, name string, n ozml.Notification) (*syntax.File, error) {
	f, fa := w.file(name)
	if fa == nil {
		return f, nil
	}
	h := hop{url: name}
	return w.climb(ctx, w.newAsk(n), fa, h, fa.fetchError("", name, 0))
}

// climb tries the fallbacks in turn.
func (w *CallWeb) climb(ctx context.Context, a ask, fa *fault, h hop, failed *ozml.FetchError) (f *syntax.File, err error) {
	w.Error(a.At, failed)
	if w.cc.FallbackURL != "" {
		w.step(fa, h, "fallback_url")
		a.URL = w.cc.FallbackURL
		f, h, fa = w.ask(ctx, a, min(fallbackTime, w.c.cfg.Timeout))
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if fa == nil {
			return f, nil
		}
	}
	if w.cc.FallbackScript != "" {
		w.step(fa, h, "fallback_script")
		h = hop{url: w.cc.FallbackScript}
		if f, fa = w.file(w.cc.FallbackScript); fa == nil {
			return f, nil
		}
	}
	w.step(fa, h, "built-in")
	return syntax.Parse(builtInName, []byte(BuiltIn))
}

// step tells why a rung broke and which one is next.
func (w *CallWeb) step(fa *fault, h hop, next string) {
	w.emit(trace.Event{Type: trace.Error, Code: fa.code, Text: fa.cause, Hint: fa.hint, Reason: next, Method: h.method,
		URL: Blank(h.url), Status: h.status, Doc: docOf(fa, h), Line: fa.pos.Line, Col: fa.pos.Column})
}

func docOf(fa *fault, h hop) string {
	if fa.pos.IsValid() {
		return Blank(h.url)
	}
	return ""
}

// file reads a script file, with events.
func (w *CallWeb) file(name string) (*syntax.File, *fault) {
	var body []byte
	err := errors.New("there are no script files here")
	if w.c.cfg.ReadScript != nil {
		body, err = w.c.cfg.ReadScript(name)
	}
	if err != nil {
		fa := newFault(ozml.CodeScriptFile, "the script cannot be read: %s", lastWords(err))
		w.tellRefused(fa, name, "", 0)
		return nil, fa
	}
	f, _, fa := w.c.read(name, "", body)
	w.tellRefused(fa, name, "", len(body))
	return f, fa
}

// Error queues an Error notification to the error_url of the extension, if it
// has one. at is the command that failed, zero when it was none.
func (w *CallWeb) Error(at ozml.Place, e *ozml.FetchError) {
	if w.cc.ErrorURL == "" {
		return
	}
	if e.Pos.IsValid() {
		at.Doc, at.Pos = e.URL, e.Pos
	}
	w.Report(ozml.Notification{Name: "Error", URL: w.cc.ErrorURL, At: at, Fields: ozml.ErrorFields(at, e.Code, e.Msg, e.URL)})
}
