package call

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// A chaos is all that is around a call: far ends, sound, a script, people with
// wishes, who all do what they want and keep to the rules of the events. It
// finds out whether the call keeps to those of the effects.
type chaos struct {
	t       *testing.T
	r       *rand.Rand
	c       *Call
	now     time.Time
	legs    map[LegID]*party
	names   []LegID // in the order they came
	box     []Event // of the call, in order
	tickets map[Ticket]string
	last    Ticket
	joined  [2]LegID
	tones   map[LegID]string
	script  bool
	stops   int
	over    bool
	armed   time.Time
	log     []string
	given   int
}

// A party is the far end of a leg, and its sound.
type party struct {
	came                 bool // it called us
	opening, open, heard bool
	invited, up, gone    bool // gone: it hung up, or was told our last word
	reoffered            bool
	reinvited, here      bool // here: the leg is this call's
	keyed                int
	referred             bool
	final                bool // its INVITE has a final answer
}

func (x *chaos) fail(format string, a ...any) {
	x.t.Helper()
	x.t.Fatalf("%s\n%s", fmt.Sprintf(format, a...), strings.Join(x.log, "\n"))
}

func (x *chaos) ticket(what string) Ticket {
	x.last++
	x.tickets[x.last] = what
	return x.last
}

func (x *chaos) leg(id LegID) *party {
	p := x.legs[id]
	if p == nil {
		p = &party{here: true}
		x.legs[id], x.names = p, append(x.names, id)
	}
	return p
}

// post gives the call an event and looks at what it wants done.
func (x *chaos) post(e Event) {
	x.t.Helper()
	x.log = append(x.log, fmt.Sprintf("@%v %T%+v", x.now.Sub(start), e, e))
	for _, f := range slices.Clone(x.c.Handle(x.now, e)) {
		x.log = append(x.log, "    "+show(f))
		if x.over {
			if _, arm := f.(Arm); !arm {
				x.fail("after Over: %T", f)
			}
		}
		x.effect(f)
	}
	if c := x.c; c.onAir != c.wanted() {
		x.fail("on air is %+v, wanted %+v", c.onAir, c.wanted())
	} else if c.dial == nil && (c.state == InCall || c.state == Held) && c.state != c.talks() {
		x.fail("the state is %v, want %v", c.state, c.talks())
	}
}

// media is some description of a far end.
func (x *chaos) media(leg LegID) *Media {
	m := their(leg)
	if !m.Addr.IsValid() || x.r.IntN(6) == 0 {
		m.Keys = []Codec{{PT: 101, Name: "telephone-event", ClockRate: 8000}}
	}
	if x.r.IntN(4) == 0 {
		m.Codecs = []Codec{{PT: 8, Name: "PCMA", ClockRate: 8000}}
	}
	m.Dir = []MediaDir{SendRecv, SendRecv, SendRecv, SendOnly, RecvOnly, Inactive}[x.r.IntN(6)]
	return &m
}

// some is a leg of the call, or of nobody.
func (x *chaos) some() LegID {
	if x.r.IntN(20) == 0 || len(x.names) == 0 {
		return "nobody"
	}
	return x.names[x.r.IntN(len(x.names))]
}

// far lets a far end, or the sound of its leg, do something.
func (x *chaos) far() {
	id := x.some()
	p := x.legs[id]
	if p == nil || !p.here {
		return
	}
	if p.opening {
		p.opening = false
		if x.r.IntN(8) == 0 {
			x.post(MediaFailed{id, Failure{500, "no port"}})
			return
		}
		p.open = true
		x.post(MediaOpened{id, our(id)})
		return
	}
	if p.gone {
		return
	}
	chance := x.r.IntN(12)
	switch {
	case p.invited && !p.final:
		switch chance {
		case 0, 1, 2:
			x.post(Provisional{Leg: id, Code: 180})
		case 3, 4:
			x.post(Provisional{Leg: id, Code: 183, Media: x.media(id)})
		case 5, 6, 7, 8:
			p.final, p.up = true, true
			m := x.media(id)
			if x.r.IntN(8) == 0 {
				m = nil
			}
			x.post(Accepted{Leg: id, Media: m, Info: x.r.IntN(2) == 0})
		default:
			p.final, p.gone = true, true
			x.post(Refused{Leg: id, Failure: Failure{[]int{302, 404, 408, 480, 486, 500, 503, 603}[x.r.IntN(8)], "no"}, Q850: x.r.IntN(30), Contacts: []string{"sip:x"}})
		}
	case p.came && !p.final:
		if chance == 0 {
			p.final, p.gone = true, true
			x.post(Cancelled{Leg: id})
		}
	case p.up:
		switch chance {
		case 0:
			p.gone = true
			x.post(Ended{Leg: id})
		case 1:
			if x.r.IntN(4) == 0 {
				p.gone = true
				x.post(Lost{id, Failure{408, "lost"}})
			}
		case 2, 3:
			if p.reoffered { // switch/sip refuses a second one by itself
				return
			}
			p.reoffered = true
			m := x.media(id)
			if x.r.IntN(6) == 0 {
				m = nil
			}
			x.post(Reoffered{id, m})
		case 4:
			x.post(Acked{id, x.media(id)})
		case 5:
			x.post(KeyInfo{Leg: id, Key: '5'})
		case 6:
			if p.keyed > 0 {
				p.keyed--
				x.post(KeyAnswered{id, Failure{Code: []int{0, 408, 500}[x.r.IntN(3)]}})
			}
		case 7:
			if p.reinvited {
				p.reinvited = false
				if x.r.IntN(3) == 0 {
					x.post(Rerefused{id, Failure{491, "no"}})
				} else {
					x.post(Reaccepted{id, x.media(id)})
				}
			}
		case 8:
			if !p.referred {
				p.referred = true
				r := Referred{Leg: id, To: "1003"}
				if x.r.IntN(3) == 0 {
					r.Replaces = &Replaces{}
				}
				x.post(r)
			}
		case 9:
			if x.r.IntN(10) == 0 && p.heard {
				x.post(MediaLost{id})
			}
		case 10:
			if x.r.IntN(10) == 0 && p.heard {
				x.post(MediaFailed{id, Failure{500, "it broke"}})
			}
		}
	}
}

