package ozml

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"ozswitch/ozml/syntax"
)

// Params are the parameters of one element. A Command's New declares them, as
// in package flag, and that one declaration binds them to run the command,
// checks them, and describes them for the manual and the schema. New must
// therefore do nothing but declare.
//
// To run, a value is expanded and bound; to check, a value with variables is
// passed over; to describe, there is no element at all.
type Params struct {
	b     *binding
	el    *syntax.Element // nil: to describe
	name  string          // of the element, for messages
	decls []Param
	used  []bool // attributes of el that were asked for
	text  bool   // the text was asked for
	inner bool   // all elements inside were asked for
	kids  []string
	bad   bool // something is missing or invalid
	open  bool // a value holds variables, to check
	part  bool // an element inside a command: a fault in it does not stop the command
}

// A binding is what the Params of a command and of the elements inside share.
type binding struct {
	doc     string
	in      Setting
	limits  Limits
	vars    *Vars                                   // to run; else nil
	unknown func(ref string, at syntax.Span)        // an unknown variable, to run
	refs    func(name, field string, s syntax.Span) // a variable that is used, to check
	block   func(*Block)                            // commands inside, to check
	diags   []Diagnostic
	nears   int    // names that were looked for
	without string // the parameter that is left out, see Params.Without
}

// A Param is a parameter as declared.
type Param struct {
	Name     string
	Also     []string // other spellings
	Kind     string   // text, number, seconds, true or false, keys, URL, party; commands, elements, fields
	Usage    string
	Default  string
	Values   []string // the only ones, in any letter case
	Required bool
	MustIn   Setting // required there only
	Body     bool    // may stand between the tags
	Only     Setting // counts there only, is accepted and ignored elsewhere; 0 = everywhere
	Max      float64 // cap of a number, in seconds for seconds; 0 = none
	Length   int     // most characters; 0 = any number
	Lenient  bool    // a value that is none of Values is replaced by Default
	Refused  string  // understood and not offered: what to do instead
	Ours     bool    // an extension of ozswitch: other switches do not know it
	Inside   []Param // of an element inside

	raw bool // variables in the value are not replaced
}

// An Option is a property of a parameter.
type Option func(*Param)

// Required makes a parameter one that must be there and not empty.
func Required(p *Param) { p.Required = true }

// FromBody lets the text between the tags be the value; the attribute wins.
func FromBody(p *Param) { p.Body = true }

// Lenient replaces an unknown value by the default, with a warning.
func Lenient(p *Param) { p.Lenient = true }

// Default gives the value of an absent parameter.
func Default(v string) Option { return func(p *Param) { p.Default = v } }

// OneOf lists the only values.
func OneOf(v ...string) Option { return func(p *Param) { p.Values = v } }

// Only says where the parameter counts; elsewhere it is accepted and ignored.
func Only(s Setting) Option { return func(p *Param) { p.Only = s } }

// MustIn makes a parameter required in these settings.
func MustIn(s Setting) Option { return func(p *Param) { p.MustIn = s } }

// Also gives other spellings of the name.
func Also(names ...string) Option { return func(p *Param) { p.Also = names } }

// AtMost caps a number, or seconds, with a warning.
func AtMost(n float64) Option { return func(p *Param) { p.Max = n } }

// Length limits the number of characters.
func Length(n int) Option { return func(p *Param) { p.Length = n } }

// Refused makes a parameter that is understood but not offered here: an error
// that tells what to do instead, and the command runs without it.
func Refused(hint string) Option { return func(p *Param) { p.Refused = hint } }

// Ours marks a parameter as an extension of ozswitch, which OzML does not have.
func Ours(p *Param) { p.Ours = true }

// Keys are keys of a telephone.
type Keys string

// Limits returns the limits of this run, defaults filled in.
func (p *Params) Limits() Limits { return p.b.limits }

// In returns the setting the command is used in.
func (p *Params) In() Setting { return p.b.in }

// Invalid reports a parameter that was declared and does not fit the others:
// the command will not run.
func (p *Params) Invalid(name, why string) {
	if p.el != nil {
		p.invalid(&Param{Name: name}, why)
	}
}

