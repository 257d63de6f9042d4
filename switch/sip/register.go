package sip

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/netip"
	"slices"
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

// SetAccounts replaces the extensions that may log in.
func (e *Endpoint) SetAccounts(list []registrar.Account) { e.auth.Set(list) }

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
	switch p.Verdict {
	case registrar.Good:
		if claimed == "" || p.User == claimed || p.User == unescape(claimed) {
			return p.User, nil
		}
		e.turnedAway(m, p.User, "logged in as "+p.User+" and spoke for "+claimed)
		return "", &flow.Reply{Code: 403, Reason: "Forbidden"}
	case registrar.Slow:
		return "", &flow.Reply{Code: 503, Extra: "Retry-After: " + strconv.Itoa(int((p.Wait+time.Second-1)/time.Second)) + "\r\n"}
	case registrar.Wrong:
		e.turnedAway(m, p.User, p.Why)
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
func (e *Endpoint) turnedAway(m *message, user, why string) {
	e.log.Info("sip: not let in", "method", m.method, "user", user, "source", m.from.Remote(), "why", why)
	if e.c.Registration != nil {
		e.c.Registration(Registration{What: "refused", User: user, Transport: m.from.Transport(), Source: m.from.Remote(), UserAgent: userAgent(m.req), Why: why})
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
		if refuse.Code == 423 {
			reply.Extra = "Min-Expires: " + strconv.Itoa(int(registrar.MinExpires/time.Second)) + "\r\n"
		}
		e.turnedAway(m, user, flow.Reason(refuse.Code)+" "+refuse.Reason)
	}
	if refuse == nil {
		reply.Extra += answerContacts(all, &r)
		if outbound(m.req, &r) {
			reply.Extra += "Require: outbound\r\n"
		}
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

// outbound tells whether a telephone asked for and gets RFC 5626: what is for
// it goes by the flow that it registered with (section 6).
func outbound(req *msg.Request, r *registrar.Request) bool {
	return lists(req, "outbound", "supported", "k", "require") &&
		slices.ContainsFunc(r.Contacts, func(c registrar.Contact) bool { return c.Instance != "" && c.RegID != "" && c.Expires > 0 })
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
	if len(r.Path) > 0 {
		extra += "Supported: path\r\n"
		for _, p := range r.Path {
			extra += "Path: <" + p + ">\r\n"
		}
	}
	return extra
}

// registration reads what a REGISTER wants.
func registration(m *message, user string) (r registrar.Request, refuse *registrar.Refusal) {
	r.Binding = registrar.Binding{User: user, CallID: string(m.head.CallID), CSeq: m.req.CSeq().SeqNo, Transport: m.from.Transport(),
		Source: m.from.Remote(), UserAgent: userAgent(m.req)}
	def := registrar.MaxExpires
	if h := m.req.GetHeader("expires"); h != nil {
		def = expires(h.Value(), def)
	}
	for _, h := range m.req.GetHeaders("path") {
		for _, v := range splitList(h.Value()) {
			uri := strings.TrimSpace(v)
			if i, j := strings.IndexByte(uri, '<'), strings.LastIndexByte(uri, '>'); i >= 0 && j > i {
				uri = uri[i+1 : j]
			}
			var u msg.Uri
			if msg.ParseUri(uri, &u) != nil || len(r.Path) == 8 {
				return r, &registrar.Refusal{Code: 400, Reason: "Bad Request (bad Path)"}
			}
			r.Path = append(r.Path, uri)
		}
	}
	if bareHeaders(m.head.Message) {
		return r, &registrar.Refusal{Code: 400, Reason: "Bad Request (a Contact with ? wants angle brackets)"}
	}
	for _, h := range m.req.GetHeaders("contact") {
		c, ok := h.(*msg.ContactHeader)
		switch {
		case !ok:
			return r, &registrar.Refusal{Code: 400, Reason: "Bad Request (bad Contact)"}
		case c.Address.Wildcard:
			r.Star = true
			continue
		case !strings.EqualFold(c.Address.Scheme, "sip") && !strings.EqualFold(c.Address.Scheme, "sips"), c.Address.Host == "":
			return r, &registrar.Refusal{Code: 400, Reason: "Bad Request (Contact is no SIP address)"}
		}
		one := registrar.Contact{URI: c.Address, Expires: def}
		for _, p := range c.Params {
			switch k := strings.ToLower(p.K); k {
			case "expires":
				one.Expires = expires(p.V, def)
			case "+sip.instance":
				one.Instance = p.V
			case "reg-id":
				one.RegID = p.V
			}
			if !strings.EqualFold(p.K, "expires") {
				one.Params += ";" + p.K
				if p.V != "" {
					one.Params += "=" + param(p.V)
				}
			}
		}
		if one.Expires > 0 && one.Expires < registrar.MinExpires {
			return r, &registrar.Refusal{Code: 423}
		}
		one.Expires = min(one.Expires, registrar.MaxExpires)
		r.Contacts = append(r.Contacts, one)
	}
	if r.Star && (len(r.Contacts) > 0 || def != 0) {
		return r, &registrar.Refusal{Code: 400, Reason: "Bad Request (Contact: * goes alone and with Expires: 0)"}
	}
	return r, nil
}

// bareHeaders tells whether a Contact has headers in an address without angle
// brackets (RFC 3261 20.10), which the parser lets pass.
func bareHeaders(message []byte) bool {
	head, _, _ := strings.Cut(string(message), "\r\n\r\n")
	for line := range strings.SplitSeq(head, "\r\n") {
		name, value, _ := strings.Cut(line, ":")
		if name = strings.TrimSpace(name); !strings.EqualFold(name, "contact") && !strings.EqualFold(name, "m") {
			continue
		}
		for _, one := range splitList(value) {
			if strings.Contains(one, "?") && !strings.Contains(one, "<") {
				return true
			}
		}
	}
	return false
}

// param writes a parameter's value, in quotes unless it is a token.
func param(v string) string {
	for i := range len(v) {
		if c := v[i]; !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-.!%*_+`'~", c) >= 0) {
			if strings.HasPrefix(v, `"`) {
				return flow.Line(v)
			}
			return quote(v)
		}
	}
	return v
}

// expires reads seconds; what is no number counts as not said (RFC 3261 10.2.1.1).
func expires(v string, def time.Duration) time.Duration {
	n, err := strconv.ParseUint(strings.TrimSpace(v), 10, 32)
	if err != nil {
		return def
	}
	return time.Duration(n) * time.Second
}

// splitList cuts a header value at commas outside quotes and angle brackets.
func splitList(v string) (parts []string) {
	quoted, inside, from := false, false, 0
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '<':
			inside = true
		case c == '>':
			inside = false
		case c == ',' && !inside:
			parts = append(parts, v[from:i])
			from = i + 1
		}
	}
	return append(parts, v[from:])
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
