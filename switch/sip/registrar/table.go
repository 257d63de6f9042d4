package registrar

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
)

// The limits of bindings.
const (
	MinExpires  = 60 * time.Second
	MaxExpires  = 3600 * time.Second
	MaxContacts = 10 // of one extension; a further one takes the place of the one that ends first: a telephone that was thrown away must not keep out the new one
)

// A Binding says where one telephone of an extension is. It is kept as JSON:
// fields are only added.
type Binding struct {
	User      string         `json:"user"`               // the extension
	Contact   string         `json:"contact"`            // URI: the Request-URI of what goes there
	Params    string         `json:"params,omitempty"`   // of the Contact header as sent, without expires
	Instance  string         `json:"instance,omitempty"` // +sip.instance (RFC 5626)
	RegID     string         `json:"reg_id,omitempty"`   // reg-id: which of its flows
	Rank      int            `json:"rank,omitempty"`     // by its q (RFC 3261 20.10): 0 = q of 1, or none; 1000 = q of 0
	Allow     string         `json:"allow,omitempty"`    // methods that it takes, "INVITE, ACK, ..."; "" = it did not say
	CallID    string         `json:"call_id"`
	CSeq      uint32         `json:"cseq"`
	Path      []string       `json:"path,omitempty"` // URIs of the proxies on the way (RFC 3327), nearest first
	Transport string         `json:"transport"`
	Source    netip.AddrPort `json:"source"` // where the REGISTER came from: behind NAT the only way back
	UserAgent string         `json:"user_agent,omitempty"`
	Since     time.Time      `json:"since"`
	At        time.Time      `json:"at"` // of the latest REGISTER; zero in what older versions kept
	Expires   time.Time      `json:"expires"`
}

// ID names a binding in a store.
func (b *Binding) ID() string { return b.User + "\n" + b.Contact }

// Allows tells whether the telephone takes that method; one that did not say which
// it takes may take every one.
func (b *Binding) Allows(method string) bool {
	if b.Allow == "" {
		return true
	}
	for one := range strings.SplitSeq(b.Allow, ",") {
		if strings.EqualFold(strings.TrimSpace(one), method) {
			return true
		}
	}
	return false
}

// Place names a binding here.
func (b *Binding) Place() Place { return Place{b.User, b.Contact} }

// A Place is a contact of an extension. Never the contact alone: everybody may
// write another's into a REGISTER of his own.
type Place struct{ User, Contact string }

// A Request is a REGISTER whose sender is known.
type Request struct {
	Binding            // what all its bindings share: all but Contact, Params, Instance, RegID, Rank, Since, At and Expires
	Star     bool      // Contact: *
	Contacts []Contact // none = only asks
}

// A Contact is one that a REGISTER wants bound, or with no Expires removed.
type Contact struct {
	URI      sip.Uri
	Params   string
	Instance string
	RegID    string
	Rank     int
	Expires  time.Duration
}

// A What says what became of a binding.
type What string

// What becomes of bindings.
const (
	Registered   What = "registered"
	Refreshed    What = "refreshed"
	Unregistered What = "unregistered"
	Expired      What = "expired"
	Replaced     What = "replaced" // by a newer telephone, as there were too many
	Gone         What = "gone"     // with its connection, the only way there
)

// A Change is what became of one binding.
type Change struct {
	What    What
	Binding Binding
}

// A Refusal is a status other than 200.
type Refusal struct {
	Code   int
	Reason string
}

// A Table is where all telephones are. It is safe for concurrent use.
type Table struct {
	mu     sync.Mutex
	users  map[string][]entry
	expire time.Time // nothing ends before
}

type entry struct {
	Binding
	uri sip.Uri
}

// NewTable gives an empty table.
func NewTable() *Table { return &Table{users: map[string][]entry{}} }

// Register does what a REGISTER wants, all of it or nothing (RFC 3261 10.3). It
// gives the bindings of the extension then, and what changed.
func (t *Table) Register(now time.Time, r Request) (all []Binding, changes []Change, refuse *Refusal) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(r.Contacts) > MaxContacts {
		return nil, nil, &Refusal{403, "Too Many Contacts"}
	}
	ended := t.sweep(now, r.User)
	changes = slices.Clone(ended)
	list := slices.Clone(t.users[r.User])
	note := func(w What, b Binding) { changes = append(changes, Change{w, b}) }
	if r.Star {
		for _, e := range list {
			if e.CallID == r.CallID && e.CSeq >= r.CSeq {
				return nil, ended, &Refusal{500, "CSeq Out Of Order"}
			}
			note(Unregistered, e.Binding)
		}
		list = nil
	}
	for _, c := range r.Contacts {
		i := slices.IndexFunc(list, func(e entry) bool {
			return c.Instance != "" && e.Instance == c.Instance && e.RegID == c.RegID || sameURI(&e.uri, &c.URI)
		})
		if i >= 0 && list[i].CallID == r.CallID && list[i].CSeq >= r.CSeq {
			return nil, ended, &Refusal{500, "CSeq Out Of Order"}
		}
		b := r.Binding
		b.Contact, b.Params, b.Instance, b.RegID, b.Rank = c.URI.String(), c.Params, c.Instance, c.RegID, c.Rank
		b.Since, b.At, b.Expires = now, now, now.Add(c.Expires)
		switch {
		case i < 0 && c.Expires == 0:
		case i < 0:
			if len(list) >= MaxContacts {
				first := slices.IndexFunc(list, func(e entry) bool { return e.Binding.Expires.Equal(earliest(list)) })
				note(Replaced, list[first].Binding)
				list = slices.Delete(list, first, first+1)
			}
			list = append(list, entry{b, c.URI})
			note(Registered, b)
		case c.Expires == 0:
			note(Unregistered, list[i].Binding)
			list = slices.Delete(list, i, i+1)
		default:
			if old := list[i].Binding; old.Contact != b.Contact {
				note(Unregistered, old) // the telephone has another address now
				note(Registered, b)
			} else {
				b.Since = old.Since
				note(Refreshed, b)
			}
			list[i] = entry{b, c.URI}
		}
	}
	t.set(r.User, list)
	for _, e := range list {
		if t.expire.IsZero() || e.Expires.Before(t.expire) {
			t.expire = e.Expires
		}
		all = append(all, e.Binding)
	}
	return all, changes, nil
}

