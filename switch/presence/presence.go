// Package presence writes what telephones are told of others: which calls an
// extension has (dialog-info, RFC 4235: the lamps beside the keys of a desk
// telephone) and how many messages wait in a mailbox (message-summary, RFC 3842).
// It is pure: what there is to tell is an argument.
//
// It is not presence in the sense of RFC 3856 (open, closed, away), which no
// telephone of an office shows, and it sends nothing: switch/sip does. Start
// reading at DialogInfo.
package presence

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/beevik/etree"
)

// The types of the documents.
const (
	DialogInfoType = "application/dialog-info+xml"
	SummaryType    = "application/simple-message-summary"
)

// A State is where a call of an extension stands (RFC 4235 3.7.1).
type State string

// The states that are told.
const (
	Trying     State = "trying"     // it was dialled, nothing rings yet
	Early      State = "early"      // it rings, here or there
	Confirmed  State = "confirmed"  // they talk
	Terminated State = "terminated" // it is over
)

// A Dialog is one call of an extension.
type Dialog struct {
	ID       string // of its own, for as long as the call lasts
	Calls    bool   // the extension calls (initiator); else it is called (recipient)
	State    State
	Held     bool // the far end is on hold (+sip.rendering, RFC 4235 4.1.6.1)
	Local    Identity
	Remote   Identity
	Duration int // seconds since it was confirmed
}

// An Identity is who is at one end; with no number nobody knows.
type Identity struct {
	Number string
	Name   string // shown; "" = none
}

// mostDialogs bounds a document: who watches wants to know whether somebody is
// busy, and a datagram has its limits.
const mostDialogs = 10

// DialogInfo tells all calls of the extension of that number, as full state (RFC
// 4235 3.4). domain is that of the switch; version grows by 1 with each document of
// one subscription, from 0.
func DialogInfo(number, domain string, version uint32, all []Dialog) []byte {
	doc := etree.NewDocument()
	doc.CreateProcInst("xml", `version="1.0"`)
	root := doc.CreateElement("dialog-info")
	root.CreateAttr("xmlns", "urn:ietf:params:xml:ns:dialog-info")
	root.CreateAttr("version", strconv.FormatUint(uint64(version), 10))
	root.CreateAttr("state", "full")
	root.CreateAttr("entity", uri(number, domain))
	for _, d := range latest(all) {
		e := root.CreateElement("dialog")
		e.CreateAttr("id", text(d.ID))
		direction := "recipient"
		if d.Calls {
			direction = "initiator"
		}
		e.CreateAttr("direction", direction)
		e.CreateElement("state").SetText(string(d.State))
		if d.State == Confirmed {
			e.CreateElement("duration").SetText(strconv.Itoa(max(0, d.Duration)))
		}
		identity(e.CreateElement("local"), d.Local, domain, false)
		identity(e.CreateElement("remote"), d.Remote, domain, d.Held)
	}
	b, err := doc.WriteToBytes()
	if err != nil { // it writes to memory
		panic(err)
	}
	return b
}

// latest gives the last of the dialogs when there are too many, those that stand
// before those that are over.
func latest(all []Dialog) []Dialog {
	if len(all) <= mostDialogs {
		return all
	}
	standing := slices.DeleteFunc(slices.Clone(all), func(d Dialog) bool { return d.State == Terminated })
	return standing[max(0, len(standing)-mostDialogs):]
}

func identity(e *etree.Element, i Identity, domain string, held bool) {
	if i.Number == "" {
		return
	}
	who := e.CreateElement("identity")
	if i.Name != "" {
		who.CreateAttr("display", text(i.Name))
	}
	who.SetText(uri(i.Number, domain))
	target := e.CreateElement("target")
	target.CreateAttr("uri", uri(i.Number, domain))
	if held {
		p := target.CreateElement("param")
		p.CreateAttr("pname", "+sip.rendering")
		p.CreateAttr("pval", "no")
	}
}

// Summary tells how many messages wait in the mailbox of that number, which were
// never heard and which were (RFC 3842 3.5).
func Summary(number, domain string, fresh, old int) []byte {
	waiting := "no"
	if fresh > 0 {
		waiting = "yes"
	}
	return fmt.Appendf(nil, "Messages-Waiting: %s\r\nMessage-Account: %s\r\nVoice-Message: %d/%d (0/0)\r\n", waiting, uri(number, domain), max(0, fresh), max(0, old))
}

// uri is the SIP URI of a number here; what needs an escape gets one (RFC 3261
// 25.1).
func uri(number, domain string) string {
	var b strings.Builder
	b.WriteString("sip:")
	for i := range len(number) {
		switch c := number[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-_.!~*'()&=+$,;?/", c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String() + "@" + domain
}

// text is fit to stand in XML, which has no place for control characters and what
// is no UTF-8.
func text(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0xfffe || r == 0xffff {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}
