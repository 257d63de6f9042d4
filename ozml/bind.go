package ozml

import (
	"fmt"
	"strings"

	"ozswitch/ozml/syntax"
)

// How a declared parameter gets its value: found, expanded, checked, set.

// value declares a parameter and hands its value, or the default, to set, which
// returns what it wants instead when it cannot use it.
func (p *Params) value(name, kind, usage string, opts []Option, set func(*Param, string) string) {
	d := Param{Name: name, Kind: kind, Usage: usage}
	for _, o := range opts {
		o(&d)
	}
	p.decls = append(p.decls, d)
	s, state := p.find(&d)
	if d.Ours {
		p.ours(&d)
	}
	if state == absent || p.el == nil {
		if d.Default != "" {
			if want := set(&d, d.Default); want != "" {
				panic("ozml: bad default of " + p.name + " " + d.Name + ": " + want)
			}
		}
		return
	}
	if state == open { // to check: variables are not known yet
		p.open = true
		return
	}
	switch {
	case d.Refused != "":
		p.remark(Error, CodeSQL, d.Name, p.span(&d), fmt.Sprintf("%s of %s is not offered", d.Name, p.name), d.Refused)
		return
	case d.Length > 0 && len(strings.TrimSpace(s)) > d.Length:
		p.invalid(&d, fmt.Sprintf("want at most %d, got %q", d.Length, s))
		return
	case len(s) > p.b.limits.Value:
		p.invalid(&d, fmt.Sprintf("its value is longer than %d bytes", p.b.limits.Value))
		return
	}
	if len(d.Values) > 0 {
		word := ""
		for _, w := range d.Values {
			if strings.EqualFold(w, strings.TrimSpace(s)) {
				word = w
			}
		}
		switch {
		case word == "" && d.Lenient:
			p.remark(Warning, CodeCapped, d.Name, p.span(&d), fmt.Sprintf("%s=%q of %s is not offered; %s is used", d.Name, s, p.name, d.Default), "want "+strings.Join(d.Values, " or "))
			word = d.Default
		case word == "":
			p.invalid(&d, fmt.Sprintf("want %s, got %q", strings.Join(d.Values, " or "), s))
			return
		}
		s = word
	}
	if want := set(&d, s); want != "" {
		p.invalid(&d, fmt.Sprintf("%s, got %q", want, cut(s, 40)))
	}
}

type state uint8

const (
	absent state = iota
	given
	open // holds variables, to check
)

// find looks for the value of d and expands it.
func (p *Params) find(d *Param) (string, state) {
	if p.el == nil {
		return "", absent
	}
	raw, there, left := "", false, p.left(d.Name)
	for i, a := range p.el.Attrs {
		if match(a.Name, d.Name, d.Also) {
			p.used[i] = true
			if !there && !left {
				raw, there = a.Value, true
			}
		}
	}
	if d.Body {
		p.text = true
		if t := p.el.Text(); !there && !left && t != "" {
			raw, there = t, true
		}
	}
	ignored := d.Only != 0 && d.Only&p.b.in == 0
	s, st := raw, absent
	if there && !ignored {
		s, st = p.expand(raw, d)
	}
	if must := d.Required || d.MustIn&p.b.in != 0; must && !ignored && !left && st != open && strings.TrimSpace(s) == "" {
		hint := "it is needed"
		if there {
			hint = "it is empty"
		}
		p.invalid(d, hint)
		return "", absent
	}
	if st == given && s == "" && !d.Required {
		st = absent // empty is absent
	}
	return s, st
}

func (p *Params) expand(raw string, d *Param) (string, state) {
	switch {
	case d.raw, p.b.in == API, strings.IndexByte(raw, '$') < 0: // a request has no variables
		return raw, given
	case p.b.vars != nil:
		return p.b.vars.Expand(raw, func(ref string) { p.b.unknown(ref, p.span(d)) }), given
	}
	st := given
	var plain strings.Builder
	references(raw, func(text, name, field string) {
		if name != "" {
			st = open
			p.b.refs(name, field, p.span(d))
		}
		plain.WriteString(text)
	})
	return plain.String(), st
}

// span is the place of the value of d, or of the element when it has none.
func (p *Params) span(d *Param) syntax.Span {
	for _, a := range p.el.Attrs {
		if match(a.Name, d.Name, d.Also) {
			to := a.End
			to.Offset, to.Column = to.Offset-1, to.Column-1 // without the quote
			return syntax.Span{From: a.ValuePos, To: to}
		}
	}
	if d.Body {
		for _, c := range p.el.Children {
			if t, ok := c.(*syntax.Text); ok {
				return t.Span
			}
		}
	}
	return p.el.NameSpan
}

// invalid reports a missing or invalid parameter in the words of code 302.
func (p *Params) invalid(d *Param, why string) {
	p.bad = true
	p.remark(Error, CodeBadParam, d.Name, p.span(d), fmt.Sprintf("Missing or invalid parameter '%s' for command '%s': %s", d.Name, p.name, why), "")
}

func (p *Params) remark(sev Severity, code, param string, at syntax.Span, msg, hint string) {
	if p.part && code == CodeBadParam {
		hint = "this " + p.name + " is left out"
	}
	p.b.diags = append(p.b.diags, Diagnostic{File: p.b.doc, Span: at, Severity: sev, Code: code, Msg: msg, Hint: hint, Command: p.name, Param: param})
}

// match compares a name as written with a declared one.
func match(written, name string, also []string) bool {
	if strings.EqualFold(written, name) {
		return true
	}
	for _, a := range also {
		if strings.EqualFold(written, a) {
			return true
		}
	}
	return false
}

// cut shortens s to n characters.
func cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}
