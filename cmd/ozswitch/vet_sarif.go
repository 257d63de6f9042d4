package main

import (
	"encoding/json"
	"io"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"ozswitch/ozml"
	"ozswitch/ozml/syntax"
)

// SARIF 2.1.0 (OASIS), as code hosts and editors read it. Columns count
// characters; ours count bytes.

type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool       sarifTool     `json:"tool"`
	ColumnKind string        `json:"columnKind"`
	Results    []sarifResult `json:"results"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name    string      `json:"name"`
	Version string      `json:"version"`
	Rules   []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID      string         `json:"id"`
	Short   sarifText      `json:"shortDescription"`
	Full    sarifText      `json:"fullDescription"`
	Help    sarifHelp      `json:"help"`
	Default sarifRuleLevel `json:"defaultConfiguration"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifHelp struct {
	Text     string `json:"text"`
	Markdown string `json:"markdown"`
}

type sarifRuleLevel struct {
	Level string `json:"level"`
}

type sarifResult struct {
	RuleID    string          `json:"ruleId"`
	RuleIndex int             `json:"ruleIndex"`
	Level     string          `json:"level"`
	Message   sarifText       `json:"message"`
	Locations []sarifLocation `json:"locations"`
	Fixes     []sarifFix      `json:"fixes,omitempty"`
}

type sarifLocation struct {
	Physical sarifPhysical `json:"physicalLocation"`
}

type sarifPhysical struct {
	Artifact sarifArtifact `json:"artifactLocation"`
	Region   *sarifRegion  `json:"region,omitempty"`
}

type sarifArtifact struct {
	URI string `json:"uri"`
}

type sarifRegion struct {
	StartLine   int `json:"startLine"`
	StartColumn int `json:"startColumn"`
	EndLine     int `json:"endLine,omitempty"`
	EndColumn   int `json:"endColumn,omitempty"`
}

type sarifFix struct {
	Description sarifText     `json:"description"`
	Changes     []sarifChange `json:"artifactChanges"`
}

type sarifChange struct {
	Artifact     sarifArtifact      `json:"artifactLocation"`
	Replacements []sarifReplacement `json:"replacements"`
}

type sarifReplacement struct {
	Deleted  sarifRegion `json:"deletedRegion"`
	Inserted sarifText   `json:"insertedContent"`
}

// sarifResultOf makes a result of a remark; its rule is filled in by writeSARIF.
// f is nil for a document that was refused, of which only line is known.
func sarifResultOf(r ozml.Diagnostic, f *syntax.File, line string) sarifResult {
	at := func(n int) string {
		switch {
		case f != nil:
			return f.Line(n)
		case n == r.Span.From.Line:
			return line
		}
		return ""
	}
	text := r.Msg
	if r.Hint != "" {
		text += "; " + r.Hint
	}
	where := sarifArtifact{sarifURI(r.File)}
	out := sarifResult{RuleID: r.Code, Level: sarifLevel(r.Severity), Message: sarifText{text}}
	loc := sarifPhysical{Artifact: where}
	if r.Span.From.IsValid() {
		region := sarifRegionOf(r.Span, at)
		loc.Region = &region
	}
	out.Locations = []sarifLocation{{loc}}
	if r.Fix != nil {
		out.Fixes = []sarifFix{{
			Description: sarifText{r.Hint},
			Changes:     []sarifChange{{where, []sarifReplacement{{sarifRegionOf(r.Fix.Span, at), sarifText{r.Fix.Text}}}}},
		}}
	}
	return out
}

func sarifLevel(s ozml.Severity) string {
	if s == ozml.Info {
		return "note"
	}
	return s.String()
}

// sarifRegionOf counts in characters what a Span counts in bytes. line gives a
// line of the source.
func sarifRegionOf(s syntax.Span, line func(int) string) sarifRegion {
	column := func(p syntax.Pos) int {
		l := line(p.Line)
		n := min(max(p.Column-1, 0), len(l))
		return utf8.RuneCountInString(l[:n]) + p.Column - n
	}
	r := sarifRegion{StartLine: s.From.Line, StartColumn: column(s.From)}
	if s.To.IsValid() && s.To != s.From {
		r.EndLine, r.EndColumn = s.To.Line, column(s.To)
	}
	return r
}

// sarifURI gives the name of a document as a URI.
func sarifURI(name string) string {
	switch {
	case name == "-":
		return "stdin"
	case isURL(name):
		return name
	}
	u := url.URL{Path: filepath.ToSlash(name)}
	if filepath.IsAbs(name) {
		u.Scheme = "file"
	}
	return u.String()
}

// writeSARIF writes all results of a run, with the rules that they name.
func writeSARIF(w io.Writer, results []sarifResult) error {
	docs := map[string]ozml.CodeDoc{}
	for _, d := range slices.Concat(syntax.Codes, ozml.Codes()) {
		docs[d.Code] = d
	}
	var ids []string
	for _, r := range results {
		ids = append(ids, r.RuleID)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	driver := sarifDriver{Name: "ozswitch", Version: strings.TrimPrefix(userAgent(), "ozswitch/"), Rules: []sarifRule{}}
	for _, id := range ids {
		d, level := docs[id], "warning"
		if d.Refused {
			level = "error"
		}
		driver.Rules = append(driver.Rules, sarifRule{
			ID: id, Short: sarifText{d.Title}, Full: sarifText{d.Cause}, Default: sarifRuleLevel{level},
			Help: sarifHelp{Text: d.Cause + "\n\n" + d.Cure, Markdown: d.Cause + "\n\n**Cure.** " + d.Cure},
		})
	}
	for i := range results {
		results[i].RuleIndex, _ = slices.BinarySearch(ids, results[i].RuleID)
	}
	if results == nil {
		results = []sarifResult{}
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(sarifLog{
		Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0",
		Runs: []sarifRun{{Tool: sarifTool{driver}, ColumnKind: "unicodeCodePoints", Results: results}},
	})
}
