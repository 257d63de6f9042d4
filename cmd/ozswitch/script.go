package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"ozswitch/ozml"
	"ozswitch/ozml/syntax"
	"ozswitch/switch/notify"
)

// maxScript is what is read of a script: enough for its reader to refuse it as
// too large (limits.body is 1 MiB).
const maxScript = 1<<20 + 1

func isURL(s string) bool {
	l := strings.ToLower(s)
	return strings.HasPrefix(l, "http://") || strings.HasPrefix(l, "https://")
}

// A document is a script as it came.
type document struct {
	name    string // file name, URL or -
	charset string // of the HTTP header
	src     []byte
}

// readDocument reads a file, a URL (by GET) or, for -, standard input. Whoever
// types a URL is the operator: every address may be reached (decisions 9).
func readDocument(ctx context.Context, in io.Reader, name string) (document, error) {
	d := document{name: name}
	var err error
	switch {
	case name == "-":
		d.src, err = io.ReadAll(io.LimitReader(in, maxScript))
	case isURL(name):
		var web *notify.Client
		if web, err = notify.New(notify.Config{Allow: everywhere(), UserAgent: userAgent()}); err != nil {
			return d, err
		}
		var page *notify.Page
		if page, err = web.Get(ctx, name, nil, maxScript, 0, true); err != nil {
			return d, err
		}
		d.name, d.src = page.URL, page.Body
		if _, params, err := mime.ParseMediaType(page.Header.Get("Content-Type")); err == nil {
			d.charset = params["charset"]
		}
	default:
		var f *os.File
		if f, err = os.Open(name); err == nil {
			defer f.Close()
			d.src, err = io.ReadAll(io.LimitReader(f, maxScript))
		}
	}
	return d, err
}

// everywhere is the web.allow of somebody who types URLs.
func everywhere() []string {
	return []string{string(notify.Public), string(notify.Private), string(notify.Loopback), "169.254.0.0/16", "fe80::/10"}
}

// parse reads the document, or says why it is refused.
func (d document) parse(t ozml.Table) (*syntax.File, error) {
	return syntax.ParseWith(syntax.Options{Name: d.name, Charset: d.charset, IsCommand: isCommand(t)}, d.src)
}

func isCommand(t ozml.Table) func(string) bool {
	return func(name string) bool { return t.Lookup(name) != nil }
}

// expand replaces each folder by the scripts in it and below it.
func expand(args []string) ([]string, error) {
	var names []string
	for _, a := range args {
		info, err := os.Stat(a)
		if isURL(a) || a == "-" || err != nil || !info.IsDir() {
			names = append(names, a) // whoever reads it says what is wrong with it
			continue
		}
		found := 0
		err = filepath.WalkDir(a, func(name string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && name != a && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || d.Name() == "vendor"):
				return fs.SkipDir
			case !d.IsDir() && isScriptName(name):
				found++
				names = append(names, name)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		if found == 0 {
			return nil, fmt.Errorf("%s: no .xml or .ozml file in it", a)
		}
	}
	return names, nil
}

func isScriptName(name string) bool {
	return slices.Contains([]string{".xml", ".ozml"}, strings.ToLower(filepath.Ext(name)))
}

// completeScript lets the shell offer scripts and folders.
func completeScript(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{"xml", "ozml"}, cobra.ShellCompDirectiveFilterFileExt
}

// wantArgs is cobra.MinimumNArgs in words.
func wantArgs(least int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) < least {
			return usagef("%s: want %s", c.CommandPath()[len("ozswitch "):], what)
		}
		return nil
	}
}

// jsonLine writes a value as one line of JSON, < and > as they are.
func jsonLine(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
