package message

import (
	"fmt"
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A letter is a checked mail: its addresses.
type letter struct {
	from        *mail.Address
	to, cc, bcc []*mail.Address
}

// all gives the recipients of the envelope, each once.
func (l *letter) all() []*mail.Address {
	var out []*mail.Address
	seen := map[string]bool{}
	for _, list := range [][]*mail.Address{l.to, l.cc, l.bcc} {
		for _, a := range list {
			if !seen[a.Address] {
				seen[a.Address] = true
				out = append(out, a)
			}
		}
	}
	return out
}

const (
	maxRecipients  = 100
	maxSubject     = 998 // bytes: a line of RFC 5322 2.1.1
	maxAttachments = 50
)

func (m *Mailer) check(ml Mail) (*letter, error) {
	l := &letter{from: m.from}
	var err error
	if ml.From != "" {
		if l.from, err = address("Sender", ml.From); err != nil {
			return nil, err
		}
	}
	if l.from == nil {
		return nil, wrong("Sender", "give Sender, or set mail.from in the configuration", "there is no sender")
	}
	for _, f := range []struct {
		name string
		in   []string
		out  *[]*mail.Address
	}{{"Recipient", ml.To, &l.to}, {"Cc", ml.Cc, &l.cc}, {"Bcc", ml.Bcc, &l.bcc}} {
		if *f.out, err = addresses(f.name, f.in); err != nil {
			return nil, err
		}
	}
	switch n := len(l.all()); {
	case n == 0:
		return nil, wrong("Recipient", `for example Recipient="ann@example.org"`, "there is no recipient")
	case n > maxRecipients:
		return nil, wrong("Recipient", "send it in several mails", "%d recipients, at most %d", n, maxRecipients)
	}
	if err := oneLine("Subject", ml.Subject); err != nil {
		return nil, err
	}
	if len(ml.Subject) > maxSubject {
		return nil, wrong("Subject", "make it shorter", "%d bytes, at most %d", len(ml.Subject), maxSubject)
	}
	if err := oneLine("id", ml.ID); err != nil {
		return nil, err
	}
	if len(ml.Text) > m.cfg.MaxText {
		return nil, wrong("Message", "make it shorter, or attach it as a file", "%d bytes of text, at most %d", len(ml.Text), m.cfg.MaxText)
	}
	if !utf8.ValidString(ml.Text) || strings.ContainsRune(ml.Text, 0) {
		return nil, wrong("Message", "send it as UTF-8", "the text is not UTF-8")
	}
	if len(ml.Attachments) > maxAttachments {
		return nil, wrong("Attachments", "send fewer", "%d files, at most %d", len(ml.Attachments), maxAttachments)
	}
	for i, a := range ml.Attachments {
		place := fmt.Sprintf("Attachments, file %d", i+1)
		if err := oneLine(place, a); err != nil {
			return nil, err
		}
		if m.cfg.Open == nil {
			return nil, wrong(place, "leave it away", "files cannot be attached here")
		}
	}
	return l, nil
}

// addresses reads a field of addresses; each element may be a list.
func addresses(place string, fields []string) ([]*mail.Address, error) {
	var out []*mail.Address
	for i, s := range fields {
		if strings.TrimSpace(s) == "" {
			continue
		}
		where := place
		if len(fields) > 1 {
			where = fmt.Sprintf("%s %d", place, i+1)
		}
		if err := oneLine(where, s); err != nil {
			return nil, err
		}
		list, err := mail.ParseAddressList(s)
		if err != nil {
			return nil, badAddress(where, s, err)
		}
		for _, a := range list {
			if err := checkAddress(where, a); err != nil {
				return nil, err
			}
		}
		out = append(out, list...)
	}
	return out, nil
}

// address reads one address.
func address(place, s string) (*mail.Address, error) {
	if err := oneLine(place, s); err != nil {
		return nil, err
	}
	a, err := mail.ParseAddress(s)
	if err != nil {
		return nil, badAddress(place, s, err)
	}
	return a, checkAddress(place, a)
}

func badAddress(place, s string, err error) error {
	f := wrong(place, "write name@host, or Name <name@host>", "%q is no mail address", s)
	f.Err = err
	return f
}

// checkAddress looks at what the parser let through: a quoted local part may
// hold what would end the SMTP command (RFC 5321 4.1.2), and lengths (4.5.3.1).
func checkAddress(place string, a *mail.Address) error {
	local, domain, _ := cutLast(a.Address, "@")
	switch {
	case len(local) > 64 || len(domain) > 255:
		return wrong(place, "correct it", "the address %q is too long", a.Address)
	case strings.ContainsFunc(a.Address, func(r rune) bool {
		return unicode.IsControl(r) || unicode.IsSpace(r) || r == '<' || r == '>' || r == '"'
	}):
		return wrong(place, "write it without spaces, quotes and angle brackets", "the address %q cannot be sent to", a.Address)
	}
	return oneLine(place, a.Name) // an encoded word may hide a line break
}

func cutLast(s, sep string) (before, after string, ok bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// oneLine refuses what would begin a new header: that is how somebody who may
// fill in one field of a mail sends quite another.
func oneLine(place, s string) error {
	if !utf8.ValidString(s) {
		return wrong(place, "send it as UTF-8", "the text is not UTF-8")
	}
	if i := strings.IndexFunc(s, func(r rune) bool {
		return unicode.IsControl(r) && r != '\t' || r == '\u2028' || r == '\u2029'
	}); i >= 0 {
		return wrong(place, "remove it: this field is one line", "byte %d is a line break or control character (%q)", i+1, s[i:i+1])
	}
	return nil
}
