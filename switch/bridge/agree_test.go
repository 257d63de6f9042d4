package bridge

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"ozswitch/media/codec"
	"ozswitch/media/pace"
	"ozswitch/ozml/trace"
	"ozswitch/switch/call"
)

var (
	pcmu = call.Codec{PT: 0, Name: "PCMU", ClockRate: 8000}
	pcma = call.Codec{PT: 8, Name: "PCMA", ClockRate: 8000}
	g729 = call.Codec{PT: 18, Name: "G729", ClockRate: 8000, Fmtp: "annexb=no"}
	amr  = call.Codec{PT: 101, Name: "AMR-WB", ClockRate: 16000, Fmtp: "octet-align=1"}
	cn   = call.Codec{PT: 13, Name: "CN", ClockRate: 8000}
	opus = call.Codec{PT: 96, Name: "opus", ClockRate: 48000, Channels: 2, Fmtp: "useinbandfec=1"}
)

// shown writes codecs as "0 PCMU".
func shown(cs []call.Codec) string {
	var all []string
	for _, c := range cs {
		all = append(all, fmt.Sprintf("%d %s", c.PT, c.Name))
	}
	return strings.Join(all, ", ")
}

// What we offer: the other party's codecs with their numbers where those are free,
// then ours; each format once, and telephone-events for every clock.
func TestOffer(t *testing.T) {
	b := New(Config{})
	for _, c := range []struct {
		name         string
		peer         *call.Media
		only         []string
		codecs, keys string
	}{
		{"nobody else", nil, nil, "0 PCMU, 8 PCMA, 9 G722, 111 opus", "101 8000, 102 48000"},
		{"another order, unknown ones, no comfort noise", &call.Media{Codecs: []call.Codec{g729, cn, pcma, pcmu}}, nil,
			"18 G729, 8 PCMA, 0 PCMU, 9 G722, 111 opus", "101 8000, 102 48000"},
		{"a number that is taken", &call.Media{Codecs: []call.Codec{amr, {PT: 9, Name: "iLBC", ClockRate: 8000}, opus}}, nil,
			"102 AMR-WB, 9 iLBC, 96 opus, 0 PCMU, 8 PCMA, 97 G722", "101 16000, 103 8000, 104 48000"},
		{"only these", &call.Media{Codecs: []call.Codec{opus, pcmu}}, []string{"pcma", "PCMU", "G729"}, "0 PCMU, 8 PCMA", "101 8000"},
		{"only these, nobody else", nil, []string{"G722", "PCMA"}, "9 G722, 8 PCMA", "101 8000"},
	} {
		m := b.offer(c.peer, c.only)
		var keys []string
		for _, k := range m.Keys {
			keys = append(keys, fmt.Sprintf("%d %d", k.PT, k.ClockRate))
		}
		if got := shown(m.Codecs); got != c.codecs {
			t.Errorf("%s: %s, want %s", c.name, got, c.codecs)
		}
		if got := strings.Join(keys, ", "); got != c.keys {
			t.Errorf("%s: keys %s, want %s", c.name, got, c.keys)
		}
	}
	if m := b.offer(&call.Media{Codecs: []call.Codec{opus}}, nil); m.Codecs[0].Fmtp != opus.Fmtp {
		t.Errorf("the other party's parameters are %q, want %q", m.Codecs[0].Fmtp, opus.Fmtp)
	}
}

// What we answer: what the other party agreed on, if it was offered, with its
// parameters; else the first that we have.
func TestAnswerForPeer(t *testing.T) {
	b := New(Config{})
	for _, c := range []struct {
		name  string
		offer []call.Codec
		peer  []call.Codec
		only  []string
		want  call.Codec
	}{
		{"agreed on what was offered last", []call.Codec{opus, g729, pcma}, []call.Codec{pcma, pcmu}, nil, pcma},
		{"one that we do not know, with the other's parameters", []call.Codec{pcmu, {PT: 18, Name: "g729", ClockRate: 8000}}, []call.Codec{g729}, nil, g729},
		{"its bits lie elsewhere", []call.Codec{{PT: 97, Name: "AMR-WB", ClockRate: 16000}, pcma}, []call.Codec{amr}, nil, pcma},
		{"the offer's number", []call.Codec{{PT: 120, Name: "opus", ClockRate: 48000, Channels: 2}}, []call.Codec{opus}, nil, call.Codec{PT: 120, Name: "opus", ClockRate: 48000, Channels: 2, Fmtp: opus.Fmtp}},
		{"nothing in common", []call.Codec{g729, pcma}, []call.Codec{pcmu}, nil, pcma},
		{"only these", []call.Codec{pcmu, pcma}, nil, []string{"PCMA"}, pcma},
	} {
		o := call.OpenMedia{Remote: &call.Media{Codecs: c.offer}, Codecs: c.only}
		if c.peer != nil {
			o.Peer = &call.Media{Codecs: c.peer}
		}
		m, _, err := b.answer(o, nil)
		if err != nil || len(m.Codecs) != 1 || !strings.EqualFold(m.Codecs[0].Name, c.want.Name) || m.Codecs[0].PT != c.want.PT || m.Codecs[0].Fmtp != c.want.Fmtp {
			t.Errorf("%s: %+v, %v, want %+v", c.name, m.Codecs, err, c.want)
		}
	}
}

