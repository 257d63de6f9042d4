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

// keyed makes of an event what the call may know of keys: by the line it goes by,
// they may have to go in one way whatever the far end says.
func (l *leg) keyed(ev call.Event) call.Event {
	if l.dtmf == "" || l.dtmf == "auto" {
		return ev
	}
	media := func(m *call.Media) *call.Media {
		if m == nil || !l.withoutEvents() {
			return m
		}
		less := *m
		less.Keys = nil
		return &less
	}
	switch f := ev.(type) {
	case call.Invited:
		f.Offer, f.Info = media(f.Offer), l.dtmf == "info"
		return f
	case call.Provisional:
		f.Media = media(f.Media)
		return f
	case call.Accepted:
		f.Media, f.Info = media(f.Media), l.dtmf == "info"
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
