package main

import (
	"fmt"
	"io"
	"os"
	"regexp"

	"github.com/spf13/cobra"
)

// A style colours words for a terminal; the zero style leaves them plain.
type style struct{ on bool }

// styleOf gives the style for what c writes to w: colours only on a terminal,
// and neither with --no-color nor with NO_COLOR (ux.md 6).
func styleOf(c *cobra.Command, w io.Writer) style {
	if off, err := c.Flags().GetBool("no-color"); err == nil && off || os.Getenv("NO_COLOR") != "" {
		return style{}
	}
	_, terminal := terminalWidth(w)
	return style{terminal}
}

func (s style) paint(sgr, text string) string {
	if !s.on || text == "" {
		return text
	}
	return "\x1b[" + sgr + "m" + text + "\x1b[0m"
}

func (s style) bold(t string) string   { return s.paint("1", t) }
func (s style) red(t string) string    { return s.paint("1;31", t) }
func (s style) yellow(t string) string { return s.paint("1;33", t) }
func (s style) green(t string) string  { return s.paint("32", t) }

var (
	remarkHead = regexp.MustCompile(`(?m)^(.*?: )(error|warning|info)(( OZ\d+)?:)`)
	caretLine  = regexp.MustCompile(`(?m)^( +\| \s*)(\^+)$`)
)

// remark colours the first line and the carets of a remark on a file.
func (s style) remark(text string) string {
	if !s.on {
		return text
	}
	text = remarkHead.ReplaceAllStringFunc(text, func(m string) string {
		g := remarkHead.FindStringSubmatch(m)
		word := s.red
		if g[2] != "error" {
			word = s.yellow
		}
		return s.bold(g[1]) + word(g[2]+g[3])
	})
	return caretLine.ReplaceAllString(text, "$1"+s.green("$2"))
}

// talk prints what is no result, to standard error, unless --quiet.
func talk(c *cobra.Command, format string, args ...any) {
	if quiet, err := c.Flags().GetBool("quiet"); err == nil && quiet {
		return
	}
	fmt.Fprintf(c.ErrOrStderr(), format+"\n", args...)
}
