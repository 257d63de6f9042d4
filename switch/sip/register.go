package sip

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/netip"

	"strconv"
	"strings"
	"time"

	msg "github.com/emiago/sipgo/sip"

	"ozswitch/switch/sip/flow"
	"ozswitch/switch/sip/registrar"
	"ozswitch/switch/sip/transaction"
)

// A Keeper keeps registrations over a restart. Its writes must not wait.
type Keeper interface {
	PutRegistration(id, user string, expires time.Time, doc []byte) error
	DropRegistration(id string) error
	Registrations(ctx context.Context) iter.Seq2[[]byte, error]
}

// A Registration is told of each change of a telephone's place, and of each
// REGISTER or INVITE that was turned away.
type Registration struct {
	What      string // "registered", "refreshed", "unregistered", "expired", "replaced", "gone" or "refused"
	User      string // the extension, as claimed when refused
	Contact   string
	Transport string
	Source    netip.AddrPort
	UserAgent string
	Expires   time.Time
	Why       string // refused, gone: in words, for the console; never for the far end
	Do        string // refused: what to do about it; "" = nothing is known
}

// sweepEvery is how late the end of a binding is told at most; who asks for it
// meanwhile does not get it.
const sweepEvery = 10 * time.Second

// registrar ends the bindings that run out.
func (e *Endpoint) registrar(ctx context.Context) {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			e.changed(e.bindings.Sweep(time.Now()), nil)
		}
	}
}

// restore takes what an earlier run kept.
func (e *Endpoint) restore(ctx context.Context) {
	if e.c.Keeper == nil {
		return
	}
	now := time.Now()
	var dead []string
	for doc, err := range e.c.Keeper.Registrations(ctx) {
		if err != nil {
			e.log.Error("sip: registrations of an earlier run cannot be read", "err", err)
			break
		}
		var b registrar.Binding
		if err := json.Unmarshal(doc, &b); err != nil {
			e.log.Error("sip: a registration of an earlier run cannot be read", "err", err)
		} else if webTransport(b.Transport) || !e.bindings.Restore(now, b) { // its socket ended with us
			dead = append(dead, b.ID())
		}
	}
	for _, id := range dead {
		_ = e.c.Keeper.DropRegistration(id) // else the next start does it
	}
}

// SetAccounts replaces the extensions that may log in. The telephones of those
// that are no more, or have another password, are not registered any longer.
func (e *Endpoint) SetAccounts(list []registrar.Account) {
	var changes []registrar.Change
	for _, user := range e.auth.Set(list) {
		for _, b := range e.bindings.Of(time.Now(), user) {
			if b, ok := e.bindings.Drop(b.Place()); ok {
				changes = append(changes, registrar.Change{What: registrar.Unregistered, Binding: b})
			}
		}
	}
	e.changed(changes, nil)
}

// Bindings gives where the telephones of an extension are, the latest first;
// Dial with the extension as Phone and a Binding's Contact as Target reaches it.
func (e *Endpoint) Bindings(user string) []registrar.Binding {
	return e.bindings.Of(time.Now(), user)
}

// Registrations gives all bindings.
func (e *Endpoint) Registrations() []registrar.Binding { return e.bindings.All(time.Now()) }

// prove finds out who sends a request. ok is false when it was answered
// instead: with a challenge, or to come later. claimed is the user part that the
// request speaks of, with its escapes.
func (e *Endpoint) prove(m *message, claimed string) (user string, ok bool) {
	user, refuse := e.proven(m, claimed)
	if refuse != nil {
		e.refuse(m, refuse.Code, refuse.Reason, refuse.Extra)
		return "", false
	}
	return user, true
}

// proven does so without answering: refuse says what is to be answered. With no
// claimed extension it is whoever logs in.
func (e *Endpoint) proven(m *message, claimed string) (user string, refuse *flow.Reply) {
	var headers []string
	for _, name := range []string{"authorization", "proxy-authorization"} {
		for _, h := range m.req.GetHeaders(name) {
			headers = append(headers, h.Value())
		}
	}
	now := time.Now()
	p := e.auth.Check(now, m.from.Remote().Addr(), m.method, headers)
	if p.Why != "" && (p.Verdict != registrar.None || m.method == "REGISTER") { // an INVITE may carry what is for another
		e.turnedAway(m, cmp.Or(p.User, unescape(claimed)), p.Why, p.Do)
	}
	switch p.Verdict {
	case registrar.Good:
		if claimed == "" || p.User == claimed || p.User == unescape(claimed) {
			return p.User, nil
		}
		e.turnedAway(m, p.User, "logged in as "+p.User+" and spoke for "+claimed, "user name and authentication name of the phone's account must both be "+p.User)
		return "", &flow.Reply{Code: 403, Reason: "Forbidden"}
	case registrar.Slow:
		return "", &flow.Reply{Code: 503, Extra: "Retry-After: " + strconv.Itoa(int((p.Wait+time.Second-1)/time.Second)) + "\r\n"}
	}
	if claimed = unescape(claimed); p.User != "" {
		claimed = p.User
	}
	extra := ""
	for _, c := range e.auth.Challenge(now, claimed, p.Verdict == registrar.Stale) {
		extra += "WWW-Authenticate: " + c + "\r\n"
	}
	return "", &flow.Reply{Code: 401, Extra: extra}
}

