package sip

import (
	"fmt"
	"strings"

	msg "github.com/emiago/sipgo/sip"

	"ozswitch/switch/call"
	"ozswitch/switch/sip/flow"
)

// An Account is what calls by an outside line need to know of it. Config.Line
// looks it up by the line's name, for each call.
type Account struct {
	User, Password string  // for digest
	Realm          string  // whose challenges are answered; "" = any of the far end that was called
	From           string  // host of our From, "sip.example.com"; "" = our address
	Contact        string  // user part of our Contact; "" = Config.User
	Places         []Place // where its calls go, the first choice first; nil = where the called URI says
	Proxy          string  // SIP URI of an outbound proxy, which gets a Route header; "" = none
	Transport      string  // "udp", "tcp", "tls"; "" = what the called URI says
	Headers        []call.Header
	Codecs         []string           // of calls that come by it: only these, in this order; nil = as offered
	Keys           string             // how keys go: "rfc2833", "info" or "inband"; "" = as both ends can
	Learn          func(realm string) // told of a realm that was answered; nil = nobody
	Assert         bool               // write P-Asserted-Identity (RFC 3325)
	Trust          bool               // believe the identities and diversions that come by it
}

// byLine tells where a call by an outside line goes; to is where its URI says.
// srv is false where no SRV records may be asked for.
func (e *Endpoint) byLine(name string, to *hop, uri *msg.Uri) (a *Account, routes []string, srv bool, err error) {
	var account Account
	ok := false
	if e.c.Line != nil {
		account, ok = e.c.Line(name)
	}
	if !ok {
		return nil, nil, false, fmt.Errorf("sip: there is no outside line %s", name)
	}
	srv = uri.Port == 0
	if account.Proxy != "" {
		var p msg.Uri
		if err := msg.ParseUri(flow.Line(account.Proxy), &p); err != nil || p.Host == "" || strings.ContainsAny(account.Proxy, " <>\"") {
			return nil, nil, false, fmt.Errorf("sip: line %s: its proxy %s is no SIP URI", name, account.Proxy)
		}
		route := account.Proxy
		if _, ok := p.UriParams.Get("lr"); !ok {
			route += ";lr"
		}
		routes = []string{route}
		to.name, to.transport, srv = p.Host, transportOf(&p), p.Port == 0
		*uri = p // its port
	}
	if account.Transport != "" {
		to.transport = account.Transport
	}
	return &account, routes, srv, nil
}

// credentials are what the far end of a leg is answered with when it asks.
func (l *leg) credentials() credentials {
	if l.out != nil && l.out.line != nil {
		a := l.out.line
		return credentials{user: a.User, password: a.Password, realm: a.Realm}
	}
	return l.shard.e.own()
}

// contactOf is our Contact within a dialog: by an outside line, what that knows
// us by.
func (e *Endpoint) contactOf(l *leg, f flow.Flow) string {
	if l.out != nil && l.out.line != nil && l.out.line.Contact != "" {
		return e.contactAs(l.out.line.Contact, f)
	}
	return e.contact(f)
}

// extra gives the header lines that a call adds to its INVITE.
func extra(i call.Invite) (string, error) {
	s, err := more(i.Headers)
	if err != nil || i.Replaces == nil {
		return s, err
	}
	r := i.Replaces
	if !token(r.LocalTag) || !token(r.RemoteTag) || r.CallID == "" || flow.Line(r.CallID) != r.CallID || strings.ContainsAny(r.CallID, " \t;,\"<>") {
		return "", fmt.Errorf("sip: no dialog to be replaced: %q", r.CallID)
	}
	return s + "Replaces: " + replacesValue(r) + "\r\nRequire: replaces\r\n", nil
}