func earliest(list []entry) time.Time {
	return slices.MinFunc(list, func(a, b entry) int { return a.Expires.Compare(b.Expires) }).Expires
}

func (t *Table) set(user string, list []entry) {
	if len(list) == 0 {
		delete(t.users, user)
		return
	}
	t.users[user] = list
}

// find gives the index of a binding; -1 = there is none.
func (t *Table) find(p Place) int {
	return slices.IndexFunc(t.users[p.User], func(e entry) bool { return e.Contact == p.Contact })
}

// Drop ends a binding; ok is false when there is none.
func (t *Table) Drop(p Place) (b Binding, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := t.find(p)
	if i < 0 {
		return b, false
	}
	b = t.users[p.User][i].Binding
	t.set(p.User, slices.Delete(slices.Clone(t.users[p.User]), i, i+1))
	return b, true
}

// sweep ends what has run out of one extension.
func (t *Table) sweep(now time.Time, user string) (changes []Change) {
	list := t.users[user]
	kept := list[:0:0]
	for _, e := range list {
		if now.Before(e.Expires) {
			kept = append(kept, e)
			continue
		}
		changes = append(changes, Change{Expired, e.Binding})
	}
	if len(changes) > 0 {
		t.set(user, kept)
	}
	return changes
}

// Sweep ends all that has run out.
func (t *Table) Sweep(now time.Time) (changes []Change) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.expire.IsZero() || now.Before(t.expire) {
		return nil
	}
	t.expire = time.Time{}
	for user := range t.users {
		changes = append(changes, t.sweep(now, user)...)
		for _, e := range t.users[user] {
			if t.expire.IsZero() || e.Expires.Before(t.expire) {
				t.expire = e.Expires
			}
		}
	}
	return changes
}

// Restore puts back a binding of an earlier run; false when it has run out or
// cannot be read.
func (t *Table) Restore(now time.Time, b Binding) bool {
	var uri sip.Uri
	if !now.Before(b.Expires) || b.User == "" || sip.ParseUri(b.Contact, &uri) != nil {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.users[b.User]) >= MaxContacts {
		return false
	}
	t.users[b.User] = append(t.users[b.User], entry{b, uri})
	if t.expire.IsZero() || b.Expires.Before(t.expire) {
		t.expire = b.Expires
	}
	return true
}

// Of gives the bindings of an extension: those that it prefers first (q), and of
// equal ones the one that registered latest: where somebody is now, for however
// long he asked.
func (t *Table) Of(now time.Time, user string) (all []Binding) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range t.users[user] {
		if now.Before(e.Expires) {
			all = append(all, e.Binding)
		}
	}
	slices.SortStableFunc(all, func(a, b Binding) int { return cmp.Or(cmp.Compare(a.Rank, b.Rank), b.At.Compare(a.At)) })
	return all
}

// All gives every binding, by extension.
func (t *Table) All(now time.Time) (all []Binding) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, list := range t.users {
		for _, e := range list {
			if now.Before(e.Expires) {
				all = append(all, e.Binding)
			}
		}
	}
	slices.SortFunc(all, func(a, b Binding) int { return cmp.Or(cmp.Compare(a.User, b.User), cmp.Compare(a.Contact, b.Contact)) })
	return all
}

// At gives the binding of that place.
func (t *Table) At(now time.Time, p Place) (b Binding, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if i := t.find(p); i >= 0 {
		b = t.users[p.User][i].Binding
		return b, now.Before(b.Expires)
	}
	return b, false
}

// Reach gives the latest binding of an extension whose contact is target, which
// a dialog calls its far end: the same telephone, perhaps by another connection
// by now (RFC 5626 5.3). The parameter ob, which is in the one and not in the
// other (RFC 5626 4.3), does not count.
func (t *Table) Reach(now time.Time, user, target string) (b Binding, ok bool) {
	var uri sip.Uri
	if sip.ParseUri(target, &uri) != nil {
		return b, false
	}
	uri = withoutOb(uri)
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range t.users[user] {
		have := withoutOb(e.uri)
		if now.Before(e.Expires) && sameURI(&have, &uri) && (!ok || e.At.After(b.At)) {
			b, ok = e.Binding, true
		}
	}
	return b, ok
}

func withoutOb(u sip.Uri) sip.Uri {
	u.UriParams = slices.DeleteFunc(slices.Clone(u.UriParams), func(p sip.HeaderKV) bool { return strings.EqualFold(p.K, "ob") })
	return u
}
