package ozml

import (
	"fmt"
	"strings"

	"ozswitch/ozml/syntax"
)

// A Page is one command in the manual, and what an editor needs to know of it.
type Page struct {
	Name    string   `json:"name"`
	Also    []string `json:"also,omitempty"`
	Title   string   `json:"title"`
	Doc     string   `json:"doc"`
	Notes   []string `json:"notes,omitempty"`
	Example string   `json:"example"`
	Where   string   `json:"where"`
	NoCall  bool     `json:"no_call,omitempty"`
	Admin   bool     `json:"admin,omitempty"`
	Ours    bool     `json:"extension_of_ozswitch,omitempty"`
	Params  []Param  `json:"params,omitempty"`

	in Setting
}

// Manual describes all commands, by name.
func (t Table) Manual() []Page {
	var ps []Page
	for _, c := range t.Commands() {
		ps = append(ps, Page{c.Name, c.Also, c.Title, c.Doc, c.Notes, c.Example, c.In.String(), c.NoCall, c.Admin, c.Ours, c.Params(), c.In})
	}
	return ps
}

// Markdown prints the page.
func (p Page) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s.\n\n", p.Name, upper(p.Title))
	if p.Ours {
		b.WriteString("**" + notOzML + ".** `ozswitch vet --strict` reports each use as [" + CodeOurs + "](errors.md).\n\n")
	}
	if len(p.Also) > 0 {
		fmt.Fprintf(&b, "Also written %s.\n\n", strings.Join(p.Also, ", "))
	}
	fmt.Fprintf(&b, "%s\n\nWhere: %s.", p.Doc, p.Where)
	if p.NoCall {
		b.WriteString(" It needs no call, so it also runs after the end of one.")
	}
	if p.Admin {
		b.WriteString(" It needs a user with `admin: true`; others get code 306.")
	}
	b.WriteString("\n\n## Parameters\n\n")
	p.params(&b)
	if inside := children(p.Params, "", nil); len(inside) > 0 {
		b.WriteString("## Inside\n\n" + strings.Join(inside, "\n") + "\n\n")
	}
	lang := "xml"
	if !strings.HasPrefix(p.Example, "<") {
		lang = "text"
	}
	fmt.Fprintf(&b, "## Example\n\n```%s\n%s\n```\n", lang, p.Example)
	b.WriteString(p.overHTTP())
	if len(p.Notes) > 0 {
		b.WriteString("\n## Choices\n\nWhere the public pages are silent or disagree, ozswitch does this:\n\n")
		for _, n := range p.Notes {
			b.WriteString("- " + n + "\n")
		}
	}
	return b.String()
}

