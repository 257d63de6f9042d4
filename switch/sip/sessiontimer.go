package sip

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	msg "github.com/emiago/sipgo/sip"

	"ozswitch/switch/call"
	"ozswitch/switch/sip/flow"
)

// minSession is the shortest session timer that we take (RFC 4028 4: 90 s).
const minSession = 90 * time.Second

// supported lists our extensions.
const supported = "Supported: timer, 100rel, replaces, norefersub\r\n"

// A sessionTimer is the agreement that one side tells the other from time to
// time that it is still there (RFC 4028). The zero one is none.
type sessionTimer struct {
	interval time.Duration // 0 = none agreed
	min      time.Duration // that the far end asked for with a 422
	ours     bool          // we refresh
	refresh  time.Time     // ours: when to
	end      time.Time     // when the session is over unless refreshed
}

// header is what a request of ours says about it; within a dialog who
// refreshes keeps doing so.
func (t *sessionTimer) header(inside bool) string {
	if t.interval == 0 {
		return ""
	}
	h := fmt.Sprintf("Session-Expires: %d", t.interval/time.Second)
	if inside {
		h += ";refresher=" + who(t.ours, "uac", "uas")
	}
	if t.min > minSession {
		h += fmt.Sprintf("\r\nMin-SE: %d", t.min/time.Second)
	}
	return h + "\r\n"
}

func who(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}

type headed interface {
	GetHeader(string) msg.Header
	GetHeaders(string) []msg.Header
}

// sessionExpires reads the header; 0 = there is none.
func sessionExpires(m headed) (d time.Duration, refresher string) {
	h := m.GetHeader("session-expires")
	if h == nil {
		if h = m.GetHeader("x"); h == nil {
			return 0, ""
		}
	}
	value, _, _ := strings.Cut(h.Value(), ";")
	n, err := strconv.ParseUint(strings.TrimSpace(value), 10, 31)
	if err != nil {
		return 0, ""
	}
	r, _ := flow.Param([]byte(h.Value()), "refresher")
	return time.Duration(n) * time.Second, strings.ToLower(string(r))
}

// lists tells whether a header that lists options names one.
func lists(m headed, option string, names ...string) bool {
	for _, name := range names {
		for _, h := range m.GetHeaders(name) {
			for o := range strings.SplitSeq(h.Value(), ",") {
				if strings.EqualFold(strings.TrimSpace(o), option) {
					return true
				}
			}
		}
	}
	return false
}

// tooShort tells whether a request wants a session timer shorter than we take.
func tooShort(req *msg.Request) bool {
	d, _ := sessionExpires(req)
	return d > 0 && d < minSession && lists(req, "timer", "supported", "k", "require")
}

const minSE = "Min-SE: 90\r\n"

// asked takes what a request of the far end wants and gives the headers of our
// 2xx (RFC 4028 9).
func (t *sessionTimer) asked(now time.Time, req *msg.Request) (headers string) {
	d, refresher := sessionExpires(req)
	if d == 0 {
		*t = sessionTimer{} // RFC 4028 7.4: who leaves it out wants none
		return ""
	}
	able := lists(req, "timer", "supported", "k", "require")
	d = max(d, minSession)
	t.start(now, d, !able || refresher == "uas")
	h := fmt.Sprintf("Session-Expires: %d;refresher=%s\r\n", d/time.Second, who(t.ours, "uas", "uac"))
	if !t.ours {
		h += "Require: timer\r\n"
	}
	return h
}

// agreed takes what a 2xx to a request of ours says; we made the request.
func (t *sessionTimer) agreed(now time.Time, res headed) {
	d, refresher := sessionExpires(res)
	if d == 0 {
		if t.interval > 0 && t.ours { // the far end knows no timers: we may go on asking
			t.start(now, t.interval, true)
			t.end = time.Time{}
		}
		return
	}
	t.start(now, max(d, minSession), refresher != "uas")
}

// raise takes the Min-SE of a 422; false when it says nothing new.
func (t *sessionTimer) raise(res headed) bool {
	h := res.GetHeader("min-se")
	if h == nil {
		return false
	}
	value, _, _ := strings.Cut(h.Value(), ";")
	n, err := strconv.ParseUint(strings.TrimSpace(value), 10, 31)
	d := time.Duration(n) * time.Second
	if err != nil || d <= t.interval {
		return false
	}
	t.interval, t.min = d, d
	return true
}

// start lets the clock run: half the time until we refresh; and until all is
// over, short of the end by a third or 32 s (RFC 4028 10).
func (t *sessionTimer) start(now time.Time, d time.Duration, ours bool) {
	t.interval, t.ours = d, ours
	t.refresh = time.Time{}
	if ours {
		t.refresh = now.Add(d / 2)
	}
	t.end = now.Add(d - min(32*time.Second, d/3))
}

// next is when the clock wants attention.
func (t *sessionTimer) next() time.Time {
	if t.interval == 0 {
		return time.Time{}
	}
	return soonest(t.refresh, t.end)
}

// soonest is the earliest of those that are not zero.
func soonest(all ...time.Time) (at time.Time) {
	for _, t := range all {
		if !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at = t
		}
	}
	return at
}

// sessionTick refreshes the session, or ends it. false = the leg was ended.
func (s *shard) sessionTick(now time.Time, l *leg) bool {
	t := &l.session
	if t.interval == 0 || l.state != up {
		return true
	}
	if !t.end.IsZero() && !now.Before(t.end) {
		t.interval = 0
		s.lose(now, l, call.Failure{Code: 408, Reason: "the session timer ran out"})
		return false
	}
	if !t.refresh.IsZero() && !now.Before(t.refresh) {
		t.refresh = time.Time{}
		if l.ask == nil {
			l.ask = &ask{refresh: true, at: now}
			s.askNow(now, l)
		} else {
			t.refresh = now.Add(5 * time.Second)
		}
	}
	return true
}
