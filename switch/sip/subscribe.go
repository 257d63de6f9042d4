package sip

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"ozswitch/switch/call"
	"ozswitch/switch/sip/dialog"
	"ozswitch/switch/sip/flow"
	"ozswitch/switch/sip/transaction"
)

// A Watch is what a telephone wants to be told of (RFC 6665).
type Watch struct {
	User   string // the extension that asks, proven
	Event  string // a package: "dialog" (RFC 4235) or "message-summary" (RFC 3842)
	Number string // of what it wants to know
}

// Topic is what is watched, whoever does.
func (w Watch) Topic() Watch { return Watch{Event: w.Event, Number: w.Number} }

// Events is what telephones may subscribe to.
type Events interface {
	// Watch tells whether somebody may watch that, by a code of 0, and by what
	// number Notify will speak of it; else how he is refused. It must return soon.
	Watch(w Watch) (number string, code int, reason string)
	// Document is how things stand now, as full state; version grows by 1 with each
	// of a subscription, from 0. nil = it is not known yet, and Notify will follow. It
	// must not wait, nor call the Endpoint.
	Document(w Watch, version uint32) []byte
}

// packages are the types of the documents of each event package.
var packages = map[string]string{"dialog": "application/dialog-info+xml", "message-summary": "application/simple-message-summary"}

// allowEvents lists the packages.
const allowEvents = "Allow-Events: dialog, message-summary\r\n"

// The limits of subscriptions.
const (
	minSubscription  = 60 * time.Second
	maxSubscription  = time.Hour // and what is given to who does not say (RFC 4235 3.4, RFC 3842 3.4)
	mostSubscribed   = 250       // by one extension: a panel of keys, on a few telephones
	lastWord         = 32 * time.Second
	shutDownRetry    = 15 * time.Second // when subscribers may come back (RFC 6665 4.1.3: probation)
	subscriptionOver = "timeout"        // the reason of one that ran out, or was given up
)

// A subscription is one telephone that is told of one thing; guarded by its
// shard's lock.
type subscription struct {
	shard   *shard
	watch   Watch // with the number that Notify speaks of
	event   string
	dlg     dialog.Dialog
	to      flow.Flow
	heard   time.Time // when its telephone last spoke
	until   time.Time
	version uint32
	timer   transaction.Timer

	busy  bool   // a NOTIFY waits for its answer
	again bool   // things have changed since it was sent
	over  string // the reason of its end; "" = it stands
	gone  bool
}

// subscriptions finds them by what they watch.
type subscriptions struct {
	mu sync.Mutex
	on map[Watch]map[*subscription]bool // by Event and Number
	of map[string]int                   // how many an extension has
}

func topic(event, number string) Watch { return Watch{Event: event, Number: number} }

// add takes one; false = that extension has too many.
func (c *subscriptions) add(u *subscription) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.on == nil {
		c.on, c.of = map[Watch]map[*subscription]bool{}, map[string]int{}
	}
	if c.of[u.watch.User] >= mostSubscribed {
		return false
	}
	t := topic(u.watch.Event, u.watch.Number)
	if c.on[t] == nil {
		c.on[t] = map[*subscription]bool{}
	}
	c.on[t][u] = true
	c.of[u.watch.User]++
	return true
}

func (c *subscriptions) drop(u *subscription) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := topic(u.watch.Event, u.watch.Number)
	delete(c.on[t], u)
	if len(c.on[t]) == 0 {
		delete(c.on, t)
	}
	if c.of[u.watch.User]--; c.of[u.watch.User] <= 0 {
		delete(c.of, u.watch.User)
	}
}

// list gives those that watch something; all with an empty event.
func (c *subscriptions) list(event, number string) (all []*subscription) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for t, those := range c.on {
		if event == "" || t == topic(event, number) {
			all = slices.AppendSeq(all, maps.Keys(those))
		}
	}
	return all
}

// Watched tells whether somebody watches that.
func (e *Endpoint) Watched(event, number string) bool {
	e.subs.mu.Lock()
	defer e.subs.mu.Unlock()
	return len(e.subs.on[topic(event, number)]) > 0
}

// Subscriptions is how many there are.
func (e *Endpoint) Subscriptions() int { return len(e.subs.list("", "")) }

// Notify tells all who watch a number how things stand now. Who has not answered
// the last NOTIFY is told after he has.
func (e *Endpoint) Notify(event, number string) {
	for _, u := range e.subs.list(event, number) {
		u.shard.guard(u.dlg.CallID, func(now time.Time) { u.shard.report(now, u) })
	}
}

