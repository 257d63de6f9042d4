package server

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"ozswitch/media/recorder"
	"ozswitch/media/tts"
	"ozswitch/ozml"
	"ozswitch/ozml/syntax"
	"ozswitch/ozml/trace"
	"ozswitch/switch/bridge"
	"ozswitch/switch/call"
	"ozswitch/switch/eventlog"
	"ozswitch/switch/exchange"
	"ozswitch/switch/store"
)

type (
	ozmlNotification = ozml.Notification
	file             = syntax.File
)

func equalFold(a, b string) bool { return strings.EqualFold(a, b) }

// lateSignal is the endpoint, which is made after the exchange that it needs.
type lateSignal struct{ s *Server }

func (l lateSignal) Do(e call.Effect) { l.s.sip.Do(e) }
func (l lateSignal) Dial(i call.Invite, post func(call.Event) bool) {
	l.s.sip.Dial(i, post)
}

// sound gives bridge's failures their SIP status.
type sound struct{ *bridge.Bridge }

func (s sound) Open(o call.OpenMedia, post func(call.Event) bool, sink trace.Sink) (call.Media, error) {
	m, err := s.Bridge.Open(o, post, sink)
	return m, status(err)
}

func (s sound) Agree(leg call.LegID, remote *call.Media) (call.Media, error) {
	m, err := s.Bridge.Agree(leg, remote)
	return m, status(err)
}

func (s sound) Connect(leg call.LegID, remote call.Media) error {
	return status(s.Bridge.Connect(leg, remote))
}

func status(err error) error {
	if err == nil {
		return nil
	}
	code := 500
	_, codec := errors.AsType[*bridge.CodecError](err)
	_, offer := errors.AsType[*bridge.AgreeError](err)
	if codec || offer {
		code = 488
	} else if errors.Is(err, errNoPorts) {
		code = 503
	}
	return &exchange.MediaError{Code: code, Msg: err.Error()}
}

// mute is the voice of a switch without one.
type mute struct{ err error }

func (m mute) Say(context.Context, tts.Request) iter.Seq2[tts.Piece, error] {
	return func(yield func(tts.Piece, error) bool) { yield(tts.Piece{}, m.err) }
}

// timedVoice tells the metrics how long the first piece of a text took.
type timedVoice struct {
	*tts.Voice
	m *Metrics
}

func (t *timedVoice) Say(ctx context.Context, r tts.Request) iter.Seq2[tts.Piece, error] {
	return func(yield func(tts.Piece, error) bool) {
		begun, first := time.Now(), true
		for p, err := range t.Voice.Say(ctx, r) {
			if first {
				t.m.TTS(time.Since(begun))
				first = false
			}
			if !yield(p, err) {
				return
			}
		}
	}
}

// openLog opens the event log of a call, which also feeds the metrics.
func (s *Server) openLog(i exchange.Info) trace.Sink {
	l := s.events.ForCall(string(i.ID), i.Started)
	if s.secretKeys(i.Extension) {
		l.Sensitive()
	}
	s.metrics.CallStarted(inOut(i))
	s.figures.call(i.Started)
	return &counted{CallLog: l, m: s.metrics, figures: &s.figures}
}

func inOut(i exchange.Info) string {
	if i.Outgoing {
		return Out
	}
	return In
}

// counted is the event log of a call that the metrics listen to. It keeps what
// the history wants to know of the call's sound.
type counted struct {
	*eventlog.CallLog
	m       *Metrics
	figures *figures
	doing   doing

	mu      sync.Mutex
	quality map[string]store.Quality // by leg
	refused string                   // why the dial plan found nobody
	files   []store.File
	take    func(trace.Event) bool // takes recordings away; nil = nobody does
	row     store.Call             // as it was written last
	history store.Store            // nil until it was
}

// Emit implements trace.Sink.
func (c *counted) Emit(e trace.Event) {
	c.doing.see(e)
	switch e.Type {
	case trace.CallEnded:
		if e.Text == "" {
			e.Text = c.doing.reason(e.Reason)
		}
	case trace.CommandEnd:
		c.m.ScriptCommand(e.Name, "ok")
	case trace.CommandSkip:
		c.m.ScriptCommand(known(e), "skipped")
	case trace.CommandFail:
		c.m.ScriptCommand(e.Name, "failed")
		c.m.ScriptError(e.Code)
	case trace.ScriptFetch:
		if e.Reason == trace.GivenUp {
			break
		}
		c.figures.fetch(e.MS)
		c.m.ScriptFetch(e.Status, time.Duration(e.MS*float64(time.Millisecond)))
	case trace.ScriptRefused, trace.Error:
		c.m.ScriptError(e.Code)
	case trace.MediaQuality:
		c.mu.Lock()
		if c.quality == nil {
			c.quality = map[string]store.Quality{}
		}
		c.quality[e.Leg] = qualityOf(e)
		c.mu.Unlock()
	case trace.CallRouted:
		if e.Status != 0 {
			c.mu.Lock()
			c.refused = e.Text
			c.mu.Unlock()
		}
	case trace.RecordSaved:
		if c.taken(e) {
			break
		}
		c.mu.Lock()
		c.files = append(slices.Clip(c.files), savedFile(e))
		c.rewrite()
		c.mu.Unlock()
	}
	c.CallLog.Emit(e)
}

// write puts the call's row into the history with what was heard of its sound;
// what is saved from now on is added to it.
func (c *counted) write(in store.Store, row store.Call, first call.LegID, legs []exchange.Leg, result call.Result) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	row.Legs, row.Quality = legRows(legs, result, row.Ended, c.quality), c.quality[string(first)]
	row.To = cmp.Or(wentTo(first, legs), row.To)
	if c.refused != "" && row.Answered.IsZero() && row.Result != call.ByCaller.String() {
		row.Reason = c.refused
	}
	row.Recordings = c.files
	row.Script, row.Problem = c.doing.past()
	c.row, c.history = row, in
	return in.PutCall(row)
}

