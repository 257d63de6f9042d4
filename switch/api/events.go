package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"ozswitch/ozml/trace"
	"ozswitch/switch/eventlog"
)

// Events streams events as Server-Sent Events: of one call when the request's
// path has an id, of all calls otherwise. Wire it at "GET /v1/events" and
// "GET /v1/calls/{id}/events", behind Access.Guard.
//
// Each event has its id, its type as name and its JSON as data. A client that
// comes back with Last-Event-ID misses nothing that is still kept. The stream
// of a call ends with the call; a client that comes back after that gets 204,
// which tells a browser to stop. The stream of all calls begins with what
// happens from now on.
type Events struct {
	Log   *eventlog.Log
	Quiet time.Duration // between comments when nothing happens; 0 = 15 s
	Retry time.Duration // after which a browser comes back; 0 = 2 s
}

// writeTime is how long a client may take to take something. One that is slower
// than the log's ring is cut as well.
const writeTime = 10 * time.Second

// ServeHTTP implements http.Handler.
func (h *Events) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call, after := r.PathValue("id"), int64(eventlog.Now)
	if call != "" {
		if after = 0; !h.Log.Known(call) {
			(&problem{Status: http.StatusNotFound, Code: codeNoCall, Detail: fmt.Sprintf(messages[codeNoCall], call)}).write(w)
			return
		}
	}
	last := r.Header.Get("Last-Event-ID")
	if last == "" {
		last = r.URL.Query().Get("last_event_id") // for those who cannot set headers
	}
	if last != "" {
		n, err := strconv.ParseInt(last, 10, 64)
		if err != nil || n < 0 {
			(&problem{Status: http.StatusBadRequest, Detail: "Last-Event-ID is not a number"}).write(w)
			return
		}
		after = n
	}
	sub := h.Log.Subscribe(call, after)
	defer sub.Close()
	s := &stream{w: w, c: http.NewResponseController(w), quiet: h.Quiet, retry: h.Retry}
	if s.quiet <= 0 {
		s.quiet = 15 * time.Second
	}
	if s.retry <= 0 {
		s.retry = 2 * time.Second
	}
	s.run(r.Context(), sub)
}

// A CallPath is a call of a path.
type CallPath struct {
	ID string `path:"id" doc:"the call's id"`
}

// A Follow says from where on events are wanted.
type Follow struct {
	Last  string `header:"Last-Event-ID" doc:"the last event that was seen: what came since then comes first"`
	Query string `query:"last_event_id" doc:"the same, for who cannot set headers"`
}

func (v *V1) getEvents(context.Context, *Follow) (*huma.StreamResponse, error) {
	return streamed(v.Events.ServeHTTP)
}

func (v *V1) getCallEvents(context.Context, *struct {
	CallPath
	Follow
}) (*huma.StreamResponse, error) {
	return streamed(v.Events.ServeHTTP)
}

// A stream is one client that listens.
type stream struct {
	w            http.ResponseWriter
	c            *http.ResponseController
	quiet, retry time.Duration
	begun        bool
}

func (s *stream) run(ctx context.Context, sub *eventlog.Subscription) {
	for {
		e, err := s.next(ctx, sub)
		if !stillIn(ctx) {
			return
		}
		switch {
		case err == nil:
			err = s.event(e)
		case errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil: // nothing happened
			err = s.send(": still here\n\n")
		case errors.Is(err, io.EOF) && !s.begun:
			s.w.WriteHeader(http.StatusNoContent)
		case errors.Is(err, eventlog.ErrSlow):
			s.send(": too slow, come back\n\n")
		}
		if err != nil {
			return
		}
	}
}

// next waits for an event; at first only so long that a client learns soon that
// it is connected.
func (s *stream) next(ctx context.Context, sub *eventlog.Subscription) (trace.Event, error) {
	d := s.quiet
	if !s.begun {
		d = min(d, 50*time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	return sub.Next(ctx)
}

func (s *stream) event(e trace.Event) error {
	data, err := json.Marshal(e)
	if err != nil {
		return nil // a number that JSON has not; the next event may be better
	}
	name := strings.Map(func(r rune) rune {
		if r < ' ' {
			return -1
		}
		return r
	}, string(e.Type))
	return s.send(fmt.Sprintf("id: %d\nevent: %s\ndata: %s\n\n", e.ID, name, data))
}

func (s *stream) send(text string) error {
	if !s.begun {
		s.begun = true
		h := s.w.Header()
		h.Set("Content-Type", "text/event-stream")
		h.Set("Cache-Control", "no-store")
		h.Set("X-Accel-Buffering", "no") // nginx would hold it back
		h.Set("X-Content-Type-Options", "nosniff")
		text = fmt.Sprintf("retry: %d\n\n", s.retry.Milliseconds()) + text
	}
	// Not every writer can: a test's, or HTTP/1.0's.
	_ = s.c.SetWriteDeadline(time.Now().Add(writeTime))
	if _, err := io.WriteString(s.w, text); err != nil {
		return err
	}
	if err := s.c.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}
