package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

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
		Short: "check a configuration file, and where its dial plan leads",
		Long:  "Example:  ozswitch config check ozswitch.yaml",
		Args:  wantArgs(1, "a command: config check FILE, config route, config password"),
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
	c.AddCommand(check, newConfigRouteCommand(), newConfigPasswordCommand())
	return c
}

// newConfigPasswordCommand makes what stands in the configuration in place of a
// user's password.
func newConfigPasswordCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "password",
		Short: "make a hash for users[].password",
		Long: `Example:  ozswitch config password <password.txt

config password reads a password, one line of standard input, and prints the
argon2id hash (RFC 9106: 64 MiB, 3 rounds, 4 lanes) that may stand in its place
in users[].password. Extensions need theirs plain: SIP's digest wants it.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			line, err := bufio.NewReader(io.LimitReader(c.InOrStdin(), 4096)).ReadString('\n')
			if err != nil && err != io.EOF {
				return err
			}
			password := strings.TrimRight(line, "\r\n")
			if len(password) < 8 {
				return usagef("config password: want at least 8 letters, one line of standard input")
			}
			fmt.Fprintln(c.OutOrStdout(), server.HashPassword(password))
			return nil
		},
	}
}

// newConfigRouteCommand tells where a call would go.
func newConfigRouteCommand() *cobra.Command {
	var file, from, to, at string
	c := &cobra.Command{
		Use:   "route --from NUMBER|LINE --to NUMBER",
		Short: "tell which rule of the dial plan a call would take, and why",
		Long: `Example:  ozswitch config route --from 1001 --to 003612345678
          ozswitch config route --config pbx.yaml --from carrier --to 100 --at "2026-12-24 18:30"

config route goes through the rules one by one and says of each why it fits or
not. --from is the number of an extension, the name of a line, or script. The
exit status is 1 when the call would go nowhere.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if from == "" || to == "" {
				return usagef("config route: want --from and --to")
			}
			now := time.Now()
			if at != "" {
				t, err := time.ParseInLocation("2006-01-02 15:04", at, time.Local)
				if err != nil {
					return usagef("config route: --at %q: write 2026-12-24 18:30", at)
				}
				now = t
			}
			cfg, problems := server.Load(file, os.LookupEnv)
			if err := problems.Err(); err != nil {
				return err
			}
			lines, ok, err := cfg.Explain(from, to, now)
			if err != nil {
				return err
			}
			for _, l := range lines {
				fmt.Fprintln(c.OutOrStdout(), l)
			}
			if !ok {
				return errNo
			}
			return nil
		},
	}
	c.Flags().StringVar(&file, "config", "ozswitch.yaml", "the configuration")
	c.Flags().StringVar(&from, "from", "", "who calls: the number of an extension, the name of a line, script")
	c.Flags().StringVar(&to, "to", "", "the number that is dialled")
	c.Flags().StringVar(&at, "at", "", `when, "2026-12-24 18:30" by this machine's clock; without it now`)
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
