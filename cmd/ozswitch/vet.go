package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ozswitch/ozml"
	"ozswitch/ozml/command"
	"ozswitch/ozml/syntax"
)

const vetHelp = `Example:  ozswitch vet hello.xml
          ozswitch vet examples/ --format json
          curl -s http://localhost:8000/ivr.php | ozswitch vet -
          ozswitch vet --crawl http://localhost:8000/ivr.php
          ozswitch vet --fix hello.xml

vet says what is wrong with scripts, without a call: each remark has a place, a
code that the manual explains, and a hint. It follows the flow of a script as
well: menus without a way out, what is never reached, recordings that are cut.
A folder means every .xml and .ozml file below it; a URL is fetched by GET; - is
standard input.

--crawl goes on to the URLs that a script can reach by GoTo, UserInput and Call,
asks them as a call would (POST, with sample values) and looks at the answers:
those of the first host only, and of each --crawl-host. Loopback and public
addresses may be asked, and the hosts that are named.

--fix corrects in the file what leaves no doubt: letter case, spellings that are
only understood, one wrong letter in a name. For - the script is printed.

--notes shows notes, too: what is good here and may not be elsewhere.

--strict takes for an error what is an extension of ozswitch and no OzML (code
OZ1110): such scripts would not run elsewhere.

The exit status is 1 when a remark is an error, 0 when there are only warnings.`

func newVetCommand() *cobra.Command {
	v := vet{table: command.Table()}
	var format, in string
	var asJSON bool
	c := &cobra.Command{
		Use:               "vet FILE|DIR|URL|-...",
		Short:             "say what is wrong with scripts",
		Long:              vetHelp,
		Args:              wantArgs(1, "a file, a folder, a URL, or - for standard input"),
		ValidArgsFunction: completeScript,
		RunE: func(c *cobra.Command, args []string) error {
			if asJSON {
				format = "json"
			}
			if !slices.Contains([]string{"text", "json", "sarif"}, format) {
				return usagef("vet: --format %s: want text, json or sarif", format)
			}
			v.format = format
			var ok bool
			if v.in, ok = settings()[in]; !ok {
				return usagef("vet: --in %s: want extension, third-party or routing", in)
			}
			if v.fix && v.crawl {
				return usagef("vet: --fix and --crawl do not go together")
			}
			return v.run(c, args)
		},
	}
	c.Flags().StringVar(&format, "format", "text", "text, json (one object a line) or sarif (2.1.0)")
	c.Flags().BoolVar(&asJSON, "json", false, "the same as --format json")
	c.Flags().StringVar(&in, "in", "extension", "where the script is used: extension, third-party or routing")
	c.Flags().BoolVar(&v.notes, "notes", false, "show notes, too")
	c.Flags().BoolVar(&v.strict, "strict", false, "take extensions of ozswitch for errors (OZ1110)")
	c.Flags().BoolVar(&v.fix, "fix", false, "correct names in the file where there is no doubt")
	c.Flags().BoolVar(&v.crawl, "crawl", false, "go on to the URLs that a script can reach")
	c.Flags().StringSliceVar(&v.hosts, "crawl-host", nil, "a further host that --crawl may ask")
	c.Flags().IntVar(&v.pages, "crawl-pages", 100, "the most URLs that --crawl asks")
	c.Flags().DurationVar(&v.limit, "crawl-time", time.Minute, "the longest that --crawl takes")
	c.Flags().BoolP("quiet", "q", false, "no summary")
	return c
}

// settings are the words for --in.
func settings() map[string]ozml.Setting {
	return map[string]ozml.Setting{"extension": ozml.Extension, "third-party": ozml.ThirdParty, "routing": ozml.Routing}
}

type vet struct {
	table      ozml.Table
	in         ozml.Setting
	format     string
	notes, fix bool
	strict     bool

	crawl bool
	hosts []string
	pages int
	limit time.Duration

	c       *cobra.Command
	st      style
	count   [3]int // remarks by severity
	fails   int    // sources that could not be read
	docs    int
	changes int           // made by --fix
	results []sarifResult // for the end
}

