package sip

import (
	"strings"

	msg "github.com/emiago/sipgo/sip"

	"ozswitch/switch/call"
)

// dialled is the number that a carrier called when it sent the call to our Contact
// and not to a number: it stands in To then. Some write our own name there, which
// is all that can be said.
func dialled(req *msg.Request, a *Account) string {
	to := req.To()
	if to == nil {
		return a.User
	}
	user, _, _ := strings.Cut(to.Address.User, ";") // parameters of a telephone number
	if user = clean(unescape(user)); user == "" || user == a.Contact {
		return a.User
	}
	return user
}

// ours tells whether an INVITE claims to come from an extension: then it is asked
// for that one's password, though a line has the same address. Telephones name our
// domain or the address that they know us by.
func (e *Endpoint) ours(m *message) bool {
	from := m.req.From().Address
	here := e.c.Realm != "" && (strings.EqualFold(from.Host, e.c.Realm) || strings.Trim(from.Host, "[]") == e.address(m.from))
	return here && e.auth.Knows(unescape(from.User))
}

// withoutEvents tells whether telephone-events are neither offered nor taken.
func (l *leg) withoutEvents() bool { return l.dtmf == "info" || l.dtmf == "inband" }

// keyed makes of an event what the call may know of it, by the line it goes by:
// keys may have to go in one way whatever the far end says, and only some codecs
// count.
func (l *leg) keyed(ev call.Event) call.Event {
	if (l.dtmf == "" || l.dtmf == "auto") && l.codecs == nil {
		return ev
	}
	media := func(m *call.Media) *call.Media {
		if m == nil {
			return m
		}
		less := *m
		if l.withoutEvents() {
			less.Keys = nil
		}
		less.Codecs = only(m.Codecs, l.codecs)
		return &less
	}
	info := func(listed bool) bool {
		if l.dtmf == "" || l.dtmf == "auto" {
			return listed
		}
		return l.dtmf == "info"
	}
	switch f := ev.(type) {
	case call.Invited:
		f.Offer, f.Info = media(f.Offer), info(f.Info)
		return f
	case call.Provisional:
		f.Media = media(f.Media)
		return f
	case call.Accepted:
		f.Media, f.Info = media(f.Media), info(f.Info)
		return f
	case call.Acked:
		f.Media = media(f.Media)
		return f
	case call.Reoffered:
		f.Offer = media(f.Offer)
		return f
	case call.Reaccepted:
		f.Media = media(f.Media)
		return f
	default: // the others say nothing of keys
		return ev
	}
}

// only gives the codecs that have one of the names, in their order; nil = all.
func only(codecs []call.Codec, names []string) (some []call.Codec) {
	if names == nil {
		return codecs
	}
	for _, n := range names {
		for _, c := range codecs {
			if strings.EqualFold(c.Name, n) {
				some = append(some, c)
			}
		}
	}
	return some
}
