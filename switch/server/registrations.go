package server

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"ozswitch/ozml/trace"
	"ozswitch/switch/sip"
)

// registration is sip.Config.Registration: it becomes an event of no call.
func (s *Server) registration(r sip.Registration) {
	e := trace.Event{Type: trace.Registration, From: r.User, Reason: r.What, Source: r.Transport, Peer: r.Source.String(), URL: r.Contact, Text: r.Why, Hint: r.Do}
	if e.Text == "" {
		e.Text = r.UserAgent
	}
	s.figures.registration(time.Now(), r)
	s.events.Emit(e)
	if r.What == "registered" || r.What == "refreshed" {
		s.phones.arrived(r.User)
	}
}

// countPhones sets the metric of registrations.
func (s *Server) countPhones() {
	n := map[string]int{"udp": 0, "tcp": 0, "tls": 0, "ws": 0, "wss": 0}
	for _, b := range s.sip.Registrations() {
		n[b.Transport]++
	}
	for transport, n := range n {
		s.metrics.Registered(transport, n)
	}
}

// A refusal is a telephone that was not let in.
type refusal struct {
	sip.Registration
	at time.Time
}

// String tells it in words: what, from where, when, and what to do.
func (r refusal) String() string {
	from := fmt.Sprintf("%s by %s", r.Source, r.Transport)
	if r.UserAgent != "" {
		from += ", " + strings.ToValidUTF8(r.UserAgent[:min(len(r.UserAgent), 80)], "?")
	}
	said := fmt.Sprintf("%s (from %s, at %s)", r.Why, from, r.at.Format("2006-01-02 15:04:05"))
	if r.Do != "" {
		said += ": " + r.Do
	}
	return said
}

// maxRefused bounds the numbers that strangers may claim.
const maxRefused = 1000

// registration keeps who was not let in, until it is, from the same address: another
// telephone of that extension proves nothing.
func (f *figures) registration(now time.Time, r sip.Registration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch r.What {
	case "registered", "refreshed":
		if was, ok := f.refused[r.User]; ok && was.Source.Addr() == r.Source.Addr() {
			delete(f.refused, r.User)
		}
	case "refused":
		if f.refused == nil || len(f.refused) >= maxRefused {
			f.refused = map[string]refusal{}
		}
		f.refused[r.User] = refusal{r, now}
	}
}

// lastFailure tells why a telephone of an extension was not let in last; "" = it was.
func (f *figures) lastFailure(user string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r, ok := f.refused[user]; ok {
		return r.String()
	}
	return ""
}

// failures tells the latest, of numbers that are none too.
func (f *figures) failures(most int) (all []string) {
	f.mu.Lock()
	var list []refusal
	for _, r := range f.refused {
		list = append(list, r)
	}
	f.mu.Unlock()
	slices.SortFunc(list, func(a, b refusal) int { return cmp.Or(b.at.Compare(a.at), cmp.Compare(a.User, b.User)) })
	for _, r := range list[:min(most, len(list))] {
		all = append(all, fmt.Sprintf("%.64s: %s", r.User, r))
	}
	return all
}
