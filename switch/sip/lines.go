package sip

import (
	"cmp"
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	msg "github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"

	"ozswitch/switch/call"
	"ozswitch/switch/sip/dialog"
	"ozswitch/switch/sip/flow"
)

// A Trunk asks the far end of one outside line: it registers there and sees
// whether it is alive. When to do either, and where, is switch/line's.
type Trunk struct {
	e *Endpoint
	c TrunkConfig

	mu  sync.Mutex // one REGISTER at a time
	reg dialog.Dialog

	realmMu sync.Mutex
	realm   string // whose challenges we answer; "" = it has asked for nothing yet
}

// A TrunkConfig says who we are to a carrier.
type TrunkConfig struct {
	Domain   string // of the carrier: host of Request-URI, From and To
	User     string // our name there
	Login    string // for digest; "" = User
	Password string
	Realm    string // the only one whose challenges are answered; "" = the first that asks
	Contact  string // user part of our Contact: what calls by this line are sent to
}

// An Asked is how a request to a carrier ended.
type Asked struct {
	Code   int    // of its answer, or 408: none in time, 503: it could not be sent
	Reason string // in its words
	Heard  bool   // an answer came; without it Code is ours

	Granted    time.Duration // REGISTER: for how long
	Least      time.Duration // 423: the least it takes (Min-Expires)
	RetryAfter time.Duration // 0 = not said
	Realm      string        // that asked and was not answered, as it is not ours; "" = none
}

// Trunk gives a Trunk. It sends nothing.
func (e *Endpoint) Trunk(c TrunkConfig) *Trunk {
	t := &Trunk{e: e, c: c, realm: c.Realm}
	who := "<sip:" + Escape(c.User) + "@" + c.Domain + ">"
	t.reg = dialog.Dialog{CallID: e.random(20), LocalTag: e.random(10), Remote: who, Target: "sip:" + c.Domain}
	t.reg.Local = who + ";tag=" + t.reg.LocalTag
	return t
}

// Realm is whose challenges are answered: the one configured, else the first that
// asked over a registration; "" = none has.
func (t *Trunk) Realm() string {
	t.realmMu.Lock()
	defer t.realmMu.Unlock()
	return t.realm
}

// Learn takes the first realm that asks as the line's own.
func (t *Trunk) Learn(realm string) {
	t.realmMu.Lock()
	defer t.realmMu.Unlock()
	t.realm = cmp.Or(t.realm, realm)
}

// Register binds us at a place of the carrier's for so long, or ends the binding
// with 0. It waits for the answer: 32 s at most for each of three requests.
func (t *Trunk) Register(ctx context.Context, at Place, expires time.Duration) Asked {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.e.flowTo(at.hop())
	if f == nil {
		return Asked{Code: 503, Reason: "the switch does not listen for " + at.Transport + " at that kind of address"}
	}
	lasts := strconv.Itoa(int((expires + time.Second - 1) / time.Second))
	a := t.register(ctx, f, "Contact: "+t.e.contactAs(t.c.Contact, f)+";expires="+lasts+"\r\nExpires: "+lasts+"\r\n"+allow, expires)
	if a.Granted > 0 {
		f.Keep(a.Granted + time.Minute)
	}
	return a
}

// Query asks a place of the carrier's whether it takes our password, and changes
// nothing: a REGISTER without Contact (RFC 3261 10.2.3).
func (t *Trunk) Query(ctx context.Context, at Place) Asked {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.e.flowTo(at.hop())
	if f == nil {
		return Asked{Code: 503, Reason: "the switch does not listen for " + at.Transport + " at that kind of address"}
	}
	return t.register(ctx, f, "", 0)
}

// register sends a REGISTER, again with our password where that is asked for. t.mu
// is held.
func (t *Trunk) register(ctx context.Context, f flow.Flow, extra string, expires time.Duration) Asked {
	login := ""
	for tries := 0; ; tries++ {
		m, why := t.e.ask(ctx, f, &t.reg, "REGISTER", login+extra)
		if m == nil {
			return Asked{Code: why.Code, Reason: why.Reason}
		}
		a := asked(m, why)
		if why.Code < 300 {
			a.Granted = granted(m.res, t.c.Contact, expires)
			return a
		}
		c := credentials{user: cmp.Or(t.c.Login, t.c.User), password: t.c.Password, realm: t.Realm()}
		h, realm, ok := t.e.prove401(m, c, "REGISTER", t.reg.Target, tries)
		if !ok {
			a.Realm = foreign(m.res, why.Code, c.realm)
			return a
		}
		t.Learn(realm)
		login = h
	}
}

// Ping asks a place of the carrier's whether it is alive (OPTIONS, RFC 3261 11).
// Its challenge is an answer: nothing is proven for it.
func (t *Trunk) Ping(ctx context.Context, at Place) Asked {
	f := t.e.flowTo(at.hop())
	if f == nil {
		return Asked{Code: 503, Reason: "the switch does not listen for " + at.Transport + " at that kind of address"}
	}
	d := dialog.Dialog{CallID: t.e.random(20), LocalTag: t.e.random(10), Target: "sip:" + t.c.Domain, Remote: "<sip:" + t.c.Domain + ">"}
	d.Local = "<sip:" + Escape(cmp.Or(t.c.User, "ping")) + "@" + t.c.Domain + ">;tag=" + d.LocalTag
	m, why := t.e.ask(ctx, f, &d, "OPTIONS", "Contact: "+t.e.contact(f)+"\r\n"+accept)
	if m == nil {
		return Asked{Code: why.Code, Reason: why.Reason}
	}
	return asked(m, why)
}

func asked(m *message, why call.Failure) Asked {
	return Asked{Code: why.Code, Reason: why.Reason, Heard: true, Least: seconds(m.res, "min-expires"), RetryAfter: retry(m.res)}
}

// granted is what a registrar gave our Contact, the one of that user: others may
// stand beside it.
func granted(res *msg.Response, user string, asked time.Duration) time.Duration {
	for _, h := range res.GetHeaders("contact") {
		c, ok := h.(*msg.ContactHeader)
		if !ok || unescape(c.Address.User) != user {
			continue
		}
		if v, ok := c.Params.Get("expires"); ok {
			return expires(v, asked)
		}
	}
	if d := seconds(res, "expires"); d > 0 {
		return d
	}
	return asked
}

// foreign names the realm of a challenge that was not answered because it is not
// the line's own; "" = that was not why.
func foreign(res *msg.Response, code int, own string) string {
	for _, ch := range challenges(res, code) {
		if own != "" && !strings.EqualFold(ch.Realm, own) {
			return ch.Realm
		}
	}
	return ""
}

// retry reads Retry-After (RFC 3261 20.33): seconds, then perhaps a comment and
// parameters.
func retry(res *msg.Response) time.Duration {
	h := res.GetHeader("retry-after")
	if h == nil {
		return 0
	}
	v := strings.TrimSpace(h.Value())
	if i := strings.IndexAny(v, " ;("); i >= 0 {
		v = v[:i]
	}
	return expires(v, 0)
}

// challenges are those of a 401 or 407.
func challenges(res *msg.Response, code int) (all []*digest.Challenge) {
	name := "www-authenticate"
	if code == 407 {
		name = "proxy-authenticate"
	}
	for _, h := range res.GetHeaders(name) {
		if c, err := digest.ParseChallenge(h.Value()); err == nil {
			all = append(all, c)
		}
	}
	return all
}
