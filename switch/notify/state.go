package notify

import (
	"context"
	"net/http"
	"sync"
	"time"

	"ozswitch/ozml"
	"ozswitch/ozml/syntax"
	"ozswitch/ozml/trace"
)

// Limits of a state (decisions 8).
const (
	stateTries = 3
	stateTime  = 10 * time.Second
	maxStates  = 64 // that wait for one call
)

// states are the CallChanged that wait, by call.
type states struct {
	kick chan struct{}

	mu     sync.Mutex
	byCall map[string]*stateLane
	begin  []*stateLane // lanes without a goroutine
	ended  bool
}

// A stateLane is the states of one call, sent one at a time by one goroutine.
type stateLane struct {
	call    string
	waiting []stateJob
}

type stateJob struct {
	w  *CallWeb
	n  ozml.Notification
	at time.Time
}

func (s *states) init() { s.kick, s.byCall = make(chan struct{}, 1), map[string]*stateLane{} }

// State sends a CallChanged: in order per call, at most 3 tries and 10 s after
// the event, never again. It returns at once. Commands of the answer go to
// Config.Answered unless a newer state of the call waits. Nothing happens
// without a URL or before Run and after it.
func (w *CallWeb) State(n ozml.Notification) {
	if n.URL == "" {
		return
	}
	s := &w.c.states
	job := stateJob{w: w, n: n, at: time.Now()}
	id := w.cc.Info.ID
	s.mu.Lock()
	ln := s.byCall[id]
	full := s.ended || ln != nil && len(ln.waiting) >= maxStates
	if !full && ln == nil {
		ln = &stateLane{call: id}
		s.byCall[id] = ln
		s.begin = append(s.begin, ln)
	}
	if !full {
		ln.waiting = append(ln.waiting, job)
	}
	s.mu.Unlock()
	if full {
		w.dropState(n, "too many states wait")
		return
	}
	select {
	case s.kick <- struct{}{}:
	default:
	}
}

// runStates starts a goroutine for each call that has states to send; it ends
// with the last of them.
func (c *Client) runStates(ctx context.Context) {
	s := &c.states
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		s.mu.Lock()
		begin := s.begin
		s.begin = nil
		s.mu.Unlock()
		for _, ln := range begin {
			wg.Go(func() { c.runLane(ctx, ln) })
		}
		select {
		case <-s.kick:
		case <-ctx.Done():
			s.mu.Lock()
			s.ended = true
			s.mu.Unlock()
			return
		}
	}
}

func (c *Client) runLane(ctx context.Context, ln *stateLane) {
	for {
		job, ok := c.states.next(ln)
		if !ok {
			return
		}
		c.sendState(ctx, ln, job)
	}
}

// next takes the oldest state; without one the lane is gone.
func (s *states) next(ln *stateLane) (job stateJob, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(ln.waiting) == 0 {
		delete(s.byCall, ln.call)
		return stateJob{}, false
	}
	job = ln.waiting[0]
	ln.waiting = ln.waiting[1:]
	return job, true
}

// newer tells whether another state of the call waits.
func (s *states) newer(ln *stateLane) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(ln.waiting) > 0
}

// sendState is a recover boundary: a fault costs this state only.
func (c *Client) sendState(ctx context.Context, ln *stateLane, j stateJob) {
	defer c.guard("sending a state")
	stop := ctx
	ctx, cancel := context.WithDeadline(ctx, j.at.Add(stateTime))
	defer cancel()
	body := form(c.fields(j.n, j.w.cc.Info, j.at))
	id := c.cfg.NewID()
	why := "it waited longer than " + stateTime.String()
	for n := 1; n <= stateTries && ctx.Err() == nil; n++ {
		h := c.exchange(ctx, request{method: http.MethodPost, url: j.n.URL, body: body, max: int64(c.cfg.Limits.Body), limit: time.Until(j.at.Add(stateTime)),
			operator: j.w.cc.isOperator(j.n.URL), header: headers(id, c.secret(j.n.Name, j.w.cc.Info.Extension), body, time.Now())}, func(hop) {})
		fa, o := h.fault, Refused
		var f *syntax.File
		if fa == nil {
			f, o, fa = c.read(Blank(h.url), charset(h.head), h.body)
		}
		if After(j.n.Name, o, false) != Retry {
			c.stateSent(ln, j, n, h, f, o, fa)
			return
		}
		e := hopEvent(trace.NotifyFail, j.n, h)
		e.Code, e.Text, e.Hint, e.Succeeded, e.Count, e.Reason = fa.code, fa.cause, fa.hint, false, int64(n), "retry"
		why = fa.cause
		if fa.code == ozml.CodeURL {
			break
		}
		j.w.emit(e)
		if n < stateTries {
			pause(ctx, time.Duration(n)*time.Second)
		}
	}
	if stop.Err() != nil {
		why = "the switch stops"
	}
	j.w.dropState(j.n, why)
}

func (c *Client) stateSent(ln *stateLane, j stateJob, n int, h hop, f *syntax.File, o Outcome, fa *fault) {
	e := hopEvent(trace.NotifySent, j.n, h)
	e.Count, e.Succeeded = int64(n), true
	j.w.emit(e)
	switch {
	case o == Plain && fa.code != ozml.CodeEmpty:
		j.w.emit(trace.Event{Type: trace.ScriptWarning, Name: j.n.Name, URL: Blank(h.url), Doc: Blank(h.url), Code: ozml.CodeNoScript,
			Text: "the answer is no script: " + fa.cause, Hint: ozml.Cure(ozml.CodeNoScript)})
	case o == Document && commands(f) > 0 && c.states.newer(ln):
		j.w.ignored(j.n, h, "the call has changed again")
	case o == Document:
		if commands(f) > 0 {
			c.answered(j.w.cc.Info.ID, j.n, f)
		}
	}
}

func (w *CallWeb) dropState(n ozml.Notification, why string) {
	w.emit(trace.Event{Type: trace.NotifyFail, Name: n.Name, Method: http.MethodPost, URL: Blank(n.URL),
		Text: "dropped: " + why, Reason: "dropped"})
}

// pause waits for d, or less when ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
