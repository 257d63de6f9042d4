package exchange

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ozswitch/ozml/trace"
	"ozswitch/switch/call"
)

// a room is an exchange with small true neighbours, which write down what they
// are told.
type room struct {
	*Exchange
	mu     sync.Mutex
	told   []string
	hold   chan struct{} // Signalling waits for it, as it never should
	open   error         // of Sound
	ended  []Record
	script func(l *Line) // what a script does besides waiting for its end
	posts  map[call.LegID]func(call.Event) bool
}

func newRoom(c Config) *room {
	r := &room{posts: map[call.LegID]func(call.Event) bool{}}
	n := 0
	c.Signal, c.Sound = r, r
	c.NewID = func() call.ID { n++; return call.ID(fmt.Sprint("c", n)) }
	c.Route = func(in call.Invited) (string, call.Direction, any, *call.Respond) {
		if in.To == "nobody" {
			return "", 0, nil, &call.Respond{Code: 404}
		}
		return "9000", call.Inbound, nil, nil
	}
	c.Log = func(Info) trace.Sink {
		return trace.SinkFunc(func(e trace.Event) { r.tell("%s %s", e.Type, e.Reason) })
	}
	c.Script = func(l *Line) Script { return &fakeScript{r: r, l: l, stop: make(chan struct{})} }
	c.Finished = func(_ *Line, rec Record) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.ended = append(r.ended, rec)
	}
	c.Slog = slog.New(slog.DiscardHandler)
	r.Exchange = New(c)
	return r
}

func (r *room) tell(format string, a ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told = append(r.told, strings.TrimSpace(fmt.Sprintf(format, a...)))
}

func (r *room) Do(e call.Effect) {
	if r.hold != nil {
		<-r.hold
	}
	switch e := e.(type) {
	case call.Respond:
		r.tell("respond %d", e.Code)
	default:
		r.tell("%T", e)
	}
}
func (r *room) Dial(i call.Invite, post func(call.Event) bool) {
	r.tell("dial %s", i.Target)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.posts[i.Leg] = post
}
func (r *room) Open(call.OpenMedia, func(call.Event) bool, trace.Sink) (call.Media, error) {
	r.tell("open")
	return call.Media{}, r.open
}
func (r *room) Agree(call.LegID, *call.Media) (call.Media, error) {
	r.tell("agree")
	return call.Media{}, nil
}
func (r *room) Connect(call.LegID, call.Media) error { r.tell("connect"); return nil }
func (r *room) Close(call.LegID)                     { r.tell("close") }
func (r *room) Join(a, b call.LegID)                 { r.tell("join %s %s", a, b) }
func (r *room) Part(a, b call.LegID)                 { r.tell("part %s %s", a, b) }
func (r *room) Ringback(leg call.LegID, on bool)     { r.tell("ringback %s %v", leg, on) }
func (r *room) SendKey(leg call.LegID, key byte)     { r.tell("key %c to %s", key, leg) }
func (r *room) Music(leg call.LegID, on bool)        { r.tell("music %s %v", leg, on) }

type fakeScript struct {
	r    *room
	l    *Line
	stop chan struct{}
	once sync.Once
}

func (s *fakeScript) Start(bool) {
	go func() {
		if s.r.script != nil {
			s.r.script(s.l)
		}
		<-s.stop
		s.l.Post(call.ScriptEnded{})
	}()
}
func (s *fakeScript) Over(time.Time)   { s.r.tell("script over") }
func (s *fakeScript) Stop(call.Result) { s.once.Do(func() { s.r.tell("script stop"); close(s.stop) }) }
func (s *fakeScript) Key(k byte) {
	if k == '!' {
		panic("a bug")
	}
	s.r.tell("key %c", k)
}

func (r *room) invite(t *testing.T, leg call.LegID) func(call.Event) bool {
	t.Helper()
	post, refuse := r.Invited(call.Invited{Leg: leg, From: "1001", To: "9000", Offer: &call.Media{Codecs: []call.Codec{{Name: "PCMU", ClockRate: 8000}}}})
	if refuse != nil {
		t.Fatalf("refused: %+v", refuse)
	}
	return post
}

// TestLife: what a call does is carried out in order, and its end is told before
// its script is stopped.
func TestLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(Config{})
		var answered error
		r.script = func(l *Line) {
			answered = l.Ask(context.Background(), func(k call.Ticket) call.Event { return call.AnswerWanted{Ticket: k} })
		}
		post := r.invite(t, "leg")
		time.Sleep(time.Second / 2)
		post(call.KeyInfo{Leg: "leg", Key: '5'})
		post(call.Ended{Leg: "leg"})
		synctest.Wait()
		want := []string{"call.started", "open", "respond 200", "connect", "call.answered", "key 5",
			"script over", "call.ended caller", "script stop", "close"}
		if !slices.Equal(r.told, want) {
			t.Errorf("told %q, want %q", r.told, want)
		}
		if answered != nil || len(r.ended) != 1 || r.ended[0].Result != call.ByCaller || r.Len() != 0 {
			t.Errorf("answered: %v, ended %+v, %d calls left", answered, r.ended, r.Len())
		}
		if post(call.Ended{Leg: "leg"}) {
			t.Error("an event was taken after the end")
		}
		r.Drain(t.Context())
	})
}

