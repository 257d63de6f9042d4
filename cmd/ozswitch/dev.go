package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ozswitch/switch/server"
)

// newDevCommand runs a switch on this machine for whoever writes a script.
func newDevCommand() *cobra.Command {
	var script, data string
	var offset int
	c := &cobra.Command{
		Use:   "dev",
		Short: "Run a switch on this machine for trying scripts",
		Long: "A switch on 127.0.0.1 only, with random passwords. Every number that is dialled\n" +
			"leads to one script: a file, the URL of your web app, or the built-in hello.",
		Example: "  ozswitch dev --script http://127.0.0.1:8000/ivr.php\n  ozswitch call 9000 --press 1@2s",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			begun := time.Now()
			cfg, err := server.Dev(rand.Reader, script)
			if err != nil {
				return err
			}
			cfg.Data = data
			cfg.Log.Level = "warn"
			if err := cfg.Shift(offset); err != nil {
				return usageError{err}
			}
			s, err := newServer(cfg, c.ErrOrStderr())
			if err != nil {
				return err
			}
			if err := s.Bind(); err != nil {
				s.Close()
				return fmt.Errorf("%w\n(--port-offset N moves all ports; ozswitch doctor tells who holds them)", err)
			}
			return running(c.Context(), s, func(ctx context.Context) error {
				welcome(c, cfg, s, time.Since(begun))
				<-ctx.Done()
				return nil
			})
		},
	}
	c.Flags().StringVar(&script, "script", "", "what runs: a file or a URL (default: the built-in hello)")
	c.Flags().StringVar(&data, "data", "./ozswitch-data", "folder for recordings, logs and the database")
	c.Flags().IntVar(&offset, "port-offset", 0, "add this to every port")
	return c
}

// welcome prints what a user needs next (ux.md 3).
func welcome(c *cobra.Command, cfg *server.Config, s *server.Server, took time.Duration) {
	out := c.OutOrStdout()
	fmt.Fprintf(out, "\n  ozswitch %s ready in %.1f s · data: %s · stop: Ctrl-C\n\n", thisBuild().Version, took.Seconds(), cfg.Data)
	if a := s.HTTPAddr(); a != "" {
		fmt.Fprintf(out, "  HTTP API   http://%s/api?command=…   user %s, password %s\n", a, cfg.Users[0].Name, string(cfg.Users[0].Password))
	}
	fmt.Fprintf(out, "  SIP        %s\n", strings.Join(s.SIPAddrs(), " "))
	for _, e := range cfg.Extensions {
		if e.Type == "phone" {
			fmt.Fprintf(out, "  Phone      %s, password %s, domain %s\n", e.Number, string(e.Password), cfg.SIP.Domain)
		}
	}
	if err := s.NoVoice(); err != nil {
		fmt.Fprintf(out, "  Voice      none: %v\n", err)
	}
	what := "hello.xml, the built-in demo: speaks, listens for a key, records"
	number := "9000"
	for _, e := range cfg.Extensions {
		if e.Number == number && e.File+e.URL != "" {
			what = e.File + e.URL
		}
	}
	fmt.Fprintf(out, "\n  %s  %s\n  Call it:  ozswitch call %s", number, what, number)
	if at := s.SIPAddr(); at.Port() != 5060 {
		fmt.Fprintf(out, " --server %s", at)
	}
	fmt.Fprint(out, " --press 1@6s\n\n")
}
