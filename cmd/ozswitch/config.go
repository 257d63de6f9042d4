package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"ozswitch/switch/server"
)

const configCheckHelp = `Example:  ozswitch config check ozswitch.yaml

config check reads a configuration as serve does, and names every mistake with
line, column and the line itself. Secrets given as file: or env: are looked up,
so run it as the user and with the environment of the service.

The exit status is 1 when serve would refuse the file.`

func newConfigCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "config",
		Short: "check a configuration file",
		Long:  "Example:  ozswitch config check ozswitch.yaml",
		Args:  wantArgs(1, "a command: config check FILE"),
		RunE: func(_ *cobra.Command, args []string) error {
			return usagef("config: unknown command %q; want config check FILE", args[0])
		},
	}
	var asJSON bool
	check := &cobra.Command{
		Use:   "check FILE",
		Short: "say what is wrong with a configuration file",
		Long:  configCheckHelp,
		Args:  wantArgs(1, "a file"),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
		},
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("config check: want one file, got %d", len(args))
			}
			return configCheck(c, args[0], asJSON)
		},
	}
	check.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line for each remark")
	check.Flags().BoolP("quiet", "q", false, "say nothing about a good file")
	c.AddCommand(check)
	return c
}

func configCheck(c *cobra.Command, name string, asJSON bool) error {
	var problems server.Problems
	if name == "-" {
		src, err := io.ReadAll(c.InOrStdin())
		if err != nil {
			return err
		}
		_, problems = server.Parse(name, src, os.LookupEnv)
	} else {
		problems = server.Check(name, os.LookupEnv)
	}
	out := c.OutOrStdout()
	st := styleOf(c, out)
	for _, p := range problems {
		if asJSON {
			if err := jsonLine(out, p); err != nil {
				return err
			}
			continue
		}
		text := p.Error()
		if x := p.Excerpt(); x != "" {
			text += "\n" + x
		}
		fmt.Fprintln(out, st.remark(text))
	}
	if problems.Err() != nil {
		return errNo
	}
	talk(c, "%s: good", name)
	return nil
}
