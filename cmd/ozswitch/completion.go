package main

import (
	"github.com/spf13/cobra"
)

const completionHelp = `Example:  source <(ozswitch completion bash)
          ozswitch completion zsh > "${fpath[1]}/_ozswitch"
          ozswitch completion fish > ~/.config/fish/completions/ozswitch.fish

completion prints a script that lets your shell complete commands, flags and
the names of scripts. The first line above serves the running shell only; put
it into ~/.bashrc to have it always.`

func newCompletionCommand() *cobra.Command {
	shells := []string{"bash", "zsh", "fish"}
	return &cobra.Command{
		Use:       "completion bash|zsh|fish",
		Short:     "print the completion script of a shell",
		Long:      completionHelp,
		ValidArgs: shells,
		Args:      wantArgs(1, "bash, zsh or fish"),
		RunE: func(c *cobra.Command, args []string) error {
			out := c.OutOrStdout()
			if len(args) > 1 {
				return usagef("completion: want one shell, got %q", args)
			}
			switch args[0] {
			case "bash":
				return c.Root().GenBashCompletionV2(out, true)
			case "zsh":
				return c.Root().GenZshCompletion(out)
			case "fish":
				return c.Root().GenFishCompletion(out, true)
			}
			return usagef("completion: %q: want bash, zsh or fish", args[0])
		},
	}
}