// Two telephones that speak a codec which the switch has never heard of hear each
// other, with keys; nothing can be played to them or recorded, and they are told so.
func TestPassUnknown(t *testing.T) {
	calls(t, func(w *two) {
		strange := call.Codec{PT: 99, Name: "G799", ClockRate: 8000, Fmtp: "mode=3"}
		offer := call.Media{Codecs: []call.Codec{strange}, Keys: []call.Codec{{PT: 98, Name: "telephone-event", ClockRate: 8000}}}
		w.connectAs(w.a, codec.PCMU, offer, &offer)
		offer.Codecs[0].PT, offer.Keys[0].PT = 107, 100
		w.b.Join("a", "c")
		w.connectAs(w.c, codec.PCMU, offer, &call.Media{Codecs: []call.Codec{strange}})
		time.Sleep(150 * time.Millisecond)
		w.a.says(t, 500, time.Second)
		time.Sleep(200 * time.Millisecond)
		w.wantTone("joined", w.c, 300*time.Millisecond, time.Second, 500, -15, -10)
		if err := w.a.leg.SendKeys(context.Background(), "42"); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Second)
		if c := w.c.pressed(); c != "42" {
			t.Errorf("keys at c %q, want 42", c)
		}
		l := w.c.ours
		if l.Codec() != nil {
			t.Errorf("Codec = %v, want nil", l.Codec())
		}
		_, err1 := l.PlayIn(context.Background(), tone(500, time.Second))
		_, err2 := l.Play(context.Background(), nil)
		_, err3 := l.Record(func(*pace.Block) {})
		err4 := l.Feed(noFeed{})
		for i, err := range []error{err1, err2, err3, err4} {
			if o, ok := errors.AsType[*OpaqueError](err); !ok || o.Codec != "G799" || !strings.Contains(err.Error(), "let the telephone offer") {
				t.Errorf("error %d: %v, want an OpaqueError", i, err)
			}
		}
		w.b.Music("c", true)
		w.b.Ringback("c", true)
		w.b.SendKey("c", '7') // its keys go as events
		time.Sleep(time.Second)
		if c := w.c.pressed(); c != "7" {
			t.Errorf("keys at c %q, want 7", c)
		}
	})
}

// Two that cannot be joined are told why.
func TestJoinImpossible(t *testing.T) {
	calls(t, func(w *two) {
		offer := call.Media{Codecs: []call.Codec{{PT: 99, Name: "G799", ClockRate: 8000}}}
		w.connectAs(w.a, codec.PCMU, offer, &offer)
		w.connect(w.c, true, codec.PCMU)
		w.b.Join("a", "c")
		w.mu.Lock()
		defer w.mu.Unlock()
		told := 0
		for _, e := range w.logs {
			if e.Type == trace.Error && strings.Contains(e.Text, "one speaks G799, the other PCMU") {
				told++
			}
		}
		if told != 2 {
			t.Errorf("%d of 2 legs were told why they hear nothing", told)
		}
	})
}

type noFeed struct{}

func (noFeed) Hear(any, []byte)    {}
func (noFeed) Say(any, []byte) int { return 0 }

// connectAs brings up a party whose telephone believes to speak co and whose
// messages say offer: packets of any codec are sound of co.
func (w *two) connectAs(p *party, co *codec.Codec, offer call.Media, peer *call.Media) {
	w.t.Helper()
	p.c.Codecs = []*codec.Codec{co}
	own, err := p.Open(call.OpenMedia{Leg: "phone"}, func(call.Event) bool { return true }, trace.SinkFunc(func(trace.Event) {}))
	if err != nil {
		w.t.Fatal(err)
	}
	offer.Addr, offer.Mux = own.Addr, own.Mux
	answer, err := w.b.Open(call.OpenMedia{Leg: call.LegID(p.name), Remote: &offer, Peer: peer}, w.post, w.sink())
	if err != nil || len(answer.Codecs) != 1 || answer.Codecs[0].PT != offer.Codecs[0].PT {
		w.t.Fatalf("Open = %+v, %v", answer, err)
	}
	if err := w.b.Connect(call.LegID(p.name), offer); err != nil {
		w.t.Fatal(err)
	}
	answer.Codecs = []call.Codec{{PT: answer.Codecs[0].PT, Name: co.Name, ClockRate: co.ClockRate}}
	w.connected(p, answer)
}

// A key that the other party's telephone takes neither as an event is the call's to
// pass on.
func TestKeyForCall(t *testing.T) {
	calls(t, func(w *two) {
		w.connect(w.a, true, codec.PCMU)
		w.connect(w.c, false, codec.PCMU)
		w.b.Join("a", "c")
		time.Sleep(150 * time.Millisecond)
		if err := w.a.leg.SendKeys(context.Background(), "5"); err != nil {
			t.Error(err)
		}
		time.Sleep(500 * time.Millisecond)
		w.mu.Lock()
		got := fmt.Sprint(w.told)
		w.mu.Unlock()
		if want := fmt.Sprint([]call.Event{call.KeyInfo{Leg: "a", Key: '5'}}); got != want {
			t.Errorf("the call was told %s, want %s", got, want)
		}
		w.b.SendKey("c", '5')
		time.Sleep(500 * time.Millisecond)
		if c := w.c.pressed(); c != "5" {
			t.Errorf("keys at c %q, want 5, as a tone", c)
		}
	})
}
