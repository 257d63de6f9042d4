package sip

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"ozswitch/switch/call"
	"ozswitch/switch/sip/flow"
)

// A referral is a REFER of the far end that we took: it is told how the call that
// it asked for goes (RFC 3515 2.4), unless it wants to hear nothing (RFC 4488).
type referral struct {
	event string // value of Event
	quiet bool
	until time.Time // it counts as over then, whatever happens
	busy  bool      // a NOTIFY waits for its answer: the next must not overtake it
	waits []notice
}

// A notice is what one NOTIFY says.
type notice struct {
	code   int
	reason string
}

// referLife is how long a transfer may take to be told of.
const referLife = 5 * time.Minute

// refers handles REFER within a dialog. Only an extension may transfer, for it
// pays for the new call; it proves once more who it is, since anybody on the way
// has read what the dialog is made of.
func (s *shard) refers(now time.Time, l *leg, m *message) {
	if l.state != up && l.state != answered || l.user == "" {
		s.once(now, l, m, flow.Reply{Code: 403})
		return
	}
	if _, refuse := s.e.proven(m, l.user); refuse != nil {
		s.once(now, l, m, *refuse)
		return
	}
	to, code, why := readReferTo(m.req)
	switch {
	case code != 0:
		s.once(now, l, m, flow.Reply{Code: code, Reason: why})
		return
	case l.refer != nil && now.Before(l.refer.until):
		s.once(now, l, m, flow.Reply{Code: 491})
		return
	}
	l.dlg.Refresh(m.req)
	r := &referral{event: "refer;id=" + strconv.FormatUint(uint64(m.req.CSeq().SeqNo), 10), until: now.Add(referLife)}
	extra := "Contact: " + s.e.contactOf(l, l.to) + "\r\n" + allow
	if h := m.req.GetHeader("refer-sub"); h != nil {
		if v, _, _ := strings.Cut(h.Value(), ";"); strings.EqualFold(strings.TrimSpace(v), "false") {
			r.quiet = true
			extra += "Refer-Sub: false\r\n"
		}
	}
	l.refer = r
	s.once(now, l, m, flow.Reply{Code: 202, Extra: extra})
	s.tellReferrer(now, l, notice{100, ""})
	s.tell(now, l, call.Referred{Leg: l.id, To: to.user, ToHost: to.host, Replaces: to.replaces})
}

// progress tells the far end how its REFER goes.
func (s *shard) progress(now time.Time, l *leg, code int, reason string) {
	if l.refer != nil && code >= 100 && code <= 699 {
		s.tellReferrer(now, l, notice{code, reason})
	}
}

// tellReferrer sends a NOTIFY, or keeps it until the one before was answered.
func (s *shard) tellReferrer(now time.Time, l *leg, n notice) {
	r := l.refer
	if r.quiet {
		if n.code >= 200 {
			l.refer = nil
		}
		return
	}
	if r.busy {
		r.waits = append(r.waits, n)
		return
	}
	if l.state != up && l.state != answered {
		return
	}
	r.busy = true
	s.sendNotice(now, l, r, n)
}

func (s *shard) sendNotice(now time.Time, l *leg, r *referral, n notice) {
	standing := "active;expires=" + strconv.Itoa(max(1, int(r.until.Sub(now)/time.Second)))
	if n.code >= 200 {
		standing = "terminated;reason=noresource" // RFC 3515 2.4.7
		if l.refer == r {
			l.refer = nil
		}
	}
	if n.reason == "" {
		n.reason = flow.Reason(n.code)
	}
	s.errand(now, l, &l.dlg, s.way(l), errand{method: "NOTIFY", kind: "message/sipfrag;version=2.0",
		body:  fmt.Sprintf("SIP/2.0 %d %s\r\n", n.code, flow.Line(n.reason)),
		extra: "Event: " + r.event + "\r\nSubscription-State: " + standing + "\r\nContact: " + s.e.contactOf(l, l.to) + "\r\n" + allow,
		done: func(now time.Time, code int, _ *message) {
			r.busy = false
			switch {
			case l.refer != r:
			case code >= 300 && code != 491: // it knows nothing of the subscription any more (RFC 6665 4.2.2)
				l.refer = nil
			case len(r.waits) > 0:
				next := r.waits[0]
				r.waits = r.waits[1:]
				s.tellReferrer(now, l, next)
			}
		}})
}

// lastNotice tells how a REFER ended before we hang up, without waiting for
// anything: afterwards nobody could be told.
func (s *shard) lastNotice(now time.Time, l *leg) {
	r := l.refer
	if r == nil {
		return
	}
	if n := len(r.waits); n > 0 && r.waits[n-1].code >= 200 {
		s.sendNotice(now, l, r, r.waits[n-1])
	}
	l.refer = nil
}

// Refer asks the far end of a leg to call somebody else, in the place of a dialog
// when replaces is given; told hears how that goes, the last time with last. It
// must not wait nor call the Endpoint. The switch transfers by itself: telephones
// need this.
func (e *Endpoint) Refer(id call.LegID, to string, replaces *call.Replaces, told func(code int, reason string, last bool)) {
	e.with(id, func(s *shard, now time.Time, l *leg) {
		if l.state != up && l.state != answered {
			told(481, "there is no dialog", true)
			return
		}
		if replaces != nil {
			to += "?Replaces=" + url.QueryEscape(replacesValue(replaces))
		}
		before := l.told
		l.told = told
		s.errand(now, l, &l.dlg, s.way(l), errand{method: "REFER",
			extra: "Refer-To: <" + flow.Line(to) + ">\r\nContact: " + e.contactOf(l, l.to) + "\r\n" + allow + supported,
			done: func(_ time.Time, code int, m *message) {
				if code >= 300 {
					l.told = before
					reason := ""
					if m != nil {
						reason = m.res.Reason
					}
					told(code, reason, true)
				}
			}})
	})
}

// notified handles NOTIFY within a dialog: how our REFER goes.
func (s *shard) notified(now time.Time, l *leg, m *message) {
	event := ""
	if h := m.req.GetHeader("event"); h != nil {
		event, _, _ = strings.Cut(h.Value(), ";")
	}
	if !strings.EqualFold(strings.TrimSpace(event), "refer") {
		s.once(now, l, m, flow.Reply{Code: 489})
		return
	}
	if l.told == nil {
		s.once(now, l, m, flow.Reply{Code: 481})
		return
	}
	s.once(now, l, m, flow.Reply{Code: 200})
	last := false
	if h := m.req.GetHeader("subscription-state"); h != nil {
		_, last = cutFold(strings.TrimSpace(h.Value()), "terminated")
	}
	line, _, _ := strings.Cut(string(m.req.Body()), "\r\n")
	version, rest, _ := strings.Cut(line, " ")
	number, reason, _ := strings.Cut(rest, " ")
	code, err := strconv.Atoi(number)
	if version != "SIP/2.0" || err != nil {
		code, reason = 0, "" // a fragment that is no status
	}
	told := l.told
	if last {
		l.told = nil
	}
	told(code, reason, last)
}
