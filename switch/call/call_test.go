package call

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"ozswitch/internal/golden"
)

var start = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// TestDialogues plays testdata/*.txt: paragraphs of an event ("@1.5s bye"), a
// line of dashes and the effects it must have.
func TestDialogues(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no dialogues in testdata", err)
	}
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) {
			src, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			golden.File(t, f, []byte(play(t, string(src))))
		})
	}
}

// play returns the dialogue with the effects as they are.
func play(t *testing.T, src string) string {
	c := New(Limits{})
	var out strings.Builder
	for i, para := range strings.Split(strings.TrimRight(src, "\n"), "\n\n") {
		if i > 0 {
			out.WriteString("\n")
		}
		for line := range strings.Lines(para + "\n") {
			if strings.HasPrefix(line, "----") {
				break
			}
			out.WriteString(line)
			if strings.HasPrefix(line, "#") {
				continue
			}
			at, e := event(t, strings.Fields(line))
			out.WriteString("----\n")
			for _, f := range c.Handle(start.Add(at), e) {
				out.WriteString(show(f) + "\n")
			}
		}
	}
	return out.String()
}

var pcmu = Codec{PT: 0, Name: "PCMU", ClockRate: 8000}

// first is the leg that every call of the dialogues begins with; others have one
// capital letter as well, and their own address and port.
const first LegID = "L"

func their(leg LegID) Media {
	host := map[LegID]byte{first: 1, "A": 2, "B": 3, "C": 4, "X": 5, "Y": 6}[leg]
	return Media{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, host}), 4000), Codecs: []Codec{pcmu}}
}

func our(leg LegID) Media {
	port := map[LegID]uint16{first: 20000, "A": 20002, "B": 20004, "C": 20006, "X": 20008, "Y": 20010}[leg]
	return Media{Addr: netip.AddrPortFrom(netip.MustParseAddr("192.0.2.9"), port), Codecs: []Codec{pcmu}}
}

// cause shows a cause of Q.850.
func cause(q850 int) string {
	if q850 == 0 {
		return ""
	}
	return fmt.Sprint(" cause ", q850)
}

