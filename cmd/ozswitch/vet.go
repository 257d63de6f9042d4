package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"ozswitch/ozml"
	"ozswitch/ozml/command"
	"ozswitch/ozml/syntax"
)

const vetHelp = `Example:  ozswitch vet hello.xml
          ozswitch vet examples/ --format json
          curl -s http://localhost:8000/ivr.php | ozswitch vet -

vet says what is wrong with scripts, without a call: each remark has a place, a
code that the manual explains, and a hint. A folder means every .xml and .ozml
file below it; a URL is fetched by GET; - is standard input.

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
			switch {
			case asJSON || format == "json":
				v.json = true
			case format != "text":
				return usagef("vet: --format %s: want text or json", format)
			}
			var ok bool
			if v.in, ok = settings()[in]; !ok {
				return usagef("vet: --in %s: want extension, third-party or routing", in)
			}
			return v.run(c, args)
		},
	}
	c.Flags().StringVar(&format, "format", "text", "text or json (one object a line)")
	c.Flags().BoolVar(&asJSON, "json", false, "the same as --format json")
	c.Flags().StringVar(&in, "in", "extension", "where the script is used: extension, third-party or routing")
	c.Flags().BoolP("quiet", "q", false, "no summary")
	return c
}

// settings are the words for --in.
func settings() map[string]ozml.Setting {
	return map[string]ozml.Setting{"extension": ozml.Extension, "third-party": ozml.ThirdParty, "routing": ozml.Routing}
}

type vet struct {
	table ozml.Table
	in    ozml.Setting
	json  bool

	count [3]int // remarks by severity
	fails int    // sources that could not be read
}

func (v *vet) run(c *cobra.Command, args []string) error {
	names, err := expand(args)
	if err != nil {
		return err
	}
	st := styleOf(c, c.OutOrStdout())
	for _, name := range names {
		d, err := readDocument(c.Context(), c.InOrStdin(), name)
		var f *syntax.File
		var remarks []ozml.Diagnostic
		var line string
		if fe, ok := errors.AsType[*ozml.FetchError](err); ok {
			remarks = []ozml.Diagnostic{{File: name, Code: fe.Code, Msg: fe.Msg, Hint: fe.Hint}}
		} else if err != nil {
			fmt.Fprintln(c.ErrOrStderr(), "ozswitch: vet:", err)
			v.fails++
			continue
		} else {
			f, remarks, line = check(d, v.table, v.in)
		}
		for _, r := range remarks {
			v.count[r.Severity]++
			if err := v.print(c.OutOrStdout(), st, r, f, line); err != nil {
				return err
			}
		}
	}
	talk(c, "%s", v.summary(len(names)))
	if v.count[ozml.Error]+v.fails > 0 {
		return errNo
	}
	return nil
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

// print writes one remark. What is perfectly good (Info) is for JSON only.
func (v *vet) print(w io.Writer, st style, r ozml.Diagnostic, f *syntax.File, line string) error {
	if v.json {
		return jsonLine(w, newRemark(r))
	}
	if r.Severity == ozml.Info {
		return nil
	}
	_, err := fmt.Fprintln(w, st.remark(showRemark(r, f, line)))
	return err
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

func (v *vet) summary(files int) string {
	n := func(k int, one string) string {
		if k == 1 {
			return "1 " + one
		}
		return fmt.Sprintf("%d %ss", k, one)
	}
	s := fmt.Sprintf("%s, %s in %s", n(v.count[ozml.Error], "error"), n(v.count[ozml.Warning], "warning"), n(files, "script"))
	if v.fails > 0 {
		s += fmt.Sprintf(", %d not read", v.fails)
	}
	return s
}

// A remark is a Diagnostic as JSON. Lines and columns count from 1, columns in
// bytes; the end is the place after the last byte.
type remark struct {
	File      string `json:"file"`
	Line      int    `json:"line,omitempty"`
	Column    int    `json:"column,omitempty"`
	EndLine   int    `json:"end_line,omitempty"`
	EndColumn int    `json:"end_column,omitempty"`
	Severity  string `json:"severity"`
	Code      string `json:"code"`
	Message   string `json:"message"`
	Hint      string `json:"hint,omitempty"`
	Command   string `json:"command,omitempty"`
	Param     string `json:"param,omitempty"`
}

func newRemark(d ozml.Diagnostic) remark {
	return remark{
		File: d.File, Line: d.Span.From.Line, Column: d.Span.From.Column, EndLine: d.Span.To.Line, EndColumn: d.Span.To.Column,
		Severity: d.Severity.String(), Code: d.Code, Message: d.Msg, Hint: d.Hint, Command: d.Command, Param: d.Param,
	}
}
