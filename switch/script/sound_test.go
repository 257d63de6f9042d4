package script

import (
	"context"
	"errors"
	"iter"
	"slices"
	"testing"
	"testing/synctest"

	"ozswitch/media/codec"
	"ozswitch/media/tts"
	"ozswitch/ozml"
	"ozswitch/ozml/command"
	"ozswitch/ozml/ozmltest"
	"ozswitch/ozml/trace"
)

// parrot says a tone for each text; some texts it says otherwise.
type parrot struct {
	said     []string
	prepared []string
	quick    bool
}

func (p *parrot) Say(_ context.Context, r tts.Request) iter.Seq2[tts.Piece, error] {
	return func(yield func(tts.Piece, error) bool) {
		p.said = append(p.said, r.Text)
		switch r.Text {
		case "...":
			yield(tts.Piece{}, tts.ErrNothing)
		case "broken":
			yield(tts.Piece{}, errors.New("tts: POST http://tts/: 503"))
		default:
			_ = yield(tts.Piece{Rate: 8000, PCM: make([]int16, 800), Text: r.Text, Quick: p.quick}, nil)
		}
	}
}

func (p *parrot) Prepare(_ context.Context, rs ...tts.Request) {
	for _, r := range rs {
		p.prepared = append(p.prepared, r.Text)
	}
}

// speaking is a call on paper whose Speak is the Runner's.
type speaking struct {
	*ozmltest.Call
	r    *Runner
	sink trace.Sink
}

func (s speaking) Speak(ctx context.Context, u ozml.Utterance) error {
	for _, err := range s.r.speech(ctx, codec.Table[0], u, s.sink) {
		if err != nil {
			return err
		}
	}
	return nil
}

// runSpeaking runs a document on such a call and gives its events.
func runSpeaking(t *testing.T, p *parrot, doc string) (events []trace.Event) {
	t.Helper()
	table := command.Table()
	f, err := table.Parse("doc", []byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	sink := trace.SinkFunc(func(e trace.Event) { events = append(events, e) })
	r := New(Config{Voice: p})
	c := ozmltest.NewCall(t.Context(), &ozmltest.Scenario{})
	ozml.Run(c.Context(), ozml.World{Call: speaking{c, r, sink}, Trace: sink}, table, f, ozml.Options{})
	return events
}

// TestUnspoken: what cannot be spoken is an error event with the command's place, never silence, and the script goes on.
func TestUnspoken(t *testing.T) {
	p := &parrot{}
	events := runSpeaking(t, p, "<Response>\n<Speak>...</Speak>\n<Speak>broken</Speak>\n<Speak>hello</Speak>\n</Response>")
	var failed []trace.Event
	for _, e := range events {
		if e.Type == trace.CommandFail {
			failed = append(failed, e)
		}
	}
	if len(failed) != 2 {
		t.Fatalf("%d failures, want 2: %+v", len(failed), events)
	}
	for i, want := range []struct{ text, hint string }{
		{"tts: nothing to say", "the text has no letter and no digit that the voice can read"},
		{"tts: POST http://tts/: 503", ""},
	} {
		if e := failed[i]; e.Code != ozml.CodeSpeech || e.Line != i+2 || e.Name != "Speak" || e.Text != want.text || e.Hint != want.hint {
			t.Errorf("event %+v, want %s in line %d: %q, hint %q", e, ozml.CodeSpeech, i+2, want.text, want.hint)
		}
	}
	if want := []string{"...", "broken", "hello"}; !slices.Equal(p.said, want) {
		t.Errorf("said %q, want %q: the script goes on", p.said, want)
	}
}

// TestQuickIsTold: an event says that the quick voice spoke, and what it spoke is not kept for the next call.
func TestQuickIsTold(t *testing.T) {
	p := &parrot{quick: true}
	const doc = "<Response><Speak>hello</Speak><Speak>hello</Speak></Response>"
	told := 0
	for _, e := range runSpeaking(t, p, doc) {
		if e.Type == trace.ScriptWarning && e.Code == trace.CodeQuickVoice {
			told++
		}
	}
	if told != 2 || len(p.said) != 2 {
		t.Errorf("told %d times, said %q; want both times told and said anew", told, p.said)
	}
	p = &parrot{}
	runSpeaking(t, p, doc)
	if len(p.said) != 1 {
		t.Errorf("the good voice said %q, want it kept after the first", p.said)
	}
}

// TestPrepare: when a document has been checked the voice is told of its texts.
func TestPrepare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &parrot{}
		sink := trace.SinkFunc(func(trace.Event) {})
		r := New(Config{Voice: p})
		c := ozmltest.NewCall(t.Context(), &ozmltest.Scenario{})
		table := command.Table()
		f, err := table.Parse("doc", []byte(`<Response><Speak>one</Speak><Speak>$nothing</Speak><Speak>two</Speak></Response>`))
		if err != nil {
			t.Fatal(err)
		}
		var asked []ozml.Utterance
		l := listening{speaking{c, r, sink}, &asked}
		ozml.Run(c.Context(), ozml.World{Call: l, Trace: sink}, table, f, ozml.Options{})
		if len(asked) != 2 || asked[0].Text != "one" || asked[1].Text != "two" {
			t.Errorf("the call was told of %+v, want one and two", asked)
		}
		(&Runner{c: Config{Voice: p}}).prepare(t.Context(), asked, sink)
		synctest.Wait()
		if want := []string{"one", "two"}; !slices.Equal(p.prepared, want) {
			t.Errorf("the voice prepared %q, want %q", p.prepared, want)
		}
	})
}

// listening is a call that is told what will be said.
type listening struct {
	speaking
	asked *[]ozml.Utterance
}

func (l listening) Prepare(_ context.Context, us []ozml.Utterance) {
	*l.asked = append(*l.asked, us...)
}

var (
	_ ozml.Preparer = (*live)(nil)
	_ preparer      = (*tts.Voice)(nil)
)