// EndSubscriptions tells all subscribers that we leave, and when to come back. It
// does not wait for their answers.
func (e *Endpoint) EndSubscriptions() {
	for _, u := range e.subs.list("", "") {
		u.shard.guard(u.dlg.CallID, func(now time.Time) {
			u.over, u.busy = fmt.Sprintf("probation;retry-after=%d", shutDownRetry/time.Second), false
			u.shard.report(now, u)
			u.shard.unsubscribe(u)
		})
	}
}

// subscribe handles a SUBSCRIBE outside a dialog (RFC 6665 4.2.1).
func (e *Endpoint) subscribe(s *shard, m *message) {
	user, ok := e.prove(m, m.req.From().Address.User)
	if !ok {
		return
	}
	u := &subscription{shard: s, watch: Watch{User: user, Number: unescape(m.req.Recipient.User)}, to: m.from}
	u.watch.Event, u.event = eventOf(m)
	kind := packages[u.watch.Event]
	if kind == "" {
		e.refuse(m, 489, "", allowEvents)
		return
	}
	if !accepts(m, kind) {
		e.refuse(m, 406, "", "Accept: "+kind+"\r\n")
		return
	}
	lasts, ok := subscribedFor(m)
	if !ok {
		e.refuse(m, 423, "", minSubscribed())
		return
	}
	number, code, reason := e.c.Events.Watch(u.watch)
	if code != 0 {
		e.refuse(m, code, reason, "")
		return
	}
	u.watch.Number = number
	s.guard(string(m.head.CallID), func(now time.Time) {
		s.trace(nil, "", false, m.from, m.head.Message)
		tag := e.random(10)
		u.timer.Owner = u
		u.dlg = dialog.Answering(m.req, string(m.head.From), string(m.head.FromTag()), string(m.head.To), tag)
		x, origin := s.begin(m, transaction.Server, nil), m.head.Origin(m.from.Remote())
		if !e.subs.add(u) {
			s.finish(now, x, &origin, flow.Reply{Code: 403, Reason: "Too Many Subscriptions", Tag: tag})
			return
		}
		s.subs[tag] = u
		s.finish(now, x, &origin, s.subscribed(now, u, m, lasts))
		s.report(now, u)
	})
}

// subscribed gives the answer to a SUBSCRIBE that is taken, and lets the
// subscription last so long.
func (s *shard) subscribed(now time.Time, u *subscription, m *message, lasts time.Duration) flow.Reply {
	u.heard, u.until = now, now.Add(lasts)
	m.from.Keep(lasts + time.Minute)
	if lasts == 0 {
		u.over = subscriptionOver
		lasts = lastWord // for the state to become known
	}
	s.wheel.Set(&u.timer, now.Add(lasts))
	return flow.Reply{Code: 200, Tag: u.dlg.LocalTag, Extra: "Expires: " + seconds0(u.until.Sub(now)) + "\r\nContact: " + s.e.contact(m.from) + "\r\n" + allowEvents}
}

// resubscribed handles a SUBSCRIBE within a subscription's dialog; known is false
// when the request belongs to none.
func (s *shard) resubscribed(now time.Time, m *message) (known bool) {
	u := s.subs[string(m.head.ToTag())]
	if u == nil || u.dlg.CallID != string(m.head.CallID) || u.dlg.RemoteTag != string(m.head.FromTag()) {
		return false
	}
	s.trace(nil, "", false, m.from, m.head.Message)
	x, origin := s.begin(m, transaction.Server, nil), m.head.Origin(m.from.Remote())
	event, _ := eventOf(m)
	lasts, long := subscribedFor(m)
	var r flow.Reply
	switch {
	case !u.dlg.Receive(m.req.CSeq().SeqNo):
		r = flow.Reply{Code: 500, Reason: "CSeq Out Of Order"}
	case m.method != "SUBSCRIBE":
		r = flow.Reply{Code: 405, Extra: "Allow: SUBSCRIBE\r\n"}
	case event != u.watch.Event:
		r = flow.Reply{Code: 489, Extra: allowEvents}
	case !long:
		r = flow.Reply{Code: 423, Extra: minSubscribed()}
	case u.over != "":
		r = flow.Reply{Code: 481} // its last NOTIFY is on its way
	default:
		u.dlg.Refresh(m.req)
		if m.from.Open() {
			u.to = m.from
		}
		s.finish(now, x, &origin, s.subscribed(now, u, m, lasts))
		s.report(now, u)
		return true
	}
	s.finish(now, x, &origin, r)
	return true
}

