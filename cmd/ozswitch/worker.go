package main

import (
	"os"

	"github.com/spf13/cobra"

	"ozswitch/media/mp3"
	"ozswitch/media/tts"
)

// newWorkerCommand is what the switch executes for its engines; nobody types it.
func newWorkerCommand() *cobra.Command {
	c := &cobra.Command{
		Use:    "worker",
		Short:  "run an engine for a switch (internal)",
		Hidden: true,
	}
	var cache string
	voice := &cobra.Command{
		Use:   "tts",
		Short: "run the embedded voice: jobs on standard input, results on standard output",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			out := os.Stdout
			os.Stdout = os.Stderr // whatever prints must not get between the frames
			return tts.Serve(os.Stdin, out, cache)
		},
	}
	voice.Flags().StringVar(&cache, "cache", "", "folder for the compiled engine")
	var engine mp3.Engine
	encoder := &cobra.Command{
		Use:   "mp3",
		Short: "run the mp3 encoder: jobs on standard input, results on standard output",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			out := os.Stdout
			os.Stdout = os.Stderr
			return mp3.Serve(os.Stdin, out, engine)
		},
	}
	encoder.Flags().StringVar(&engine.Lame, "lame", "", "the lame program, used first")
	encoder.Flags().StringVar(&engine.Wasm, "wasm", "", "encoder to be used instead of the embedded one")
	c.AddCommand(voice, encoder)
	return c
}
