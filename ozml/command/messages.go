package command

import (
	"net/mail"
	"strings"
	"unicode"

	"ozswitch/ozml"
)

// What the commands about messages share.

// everywhere is where messages can be sent from.
const everywhere = ozml.Extension | ozml.ThirdParty | ozml.API

// apiExtension declares who sends.
func apiExtension(p *ozml.Params, s *ozml.Sender) {
	p.String(&s.Extension, "ApiExtension", "number of the extension that sends, of type api or script; that of the call where absent")
}

// behalf fills in on whose behalf a message is sent.
func behalf(m *ozml.Machine, s *ozml.Sender) {
	if s.Extension = strings.TrimSpace(s.Extension); strings.EqualFold(s.Extension, "NULL") {
		s.Extension = ""
	}
	i := m.Info()
	s.Call, s.Own, s.At = i.ID, i.Extension, m.Place()
	if m.Setting() == ozml.API {
		s.Call, s.Own = "", ""
	}
}

// oneLine tells whether a text can stand in the header of a mail: whoever may
// fill in one field must not write another.
func oneLine(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) && r != '\t' || r == '\u2028' || r == '\u2029'
	})
}

// addresses reads addresses of mail, separated by commas or semicolons.
func addresses(s string) (list []string, want string) {
	if !oneLine(s) {
		return nil, "want one line"
	}
	for _, part := range split(s) {
		all, err := mail.ParseAddressList(part)
		if err != nil {
			return nil, "want mail addresses, a@example.org or Ann <a@example.org>, with ; between them"
		}
		for _, a := range all {
			if a.Name == "" {
				list = append(list, a.Address)
			} else {
				list = append(list, a.String())
			}
		}
	}
	if list == nil {
		want = "it is needed"
	}
	return list, want
}

// split cuts at semicolons outside of quotes, and leaves out what is empty.
func split(s string) (parts []string) {
	quoted, from := false, 0
	add := func(part string) {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ';' && !quoted:
			add(s[from:i])
			from = i + 1
		}
	}
	add(s[from:])
	return parts
}

// telephone reads a number as people write it; ok is false when it is none.
func telephone(s string) (number string, ok bool) {
	number = strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -./()\u00a0", r) {
			return -1
		}
		return r
	}, strings.TrimSpace(s))
	digits := strings.TrimPrefix(number, "+")
	return number, digits != "" && strings.Trim(digits, "0123456789") == ""
}

// noNumber is what a number that is none should be.
const noNumber = "want a telephone number: digits, with + in front when it is international"

func noMessages() error {
	return &ozml.Fault{Code: ozml.CodeNotOffered, Msg: "messages cannot be sent or read from here"}
}