// ranOut is the end of a subscription that nobody refreshed, or whose last NOTIFY
// nobody answered.
func (s *shard) ranOut(now time.Time, u *subscription) {
	if u.over != "" {
		s.unsubscribe(u)
		return
	}
	u.over = subscriptionOver
	s.wheel.Set(&u.timer, now.Add(lastWord))
	s.report(now, u)
}

// report sends a NOTIFY with how things stand (RFC 6665 4.2.2), one at a time.
func (s *shard) report(now time.Time, u *subscription) {
	if u.gone {
		return
	}
	if u.busy {
		u.again = true
		return
	}
	body := s.e.c.Events.Document(u.watch, u.version)
	if body == nil {
		return
	}
	u.version++
	standing := "active;expires=" + seconds0(u.until.Sub(now))
	if u.over != "" {
		standing = "terminated;reason=" + u.over
	}
	to := s.wayTo(u.watch.User, &u.dlg, u.to, u.heard)
	branch := "z9hG4bK" + s.e.random(16)
	u.dlg.LocalSeq++
	b := u.dlg.Build(dialog.Request{Method: "NOTIFY", Seq: u.dlg.LocalSeq, Via: s.e.via(to, branch), Type: packages[u.watch.Event], Body: body,
		Extra: "Event: " + u.event + "\r\nSubscription-State: " + standing + "\r\nContact: " + s.e.contact(to) + "\r\n" + allowEvents + "User-Agent: " + s.e.c.UserAgent + "\r\n"})
	u.busy = true
	x := s.txs.Add(string(flow.ClientKey(nil, branch, "NOTIFY")), transaction.Client, to.Reliable(), owner{to: to,
		done: func(m *message, why call.Failure) { s.reported(time.Now(), u, m != nil, why.Code) }})
	s.handle(now, x, transaction.Event{What: transaction.Start, Bytes: b})
}

// reported: a telephone that says so, or nothing, is told no more (RFC 6665
// 4.2.2; RFC 5057 5.1).
func (s *shard) reported(now time.Time, u *subscription, answered bool, code int) {
	if u.gone {
		return
	}
	u.busy = false
	ends := []int{401, 403, 404, 405, 407, 408, 410, 416, 420, 480, 481, 482, 483, 484, 485, 489, 501, 604}
	switch {
	case !answered, slices.Contains(ends, code), u.over != "" && !u.again:
		s.unsubscribe(u)
	case u.again:
		u.again = false
		s.report(now, u)
	}
}

// unsubscribe forgets a subscription.
func (s *shard) unsubscribe(u *subscription) {
	if u.gone {
		return
	}
	u.gone = true
	s.wheel.Set(&u.timer, time.Time{})
	delete(s.subs, u.dlg.LocalTag)
	s.e.subs.drop(u)
}

// eventOf reads the Event header: the package, and the value that NOTIFYs repeat,
// with its id (RFC 6665 8.2.1).
func eventOf(m *message) (event, value string) {
	h := m.req.GetHeader("event")
	if h == nil {
		h = m.req.GetHeader("o")
	}
	if h == nil {
		return "", ""
	}
	event, params, _ := strings.Cut(h.Value(), ";")
	event = strings.ToLower(strings.TrimSpace(event))
	value = event
	for p := range strings.SplitSeq(params, ";") {
		if k, v, _ := strings.Cut(strings.TrimSpace(p), "="); strings.EqualFold(k, "id") && token(v) {
			value += ";id=" + v
		}
	}
	return event, value
}

// accepts tells whether the sender of a request reads a type; one that does not say
// reads that of the package (RFC 6665 3.1.3).
func accepts(m *message, kind string) bool {
	main, _, _ := strings.Cut(kind, "/")
	all := m.req.GetHeaders("accept")
	for _, h := range all {
		for one := range strings.SplitSeq(h.Value(), ",") {
			one, _, _ = strings.Cut(one, ";")
			if one = strings.ToLower(strings.TrimSpace(one)); one == kind || one == "*/*" || one == main+"/*" {
				return true
			}
		}
	}
	return len(all) == 0
}

// subscribedFor is how long a SUBSCRIBE is taken for; ok is false when it asks for
// less than we give.
func subscribedFor(m *message) (d time.Duration, ok bool) {
	d = maxSubscription
	if h := m.req.GetHeader("expires"); h != nil {
		d = min(expires(h.Value(), d), maxSubscription)
	}
	return d, d == 0 || d >= minSubscription
}

func minSubscribed() string { return "Min-Expires: " + seconds0(minSubscription) + "\r\n" }

// seconds0 writes whole seconds, 0 at least.
func seconds0(d time.Duration) string {
	return strconv.Itoa(max(0, int((d+time.Second/2)/time.Second)))
}