// rewrite adds to the row what was saved after the call's end: an mp3 that took
// long. It needs c.mu; before the end it does nothing.
func (c *counted) rewrite() {
	if c.history == nil {
		return
	}
	c.row.Recordings = c.files
	if err := c.history.PutCall(c.row); err != nil {
		c.CallLog.Emit(trace.Event{Type: trace.Error, Code: trace.CodeHistory, Text: "the history did not take a late recording: " + err.Error()})
	}
}

// qualityOf is what a media.quality event says.
func qualityOf(e trace.Event) store.Quality {
	return store.Quality{
		Codec: e.Name, Sent: e.Sent, Received: e.Received, Lost: e.Lost, JitterMS: e.JitterMS, LateMS: e.MS,
		RoundTripMS: e.RoundTripMS, TheirLost: e.TheirLost, TheirJitterMS: e.TheirJitterMS, MOS: e.MOS, HoldSeconds: e.HoldSeconds,
	}
}

// savedFile is the recording of a recording.saved event, as the history names it.
func savedFile(e trace.Event) store.File {
	return store.File{
		Path: strings.TrimPrefix(e.File, "recordings/"), Format: strings.TrimPrefix(path.Ext(e.File), "."), Size: e.Size, Reason: e.Reason,
		Duration: time.Duration(e.Seconds * float64(time.Second)),
	}
}

// known is the command's name, or "unknown" for one that a script made up.
func known(e trace.Event) string {
	if commandTable.Lookup(e.Name) == nil {
		return "unknown"
	}
	return e.Name
}

// changed counts the time to the answer and tells call_changed_url.
func (s *Server) changed(l *exchange.Line, st call.State) {
	s.scripts.Changed(l, st)
	i := l.Info()
	if st == call.InCall && !l.Status().Resumed {
		s.metrics.CallSetup(time.Since(i.Started))
	}
	url := s.state.Load().cfg.CallChangedURL
	if url == "" {
		return
	}
	for _, word := range s.scripts.StateWords(l, st) {
		s.scripts.Tell(l, url, word)
	}
}

// finished writes the history and tells the web app.
func (s *Server) finished(l *exchange.Line, r exchange.Record) {
	var talk time.Duration
	ring := r.Ended.Sub(r.Started)
	if !r.Answered.IsZero() {
		talk, ring = r.Ended.Sub(r.Answered), r.Answered.Sub(r.Started)
	}
	s.metrics.CallEnded(inOut(r.Info), r.Result.String(), talk)
	s.figures.ended()
	row := callRow(r.Info)
	overLine(l, &row)
	row.State, row.Result, row.Reason = historyState(r), r.Result.String(), "ended by "+r.Result.String()
	row.Answered, row.Ended, row.Ring, row.Talk = r.Answered, r.Ended, ring, talk
	c, _ := l.Sink().(*counted)
	if why := c.doing.reason(row.Result); why != "" {
		row.Reason = why
	}
	if err := c.write(s.store, row, r.Leg, l.Legs(), r.Result); err != nil {
		l.Sink().Emit(trace.Event{Type: trace.Error, Code: trace.CodeHistory, Text: "the history did not take this call: " + err.Error()})
	}
	s.endQuota(row)
	s.phones.finished(l)
	s.scripts.Finished(l, r)
	c.Close()
}

// callRow is what the history knows of a call from its start.
func callRow(i exchange.Info) store.Call {
	row := store.Call{
		ID: string(i.ID), Type: "Audio", Direction: i.Direction.String(), From: i.From, FromName: i.FromName, Source: i.From,
		Dialed: i.Dialed, To: i.Extension, Extension: i.Extension, Peer: i.RemoteAddr, UserAgent: i.UserAgent, Started: i.Started,
	}
	if i.Outgoing {
		row.Source, row.To = i.Extension, i.Dialed
	}
	return row
}

// historyState is the word of ListCallHistory (http-api.md).
func historyState(r exchange.Record) string { return stateOfEnd(r.Result, !r.Answered.IsZero()) }

// stateOfEnd is historyState of a call that ended so; up says that it was
// answered.
func stateOfEnd(r call.Result, up bool) string {
	switch r {
	case call.ByCaller:
		if !up {
			return "Cancelled"
		}
		return "CallerHungUp"
	case call.ByCallee, call.ByScript, call.ByAPI:
		return "CalleeHungUp"
	case call.Busy:
		return "Busy"
	case call.NotFound:
		return "NotFound"
	case call.NoAnswer:
		return "NoAnswer"
	case call.Rejected:
		return "Rejected"
	case call.Transferred:
		return "TransferCompleted"
	}
	return "Error"
}

// recovered tells of recordings that an earlier run left unfinished.
func (s *Server) recovered(all []recorder.Done) {
	for _, d := range all {
		s.late(d)
	}
}

// late tells of a recording that an earlier run left unfinished, and adds its
// file to the row of its call, if that was written.
func (s *Server) late(d recorder.Done) {
	e := s.scripts.Recovered(d)
	if e.Call == "" || e.Size == 0 {
		return
	}
	row, err := s.store.Call(context.Background(), e.Call)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return // the call ended with that run: it has no row
	case err == nil:
		f := savedFile(e)
		if slices.ContainsFunc(row.Recordings, func(o store.File) bool { return o.Path == f.Path }) {
			return
		}
		row.Recordings = append(slices.Clip(row.Recordings), f)
		err = s.store.PutCall(row)
	}
	if err != nil {
		s.log.Error("the history does not name a recording", "call", e.Call, "file", d.Name, "err", err)
	}
}
