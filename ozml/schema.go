package ozml

import (
	"encoding/xml"
	"fmt"
	"strings"
)

// Schema prints the XML schema of all commands, for editors. Schemas cannot
// fold letter case, so it knows the canonical spelling only; values with
// variables always pass.
func (t Table) Schema() string {
	s := &schema{}
	s.line(`<?xml version="1.0" encoding="UTF-8"?>`)
	s.open(`<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">`)
	for _, k := range [][2]string{
		{"seconds", `\s*\+?[0-9]*\.?[0-9]*\s*`}, {"number", `\s*\+?[0-9]+\s*`}, {"decimal", `\s*[+\-]?[0-9]*\.?[0-9]*\s*`}, {"keys", `\s*[0-9*#A-Da-d]*\s*`},
		{"bool", `\s*([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee])\s*`}, {"url", `\s*[Hh][Tt][Tt][Pp][Ss]?://.*`},
	} {
		s.line(`<xs:simpleType name="` + k[0] + `"><xs:restriction base="xs:string"><xs:pattern value="` + k[1] + `|.*[$].*"/></xs:restriction></xs:simpleType>`)
	}
	s.open(`<xs:group name="command">`)
	s.open(`<xs:choice>`)
	pages := t.Manual()
	for _, p := range pages {
		if p.in&^API == 0 {
			continue // no command of a script
		}
		doc := p.Title
		if p.Ours {
			doc += ". " + notOzML
		}
		s.element(p.Name, doc, p.Params)
	}
	s.close(`</xs:choice>`)
	s.close(`</xs:group>`)
	for _, root := range []string{"Response", "OzML"} {
		s.open(`<xs:element name="` + root + `">`)
		s.line(`<xs:complexType><xs:group ref="command" minOccurs="0" maxOccurs="unbounded"/></xs:complexType>`)
		s.close(`</xs:element>`)
	}
	s.close(`</xs:schema>`)
	return s.b.String()
}

type schema struct {
	b     strings.Builder
	depth int
}

func (s *schema) line(l string) { s.b.WriteString(strings.Repeat("  ", s.depth) + l + "\n") }
func (s *schema) open(l string) { s.line(l); s.depth++ }
func (s *schema) close(l string) {
	s.depth--
	s.line(l)
}

func (s *schema) element(name, doc string, ps []Param) {
	s.open(`<xs:element name="` + name + `">`)
	s.line(`<xs:annotation><xs:documentation>` + escape(doc) + `</xs:documentation></xs:annotation>`)
	s.complexType(ps)
	s.close(`</xs:element>`)
}

func (s *schema) complexType(ps []Param) {
	mixed, fields := "", false
	var inside []Param
	for _, d := range ps {
		if d.Body {
			mixed = ` mixed="true"`
		}
		switch d.Kind {
		case "commands", "elements":
			inside = append(inside, d)
		case "fields":
			fields = true
		}
	}
	s.open(`<xs:complexType` + mixed + `>`)
	switch {
	case fields:
		s.line(`<xs:sequence><xs:any minOccurs="0" maxOccurs="unbounded" processContents="lax"/></xs:sequence>`)
	case len(inside) == 1 && inside[0].Name == "":
		s.line(`<xs:group ref="command" minOccurs="0" maxOccurs="unbounded"/>`)
	case len(inside) > 0:
		s.open(`<xs:choice minOccurs="0" maxOccurs="unbounded">`)
		for _, d := range inside {
			if d.Name == "" {
				s.line(`<xs:group ref="command"/>`)
				continue
			}
			kids := d.Inside
			if d.Kind == "commands" {
				kids = []Param{{Kind: "commands"}}
			}
			s.element(d.Name, d.Usage, kids)
		}
		s.close(`</xs:choice>`)
	}
	for _, d := range ps {
		if d.Name != "" && d.Kind != "commands" && d.Kind != "elements" {
			names := []string{d.Name}
			for _, n := range d.Also {
				if !strings.ContainsRune(n, ' ') { // a parameter of HTTP that cannot be an attribute
					names = append(names, n)
				}
			}
			for _, n := range names {
				s.attribute(n, d, len(names) == 1 && d.Required && !d.Body)
			}
		}
	}
	if fields {
		s.line(`<xs:anyAttribute processContents="lax"/>`)
	}
	s.close(`</xs:complexType>`)
}

func (s *schema) attribute(name string, d Param, required bool) {
	use, typ := "", ""
	if required {
		use = ` use="required"`
	}
	switch d.Kind {
	case "seconds", "number", "keys":
		typ = d.Kind
	case "decimal number":
		typ = "decimal"
	case "true or false":
		typ = "bool"
	case "URL":
		typ = "url"
	default:
		typ = "xs:string"
	}
	doc := escape(d.meaning())
	if len(d.Values) > 0 {
		doc = escape(fmt.Sprintf("%s: %s", d.meaning(), strings.Join(d.Values, ", ")))
	}
	s.line(`<xs:attribute name="` + name + `" type="` + typ + `"` + use + `><xs:annotation><xs:documentation>` + doc + `</xs:documentation></xs:annotation></xs:attribute>`)
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a strings.Builder never fails
	return b.String()
}
