package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"ozswitch/ozml"
	"ozswitch/ozml/command"
	"ozswitch/ozml/syntax"
)

const manualHelp = `Example:  ozswitch manual            # all commands
          ozswitch manual Speak
          ozswitch manual OZ1103     # a code of vet
          ozswitch manual IncomingCall

manual shows the manual of the language in the terminal: a command, a code, a
notification, or one of the pages "codes" and "notifications". Letter case does
not matter.`

func newManualCommand() *cobra.Command {
	table := command.Table()
	var asJSON bool
	c := &cobra.Command{
		Use:   "manual [COMMAND|CODE|NOTIFICATION]",
		Short: "show the manual of the language",
		Long:  manualHelp,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("manual: want one name, got %q", args)
			}
			return nil
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return topics(table), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) error {
			name := ""
			if len(args) > 0 {
				name = args[0]
			}
			if asJSON {
				return manualJSON(c, table, name)
			}
			page, ok := manualPage(table, name)
			if !ok {
				return noPage(table, name)
			}
			out := c.OutOrStdout()
			width, _ := terminalWidth(out)
			if width == 0 {
				width = 80
			}
			m := markdown{st: styleOf(c, out), width: min(max(width, 40), 100)}
			_, err := fmt.Fprint(out, m.render(page))
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print commands as JSON, one object a line")
	return c
}

func manualJSON(c *cobra.Command, t ozml.Table, name string) error {
	found := false
	for _, p := range t.Manual() {
		if name == "" || t.Lookup(name) != nil && t.Lookup(name).Name == p.Name {
			found = true
			if err := jsonLine(c.OutOrStdout(), p); err != nil {
				return err
			}
		}
	}
	if !found {
		return noPage(t, name)
	}
	return nil
}

func noPage(t ozml.Table, name string) error {
	if near := syntax.Nearest(name, topics(t)); near != "" {
		return fmt.Errorf("manual: no page %q; did you mean %s?", name, near)
	}
	return fmt.Errorf("manual: no page %q; 'ozswitch manual' lists them", name)
}

// topics are the names of all pages.
func topics(t ozml.Table) []string {
	var names []string
	for _, c := range t.Commands() {
		names = append(names, c.Name)
	}
	for _, n := range ozml.Notifications() {
		names = append(names, n.Name)
	}
	for _, c := range codes() {
		names = append(names, c.Code)
	}
	return append(names, "codes", "notifications")
}

// codes are those of documents, and of the language with its web.
func codes() []ozml.CodeDoc {
	return slices.Concat(syntax.Codes, ozml.Codes())
}

// manualPage gives a page as Markdown; "" is the list of commands.
func manualPage(t ozml.Table, name string) (page string, ok bool) {
	switch strings.ToLower(name) {
	case "":
		return manualIndex(t), true
	case "codes":
		return codePages(codes()), true
	case "notifications":
		return ozml.ManualNotifications(), true
	}
	for _, p := range t.Manual() {
		if c := t.Lookup(name); c != nil && c.Name == p.Name {
			return p.Markdown(), true
		}
	}
	var found []ozml.CodeDoc
	for _, c := range codes() {
		if strings.EqualFold(c.Code, name) {
			found = append(found, c)
		}
	}
	if found != nil {
		return codePages(found), true
	}
	return section(ozml.ManualNotifications(), name)
}

func manualIndex(t ozml.Table) string {
	var b strings.Builder
	b.WriteString("# Commands of OzML\n\n| Command | |\n| --- | --- |\n")
	for _, p := range t.Manual() {
		title := p.Title
		if p.Ours {
			title += " (extension)"
		}
		fmt.Fprintf(&b, "| %s | %s |\n", p.Name, title)
	}
	b.WriteString("\nMore: `ozswitch manual Speak`, `ozswitch manual codes`, `ozswitch manual notifications`.\n")
	return b.String()
}

func codePages(docs []ozml.CodeDoc) string {
	var b strings.Builder
	for _, c := range docs {
		fmt.Fprintf(&b, "# %s: %s\n\n%s\n\n**Cure.** %s\n\n", c.Code, c.Title, c.Cause, c.Cure)
	}
	return b.String()
}

// section cuts the part of a page out that has the heading "## name".
func section(page, name string) (string, bool) {
	for _, s := range strings.Split(page, "\n## ")[1:] {
		head, _, _ := strings.Cut(s, "\n")
		if strings.EqualFold(head, name) {
			return "# " + s, true
		}
	}
	return "", false
}
