package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
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

// replay makes the caller of an event log: the numbers, the keys and, if the
// caller hung up, the end.
func replay(sc *ozmltest.Scenario, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	var begun time.Time
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		var e trace.Event
		if len(lines.Bytes()) == 0 {
			continue
		}
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return fmt.Errorf("%s:%d: no event: %w", name, n, err)
		}
		if begun.IsZero() {
			begun = e.T
		}
		at := max(e.T.Sub(begun), 0)
		switch e.Type {
		case trace.CallStarted:
			sc.Info.Caller, sc.Info.Dialed, sc.Info.Direction = e.From, e.To, e.Direction
		case trace.Key:
			if e.Key == "" {
				return fmt.Errorf("%s:%d: the key is blanked, because the extension says sensitive_input", name, n)
			}
			sc.Acts = append(sc.Acts, ozmltest.Act{At: at, Key: ozml.Key(e.Key[0])})
		case trace.CallEnded:
			if e.Reason == "caller" {
				sc.Acts = append(sc.Acts, ozmltest.Act{At: at, Hangup: true})
			}
		}
	}
	return lines.Err()
}