// wish lets somebody want something.
func (x *chaos) wish() {
	switch x.r.IntN(15) {
	case 0, 1:
		x.post(AnswerWanted{x.ticket("answer")})
	case 2, 3, 4, 5:
		d := DialWanted{Ticket: x.ticket("dial"), RingTime: time.Duration(x.r.IntN(40)) * time.Second, Quiet: x.r.IntN(4) == 0, Keep: x.r.IntN(4) == 0, More: x.r.IntN(4) == 0}
		for range x.r.IntN(4) {
			d.Targets = append(d.Targets, Target{Leg: LegID(fmt.Sprint("T", len(x.names)+len(d.Targets), "-", x.last)), URI: "sip:x", Number: "7", After: time.Duration(x.r.IntN(3)) * 5 * time.Second})
		}
		if x.r.IntN(2) == 0 {
			d.Instead = x.some()
		}
		x.post(d)
	case 6:
		x.post(DialGivenUp{Ticket(x.r.IntN(int(x.last) + 1))})
	case 7:
		x.post(HoldWanted{x.ticket("hold"), x.r.IntN(2) == 0})
	case 8:
		x.post(TransferRefused{x.some(), Failure{603, "no"}})
	case 9:
		x.post(KeysWanted{Ticket: x.ticket("keys"), Keys: "12"})
	case 10:
		if x.r.IntN(4) == 0 {
			x.post(GiveWanted{Ticket: x.ticket("give"), Leg: x.some(), To: "other"})
		}
	case 11:
		x.give()
	case 12:
		if x.r.IntN(6) == 0 {
			x.post(RejectWanted{x.ticket("reject"), Failure{603, "Decline"}})
		}
	case 14:
		x.post(RingAwaited{x.ticket("ring")})
	case 13:
		x.post(ServeWanted{x.ticket("serve"), x.some()})
	}
}

// give gives the call a leg of another one.
func (x *chaos) give() {
	x.given++
	id, up := LegID(fmt.Sprint("G", x.given)), x.r.IntN(2) == 0
	p := x.leg(id)
	p.came, p.final, p.up, p.open, p.heard = true, up, up, up, up
	var instead []string
	if x.r.IntN(2) == 0 {
		instead = []string{string(x.some())}
	}
	x.post(given(x.t, id, up, instead))
}

// run plays one call to its end.
func (x *chaos) run(steps int) {
	if x.r.IntN(4) == 0 {
		o := Originate{Ticket: x.ticket("originate"), Leg: first, Target: "sip:x"}
		if x.r.IntN(2) == 0 {
			o.Leg = ""
		}
		x.post(o)
	} else {
		x.leg(first).came = true
		in := Invited{Leg: first, From: "1001", Hops: x.r.IntN(3) * 20, Info: x.r.IntN(2) == 0}
		if x.r.IntN(4) > 0 {
			in.Offer = x.media(first)
		}
		x.post(in)
	}
	for range steps {
		if x.over {
			break
		}
		if len(x.box) > 0 && x.r.IntN(2) == 0 {
			e := x.box[0]
			x.box = x.box[1:]
			if _, re := e.(MediaAgreed); re && !x.legs[LegOf(e)].open {
				continue
			}
			x.post(e)
			continue
		}
		switch n := x.r.IntN(20); {
		case n < 12:
			x.far()
		case n < 16:
			x.wish()
		case n < 17 && x.script && (x.stops > 0 || x.r.IntN(6) == 0):
			x.script = false
			x.post(ScriptEnded{})
		case !x.armed.IsZero():
			if x.armed.After(x.now) && x.armed.Sub(x.now) < time.Hour {
				x.now = x.armed
			}
			x.post(Tick{})
		}
	}
	if x.over {
		x.check()
		return
	}
	x.post(HangupWanted{Ticket: x.ticket("hangup"), By: ByAPI})
	if x.script {
		x.script = false
		x.post(ScriptEnded{})
	}
	if !x.over {
		x.fail("the call was hung up, its script ended, and it is not over")
	}
	x.check()
}

// TestChaos: whatever happens, in whatever order, a call keeps to the rules: what
// was opened is closed, once; who was called or answered is told when it is over;
// everybody who waits gets an answer; nobody hears two things at once.
func TestChaos(t *testing.T) {
	const n = 6000
	ends := map[Result]int{}
	for seed := range n {
		x := &chaos{t: t, r: rand.New(rand.NewPCG(uint64(seed), 1)), c: New(Limits{}), now: start, legs: map[LegID]*party{}, tickets: map[Ticket]string{}, tones: map[LegID]string{}}
		x.log = []string{fmt.Sprint("seed ", seed)}
		x.run(10 + seed%80)
		ends[x.c.Result()]++
	}
	for _, r := range []Result{ByScript, ByCaller, ByCallee, ByAPI, Rejected, NoAnswer, MediaGone, NetworkGone, Transferred, Failed} {
		if ends[r] == 0 {
			t.Errorf("no call of %d ended by %v: %v", n, r, ends)
		}
	}
}
