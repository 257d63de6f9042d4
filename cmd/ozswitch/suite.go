package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ozswitch/ozml"
	"ozswitch/ozml/command"
	"ozswitch/ozml/ozmltest"
)

const testHelp = `Example:  ozswitch test calls/
          ozswitch test calls/menu.txtar --update
          ozswitch test . --filter menu --junit report.xml

test plays scripts on paper, as run does, and compares what happened with what
is wanted. A test is either a folder with

    script.xml   the script
    caller.txt   what the caller and the world do (see run); may be absent
    want.txt     the transcript; absent: the script is only checked
    want.wav     what the caller hears; may be absent ("run DIR --wav" writes it)

or a file NAME.txtar that holds the same as parts "-- script.xml --", "-- caller --"
and "-- want --"; "-- posted --" is what the web app was told, "-- did --" what calls
and the switch were asked, with every parameter. Both may hold files that the
caller's "when" lines reply with. A warning or error of the checker fails
a test unless a comment in its line wants it: <!-- want ` + "`OZ1204`" + ` -->.

--update writes what happened as what is wanted. The exit status is 1 when a
test failed or there was none.`

func newTestCommand() *cobra.Command {
	var s suite
	c := &cobra.Command{
		Use:   "test DIR|FILE...",
		Short: "test scripts against written calls",
		Long:  testHelp,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("test: want a folder of tests")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return s.run(c, args) },
	}
	f := c.Flags()
	f.StringVar(&s.filter, "filter", "", "only tests whose name matches the regular expression `RE`")
	f.StringVar(&s.junit, "junit", "", "write a JUnit report to `FILE`")
	f.BoolVar(&s.update, "update", false, "write what happened as what is wanted")
	f.BoolVar(&s.json, "json", false, "print one JSON object for each test")
	f.BoolP("quiet", "q", false, "print failures only")
	return c
}

type suite struct {
	filter, junit string
	update, json  bool
}

// A verdict is what came of one test.
type verdict struct {
	Name     string   `json:"name"`
	File     string   `json:"file"`
	Passed   bool     `json:"passed"`
	Updated  bool     `json:"updated,omitempty"`
	Seconds  float64  `json:"seconds"`
	Failures []string `json:"failures,omitempty"` // each begins with file and, where there is one, line
}

func (s *suite) run(c *cobra.Command, roots []string) error {
	only, err := regexp.Compile(s.filter)
	if err != nil {
		return usagef("test: --filter: %v", err)
	}
	var tests []*paperTest
	for _, root := range roots {
		found, err := findTests(root)
		if err != nil {
			return err
		}
		for _, t := range found {
			if only.MatchString(t.name) {
				tests = append(tests, t)
			}
		}
	}
	began, table := time.Now(), command.Table()
	var all []verdict
	failed, updated := 0, 0
	enc, style := json.NewEncoder(c.OutOrStdout()), styleOf(c, c.OutOrStdout())
	enc.SetEscapeHTML(false)
	for _, t := range tests {
		v := t.try(c, table, s.update)
		all = append(all, v)
		if !v.Passed {
			failed++
		}
		if v.Updated {
			updated++
		}
		switch {
		case s.json:
			if err := enc.Encode(v); err != nil {
				return err
			}
		case !v.Passed:
			fmt.Fprintf(c.OutOrStdout(), "%s %s\n", style.red("FAIL"), v.Name)
			for _, f := range v.Failures {
				fmt.Fprintf(c.OutOrStdout(), "  %s\n", strings.ReplaceAll(strings.TrimSuffix(f, "\n"), "\n", "\n  "))
			}
		}
	}
	took := time.Since(began)
	if s.junit != "" {
		if err := writeJUnit(s.junit, all, took); err != nil {
			return err
		}
	}
	if len(tests) == 0 {
		return fmt.Errorf("test: no tests in %s: want folders with script.xml and want.txt, or txtar files with a part script.xml", strings.Join(roots, ", "))
	}
	sum := fmt.Sprintf("%d passed", len(tests)-failed)
	if failed > 0 {
		sum += fmt.Sprintf(", %d failed", failed)
	}
	if updated > 0 {
		sum += fmt.Sprintf(", %d updated", updated)
	}
	if !s.json {
		talkOut(c, "%s in %.1f s", sum, took.Seconds())
	}
	if failed > 0 {
		return errNo
	}
	return nil
}

// talkOut prints a line to standard output, unless --quiet.
func talkOut(c *cobra.Command, format string, args ...any) {
	if quiet, err := c.Flags().GetBool("quiet"); err == nil && quiet {
		return
	}
	fmt.Fprintf(c.OutOrStdout(), format+"\n", args...)
}

// A paperTest is one test: the files of a folder, or a txtar file.
type paperTest struct {
	name, file string // file is the archive, or the folder's script.xml
	folder     bool
	a          *ozmltest.Archive
}