// Has tells whether a declared parameter is there and not empty.
func (p *Params) Has(name string) bool {
	for i := range p.decls {
		if d := p.decls[i]; d.Name == name {
			s, st := p.find(&d)
			return st == open || st == given && s != ""
		}
	}
	return false
}

// Given tells whether a declared parameter is written at all, be it empty.
func (p *Params) Given(name string) bool {
	for i := range p.decls {
		d := &p.decls[i]
		if d.Name != name || p.el == nil {
			continue
		}
		if p.left(name) {
			return false
		}
		for _, a := range p.el.Attrs {
			if match(a.Name, d.Name, d.Also) {
				return true
			}
		}
		return d.Body && p.el.Text() != ""
	}
	return false
}

// Warn remarks on a parameter, or on the element when name is "".
func (p *Params) Warn(code, name, msg, hint string) {
	if p.el != nil {
		p.remark(Warning, code, name, p.span(&Param{Name: name}), msg, hint)
	}
}

// Unsure tells whether a value declared so far holds variables, so that it will
// only be known when the script runs.
func (p *Params) Unsure() bool { return p.open }

// OK tells whether the parameters declared so far are usable.
func (p *Params) OK() bool { return !p.bad }

// String declares a text.
func (p *Params) String(v *string, name, usage string, o ...Option) {
	p.value(name, "text", usage, o, func(d *Param, s string) string { *v = s; return "" })
}

// Name declares the name of a variable or array.
func (p *Params) Name(v *string, name, usage string, o ...Option) {
	p.value(name, "name", usage, o, func(d *Param, s string) string {
		if s = strings.TrimSpace(s); s != "" && !isName(s) {
			return "want a name: a letter or _, then letters, digits, _"
		}
		*v = s
		return ""
	})
}

// Variable declares a variable itself, written with or without its $ and maybe
// with a field: $digits, item.name. v gets its name, val what it holds: "" when
// nothing has set it.
func (p *Params) Variable(v *Variable, name, usage string, o ...Option) {
	o = append(o, func(d *Param) { d.raw = true })
	p.value(name, "variable", usage, o, func(d *Param, s string) string {
		s = strings.TrimPrefix(strings.TrimSpace(s), "$")
		n, field, dotted := strings.Cut(s, ".")
		if !isName(n) || dotted && !isName(field) {
			return "want one variable such as $digits or $item.name"
		}
		v.Name = s
		if p.b.vars != nil {
			v.Value, v.Set = p.b.vars.get(n, field)
		}
		v.read = func() {
			if p.el != nil && p.b.refs != nil {
				p.b.refs(n, field, p.span(d))
			}
		}
		return ""
	})
}

// A Variable is one that is asked for by its name.
type Variable struct {
	Name  string // without $, with its field
	Value string
	Set   bool // something has set it

	read func()
}

// Reads says that the value counts, and not only whether there is one: Check then
// remarks on one that nothing has set.
func (v *Variable) Reads() {
	if v.read != nil {
		v.read()
	}
}

// Int declares a whole number, not negative.
func (p *Params) Int(v *int, name, usage string, o ...Option) {
	p.value(name, "number", usage, o, func(d *Param, s string) string {
		f, ok := parseNumber(s, d.Max)
		if !ok || f != float64(int(f)) {
			return "want a whole number"
		}
		*v = int(p.cap(d, f))
		return ""
	})
}

// Decimal declares a number, whole or decimal, that may be negative.
func (p *Params) Decimal(v *float64, name, usage string, o ...Option) {
	p.value(name, "decimal number", usage, o, func(d *Param, s string) string {
		f, ok := ParseDecimal(s)
		if !ok {
			return "want a number"
		}
		*v = f
		return ""
	})
}

// Seconds declares a length of time in whole or decimal seconds.
func (p *Params) Seconds(v *time.Duration, name, usage string, o ...Option) {
	p.value(name, "seconds", usage, o, func(d *Param, s string) string {
		f, ok := parseNumber(s, d.Max)
		if !ok {
			return "want a number of seconds"
		}
		*v = time.Duration(p.cap(d, f)*1000+0.5) * time.Millisecond
		return ""
	})
}

