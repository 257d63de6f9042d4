package server

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime/debug"
	"slices"
	"time"

	"ozswitch/media/codec"
	"ozswitch/media/pace"
	"ozswitch/ozml/trace"
	"ozswitch/switch/bridge"
	"ozswitch/switch/call"
	"ozswitch/switch/exchange"
)

// echoTask is exchange.Info.Task of a call to an extension of type echo.
type echoTask struct{}

// script gives what runs on a call.
func (s *Server) script(l *exchange.Line) exchange.Script {
	s.blank(l)
	if leads, ok := s.lead(l); ok {
		return leads
	}
	if serves, ok := s.serve(l); ok {
		return serves
	}
	if _, ok := l.Info().Task.(echoTask); ok {
		e := &echo{s: s, line: l}
		e.ctx, e.stop = context.WithCancelCause(context.Background())
		return e
	}
	return s.scripts.For(l)
}

// An echo answers a call and sends back what it hears, a quarter of a second
// later, until the caller hangs up. Frames of G.711 and G.722 go back as they came;
// those of Opus are coded anew, since a far end may send longer ones than we do.
type echo struct {
	s    *Server
	line *exchange.Line
	ctx  context.Context // ends with the call
	stop context.CancelCauseFunc
}

var errOver = errors.New("server: the call is over")

// Start implements exchange.Script.
func (e *echo) Start(bool) {
	e.s.echoes.Go(func() {
		defer e.line.Post(call.ScriptEnded{})
		defer func() {
			if v := recover(); v != nil {
				e.s.panicked("echo")
				e.s.log.Error("panic in an echo", "panic", v, "stack", string(debug.Stack()))
			}
		}()
		if err := e.run(); err != nil && e.ctx.Err() == nil && !errors.Is(err, bridge.ErrClosed) {
			e.line.Sink().Emit(trace.Event{Type: trace.Error, Code: trace.CodeSound, Text: err.Error()})
		}
	})
}

func (e *echo) run() error {
	if err := e.line.Ask(e.ctx, func(t call.Ticket) call.Event { return call.AnswerWanted{Ticket: t} }); err != nil {
		return err
	}
	leg := e.s.bridge.Leg(e.line.Talks())
	if leg == nil {
		return bridge.ErrClosed
	}
	if err := leg.Usable(); err != nil {
		return err
	}
	heard := make(chan echoed, 32)
	var back repeater
	stop, err := leg.Record(func(b *pace.Block) {
		select {
		case heard <- echoed{back.clip(b), back.codec}:
		default: // nobody takes it: the call is about to end
		}
	})
	if err != nil {
		return fmt.Errorf("server: echo: %w", err)
	}
	defer stop()
	for {
		_, err = leg.Play(e.ctx, e.clips(heard, leg))
		if !errors.Is(err, bridge.ErrChanged) {
			return err
		}
	}
}

// echoed is a clip and what it is coded in.
type echoed struct {
	*pace.Clip
	codec *codec.Codec
}

// clips gives what was heard in the codec that the leg has now. It lags by two
// blocks, so that a block that comes a little late leaves no gap.
func (e *echo) clips(heard <-chan echoed, leg *bridge.Leg) iter.Seq2[*pace.Clip, error] {
	return func(yield func(*pace.Clip, error) bool) {
		held := &pace.Clip{} // until two blocks are there
		for blocks := 1; ; blocks++ {
			select {
			case c := <-heard:
				if c.codec != leg.Codec() {
					continue
				}
				held.Frames = append(held.Frames, c.Frames...)
			case <-e.ctx.Done():
				return
			}
			if blocks < 2 {
				continue
			}
			if !yield(held, nil) {
				return
			}
			held = &pace.Clip{}
		}
	}
}

// A repeater makes of what came what goes back.
type repeater struct {
	codec *codec.Codec
	dec   *codec.Patcher // these are for codecs whose payloads need not be a frame;
	enc   codec.Encoder  // those of others go back as they are
	pcm   []int16
	out   []byte
}

// clip copies what came in a block; a frame that did not come is silence.
func (r *repeater) clip(b *pace.Block) *pace.Clip {
	c := &pace.Clip{}
	if b.N == 0 {
		return c
	}
	if of := bridge.CodecOf(b); of != r.codec {
		*r = repeater{codec: of}
		if of.Lasts != nil {
			*r = repeater{of, codec.NewPatcher(of), of.NewEncoder(), make([]int16, of.Rate.Frame()), make([]byte, codec.MaxFrame)}
		}
	}
	for i := range b.N {
		frame := slices.Clone(b.In(i))
		if r.dec != nil {
			clear(r.pcm[r.dec.Decode(r.pcm, frame):])
			frame = slices.Clone(r.out[:r.enc.Encode(r.out, r.pcm)])
		} else if len(frame) != len(r.codec.Silence) {
			frame = r.codec.Silence
		}
		c.Frames = append(c.Frames, frame)
	}
	return c
}

// Over implements exchange.Script.
func (e *echo) Over(time.Time) {}

// Stop implements exchange.Script.
func (e *echo) Stop(call.Result) { e.stop(errOver) }

// Key implements exchange.Script.
func (e *echo) Key(byte) {}