// findTests finds the tests in and below a folder, or the one that a file is.
func findTests(root string) (all []*paperTest, err error) {
	info, err := os.Stat(root)
	if err != nil {
		return nil, fmt.Errorf("test: %w", err)
	}
	if !info.IsDir() {
		t, err := readArchive(root)
		if err == nil && t == nil {
			err = fmt.Errorf("test: %s has no part script.xml", root)
		}
		return []*paperTest{t}, err
	}
	err = filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		var t *paperTest
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != root && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case d.IsDir():
			t, err = readFolder(name)
		case filepath.Ext(name) == ".txtar":
			t, err = readArchive(name)
		}
		if t != nil {
			if rel, err := filepath.Rel(root, strings.TrimSuffix(name, ".txtar")); err == nil && rel != "." {
				t.name = filepath.ToSlash(rel)
			}
			all = append(all, t)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("test: %w", err)
	}
	return all, nil
}

// readArchive reads a txtar file; nil when it is of another kind.
func readArchive(name string) (*paperTest, error) {
	src, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	a := ozmltest.ParseArchive(string(src))
	if _, ok := a.Get("script.xml"); !ok {
		return nil, nil
	}
	return &paperTest{name: strings.TrimSuffix(filepath.Base(name), ".txtar"), file: name, a: a}, nil
}

// readFolder reads a folder's test; nil when it has none.
func readFolder(dir string) (*paperTest, error) {
	script := filepath.Join(dir, "script.xml")
	if !exists(script) || !exists(filepath.Join(dir, "caller.txt")) && !exists(filepath.Join(dir, "want.txt")) {
		return nil, nil
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	t := &paperTest{name: filepath.Base(dir), file: script, folder: true, a: ozmltest.ParseArchive("")}
	for _, f := range files {
		if ext := filepath.Ext(f.Name()); !f.Type().IsRegular() || ext != ".xml" && ext != ".txt" {
			continue
		}
		src, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			return nil, err
		}
		part := f.Name()
		switch part {
		case "caller.txt", "want.txt", "posted.txt", "did.txt":
			part = strings.TrimSuffix(part, ".txt")
		}
		t.a.Set(part, string(src))
	}
	return t, nil
}

// try plays the test. A fault of ours fails this test and no other.
func (t *paperTest) try(c *cobra.Command, table ozml.Table, update bool) (v verdict) {
	began := time.Now()
	v = verdict{Name: t.name, File: t.file}
	defer func() {
		if p := recover(); p != nil {
			v.Failures = append(v.Failures, fmt.Sprintf("%s: a fault of ozswitch: %v", t.file, p))
		}
		v.Passed, v.Seconds = len(v.Failures) == 0, time.Since(began).Seconds()
	}()
	cfg := ozmltest.Config{Table: table}
	got, err := ozmltest.TryWith(t.a, cfg, talks(filepath.Dir(t.file)))
	if err != nil {
		v.Failures = append(v.Failures, t.place(err.Error()))
		return v
	}
	for _, r := range got.Remarks {
		v.Failures = append(v.Failures, t.place(r))
	}
	if t.folder { // a want.txt is what run prints
		got.Transcript = got.Story
	}
	for _, p := range got.Parts() {
		want, ok := t.a.Get(p.Name)
		if !ok && t.folder && p.Name == "want" && update {
			ok = true
		}
		if !ok || want == p.Text {
			continue
		}
		if !update {
			v.Failures = append(v.Failures, t.diff(p.Name, want, p.Text))
			continue
		}
		t.a.Set(p.Name, p.Text)
		if err := t.write(p.Name, p.Text); err != nil {
			v.Failures = append(v.Failures, err.Error())
		}
		v.Updated = true
	}
	switch failure, updated, err := t.golden(c, cfg, update); {
	case err != nil:
		v.Failures = append(v.Failures, t.file+": "+err.Error())
	case failure != "":
		v.Failures = append(v.Failures, filepath.Join(filepath.Dir(t.file), "want.wav")+": "+failure)
	case updated:
		v.Updated = true
	}
	return v
}

// where gives the file of a part, and the line in it before the part's first.
func (t *paperTest) where(part string) (file string, line int) {
	if t.folder {
		if part == "caller" || part == "want" || part == "posted" || part == "did" {
			part += ".txt"
		}
		return filepath.Join(filepath.Dir(t.file), part), 0
	}
	for i, l := range strings.Split(t.a.String(), "\n") {
		if strings.TrimSpace(l) == "-- "+part+" --" {
			return t.file, i + 1
		}
	}
	return t.file, 0
}

// inPart finds "part:line" in what the checker and the scenario's reader say.
var inPart = regexp.MustCompile(`^(not wanted: )?(script\.xml|caller):(\d+)`)

// place says a complaint with the place in the file that the user has.
func (t *paperTest) place(complaint string) string {
	m := inPart.FindStringSubmatchIndex(complaint)
	if m == nil {
		return t.file + ": " + complaint
	}
	part, n := complaint[m[4]:m[5]], 0
	fmt.Sscan(complaint[m[6]:m[7]], &n)
	file, before := t.where(part)
	return fmt.Sprintf("%s:%d%s", file, before+n, complaint[m[1]:])
}

// write keeps what happened as what is wanted.
func (t *paperTest) write(part, text string) error {
	name, _ := t.where(part)
	if !t.folder {
		text = t.a.String()
	}
	return os.WriteFile(name, []byte(text), 0o666)
}
