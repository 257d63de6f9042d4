package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"ozswitch/ozml"
	"ozswitch/ozml/command"
	"ozswitch/ozml/syntax"
)

const fmtHelp = `Example:  ozswitch fmt hello.xml
          ozswitch fmt -w examples/
          ozswitch fmt --check examples/      # in CI

fmt prints scripts in canonical form: UTF-8, two spaces a level, double quotes,
and names of commands and parameters in the manual's spelling. Comments stay.
What a script does never changes. A folder means every .xml and .ozml file below
it; - is standard input.`

func newFmtCommand() *cobra.Command {
	var f formatter
	c := &cobra.Command{
		Use:               "fmt [-w] [-l|--check] FILE|DIR|-...",
		Short:             "print scripts in canonical form",
		Long:              fmtHelp,
		Args:              wantArgs(1, "a file, a folder, or - for standard input"),
		ValidArgsFunction: completeScript,
		RunE:              func(c *cobra.Command, args []string) error { return f.run(c, args) },
	}
	c.Flags().BoolVarP(&f.write, "write", "w", false, "write the file instead of printing it")
	c.Flags().BoolVarP(&f.list, "list", "l", false, "print the names of files that are not in canonical form")
	c.Flags().BoolVar(&f.check, "check", false, "the same, and exit with status 1 if there are any")
	return c
}

type formatter struct{ write, list, check bool }

func (f *formatter) run(c *cobra.Command, args []string) error {
	if f.write && f.check {
		return usagef("fmt: -w and --check do not go together")
	}
	names, err := expand(args)
	if err != nil {
		return err
	}
	table := command.Table()
	st := styleOf(c, c.ErrOrStderr())
	no := false
	for _, name := range names {
		if f.write && (name == "-" || isURL(name)) {
			return usagef("fmt: %s cannot be written; leave out -w", name)
		}
		d, err := readDocument(c.Context(), c.InOrStdin(), name)
		if err != nil {
			fmt.Fprintln(c.ErrOrStderr(), "ozswitch: fmt:", err)
			no = true
			continue
		}
		file, err := d.parse(table)
		if e, refused := errors.AsType[*syntax.Error](err); refused {
			r, _ := ozml.Diagnose(e)
			fmt.Fprintln(c.ErrOrStderr(), st.remark(showRemark(r, nil, e.Line)))
			no = true
			continue
		}
		canonical(table, file.Root)
		src := file.Format()
		same := bytes.Equal(src, d.src)
		if !same && (f.list || f.check) {
			fmt.Fprintln(c.OutOrStdout(), name)
			no = no || f.check
		}
		switch {
		case f.write && !same:
			if err := replaceFile(name, src); err != nil {
				return fmt.Errorf("fmt: %w", err)
			}
		case !f.write && !f.list && !f.check:
			if _, err := c.OutOrStdout().Write(src); err != nil {
				return err
			}
		}
	}
	if no {
		return errNo
	}
	return nil
}

// canonical gives the document's names the manual's spelling.
func canonical(t ozml.Table, root *syntax.Element) {
	for _, name := range []string{"Response", "OzML"} {
		if strings.EqualFold(root.Name, name) {
			root.Name = name
		}
	}
	canonicalBlock(t, root)
}

// canonicalBlock spells the commands that stand in e.
func canonicalBlock(t ozml.Table, e *syntax.Element) {
	for _, n := range e.Children {
		c, ok := n.(*syntax.Element)
		if !ok {
			continue
		}
		cmd := t.Lookup(c.Name)
		if cmd == nil {
			continue // nobody knows what is in it
		}
		c.Name = cmd.Name
		canonicalParams(t, c, cmd.Params())
	}
}

// canonicalParams spells what an element holds: attributes, and elements that
// are no commands.
func canonicalParams(t ozml.Table, e *syntax.Element, params []ozml.Param) {
	for i := range e.Attrs {
		if p := param(params, e.Attrs[i].Name); p != nil && !taken(e, p.Name, i) {
			e.Attrs[i].Name = p.Name
		}
	}
	for _, p := range params {
		if p.Kind == "commands" && p.Name == "" {
			canonicalBlock(t, e)
		}
	}
	for _, n := range e.Children {
		c, ok := n.(*syntax.Element)
		if !ok {
			continue
		}
		for _, p := range params {
			if !strings.EqualFold(c.Name, p.Name) {
				continue
			}
			switch p.Kind {
			case "commands":
				c.Name = p.Name
				canonicalBlock(t, c)
			case "elements":
				c.Name = p.Name
				canonicalParams(t, c, p.Inside)
			}
		}
	}
}

// param finds a parameter by a name as written.
func param(params []ozml.Param, written string) *ozml.Param {
	for i, p := range params {
		if p.Kind == "commands" || p.Kind == "elements" {
			continue
		}
		for _, name := range append([]string{p.Name}, p.Also...) {
			if name != "" && strings.EqualFold(name, written) {
				return &params[i]
			}
		}
	}
	return nil
}

// taken tells whether another attribute than i has that name already, as with
// CallId beside one of its other spellings.
func taken(e *syntax.Element, name string, i int) bool {
	for j, a := range e.Attrs {
		if j != i && strings.EqualFold(a.Name, name) {
			return true
		}
	}
	return false
}

// replaceFile writes a file whole or not at all, and keeps its rights.
func replaceFile(name string, src []byte) error {
	if real, err := filepath.EvalSymlinks(name); err == nil {
		name = real
	}
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(src)
	err = errors.Join(err, tmp.Chmod(info.Mode()&fs.ModePerm), tmp.Close())
	if err != nil {
		return err
	}
	return os.Rename(tmp.Name(), name)
}
