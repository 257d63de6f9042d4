package command

import (
	"context"
	"strconv"
	"strings"

	"ozswitch/ozml"
)

// If runs commands when a variable is as it says.
func If() *ozml.Command {
	return &ozml.Command{
		Name:  "If",
		Title: "run commands when a variable is as it says",
		Doc: `Var names the variable; the other attributes are tests, and all that are given must hold. Then the commands inside run, else those of Else.

Equals, NotEquals, In and StartsWith compare texts, Less and Greater numbers. An If may stand in an If: the Else of one may begin with the next.`,
		Notes: []string{
			"Texts are compared without regard to letter case, and to white space around them. They stay texts: 007 does not equal 7.",
			"In and StartsWith take several texts, separated by commas. An empty one never holds.",
			"Less and Greater take whole or decimal numbers, which may be negative. When the variable holds no number, neither holds; unless it is empty there is a warning.",
			"A variable that nothing has set counts as empty. Defined tells the two apart; Empty does not.",
			"Var takes one variable, with or without its `$`, or a field: `$item.name`, `$list.count`. The values of the tests may hold variables, too.",
			"GoTo, Exit and Hangup inside do what they do elsewhere; what they end includes the commands after the If.",
			"A Reject inside comes too late: the call was answered before the script began.",
			"After the end of the call, in OnHangup, an If runs those of its commands that need no call.",
		},
		Example: `<Response>
  <If Var="$caller" StartsWith="+44,0044">
    <Speak>Hello Britain</Speak>
    <Else><Speak>Hello world</Speak></Else>
  </If>
</Response>`,
		In:     ozml.Extension | ozml.ThirdParty,
		NoCall: true,
		Ours:   true,
		New: func(p *ozml.Params) ozml.Action {
			var c choose
			p.Variable(&c.v, "Var", "the variable", ozml.Required)
			c.text(p, "Equals", "holds when the variable is this text", func(v, s string) bool { return strings.EqualFold(v, s) })
			c.text(p, "NotEquals", "holds when the variable is another text", func(v, s string) bool { return !strings.EqualFold(v, s) })
			c.text(p, "In", "holds when the variable is one of these texts", anyOf(strings.EqualFold))
			c.text(p, "StartsWith", "holds when the variable begins with one of these texts", anyOf(startsWith))
			c.number(p, "Less", "holds when the variable is a smaller number", func(v, n float64) bool { return v < n })
			c.number(p, "Greater", "holds when the variable is a greater number", func(v, n float64) bool { return v > n })
			c.flag(p, "Empty", "`true`: holds when the variable is empty; `false`: when it is not", func() bool { return strings.TrimSpace(c.v.Value) == "" })
			c.flag(p, "Defined", "`true`: holds when something has set the variable; `false`: when nothing has", func() bool { return c.v.Set })
			p.Block(&c.els, "Else", "what to do when a test does not hold")
			p.Commands(&c.then, "what to do when all tests hold")
			if p.OK() && len(c.tests) == 0 {
				p.Invalid("Var", "what to compare it with is missing: want Equals, NotEquals, In, StartsWith, Less, Greater, Empty or Defined")
			}
			return &c
		},
	}
}

// choose is If; the word is taken.
type choose struct {
	v         ozml.Variable
	tests     []test
	then, els ozml.Block
	read      bool // the value was reported as read
}

// A test is one of those that are given. wrong tells that the variable cannot be
// compared.
type test struct {
	name, with string
	holds      func() (ok, wrong bool)
}

func (c *choose) add(t test) {
	c.tests = append(c.tests, t)
	if !c.read {
		c.v.Reads()
		c.read = true
	}
}

// text declares a test of texts.
func (c *choose) text(p *ozml.Params, name, usage string, holds func(v, s string) bool) {
	var s string
	p.String(&s, name, usage)
	if p.Given(name) {
		c.add(test{name, s, func() (bool, bool) { return holds(strings.TrimSpace(c.v.Value), strings.TrimSpace(s)), false }})
	}
}

// number declares a test of numbers.
func (c *choose) number(p *ozml.Params, name, usage string, holds func(v, n float64) bool) {
	var n float64
	p.Decimal(&n, name, usage)
	if !p.Given(name) {
		return
	}
	if !p.Has(name) {
		p.Invalid(name, "want a number, and it is empty")
	}
	c.add(test{name, strconv.FormatFloat(n, 'f', -1, 64), func() (bool, bool) {
		v, ok := ozml.ParseDecimal(c.v.Value)
		return ok && holds(v, n), !ok && strings.TrimSpace(c.v.Value) != ""
	}})
}

// flag declares a test of yes or no; whether the variable is set may be asked.
func (c *choose) flag(p *ozml.Params, name, usage string, is func() bool) {
	var want bool
	p.Bool(&want, name, usage)
	if p.Has(name) {
		c.tests = append(c.tests, test{name, strconv.FormatBool(want), func() (bool, bool) { return is() == want, false }})
	}
}

// anyOf lets a test hold for one of several texts.
func anyOf(holds func(v, s string) bool) func(v, s string) bool {
	return func(v, list string) bool {
		for s := range strings.SplitSeq(list, ",") {
			if s = strings.TrimSpace(s); s != "" && holds(v, s) {
				return true
			}
		}
		return false
	}
}

func startsWith(v, s string) bool {
	return strings.HasPrefix(strings.ToLower(v), strings.ToLower(s))
}

// holds tells whether all tests do; wrong are those that want a number where there
// is none.
func (c *choose) holds() (ok bool, wrong []string) {
	ok = true
	for _, t := range c.tests {
		holds, bad := t.holds()
		if ok = ok && holds; bad {
			wrong = append(wrong, t.name)
		}
	}
	return ok, wrong
}

// Tell says what the tests came to.
func (c *choose) Tell() string {
	var all []string
	for _, t := range c.tests {
		all = append(all, t.name+" "+t.with)
	}
	verdict := "no"
	if ok, _ := c.holds(); ok {
		verdict = "yes"
	}
	return verdict + ", $" + c.v.Name + " " + strings.Join(all, ", ")
}

// Flow implements ozml.Steerer.
func (c *choose) Flow() ozml.Flow { return ozml.Flow{Choice: &ozml.Choice{Then: c.then, Else: c.els}} }

func (c *choose) Do(ctx context.Context, m *ozml.Machine) error {
	ok, wrong := c.holds()
	for _, name := range wrong {
		m.Warn(ozml.CodeNoNumber, name+" compares numbers, and $"+c.v.Name+" holds none", "the test does not hold")
	}
	if ok {
		return m.Do(ctx, c.then)
	}
	return m.Do(ctx, c.els)
}
