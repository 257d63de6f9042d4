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
	"strings"
	"time"
)

// A Rule is one entry of `dialplan:`.
type Rule struct {
	From     string  `yaml:"from"`      // extension | any | script | the name of a line; "" = any
	Match    string  `yaml:"match"`     // see Pattern
	To       Targets `yaml:"to"`        // lines, extensions, or "*": the number after Strip and Prepend
	Strip    int     `yaml:"strip"`     // characters taken off the front
	Prepend  string  `yaml:"prepend"`   // then put before it
	Ring     string  `yaml:"ring"`      // all | order, for several targets; "" = order
	RingTime int     `yaml:"ring_time"` // seconds; 0 = 60
	CallerID string  `yaml:"caller_id"` // shown to who is called; "" = the caller's own
	When     string  `yaml:"when"`      // a time profile; with ! before it, all other times; "" = always
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
	CallerID string   // to be shown instead of the caller's own; "" = that one
	Rule     int      // which rule led here, from 1; 0 = none did
}

// Config of a Plan. Functions must be pure; nil knows nobody.
type Config struct {
	Rules       []Rule
	Times       []Profile
	IsExtension func(number string) bool
	IsLine      func(name string) bool
	Default     bool // numbers that nobody has lead to Default (`dev`)
}

// A Plan is all rules. It is not changed after New.
type Plan struct {
	cfg   Config
	rules []compiled
}

// A compiled rule is one that was read.
type compiled struct {
	Rule
	match Pattern
	hours *hours // nil = always
	not   bool   // all other times
	line  string // the first line that it leads to, "" = none
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
	p := &Plan{cfg: cfg}
	var faults []error
	profiles := map[string]*hours{}
	for _, t := range cfg.Times {
		h, err := t.read()
		if err != nil {
			faults = append(faults, fmt.Errorf("dialplan: %w", err))
		}
		if _, twice := profiles[t.Name]; twice || t.Name == "" {
			faults = append(faults, fmt.Errorf("dialplan: time profile %q: want a name of its own", t.Name))
		}
		profiles[t.Name] = h
	}
	for i, r := range cfg.Rules {
		said := r.faults(cfg)
		c := compiled{Rule: r}
		if i := slices.IndexFunc(r.To, cfg.IsLine); i >= 0 {
			c.line = r.To[i]
		}
		var err error
		if c.match, err = Compile(r.Match); err != nil {
			said = append(said, err.Error())
		}
		if r.When != "" {
			name, not := strings.CutPrefix(r.When, "!")
			h, known := profiles[name]
			if c.hours, c.not = h, not; !known {
				said = append(said, fmt.Sprintf("when: there is no time profile %q", name))
			}
		}
		for _, f := range said {
			faults = append(faults, fmt.Errorf("dialplan: rule %d: %s", i+1, f))
		}
		p.rules = append(p.rules, c)
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return p, nil
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

// Route says where a call to number goes now; from is FromExtension (a guest
// too), FromScript or the name of the line it came by. ok is false when it goes
// nowhere (404).
//
// The first rule that fits wins. Without one a call from inside reaches the
// extension of that number, and nothing else: to lines, and for callers from
// lines to anything, there must be a rule. One that leads to a line fits callers
// from lines and from scripts only if its From names them: any is not enough.
func (p *Plan) Route(from, number string, now time.Time) (d Destination, ok bool) {
	for i, r := range p.rules {
		if r.why(from, number, now) == "" {
			d, ok = p.follow(r.Rule, number)
			d.Rule = i + 1
			return d, ok
		}
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

// why says why a rule does not fit, "" when it does.
func (r *compiled) why(from, number string, now time.Time) string {
	switch {
	case r.From != "" && r.From != fromAny && r.From != from:
		return fmt.Sprintf("it is for calls from %s, this one is from %s", r.From, from)
	case r.line != "" && r.From != from && from != FromExtension:
		return fmt.Sprintf("it leads to line %s, and from %s that is only by a rule with from: %s", r.line, from, from)
	case !r.match.Match(number):
		return fmt.Sprintf("%s does not fit %s", number, r.Match)
	case r.hours != nil && r.hours.open(now) == r.not:
		return fmt.Sprintf("it holds %s, and it is %s", r.When, now.In(r.hours.zone).Format("Mon 15:04 MST"))
	}
	return ""
}

// Explain says rule by rule why a call goes where Route sends it, one line each.
func (p *Plan) Explain(from, number string, now time.Time) (lines []string) {
	for i, r := range p.rules {
		if why := r.why(from, number, now); why != "" {
			lines = append(lines, fmt.Sprintf("rule %d (%s): no: %s", i+1, r.Match, why))
			continue
		}
		d, ok := p.follow(r.Rule, number)
		if !ok {
			return append(lines, fmt.Sprintf("rule %d (%s): fits, but leads to nobody: %s", i+1, r.Match, p.nobody(r.Rule, number)))
		}
		return append(lines, fmt.Sprintf("rule %d (%s): fits: %s", i+1, r.Match, d))
	}
	d, ok := p.Route(from, number, now)
	switch {
	case ok && d.Targets[0].Kind == Default:
		return append(lines, "no rule fits; every number leads to the script of dev")
	case ok:
		return append(lines, "no rule fits; it is the number of an extension: "+d.String())
	case from != FromExtension && from != FromScript:
		return append(lines, "no rule fits: a call from a line goes nowhere without one (404)")
	}
	return append(lines, "no rule fits, and no extension has that number: nowhere (404)")
}

// nobody tells why a rule that fits has no target.
func (p *Plan) nobody(r Rule, number string) string {
	rewritten := r.rewrite(number)
	if rewritten == "" {
		return "nothing is left of the number after strip"
	}
	return fmt.Sprintf("no extension has the number %s", rewritten)
}

func (d Destination) String() string {
	var all []string
	for _, t := range d.Targets {
		if t.Kind == Line {
			all = append(all, fmt.Sprintf("line %s dials %s", t.Name, t.Number))
		} else {
			all = append(all, fmt.Sprintf("%s %s", t.Kind, t.Number))
		}
	}
	how := ", then "
	if d.All {
		how = " and "
	}
	s := strings.Join(all, how)
	if d.CallerID != "" {
		s += ", shown as " + d.CallerID
	}
	if d.RingTime > 0 {
		s += fmt.Sprintf(", %d s each", d.RingTime)
	}
	return s
}

// rewrite takes Strip characters off a number and puts Prepend before it.
func (r Rule) rewrite(number string) string {
	n := []rune(number)
	return r.Prepend + string(n[min(r.Strip, len(n)):])
}

func (p *Plan) follow(r Rule, number string) (d Destination, ok bool) {
	rewritten := r.rewrite(number)
	d = Destination{All: r.Ring == "all", RingTime: r.RingTime, CallerID: r.CallerID}
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
