package command

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"ozswitch/ozml"
	"ozswitch/ozml/syntax"
)

// GenerateSecurityToken makes a token for a web page.
func GenerateSecurityToken() *ozml.Command {
	return &ozml.Command{
		Name:  "GenerateSecurityToken",
		Title: "make a token by which a web page comes in without a password",
		Doc: `The answer holds ` + "`<SecurityToken>`" + `, 22 characters. A web app asks for one and hands it to a page, which then needs no password:

* as bearer token of the JSON API: ` + "`Authorization: Bearer TOKEN`" + ` at /v1, for calls, their events, messages and contacts, as far as the token allows it;
* as telephone: a SIP library such as JsSIP logs in at /sip with the extension as its name and the token as its password; ` + "`GET /v1/session`" + ` with the token gives all that it needs to know.

A page of another site must be named in ` + "`http.origins`" + `. What the token allows says AuthXml, a document whose root is ` + "`<SecurityToken>`" + `, with any of these elements, true or false:

* ` + "`<AllowSessionModification>`" + `: place calls and act on those that are up: hang up, transfer, hold, play, press keys. Default false.
* ` + "`<AllowCallInformation>`" + `: see the calls that are up, their events, and the history. Default true.
* ` + "`<AllowCalls>`" + `: be a telephone in the page. Default true for a user who has one (` + "`users[].phone`" + `).
* ` + "`<AllowMessages>`" + `: send text messages, mail and alarms. Default false.
* ` + "`<AllowContacts>`" + `: see extensions and address books. Default false.

Further elements: ` + "`<Extension>`" + `, the number of the phone that the page is, the user's own where absent; another than that only for an admin. ` + "`<ValidFor>`" + `, seconds, a day where absent, at most 365 days. ` + "`<Name>`" + `, by which the token is listed.

The switch keeps only a hash of the token. It is listed and revoked at /v1/tokens, and ends with its user. It never allows what its user may not do.`,
		Notes: []string{
			"The public pages name AllowSessionModification, say that there are more switches, and give the validity of a day; the names of the others are ours. Elements that are not known are ignored with a warning.",
			"AuthXml may be escaped once more than it needs, as the samples are; without it all defaults count.",
			"What cannot be had, such as another's extension, is code 302.",
		},
		Example: `command=GenerateSecurityToken&AuthXml=%3CSecurityToken%3E%3CAllowSessionModification%3ETrue%3C%2FAllowSessionModification%3E%3C%2FSecurityToken%3E`,
		In:      ozml.API,
		NoCall:  true,
		New: func(p *ozml.Params) ozml.Action {
			var c generateToken
			p.String(&c.auth, "AuthXml", "what the token allows; the root is <SecurityToken>")
			var err error
			if c.r, c.odd, err = tokenRequest(c.auth); err != nil {
				p.Invalid("AuthXml", err.Error())
			}
			return &c
		},
	}
}

type generateToken struct {
	auth string
	r    ozml.TokenRequest
	odd  []string // elements that are not known
}

const (
	tokenLife    = 24 * time.Hour
	maxTokenLife = 365 * 24 * time.Hour
)

// tokenRequest reads AuthXml, and gives the names of elements that it does not
// know.
func tokenRequest(doc string) (r ozml.TokenRequest, odd []string, err error) {
	r = ozml.TokenRequest{ReadCalls: true, MakeCalls: true, Valid: tokenLife}
	doc = strings.TrimSpace(doc)
	if doc == "" {
		return r, nil, nil
	}
	if strings.HasPrefix(doc, "&lt;") { // escaped once too often
		doc = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&quot;", `"`, "&apos;", "'", "&amp;", "&").Replace(doc)
	}
	const root = "SecurityToken"
	f, err := syntax.ParseWith(syntax.Options{Name: "AuthXml", IsCommand: func(n string) bool { return strings.EqualFold(n, root) }}, []byte(doc))
	if err != nil {
		if e, ok := errors.AsType[*syntax.Error](err); ok {
			err = errors.New("it cannot be read: " + e.Msg)
		}
		return r, nil, err
	}
	e := f.Root
	if f.Lone {
		e, _ = f.Root.Children[0].(*syntax.Element)
	}
	if e == nil || !strings.EqualFold(e.Name, root) {
		return r, nil, errors.New("its root must be <SecurityToken>")
	}
	for _, n := range e.Children {
		one, ok := n.(*syntax.Element)
		if !ok {
			continue
		}
		known, err := tokenElement(&r, strings.ToLower(one.Name), strings.TrimSpace(one.Text()))
		if err != nil {
			return r, nil, errors.New("<" + one.Name + ">: " + err.Error())
		}
		if !known {
			odd = append(odd, one.Name)
		}
	}
	return r, odd, nil
}

// tokenElement takes one element of AuthXml.
func tokenElement(r *ozml.TokenRequest, name, value string) (known bool, err error) {
	switch name {
	case "extension":
		r.Extension = value
		r.MustCall = value != ""
		return true, nil
	case "name":
		r.Name = value
		return true, nil
	case "validfor":
		n, err := strconv.ParseUint(value, 10, 32)
		if err != nil || n == 0 || time.Duration(n)*time.Second > maxTokenLife {
			return true, errors.New("want seconds, at most 365 days")
		}
		r.Valid = time.Duration(n) * time.Second
		return true, nil
	}
	switches := map[string]*bool{
		"allowsessionmodification": &r.ModifySession, "allowcallinformation": &r.ReadCalls, "allowcalls": &r.MakeCalls,
		"allowmessages": &r.SendMessages, "allowcontacts": &r.ReadContacts,
	}
	v := switches[name]
	if v == nil {
		return false, nil
	}
	switch strings.ToLower(value) {
	case "true", "1":
		*v = true
		r.MustCall = r.MustCall || name == "allowcalls"
	case "false", "0", "":
		*v = false
	default:
		return true, errors.New("want true or false")
	}
	return true, nil
}

func (c *generateToken) Do(ctx context.Context, m *ozml.Machine) error {
	if m.Lists == nil {
		return noLists()
	}
	for _, name := range c.odd {
		m.Warn(ozml.CodeUnknownParam, "AuthXml has an element <"+name+"> that is not known", "it is ignored")
	}
	t, err := m.Lists.Token(ctx, c.r)
	if no, ok := errors.AsType[*ozml.TokenError](err); ok {
		return m.BadParam("AuthXml", no.Why)
	}
	if err != nil {
		return err
	}
	m.Reply(t)
	return nil
}