func (v *vet) run(c *cobra.Command, args []string) error {
	names, err := expand(args)
	if err != nil {
		return err
	}
	v.c, v.st = c, styleOf(c, c.OutOrStdout())
	for _, name := range names {
		if v.fix && isURL(name) {
			return usagef("vet: %s cannot be written; leave out --fix", name)
		}
		if err := v.one(name); err != nil {
			return err
		}
	}
	if v.format == "sarif" {
		if err := writeSARIF(c.OutOrStdout(), v.results); err != nil {
			return err
		}
	}
	talk(c, "%s", v.summary())
	if v.count[ozml.Error]+v.fails > 0 {
		return errNo
	}
	return nil
}

// one looks at one source, and at what --crawl finds from there.
func (v *vet) one(name string) error {
	if v.crawl && isURL(name) {
		return v.crawlFrom(crawlStep{url: name, kind: "IncomingCall"}, nil)
	}
	v.docs++
	d, err := readDocument(v.c.Context(), v.c.InOrStdin(), name)
	if fe, ok := errors.AsType[*ozml.FetchError](err); ok {
		return v.tell([]ozml.Diagnostic{{File: name, Code: fe.Code, Msg: fe.Msg, Hint: fe.Hint}}, nil, "")
	}
	if err != nil {
		fmt.Fprintln(v.c.ErrOrStderr(), "ozswitch: vet:", err)
		v.fails++
		return nil
	}
	if v.fix {
		if d, err = v.mend(name, d); err != nil {
			return err
		}
	}
	f, remarks, line := check(d, v.table, v.in)
	if v.crawl && f != nil {
		return v.crawlFrom(crawlStep{}, &crawled{file: f, remarks: remarks})
	}
	return v.tell(remarks, f, line)
}

// mend corrects a file, or prints standard input corrected.
func (v *vet) mend(name string, d document) (document, error) {
	out, made, err := mend(d, v.table, v.in)
	if err != nil {
		fmt.Fprintln(v.c.ErrOrStderr(), "ozswitch: vet:", err)
		return d, nil
	}
	w := v.c.OutOrStdout()
	if name == "-" || v.format != "text" {
		w = v.c.ErrOrStderr()
	}
	for _, e := range made {
		if e.at.IsValid() { // an end tag goes with its start tag
			v.changes++
			fmt.Fprintf(w, "%s:%s: fixed: %s is now %s\n", name, e.at, e.old, e.new)
		}
	}
	if name == "-" {
		_, err = v.c.OutOrStdout().Write(out.src)
	} else if len(made) > 0 {
		err = replaceFile(name, out.src)
	}
	if err != nil {
		return d, fmt.Errorf("vet: %w", err)
	}
	return out, nil
}

// check gives all remarks on a document in the order of their places. The file
// is nil when it is refused; then line is the source line of the one remark.
func check(d document, t ozml.Table, in ozml.Setting) (f *syntax.File, remarks []ozml.Diagnostic, line string) {
	f, err := d.parse(t)
	if e, refused := errors.AsType[*syntax.Error](err); refused {
		r, _ := ozml.Diagnose(e)
		return nil, []ozml.Diagnostic{r}, e.Line
	}
	remarks = t.Check(f, in)
	slices.SortStableFunc(remarks, func(a, b ozml.Diagnostic) int {
		return cmp.Or(cmp.Compare(a.Span.From.Line, b.Span.From.Line), cmp.Compare(a.Span.From.Column, b.Span.From.Column))
	})
	return f, remarks, ""
}

