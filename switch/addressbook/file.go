package addressbook

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"mime/quotedprintable"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"ozswitch/ozml"
)

// maxFile bounds a file, and one answer of a provider, in bytes.
const maxFile = 8 << 20

// readFile reads a book of a kind that the name of the file tells.
func readFile(name string) ([]ozml.Contact, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	src, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	return ParseFile(name, src)
}

// ParseFile reads what a file of that name holds.
func ParseFile(name string, src []byte) ([]ozml.Contact, error) {
	src = bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))
	switch {
	case len(src) > maxFile:
		return nil, fmt.Errorf("the file is larger than %d MiB", maxFile>>20)
	case !utf8.Valid(src):
		return nil, errors.New("the file is not UTF-8")
	}
	switch strings.ToLower(filepath.Ext(name)) {
	case ".csv":
		return parseCSV(string(src))
	case ".vcf":
		return parseVCard(string(src))
	}
	return nil, errFormat
}

// A part is what a field or column holds.
type part uint8

const (
	other part = iota
	fullName
	firstName
	lastName
	phone
	email
)

// partOf knows the usual names of fields and columns, in any letter case, with
// or without spaces, _ and -.
func partOf(name string) part {
	switch strings.NewReplacer(" ", "", "_", "", "-", "").Replace(strings.ToLower(strings.TrimSpace(name))) {
	case "name", "fullname", "displayname", "contact":
		return fullName
	case "firstname", "givenname":
		return firstName
	case "lastname", "familyname", "surname":
		return lastName
	case "phonenumber", "phone", "number", "telephone", "tel", "mobile", "mobilenumber", "mobilephone", "businessphone", "homephone":
		return phone
	case "email", "mail", "emailaddress":
		return email
	}
	return other
}

// An entry gathers the parts of one contact.
type entry struct {
	name, first, last, mail string
	numbers                 []string
}

func (e *entry) add(p part, value string) {
	value = strings.TrimSpace(value)
	switch p {
	case fullName:
		e.name = value
	case firstName:
		e.first = value
	case lastName:
		e.last = value
	case phone:
		if value != "" {
			e.numbers = append(e.numbers, value)
		}
	case email:
		if e.mail == "" {
			e.mail = value
		}
	}
}

// contacts gives one for each number, or one without.
func (e *entry) contacts() (all []ozml.Contact) {
	c := ozml.Contact{Name: e.name, Email: e.mail}
	if c.Name == "" {
		c.Name = strings.TrimSpace(e.first + " " + e.last)
	}
	for _, n := range e.numbers {
		c.Number = n
		all = append(all, c)
	}
	if len(all) == 0 && c != (ozml.Contact{}) {
		all = append(all, c)
	}
	return all
}

// parseCSV reads a table whose first line names the columns; they are separated
// by commas, semicolons or tabs.
func parseCSV(src string) (all []ozml.Contact, err error) {
	head, _, _ := strings.Cut(src, "\n")
	r := csv.NewReader(strings.NewReader(src))
	for _, c := range ",;\t" {
		if strings.Count(head, string(c)) > strings.Count(head, string(r.Comma)) {
			r.Comma = c
		}
	}
	r.FieldsPerRecord, r.LazyQuotes, r.ReuseRecord = -1, true, true
	line, err := r.Read()
	if err == io.EOF {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var parts []part
	useful := false
	for _, name := range line {
		p := partOf(name)
		parts, useful = append(parts, p), useful || p != other
	}
	if !useful {
		return nil, errors.New("the first line must name the columns: Name, PhoneNumber, Email")
	}
	for len(all) <= maxContacts {
		line, err := r.Read()
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		var e entry
		for i, v := range line {
			if i < len(parts) {
				e.add(parts[i], v)
			}
		}
		all = append(all, e.contacts()...)
	}
	return all, nil
}

// parseVCard reads the cards of a file: versions 2.1, 3.0 (RFC 2426) and 4.0 (RFC
// 6350). Of a card FN, or else N, TEL and EMAIL count.
func parseVCard(src string) (all []ozml.Contact, err error) {
	var e entry
	in, cards := false, 0
	for _, line := range unfold(src) {
		name, params, value := property(line)
		switch {
		case name == "BEGIN" && strings.EqualFold(value, "VCARD"):
			e, in, cards = entry{}, true, cards+1
		case name == "END" && strings.EqualFold(value, "VCARD"):
			all, in = append(all, e.contacts()...), false
			if len(all) > maxContacts {
				return all, nil
			}
		case !in:
		default:
			e.card(name, decode(params, value))
		}
	}
	switch {
	case in:
		return nil, errors.New("the last card has no END:VCARD")
	case cards == 0 && strings.TrimSpace(src) != "":
		return nil, errors.New("there is no BEGIN:VCARD")
	}
	return all, nil
}

// card takes one property of a card.
func (e *entry) card(name, value string) {
	switch name {
	case "FN":
		e.add(fullName, unescape(value))
	case "N": // family; given; ...
		parts := strings.Split(strings.ReplaceAll(value, `\;`, "\x00"), ";")
		for i, p := range []part{lastName, firstName} {
			if i < len(parts) {
				e.add(p, unescape(strings.ReplaceAll(parts[i], "\x00", ";")))
			}
		}
	case "TEL":
		e.add(phone, strings.TrimPrefix(unescape(value), "tel:"))
	case "EMAIL":
		e.add(email, unescape(value))
	}
}

// unfold puts the lines together that were folded (RFC 6350 3.2), and those that
// quoted-printable has broken.
func unfold(src string) (lines []string) {
	soft := false
	for l := range strings.Lines(src) {
		l = strings.TrimRight(l, "\r\n")
		n := len(lines) - 1
		switch {
		case soft:
			lines[n] = strings.TrimSuffix(lines[n], "=") + l
		case n >= 0 && l != "" && (l[0] == ' ' || l[0] == '\t'):
			lines[n] += l[1:]
		default:
			lines = append(lines, l)
		}
		last := lines[len(lines)-1]
		soft = strings.HasSuffix(last, "=") && strings.Contains(strings.ToUpper(last), "QUOTED-PRINTABLE")
	}
	return lines
}

// property takes a line apart: item1.TEL;TYPE=cell:+36...
func property(line string) (name, params, value string) {
	head, value, _ := strings.Cut(line, ":")
	name, params, _ = strings.Cut(head, ";")
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		name = name[i+1:]
	}
	return strings.ToUpper(strings.TrimSpace(name)), strings.ToUpper(params), value
}

// decode undoes the encoding of version 2.1.
func decode(params, value string) string {
	if !strings.Contains(params, "QUOTED-PRINTABLE") {
		return value
	}
	b, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(value)))
	if err != nil || !utf8.Valid(b) {
		return value
	}
	return string(b)
}

func unescape(s string) string {
	return strings.NewReplacer(`\\`, `\`, `\,`, ",", `\;`, ";", `\n`, " ", `\N`, " ").Replace(s)
}
