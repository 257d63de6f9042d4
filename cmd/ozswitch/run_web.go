package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"time"

	"ozswitch/ozml"
	"ozswitch/ozml/ozmltest"
	"ozswitch/ozml/syntax"
	"ozswitch/ozml/trace"
	"ozswitch/switch/notify"
)

// A runWeb is the real web app of a call on paper. Virtual time stands still
// while it is asked.
type runWeb struct {
	client *notify.Client
	call   *notify.CallWeb
	base   *url.URL   // --app; nil: as the script says
	fields url.Values // of IncomingCall
	end    context.CancelFunc
	done   chan struct{}
	ctx    context.Context
	say    func(format string, args ...any)
}

func (r *run) newWeb(info ozml.CallInfo) (*runWeb, error) {
	w := &runWeb{done: make(chan struct{}), say: func(f string, a ...any) { talk(r.c, f, a...) }}
	var err error
	if w.fields, err = r.incoming(); err != nil {
		return nil, err
	}
	if r.app != "" {
		if w.base, err = url.Parse(r.app); err != nil || !isURL(r.app) || w.base.Host == "" {
			return nil, usagef("run: --app %q: want a URL such as http://127.0.0.1:8000", r.app)
		}
	}
	w.client, err = notify.New(notify.Config{
		Allow: everywhere(), UserAgent: userAgent(), IsCommand: isCommand(r.table),
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, err
	}
	w.call = w.client.ForCall(notify.CallContext{Info: info, Sink: r.tape})
	return w, nil
}

// start lets reports be delivered until the function that it returns is called.
func (w *runWeb) start(ctx context.Context) (stop func()) {
	w.ctx = ctx
	inner, cancel := context.WithCancel(ctx)
	w.end = cancel
	go func() {
		defer close(w.done)
		_ = w.client.Run(inner) // it ends with inner
	}()
	return w.finish
}

// finish gives up what is not delivered yet.
func (w *runWeb) finish() {
	w.end()
	<-w.done
}

// at gives the URL that is asked for u.
func (w *runWeb) at(u string) string {
	to, err := url.Parse(u)
	if w.base == nil || err != nil {
		return u
	}
	to.Scheme, to.Host = w.base.Scheme, w.base.Host
	if w.base.User != nil {
		to.User = w.base.User
	}
	return to.String()
}

// Fetch implements ozml.Web.
func (w *runWeb) Fetch(ctx context.Context, n ozml.Notification) (*syntax.File, error) {
	n.URL = w.at(n.URL)
	return w.call.Fetch(ctx, n)
}

// reportTime is how long the app may take for a report: longer than a live call
// waits for one request.
const reportTime = 12 * time.Second

// Report implements ozml.Web. It waits for the first attempt, so that the
// transcript has everything in order.
func (w *runWeb) Report(n ozml.Notification) {
	f, err := w.ReportWait(w.ctx, n)
	if err == nil && f != nil && ozml.HasCommands(f) {
		w.say("ozswitch: the commands in the answer to %s are not run on paper", n.Name)
	}
}

// ReportWait delivers a report and gives the commands of its answer, nil if
// there are none.
func (w *runWeb) ReportWait(ctx context.Context, n ozml.Notification) (*syntax.File, error) {
	n.URL = w.at(n.URL)
	ctx, cancel := context.WithTimeout(ctx, reportTime)
	defer cancel()
	return w.call.ReportWait(ctx, n)
}

// readLog reads the event log of a call.
func readLog(name string) (events []trace.Event, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	d := json.NewDecoder(f)
	for {
		var e trace.Event
		switch err := d.Decode(&e); {
		case errors.Is(err, io.EOF) && len(events) == 0:
			return nil, fmt.Errorf("%s: no event in it", name)
		case errors.Is(err, io.EOF):
			return events, nil
		case err != nil:
			return nil, fmt.Errorf("%s: event %d: %w", name, len(events)+1, err)
		}
		events = append(events, e)
	}
}

// replay makes the scenario of an event log, and the script that ran at first:
// the answer to IncomingCall, or the file as it was then.
func replay(events []trace.Event) (sc *ozmltest.Scenario, first *document, err error) {
	sc = ozmltest.FromLog(events)
	for _, e := range events {
		if e.Type == trace.Key && e.Key == "" {
			return nil, nil, errors.New("the keys are blanked (sensitive_input), so the call cannot be made again")
		}
	}
	for _, e := range events {
		asks := e.Name != "IncomingCall" && e.Name != "CallConnected"
		switch {
		case e.Type == trace.CommandStart, e.Type == trace.ScriptFetch && asks:
			return sc, first, nil
		case e.Type == trace.ScriptFetch && e.Reason != trace.GivenUp && len(sc.Web) > 0:
			sc.Web = sc.Web[1:] // it is not asked again
			if e.Body != "" {
				first = &document{name: e.URL, src: []byte(e.Body)}
			}
		case e.Type == trace.ScriptParsed && e.Body != "": // whole where a fetch has 16 KiB of it
			first = &document{name: e.Doc, src: []byte(e.Body)}
		}
	}
	return sc, first, nil
}
