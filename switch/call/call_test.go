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

var (
	pcmu  = Codec{PT: 0, Name: "PCMU", ClockRate: 8000}
	their = &Media{Addr: netip.MustParseAddrPort("192.0.2.1:4000"), Codecs: []Codec{pcmu}}
	ours  = Media{Addr: netip.MustParseAddrPort("192.0.2.9:20000"), Codecs: []Codec{pcmu}}
)

// event reads "@SECONDS name [args]".
func event(t *testing.T, w []string) (time.Duration, Event) {
	at, err := time.ParseDuration(strings.TrimPrefix(w[0], "@"))
	if err != nil || len(w) < 2 {
		t.Fatalf("want @time event, got %q", w)
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
		m := *their
		switch w[i] {
		case "sdp":
		case "events": // telephone-event beside the sound
			m.Keys = []Codec{{PT: 101, Name: "telephone-event", ClockRate: 8000}}
		case "sendonly":
			m.Dir = SendOnly
		case "inactive":
			m.Dir = Inactive
		case "zero": // hold as RFC 2543 had it
			m.Addr = netip.AddrPortFrom(netip.IPv4Unspecified(), 4000)
		case "moved":
			m.Addr = netip.MustParseAddrPort("192.0.2.7:6000")
			m.Codecs = []Codec{{PT: 8, Name: "PCMA", ClockRate: 8000}, {PT: 97, Name: "pcmu", ClockRate: 8000}}
		case "pcma":
			m.Codecs = []Codec{{PT: 8, Name: "PCMA", ClockRate: 8000}}
		default:
			t.Fatalf("unknown media %q", w[i])
		}
		return &m
	}
	const leg = "L"
	switch w[1] {
	case "invite":
		return at, Invited{Leg: leg, From: "1001", To: "9000", Offer: media(2), Info: w[len(w)-1] == "allows"}
	case "answer":
		return at, AnswerWanted{Ticket(num(2))}
	case "reject":
		return at, RejectWanted{Ticket(num(2)), Failure{603, "Decline"}}
	case "hangup":
		return at, HangupWanted{Ticket: Ticket(num(2)), By: ByScript}
	case "opened":
		return at, MediaOpened{leg, ours}
	case "nomedia":
		return at, MediaFailed{leg, Failure{num(2), "no codec in common"}}
	case "nosound":
		return at, MediaLost{leg}
	case "agreed":
		m := ours
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
		return at, Ended{Leg: leg}
	case "lost":
		return at, Lost{leg, Failure{408, "no ACK"}}
	case "reinvite":
		return at, Reoffered{leg, media(2)}
	case "info":
		return at, KeyInfo{Leg: leg, Key: w[2][0]}
	case "keys":
		return at, KeysWanted{Ticket(num(2)), w[3]}
	case "keyanswered":
		return at, KeyAnswered{leg, Failure{Code: num(2)}}
	case "dial":
		return at, Originate{Ticket: 1, Leg: leg, Target: "sip:1001@192.0.2.1", To: "1001", From: "9000"}
	case "progress":
		return at, Provisional{Leg: leg, Code: num(2)}
	case "accepted":
		return at, Accepted{Leg: leg, Media: media(2), Info: w[len(w)-1] == "allows"}
	case "refused":
		return at, Refused{Leg: leg, Failure: Failure{num(2), "refused"}}
	case "scriptended":
		return at, ScriptEnded{}
	case "tick":
		return at, Tick{}
	}
	t.Fatalf("unknown event %q", w[1])
	return 0, nil
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
	switch e := e.(type) {
	case Respond:
		return strings.TrimSpace(fmt.Sprintf("Respond %d%s %s%s", e.Code, m(e.Media), e.Reason, e.Warning))
	case Invite:
		return "Invite " + e.Target + m(e.Offer)
	case OpenMedia:
		return "OpenMedia" + m(e.Remote)
	case AgreeMedia:
		return "AgreeMedia" + m(&e.Remote)
	case ConnectMedia:
		return "ConnectMedia" + m(&e.Remote)
	case StopScript:
		return "StopScript " + e.Result.String()
	case Changed:
		return "Changed " + e.State.String()
	case Settle:
		return strings.TrimSpace(fmt.Sprintf("Settle %d: %d %s", e.Ticket, e.Code, e.Reason))
	case Arm:
		if e.At.IsZero() {
			return "Arm never"
		}
		return "Arm " + e.At.Sub(start).String()
	case Info:
		return "Info " + string(rune(e.Key))
	case PressKey:
		return "PressKey " + string(rune(e.Key))
	case Bye:
		return "Bye {Leg:" + string(e.Leg) + " Reason:" + e.Reason + "}"
	case Cancel:
		s := "Cancel {Leg:" + string(e.Leg) + " Reason:" + e.Reason + "}"
		if e.Elsewhere {
			s += " elsewhere"
		}
		return s
	}
	name := fmt.Sprintf("%T %+v", e, e)
	return strings.TrimPrefix(name, "call.")
}