// event reads "@SECONDS [LEG] name [args]".
func event(t *testing.T, w []string) (time.Duration, Event) {
	at, err := time.ParseDuration(strings.TrimPrefix(w[0], "@"))
	if err != nil || len(w) < 2 {
		t.Fatalf("want @time event, got %q", w)
	}
	leg := first
	if len(w[1]) == 1 {
		leg, w = LegID(w[1]), w[1:]
	}
	num := func(i int) int {
		if i >= len(w) {
			return 0
		}
		n, err := strconv.Atoi(w[i])
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	media := func(i int) *Media {
		if i >= len(w) {
			return nil
		}
		m := their(leg)
		switch w[i] {
		case "sdp":
		case "events": // telephone-event beside the sound
			m.Keys = []Codec{{PT: 101, Name: "telephone-event", ClockRate: 8000}}
		case "sendonly":
			m.Dir = SendOnly
		case "recvonly":
			m.Dir = RecvOnly
		case "inactive":
			m.Dir = Inactive
		case "zero": // hold as RFC 2543 had it
			m.Addr = netip.AddrPortFrom(netip.IPv4Unspecified(), 4000)
		case "moved":
			m.Addr = netip.MustParseAddrPort("192.0.2.7:6000")
			m.Codecs = []Codec{{PT: 8, Name: "PCMA", ClockRate: 8000}, {PT: 97, Name: "pcmu", ClockRate: 8000}}
		case "pcma":
			m.Codecs = []Codec{{PT: 8, Name: "PCMA", ClockRate: 8000}}
		case "both":
			m.Codecs = append(m.Codecs, Codec{PT: 8, Name: "PCMA", ClockRate: 8000})
		default:
			t.Fatalf("unknown media %q", w[i])
		}
		return &m
	}
	switch w[1] {
	case "invite":
		return at, Invited{Leg: leg, From: "1001", FromName: "Ann", To: "9000", Offer: media(2), Info: w[len(w)-1] == "allows"}
	case "answer":
		return at, AnswerWanted{Ticket(num(2))}
	case "reject":
		return at, RejectWanted{Ticket(num(2)), Failure{603, "Decline"}}
	case "hangup":
		return at, HangupWanted{Ticket: Ticket(num(2)), By: ByScript}
	case "opened":
		m := our(leg)
		if o := media(2); o != nil {
			m.Codecs = o.Codecs
		}
		return at, MediaOpened{leg, m}
	case "nomedia":
		return at, MediaFailed{leg, Failure{num(2), "no codec in common"}}
	case "nosound":
		return at, MediaLost{leg}
	case "agreed":
		m := our(leg)
		m.Dir = media(2).Mirror()
		m.Codecs = media(2).Codecs[len(media(2).Codecs)-1:]
		return at, MediaAgreed{leg, m}
	case "disagreed":
		return at, MediaDisagreed{leg, Failure{488, "no codec in common"}}
	case "ack":
		return at, Acked{leg, media(2)}
	case "cancel":
		return at, Cancelled{Leg: leg}
	case "bye":
		return at, Ended{Leg: leg, Q850: num(2)}
	case "lost":
		return at, Lost{leg, Failure{408, "no ACK"}}
	case "reinvite":
		return at, Reoffered{leg, media(2)}
	case "reaccepted":
		return at, Reaccepted{leg, media(2)}
	case "rerefused":
		return at, Rerefused{leg, Failure{num(2), "refused"}}
	case "info":
		return at, KeyInfo{Leg: leg, Key: w[2][0]}
	case "keys":
		return at, KeysWanted{Ticket: Ticket(num(2)), Keys: w[3]}
	case "keyanswered":
		return at, KeyAnswered{leg, Failure{Code: num(2)}}
	case "call":
		return at, Originate{Ticket: 1, Leg: leg, Target: "sip:1001@192.0.2.1", To: "1001", From: "9000"}
	case "callout":
		return at, Originate{From: "9000", FromName: "Menu"}
	case "awaits":
		return at, RingAwaited{Ticket(num(2))}
	case "dial":
		return at, dialOf(t, num(2), w[3:])
	case "hold", "unhold":
		return at, HoldWanted{Ticket(num(2)), w[1] == "hold"}
	case "refer":
		r := Referred{Leg: leg, To: w[2]}
		if len(w) > 3 {
			r.Replaces = &Replaces{CallID: w[3]}
		}
		return at, r
	case "norefer":
		return at, TransferRefused{leg, Failure{num(2), "refused"}}
	case "give":
		return at, GiveWanted{Ticket: Ticket(num(2)), Leg: LegID(w[3]), To: "other"}
	case "given":
		return at, given(t, leg, w[2] == "up", w[3:])
	case "serve":
		return at, ServeWanted{Ticket(num(2)), LegID(w[3])}
	case "giveup":
		return at, DialGivenUp{Ticket(num(2))}
	case "progress":
		return at, Provisional{Leg: leg, Code: num(2), Media: media(3)}
	case "accepted":
		return at, Accepted{Leg: leg, Media: media(2), Info: w[len(w)-1] == "allows"}
	case "refused":
		r := Refused{Leg: leg, Failure: Failure{num(2), "refused"}, Q850: num(3)}
		if r.Code < 400 {
			r.Contacts, r.Q850 = []string{"sip:elsewhere@192.0.2.1"}, 0
		}
		return at, r
	case "scriptended":
		return at, ScriptEnded{}
	case "tick":
		return at, Tick{}
	}
	t.Fatalf("unknown event %q", w[1])
	return 0, nil
}

// dialOf reads targets, "A" or "B+5s" for one that rings 5 s later, and what
// else a dial says: "ring=20s", "instead=A", "quiet", "keep", "more".
func dialOf(t *testing.T, ticket int, w []string) (d DialWanted) {
	d.Ticket = Ticket(ticket)
	span := func(s string) time.Duration {
		n, err := time.ParseDuration(s)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, s := range w {
		name, v, _ := strings.Cut(s, "=")
		switch name {
		case "ring":
			d.RingTime = span(v)
		case "instead":
			d.Instead = LegID(v)
		case "quiet":
			d.Quiet = true
		case "keep":
			d.Keep = true
		case "more":
			d.More = true
		default:
			who, after, late := strings.Cut(s, "+")
			x := Target{Leg: LegID(who), URI: "sip:" + who, Number: "10" + who}
			if late {
				x.After = span(after)
			}
			d.Targets = append(d.Targets, x)
		}
	}
	return d
}

// given is a leg that another call gives: one that was answered there, or one
// that still waits for its answer.
func given(t *testing.T, leg LegID, up bool, instead []string) LegGiven {
	c, m := New(Limits{}), their(leg)
	c.Handle(start, Invited{Leg: leg, From: "1009", FromName: "Eve", Offer: &m})
	if up {
		c.Handle(start, AnswerWanted{})
		c.Handle(start, MediaOpened{leg, our(leg)})
	}
	for _, e := range c.Handle(start, GiveWanted{Leg: leg, To: "this"}) {
		if g, ok := e.(Give); ok {
			return LegGiven{Given: g.Given, Instead: LegID(strings.Join(instead, ""))}
		}
	}
	t.Fatal("the other call did not give its leg")
	return LegGiven{}
}

// show prints an effect in a few words.
func show(e Effect) string {
	m := func(m *Media) string {
		if m == nil {
			return ""
		}
		s := fmt.Sprintf(" %s %s", m.Addr, [...]string{"sendrecv", "sendonly", "recvonly", "inactive"}[m.Dir])
		if len(m.Codecs) > 0 && m.Codecs[0].PT != 0 {
			s += fmt.Sprintf(" as %d", m.Codecs[0].PT)
		}
		return s
	}
	of := func(l LegID) string { // whom the effect is for
		if l == first {
			return ""
		}
		return " " + string(l)
	}
	said := func(l LegID, why string, more ...string) string {
		return strings.Join(append([]string{fmt.Sprintf("{Leg:%s Reason:%s}", l, why)}, more...), " ")
	}
	on := map[bool]string{true: " on", false: " off"}
	switch e := e.(type) {
	case Respond:
		return strings.TrimSpace(fmt.Sprintf("Respond%s %d%s %s%s%s", of(e.Leg), e.Code, m(e.Media), e.Reason, e.Warning, cause(e.Q850)))
	case Invite:
		from := ""
		if e.Leg != first {
			from = " from " + e.From + " " + e.FromName
		}
		return "Invite" + of(e.Leg) + " " + e.Target + m(e.Offer) + strings.TrimRight(from, " ")
	case Reinvite:
		return "Reinvite" + of(e.Leg) + m(e.Media)
	case OpenMedia:
		s := "OpenMedia" + of(e.Leg) + m(e.Remote)
		if e.Peer != nil {
			s += " peer"
			for _, c := range e.Peer.Codecs {
				s += " " + c.Name
			}
		}
		return s
	case AgreeMedia:
		return "AgreeMedia" + of(e.Leg) + m(&e.Remote)
	case ConnectMedia:
		return "ConnectMedia" + of(e.Leg) + m(&e.Remote)
	case Join:
		return fmt.Sprintf("Join %s %s", e.A, e.B)
	case Part:
		return fmt.Sprintf("Part %s %s", e.A, e.B)
	case Ringback:
		return "Ringback " + string(e.Leg) + on[e.On]
	case Music:
		return "Music " + string(e.Leg) + on[e.On]
	case LegChanged:
		s := fmt.Sprintf("Leg %s %s %s", e.Leg, e.Party, e.State)
		if e.Instead != "" {
			s += " instead of " + string(e.Instead)
		}
		if e.Failure.Code != 0 {
			s += fmt.Sprintf(": %d %s", e.Failure.Code, e.Failure.Reason)
		}
		if (e.Target != nil) != !(e.Leg == first || e.Leg == "X" || e.Leg == "Y") {
			s += ", with the wrong target"
		}
		return s
	case StopScript:
		return "StopScript " + e.Result.String()
	case Changed:
		return "Changed " + e.State.String()
	case Settle:
		return strings.TrimSpace(fmt.Sprintf("Settle %d: %d %s %s", e.Ticket, e.Code, e.Reason, strings.Join(e.Contacts, " ")))
	case Arm:
		if e.At.IsZero() {
			return "Arm never"
		}
		return "Arm " + e.At.Sub(start).String()
	case Info:
		return "Info" + of(e.Leg) + " " + string(rune(e.Key))
	case PressKey:
		return "PressKey" + of(e.Leg) + " " + string(rune(e.Key))
	case ReferProgress:
		return fmt.Sprintf("ReferProgress%s %d %s", of(e.Leg), e.Code, e.Reason)
	case TransferAsked:
		return strings.TrimSuffix(fmt.Sprintf("TransferAsked%s %s replaces %v", of(e.Leg), e.To, e.Replaces), " replaces <nil>")
	case Give:
		return fmt.Sprintf("Give %s to %s", e.Leg, e.To)
	case SendKey:
		return "SendKey" + of(e.Leg) + " " + string(rune(e.Key))
	case Bye:
		return "Bye " + said(e.Leg, e.Reason) + cause(e.Q850)
	case Cancel:
		if e.Elsewhere {
			return "Cancel " + said(e.Leg, e.Reason, "elsewhere")
		}
		return "Cancel " + said(e.Leg, e.Reason)
	}
	name := fmt.Sprintf("%T %+v", e, e)
	return strings.TrimPrefix(name, "call.")
}