// tell counts remarks and prints them. Notes are for machines, and for whoever
// asks; that a document has a comment is for JSON only.
func (v *vet) tell(remarks []ozml.Diagnostic, f *syntax.File, line string) error {
	w := v.c.OutOrStdout()
	if v.fix && v.format == "text" && f != nil && f.Name == "-" {
		w = v.c.ErrOrStderr() // the script itself is there
	}
	for _, r := range remarks {
		if r.Severity == ozml.Info && strings.HasPrefix(r.Code, "OZ10") && v.format != "json" {
			continue // perfectly good everywhere
		}
		if v.strict && r.Code == ozml.CodeOurs {
			r.Severity = ozml.Error
		}
		v.count[r.Severity]++
		var err error
		switch {
		case v.format == "json":
			err = jsonLine(w, newRemark(r))
		case v.format == "sarif":
			v.results = append(v.results, sarifResultOf(r, f, line))
		case r.Severity != ozml.Info || v.notes:
			_, err = fmt.Fprintln(w, v.st.remark(showRemark(r, f, line)))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// showRemark gives a remark with its source line, which a refused document, of which
// there is no file, brings along.
func showRemark(r ozml.Diagnostic, f *syntax.File, line string) string {
	x := excerpt(line, r.Span.From)
	if f != nil || x == "" {
		return r.Show(f)
	}
	return r.String() + "\n" + x
}

// excerpt gives a source line with a caret under the place, "" without a line.
func excerpt(line string, at syntax.Pos) string {
	if line == "" || !at.IsValid() {
		return ""
	}
	text, caret, _ := strings.Cut(syntax.Caret(line, at.Column), "\n")
	num := fmt.Sprint(at.Line)
	return fmt.Sprintf("  %s | %s\n  %s | %s", num, text, strings.Repeat(" ", len(num)), caret)
}

func (v *vet) summary() string {
	n := func(k int, one string) string {
		if k == 1 {
			return "1 " + one
		}
		return fmt.Sprintf("%d %ss", k, one)
	}
	s := fmt.Sprintf("%s, %s in %s", n(v.count[ozml.Error], "error"), n(v.count[ozml.Warning], "warning"), n(v.docs, "script"))
	if v.notes {
		s += ", " + n(v.count[ozml.Info], "note")
	}
	if v.fix {
		s += ", " + n(v.changes, "name") + " fixed"
	}
	if v.fails > 0 {
		s += fmt.Sprintf(", %d not read", v.fails)
	}
	return s
}

// A remark is a Diagnostic as JSON. Lines and columns count from 1, columns in
// bytes; the end is the place after the last byte.
type remark struct {
	File      string     `json:"file"`
	Line      int        `json:"line,omitempty"`
	Column    int        `json:"column,omitempty"`
	EndLine   int        `json:"end_line,omitempty"`
	EndColumn int        `json:"end_column,omitempty"`
	Severity  string     `json:"severity"`
	Code      string     `json:"code"`
	Message   string     `json:"message"`
	Hint      string     `json:"hint,omitempty"`
	Command   string     `json:"command,omitempty"`
	Param     string     `json:"param,omitempty"`
	Fix       *remarkFix `json:"fix,omitempty"`
}

// A remarkFix is a text to put in place of another.
type remarkFix struct {
	Line      int    `json:"line"`
	Column    int    `json:"column"`
	EndLine   int    `json:"end_line"`
	EndColumn int    `json:"end_column"`
	Text      string `json:"text"`
}

func newRemark(d ozml.Diagnostic) remark {
	r := remark{
		File: d.File, Line: d.Span.From.Line, Column: d.Span.From.Column, EndLine: d.Span.To.Line, EndColumn: d.Span.To.Column,
		Severity: d.Severity.String(), Code: d.Code, Message: d.Msg, Hint: d.Hint, Command: d.Command, Param: d.Param,
	}
	if f := d.Fix; f != nil {
		r.Fix = &remarkFix{f.Span.From.Line, f.Span.From.Column, f.Span.To.Line, f.Span.To.Column, f.Text}
	}
	return r
}