func (p Page) params(b *strings.Builder) {
	rows := 0
	for _, d := range p.Params {
		if d.Kind == "commands" || d.Kind == "elements" || d.Kind == "fields" {
			continue
		}
		if rows++; rows == 1 {
			b.WriteString("| Name | Values | Default | Where | Meaning |\n| --- | --- | --- | --- | --- |\n")
		}
		name := d.Name
		for _, a := range d.Also {
			name += ", " + a
		}
		if d.Body {
			name += " (or the text)"
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", name, d.values(), d.standard(p.in), d.where(), cell(d.meaning()))
	}
	if rows == 0 {
		b.WriteString("None.\n")
	}
	b.WriteString("\n")
}

func (d Param) values() string {
	s := d.Kind
	switch {
	case d.Refused != "":
		return "refused"
	case len(d.Values) > 0:
		s = "`" + strings.Join(d.Values, "`, `") + "`"
	case d.Kind == "true or false":
		s = "`true`, `false`"
	}
	if d.Length > 0 {
		s += fmt.Sprintf(", at most %d", d.Length)
	}
	if d.Max > 0 {
		s += fmt.Sprintf(", at most %g", d.Max)
	}
	return s
}

func (d Param) standard(in Setting) string {
	switch {
	case d.Required || d.MustIn != 0 && d.MustIn&in == in:
		return "**required**"
	case d.MustIn != 0:
		return "**required** in: " + d.MustIn.String()
	case d.Default != "":
		return "`" + d.Default + "`"
	}
	return ""
}

// meaning is the usage, with the mark of an extension.
func (d Param) meaning() string {
	if d.Ours {
		return d.Usage + " (" + lower(notOzML) + ")"
	}
	return d.Usage
}

func (d Param) where() string {
	if d.Only == 0 {
		return "everywhere"
	}
	return d.Only.String() + "; ignored elsewhere"
}

// children lists what may stand between the tags.
func children(ps []Param, indent string, out []string) []string {
	for _, d := range ps {
		switch d.Kind {
		case "commands":
			if d.Name == "" {
				out = append(out, indent+"- any commands: "+d.Usage)
			} else {
				out = append(out, indent+"- `<"+d.Name+">`, with commands: "+d.Usage)
			}
		case "elements":
			out = append(out, indent+"- `<"+d.Name+">`: "+d.Usage)
			out = children(d.Inside, indent+"  ", out)
		case "fields":
			out = append(out, indent+"- any other attributes and elements: "+d.Usage)
		default:
			if indent == "" {
				break // they stand in the table
			}
			must := ""
			if d.Required {
				must = " (required)"
			}
			out = append(out, indent+"- attribute "+d.Name+must+": "+d.Usage)
		}
	}
	return out
}

// line is what a list of commands says.
func (p Page) line() string {
	if p.Ours {
		return p.Title + " (extension)"
	}
	return p.Title
}

// ManualIndex prints the first page of the manual.
func (t Table) ManualIndex() string {
	var b strings.Builder
	b.WriteString(indexHead)
	b.WriteString("| Command | |\n| --- | --- |\n")
	for _, p := range t.Manual() {
		fmt.Fprintf(&b, "| [%s](%s.md) | %s |\n", p.Name, strings.ToLower(p.Name), p.line())
	}
	return b.String()
}

const indexHead = `# OzML

A script is an XML document: a list of commands that run one after another on a call. It is the answer of a web
application to a [notification](notifications.md), or a file.

- The root is ` + "`<Response>` or `<OzML>`" + `; one lone command is a script, too. Letter case does not matter, neither in names nor
  in true and false.
- Parameters are attributes; for most commands one of them may stand between the tags. The attribute wins.
- Times are seconds, whole or decimal.
- $name stands for a variable, see [Var](var.md).
- A command that fails, an unknown command, a missing or invalid parameter: an event with its place, and the script goes on
  with the next command. A document that is no well-formed XML is refused whole. All codes: [errors](errors.md).
- When a script reaches its end, the switch waits for a running recording and hangs up. When the call ends, so does the
  script; see [OnHangup](onhangup.md).
- What is marked as an extension is an addition of ozswitch that other switches for OzML do not know; ` + "`ozswitch vet --strict`" + `
  finds each use.
- A script that runs in a circle without anything heard or a key pressed is stopped after 10,000 steps or 100 jumps.

An editor can check scripts against [ozml.xsd](ozml.xsd) (which knows the canonical spelling only); ` + "`ozswitch vet`" + ` knows more.
[ozml.json](ozml.json) has all of this manual for programs.
Programs give the same commands from outside by the [HTTP API](http-api.md).

`

// ManualErrors prints the page of all codes.
func ManualErrors() string {
	var b strings.Builder
	b.WriteString("# Codes\n\nOZ10xx: reading the document. OZ11xx: names and parameters. OZ12xx: flow. OZ13xx: web, files and calls.\n")
	for _, c := range append(append([]CodeDoc{}, syntax.Codes...), Codes()...) {
		fmt.Fprintf(&b, "\n## %s: %s\n\n%s\n\n**Cure.** %s\n", c.Code, c.Title, c.Cause, c.Cure)
	}
	return b.String()
}

// ManualNotifications prints the page of all notifications.
func ManualNotifications() string {
	var b strings.Builder
	b.WriteString(notificationsHead)
	fields := func(fs []Field) {
		b.WriteString("| Field | Meaning |\n| --- | --- |\n")
		for _, f := range fs {
			fmt.Fprintf(&b, "| %s | %s |\n", f.Name, cell(f.Meaning))
		}
	}
	fields(CommonFields())
	for _, n := range Notifications() {
		fmt.Fprintf(&b, "\n## %s\n\nSent when %s. To: %s. Class: %s. Commands in the answer: %s.\n\n", n.Name, n.When, n.To, n.Class, n.Answer)
		fields(n.Fields)
	}
	return b.String()
}

const notificationsHead = `# Notifications

A notification is an HTTP POST of the switch to the web application, ` + "`application/x-www-form-urlencoded`" + ` in UTF-8; the
query of the URL is kept. Each carries the header Ozswitch-Event-Id, the same in retries, and where a secret is configured
Ozswitch-Signature: t=<unix time>,v1=<hex HMAC-SHA256 of "t.body">.

Classes: **ask**, the answer is needed now, never queued; **report**, kept and tried again for 24 hours until the answer is
2xx, in order per call and URL; **state**, at most 3 tries and 10 seconds.

Fields in every notification (those of a call only where there is one):

`

func lower(s string) string { return strings.ToLower(s[:1]) + s[1:] }

func upper(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func cell(s string) string { return strings.ReplaceAll(s, "|", "\\|") }
