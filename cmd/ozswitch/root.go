package main

import "github.com/spf13/cobra"

// newRoot gives the command line with all its subcommands.
func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "ozswitch",
		Short:         "A softswitch whose calls are scripts",
		Long:          "ozswitch answers calls, asks your web app what to do, and does it.\n\nStart with:  ozswitch demo",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.PersistentFlags().Bool("no-color", false, "no colours, as with NO_COLOR in the environment")
	root.AddCommand(
		newDemoCommand(),
		newDevCommand(),
		newServeCommand(),
		newCallCommand(),
		newRunCommand(),
		newTestCommand(),
		newTopCommand(),
		newVetCommand(),
		newFmtCommand(),
		newManualCommand(),
		newConfigCommand(),
		newDoctorCommand(),
		newVersionCommand(),
		newCompletionCommand(),
		newWorkerCommand(),
	)
	return root
}