// turnedAway tells of somebody who did not get in.
func (e *Endpoint) turnedAway(m *message, user, why, do string) {
	e.log.Info("sip: not let in", "method", m.method, "user", user, "source", m.from.Remote(), "why", why)
	if e.c.Registration != nil {
		e.c.Registration(Registration{What: "refused", User: user, Transport: m.from.Transport(), Source: m.from.Remote(), UserAgent: userAgent(m.req), Why: why, Do: do})
	}
}

func userAgent(req *msg.Request) string {
	if h := req.GetHeader("user-agent"); h != nil {
		return flow.Line(h.Value())
	}
	return ""
}

// register handles REGISTER (RFC 3261 10.3).
func (e *Endpoint) register(s *shard, m *message) {
	to := m.req.To().Address
	if to.Scheme != "" && !strings.EqualFold(to.Scheme, "sip") && !strings.EqualFold(to.Scheme, "sips") {
		e.refuse(m, 404, "Not Found (To is no SIP address)", "")
		return
	}
	user, ok := e.prove(m, to.User)
	if !ok {
		return
	}
	r, refuse := registration(m, user)
	var all []registrar.Binding
	var changes []registrar.Change
	if refuse == nil {
		all, changes, refuse = e.bindings.Register(time.Now(), r)
	}
	reply := flow.Reply{Code: 200, Extra: "Date: " + time.Now().UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT") + "\r\n"}
	if refuse != nil {
		reply = flow.Reply{Code: refuse.Code, Reason: refuse.Reason}
		reply.Extra = refusedExtra[refuse.Code]
		e.turnedAway(m, user, flow.Reason(refuse.Code)+" "+refuse.Reason, refusedDo[refuse.Code])
	}
	if refuse == nil {
		reply.Extra += answerContacts(all, &r) + outbound(&r)
	}
	e.changed(changes, m.from)
	if web(m.from) && !m.from.Open() {
		e.unbind(m.from) // it ended while its binding was made
	}
	s.guard(string(m.head.CallID), func(now time.Time) {
		s.trace(nil, "", false, m.from, m.head.Message)
		reply.Tag = e.fixedTag(&m.head)
		origin := m.head.Origin(m.from.Remote())
		s.finish(now, s.begin(m, transaction.Server, nil), &origin, reply)
	})
}

// answerContacts lists all bindings; the granted expiry stands with each, and
// once more in a header, which some telephones look for.
func answerContacts(all []registrar.Binding, r *registrar.Request) (extra string) {
	now, most := time.Now(), 0
	for _, b := range all {
		left := max(0, int((b.Expires.Sub(now)+time.Second/2)/time.Second))
		if b.CallID == r.CallID {
			most = max(most, left)
		}
		extra += fmt.Sprintf("Contact: <%s>;expires=%d%s\r\n", b.Contact, left, b.Params)
	}
	extra += "Expires: " + strconv.Itoa(most) + "\r\n"
	extra += "Supported: path, outbound\r\n"
	if len(r.Path) > 0 {
		for _, p := range r.Path {
			extra += "Path: <" + p + ">\r\n"
		}
	}
	return extra
}

// changed keeps and tells what became of bindings; came is the flow of new ones.
func (e *Endpoint) changed(changes []registrar.Change, came flow.Flow) {
	for _, c := range changes {
		b := c.Binding
		standing := c.What == registrar.Registered || c.What == registrar.Refreshed
		e.mu.Lock()
		if standing {
			e.phones[b.Place()] = came
		} else {
			delete(e.phones, b.Place())
		}
		e.mu.Unlock()
		if standing {
			came.Keep(time.Until(b.Expires) + time.Minute)
		}
		if e.c.Keeper != nil {
			var err error
			if standing {
				var doc []byte
				if doc, err = json.Marshal(b); err == nil {
					err = e.c.Keeper.PutRegistration(b.ID(), b.User, b.Expires, doc)
				}
			} else {
				err = e.c.Keeper.DropRegistration(b.ID())
			}
			if err != nil { // the telephone registers again; only a restart could lose it
				e.log.Warn("sip: a registration was not kept", "user", b.User, "err", err)
			}
		}
		if e.c.Registration != nil {
			r := Registration{What: string(c.What), User: b.User, Contact: b.Contact, Transport: b.Transport, Source: b.Source, UserAgent: b.UserAgent, Expires: b.Expires}
			if c.What == registrar.Gone {
				r.Why = "its connection has ended"
			}
			e.c.Registration(r)
		}
	}
}

// phone is the way to a telephone that registered; nil = it cannot be reached.
func (e *Endpoint) phone(b *registrar.Binding) flow.Flow {
	e.mu.Lock()
	f := e.phones[b.Place()]
	e.mu.Unlock()
	if f != nil && f.Open() {
		return f
	}
	var u msg.Uri
	switch {
	case b.Transport == "udp": // it registered in an earlier run
		return e.flowTo(hop{transport: "udp", addr: b.Source})
	case (b.Transport == "tcp" || b.Transport == "tls") && msg.ParseUri(b.Contact, &u) == nil:
		// Its connection is gone; perhaps it takes one.
		return e.flowTo(hop{transport: b.Transport, addr: netip.AddrPortFrom(b.Source.Addr(), portOf(&u, b.Transport)), name: u.Host})
	}
	return nil
}