// Bool declares true or false.
func (p *Params) Bool(v *bool, name, usage string, o ...Option) {
	p.value(name, "true or false", usage, o, func(d *Param, s string) string {
		switch strings.ToLower(strings.TrimSpace(s)) {
		case "true":
			*v = true
		case "false", "":
			*v = false
		default:
			return "want true or false"
		}
		return ""
	})
}

// Keys declares keys of the telephone.
func (p *Params) Keys(v *Keys, name, usage string, o ...Option) {
	p.value(name, "keys", usage, o, func(d *Param, s string) string {
		s = strings.ToUpper(strings.TrimSpace(s))
		if i := strings.IndexFunc(s, func(r rune) bool { return !strings.ContainsRune("0123456789*#ABCD", r) }); i >= 0 {
			return "want keys out of 0-9 * #"
		}
		*v = Keys(s)
		return ""
	})
}

// URL declares an absolute http or https URL.
func (p *Params) URL(v *string, name, usage string, o ...Option) {
	p.value(name, "URL", usage, o, func(d *Param, s string) string {
		s = strings.TrimSpace(s)
		if bad := badURL(s); s != "" && bad != "" {
			return bad
		}
		p.reaches(d, s)
		*v = s
		return ""
	})
}

// Place declares a path, or an absolute http or https URL.
func (p *Params) Place(v *string, name, usage string, o ...Option) {
	p.value(name, "text", usage, o, func(d *Param, s string) string {
		if l := strings.ToLower(strings.TrimSpace(s)); strings.HasPrefix(l, "http://") || strings.HasPrefix(l, "https://") {
			p.reaches(d, strings.TrimSpace(s))
		}
		*v = s
		return ""
	})
}

// Party declares a party of the call.
func (p *Params) Party(v *Party, name, usage string, o ...Option) {
	o = append([]Option{OneOf(string(Caller), string(Callee), string(All))}, o...)
	p.value(name, "party", usage, o, func(d *Param, s string) string { *v = Party(s); return "" })
}

// ParseDecimal reads a whole or decimal number that may be negative; white space
// around it does not matter.
func ParseDecimal(s string) (float64, bool) {
	s = strings.TrimSpace(s)
	minus := strings.HasPrefix(s, "-")
	if minus && strings.HasPrefix(s, "-+") {
		return 0, false
	}
	f, ok := parseNumber(strings.TrimPrefix(s, "-"), 1e15)
	if minus {
		f = -f
	}
	return f, ok
}

func badURL(s string) string {
	switch word, _, _ := strings.Cut(strings.ToLower(s), " "); word {
	case "select", "exec", "execute", "call", "with":
		return "SQL is not offered: want a URL, http://… or https://…"
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || !strings.EqualFold(u.Scheme, "http") && !strings.EqualFold(u.Scheme, "https") {
		return "want a whole URL, http://… or https://…"
	}
	return ""
}

// parseNumber reads a decimal number that is not negative.
func parseNumber(s string, most float64) (float64, bool) {
	s = strings.TrimPrefix(strings.TrimSpace(s), "+")
	if s == "" || s == "." || strings.Count(s, ".") > 1 || strings.Trim(s, "0123456789.") != "" {
		return 0, false
	}
	var f, unit float64 = 0, 1
	whole, frac, _ := strings.Cut(s, ".")
	for _, c := range whole {
		f = min(f*10+float64(c-'0'), 1e12)
	}
	for _, c := range frac {
		unit /= 10
		f += float64(c-'0') * unit
	}
	if most == 0 {
		f = min(f, 1e9)
	}
	return f, true
}

func (p *Params) cap(d *Param, f float64) float64 {
	if d.Max == 0 || f <= d.Max {
		return f
	}
	p.remark(Warning, CodeCapped, d.Name, p.span(d), fmt.Sprintf("%s of %s is capped at %g", d.Name, p.name, d.Max), "")
	return d.Max
}