// TestAskAfterTheEnd: whoever asks a call that is over is told so, and waits for
// nothing.
func TestAskAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(Config{})
		post := r.invite(t, "leg")
		l := r.ByLeg("leg")
		ctx, cancel := context.WithCancelCause(t.Context())
		why := errors.New("why")
		cancel(why)
		if err := l.Ask(ctx, func(k call.Ticket) call.Event { return call.Tick{} }); err != why {
			t.Errorf("Ask with a context that has ended: %v, want its cause", err)
		}
		post(call.Cancelled{Leg: "leg"})
		<-l.Done()
		err := l.Ask(t.Context(), func(k call.Ticket) call.Event { return call.HangupWanted{Ticket: k} })
		if a, ok := errors.AsType[*AskError](err); !ok || a.Code != 481 {
			t.Errorf("Ask after the end: %v, want 481", err)
		}
		r.Drain(t.Context())
	})
}

// TestOverflow: a call whose mailbox is full ends, and says why.
func TestOverflow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(Config{})
		r.hold = make(chan struct{})
		post := r.invite(t, "leg")
		post(call.RejectWanted{}) // hangs in Signalling
		synctest.Wait()
		taken := 0
		for range 2 * mailbox {
			if post(call.KeyInfo{Leg: "leg", Key: '1'}) {
				taken++
			}
		}
		if taken != mailbox {
			t.Errorf("%d events were taken, want %d", taken, mailbox)
		}
		close(r.hold)
		r.Drain(t.Context())
		if r.ended[0].Result != call.Rejected { // it had ended already when the box was full
			t.Errorf("ended by %v", r.ended[0].Result)
		}

		r = newRoom(Config{})
		r.hold = make(chan struct{})
		post = r.invite(t, "leg")
		time.Sleep(2 * time.Second) // ringing hangs in Signalling
		for range 2 * mailbox {
			post(call.KeyInfo{Leg: "leg", Key: '1'})
		}
		close(r.hold)
		r.Drain(t.Context())
		if r.ended[0].Result != call.Overload || !slices.Contains(r.told, "call.ended overload") {
			t.Errorf("ended by %v, want overload; told %q", r.ended[0].Result, r.told)
		}
	})
}

// TestLimits: no more calls than there may be, none while the switch stops, and
// those that are up then are hung up.
func TestLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(Config{MaxCalls: 2})
		if _, refuse := r.Invited(call.Invited{To: "nobody", Leg: "x"}); refuse == nil || refuse.Code != 404 || refuse.Leg != "x" {
			t.Errorf("refused with %+v, want 404", refuse)
		}
		r.invite(t, "a")
		r.invite(t, "b")
		if _, refuse := r.Invited(call.Invited{To: "9000", Leg: "c"}); refuse == nil || refuse.Code != 503 {
			t.Errorf("the third call: %+v, want 503", refuse)
		}
		if _, err := r.Exchange.Dial(Info{Leg: "d"}); !errors.Is(err, ErrFull) {
			t.Errorf("Dial: %v, want ErrFull", err)
		}
		if r.Len() != 2 || len(r.Lines()) != 2 || r.Find("c1") == nil || r.Find("c9") != nil {
			t.Errorf("%d calls, %v, %v", r.Len(), r.Find("c1"), r.Find("c9"))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		begun := time.Now()
		r.Drain(ctx)
		if took := time.Since(begun); took != 5*time.Second || len(r.ended) != 2 || r.ended[0].Result != call.Shutdown {
			t.Errorf("drained in %v: %+v", took, r.ended)
		}
		if _, err := r.Exchange.Dial(Info{Leg: "e"}); !errors.Is(err, ErrClosed) {
			t.Errorf("Dial after Close: %v, want ErrClosed", err)
		}
	})
}

// TestPanic: a bug ends its call, with all that goes with an end, once; what the
// far end gets depends on where the call stood.
func TestPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, answer := range []bool{false, true} {
			caught := 0
			r := newRoom(Config{Panicked: func(string) { caught++ }})
			if answer {
				r.script = func(l *Line) {
					_ = l.Ask(context.Background(), func(k call.Ticket) call.Event { return call.AnswerWanted{Ticket: k} })
				}
			}
			post := r.invite(t, "leg")
			other := r.invite(t, "other")
			synctest.Wait()
			r.told = nil
			post(call.KeyInfo{Leg: "leg", Key: '!'})
			synctest.Wait()
			want := []string{"error", "respond 500", "script over", "call.ended error", "script stop", "close"}
			if answer {
				want[1] = "call.Bye"
			}
			if !slices.Equal(r.told, want) || caught != 1 || len(r.ended) != 1 || r.ended[0].Result != call.Failed || r.Len() != 1 {
				t.Errorf("told %q, want %q; %d caught, ended %+v, %d left", r.told, want, caught, r.ended, r.Len())
			}
			other(call.Ended{Leg: "other"})
			r.Drain(t.Context())
		}
	})
}
