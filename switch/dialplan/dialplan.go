// Package dialplan leads a number to where a call goes: an extension, or a line
// to the outside (contract.md "Config"). It is pure: a Plan is a table.
//
// It does not know what an extension is or whether anybody answers. Start
// reading at Plan.Route.
package dialplan

import (
	"errors"
	"fmt"
	"slices"
)

// A Rule is one entry of `dialplan:`.
type Rule struct {
	From     string  `yaml:"from"`      // extension | any | script | the name of a line; "" = any
	Match    string  `yaml:"match"`     // see Match
	To       Targets `yaml:"to"`        // lines, extensions, or "*": the number after Strip and Prepend
	Strip    int     `yaml:"strip"`     // characters taken off the front
	Prepend  string  `yaml:"prepend"`   // then put before it
	Ring     string  `yaml:"ring"`      // all | order, for several targets; "" = order
	RingTime int     `yaml:"ring_time"` // seconds; 0 = 60
}

// Targets is one name or a list of them.
type Targets []string

// UnmarshalYAML takes both forms.
func (t *Targets) UnmarshalYAML(unmarshal func(any) error) error {
	var one string
	if err := unmarshal(&one); err == nil {
		*t = Targets{one}
		return nil
	}
	return unmarshal((*[]string)(t))
}

// Whence a call comes, beside the names of lines.
const (
	FromExtension = "extension"
	FromScript    = "script"
	fromAny       = "any"
)

// A Kind is what a target is.
type Kind uint8

// The kinds of targets.
const (
	Extension Kind = iota // of that number
	Line                  // dials Number
	Default               // the script of `dev`: no extension has that number
)

func (k Kind) String() string { return [...]string{"extension", "line", "default"}[k] }

// A Target is one place to call.
type Target struct {
	Kind   Kind
	Name   string // of the line, "" otherwise
	Number string // to be called there
}

// A Destination is where a call goes.
type Destination struct {
	Targets  []Target // at least one
	All      bool     // all at once, else one after the other
	RingTime int      // seconds; 0 = not said
	Rule     int      // which rule led here, from 1; 0 = none did
}

// Config of a Plan. Functions must be pure; nil knows nobody.
type Config struct {
	Rules       []Rule
	IsExtension func(number string) bool
	IsLine      func(name string) bool
	Default     bool // numbers that nobody has lead to Default (`dev`)
}

// A Plan is all rules. It is not changed after New.
type Plan struct {
	cfg Config
}

// New checks the rules; the error names every fault.
func New(cfg Config) (*Plan, error) {
	none := func(string) bool { return false }
	if cfg.IsExtension == nil {
		cfg.IsExtension = none
	}
	if cfg.IsLine == nil {
		cfg.IsLine = none
	}
	cfg.Rules = slices.Clone(cfg.Rules)
	var faults []error
	for i, r := range cfg.Rules {
		for _, f := range r.faults(cfg) {
			faults = append(faults, fmt.Errorf("dialplan: rule %d: %s", i+1, f))
		}
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return &Plan{cfg: cfg}, nil
}

func (r *Rule) faults(cfg Config) (f []string) {
	if !slices.Contains([]string{"", fromAny, FromExtension, FromScript}, r.From) && !cfg.IsLine(r.From) {
		f = append(f, fmt.Sprintf("from %q: want extension, script, any or the name of a line", r.From))
	}
	if r.Match == "" {
		f = append(f, `match is missing; "*" is every number`)
	}
	if len(r.To) == 0 {
		f = append(f, "to is missing")
	}
	for _, to := range r.To {
		if to != "*" && !cfg.IsLine(to) && !cfg.IsExtension(to) {
			f = append(f, fmt.Sprintf(`to %q is neither a line nor an extension nor "*"`, to))
		}
	}
	if !slices.Contains([]string{"", "all", "order"}, r.Ring) {
		f = append(f, fmt.Sprintf("ring %q: want all or order", r.Ring))
	}
	if r.Strip < 0 || r.RingTime < 0 {
		f = append(f, "strip and ring_time are not negative")
	}
	return f
}

// Route says where a call to number goes; from is FromExtension (a guest too),
// FromScript or the name of the line it came by. ok is false when it goes
// nowhere (404).
//
// The first rule that fits wins. Without one a call from inside reaches the
// extension of that number, and nothing else: to lines, and for callers from
// lines to anything, there must be a rule.
func (p *Plan) Route(from, number string) (d Destination, ok bool) {
	for i, r := range p.cfg.Rules {
		if r.From != "" && r.From != fromAny && r.From != from || !Match(r.Match, number) {
			continue
		}
		d, ok = p.follow(r, number)
		d.Rule = i + 1
		return d, ok
	}
	inside := from == FromExtension || from == FromScript
	switch {
	case inside && p.cfg.IsExtension(number):
		return Destination{Targets: []Target{{Kind: Extension, Number: number}}}, true
	case inside && p.cfg.Default && number != "":
		return Destination{Targets: []Target{{Kind: Default, Number: number}}}, true
	}
	return Destination{}, false
}

func (p *Plan) follow(r Rule, number string) (d Destination, ok bool) {
	out := []rune(number)
	rewritten := r.Prepend + string(out[min(r.Strip, len(out)):])
	d = Destination{All: r.Ring == "all", RingTime: r.RingTime}
	for _, to := range r.To {
		switch {
		case p.cfg.IsLine(to) && rewritten != "":
			d.Targets = append(d.Targets, Target{Kind: Line, Name: to, Number: rewritten})
		case to == "*" && p.cfg.IsExtension(rewritten):
			d.Targets = append(d.Targets, Target{Kind: Extension, Number: rewritten})
		case p.cfg.IsExtension(to):
			d.Targets = append(d.Targets, Target{Kind: Extension, Number: to})
		}
	}
	return d, len(d.Targets) > 0
}

// Match tells whether a number fits a pattern: * is any characters or none, ? is
// any one, X any digit; \ takes the next character as it stands, so \*97 is the
// star key, nine, seven. Its time grows with the product of the lengths.
func Match(pattern, number string) bool {
	p, n := []rune(pattern), []rune(number)
	// After this star (its place in p), n[:taken] is what it stands for.
	star, taken := -1, 0
	i, j := 0, 0
	for j < len(n) {
		if i < len(p) && p[i] == '*' {
			star, taken = i, j
			i++
			continue
		}
		if next, ok := matchOne(p, i, n[j]); ok {
			i, j = next, j+1
			continue
		}
		if star < 0 {
			return false
		}
		taken++
		i, j = star+1, taken
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}

// matchOne matches one character and gives the place after it in the pattern.
func matchOne(p []rune, i int, c rune) (next int, ok bool) {
	if i >= len(p) {
		return i, false
	}
	switch {
	case p[i] == '?':
		return i + 1, true
	case p[i] == 'X':
		return i + 1, c >= '0' && c <= '9'
	case p[i] == '\\' && i+1 < len(p):
		return i + 2, p[i+1] == c
	}
	return i + 1, p[i] == c
}
