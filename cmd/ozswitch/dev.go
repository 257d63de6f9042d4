package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ozswitch/switch/server"
)

// newDevCommand runs a switch on this machine for whoever writes a script.
func newDevCommand() *cobra.Command {
	var script, data, web string
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
			changed, err := cfg.Kept()
			if err != nil {
				return err
			}
			cfg.Log.Level = "warn"
			if err := cfg.Shift(offset); err != nil {
				return usageError{err}
			}
			pages, err := webFolder(web)
			if err != nil {
				return err
			}
			setMemory(os.DirFS("/"), os.LookupEnv)
			s, err := newServer(cfg, c.ErrOrStderr(), pages)
			if err != nil {
				return err
			}
			if err := s.Bind(); err != nil {
				s.Close()
				return fmt.Errorf("%w\n(--port-offset N moves all ports; ozswitch doctor tells who holds them)", err)
			}
			return running(c.Context(), s, func(ctx context.Context) error {
				welcome(c, cfg, s, time.Since(begun))
				if a := s.HTTPAddr(); a != "" { // for ozswitch top
					u := cfg.Users[0]
					forget, err := leaveAddress(cfg.Data, a, u.Name, string(u.Password))
					if err != nil {
						fmt.Fprintln(c.ErrOrStderr(), err)
					}
					defer forget()
				}
				for _, line := range changed {
					fmt.Fprintf(c.OutOrStdout(), "  Note: %s\n\n", line)
				}
				<-ctx.Done()
				return nil
			})
		},
	}
	c.Flags().StringVar(&script, "script", "", "what runs: a file or a URL (default: the built-in hello)")
	c.Flags().StringVar(&data, "data", "./ozswitch-data", "folder for recordings, logs and the database")
	c.Flags().StringVar(&web, "web", "", "serve the console's pages from this folder (default: those in the program)")
	_ = c.MarkFlagDirname("web")
	c.Flags().IntVar(&offset, "port-offset", 0, "add this to every port")
	return c
}

// webFolder opens the folder of --web, nil without one.
func webFolder(dir string) (fs.FS, error) {
	if dir == "" {
		return nil, nil
	}
	if !exists(filepath.Join(dir, "index.html")) && !exists(filepath.Join(dir, "index.html.gz")) {
		return nil, usagef("dev: --web %s: want a folder with index.html, as switch/console/assets is after make assets", dir)
	}
	return os.DirFS(dir), nil
}

// welcome prints what a user needs next (ux.md 3).
func welcome(c *cobra.Command, cfg *server.Config, s *server.Server, took time.Duration) {
	out := c.OutOrStdout()
	fmt.Fprintf(out, "\n  ozswitch %s ready in %.1f s · data: %s · stop: Ctrl-C\n\n", thisBuild().Version, took.Seconds(), cfg.Data)
	line := func(what, value, note string) {
		fmt.Fprintln(out, strings.TrimRight(fmt.Sprintf("  %-10s %-35s %s", what, value, note), " "))
	}
	if a := s.HTTPAddr(); a != "" {
		u := cfg.Users[0]
		line("Console", "http://"+a+s.LoginLink(u.Name), " one-time link, signs you in")
		line("HTTP API", "http://"+a+"/api?command=…", "user "+u.Name+", password "+string(u.Password))
	}
	phone := func(number string) (server.Extension, bool) {
		for _, e := range cfg.Extensions {
			if e.Number == number {
				return e, true
			}
		}
		return server.Extension{}, false
	}
	sip := sipLine(s.SIPAddrs())
	for _, n := range []string{"1001", "1002"} {
		if e, ok := phone(n); ok {
			line("SIP", sip, "extension "+n+", password "+string(e.Password)+", domain "+cfg.SIP.Domain)
			sip = ""
		}
	}
	if err := s.NoVoice(); err != nil {
		line("Voice", "none: "+err.Error(), "")
	} else {
		line("Voice", s.Voice(), "")
	}
	number := "9000"
	fmt.Fprintf(out, "\n  %s  %s\n  Call it:  open the console and press Call, or  ozswitch call %s", number, s.Runs(number), number)
	if at := s.SIPAddr(); at.Port() != 5060 {
		fmt.Fprintf(out, " --server %s", at)
	}
	fmt.Fprint(out, " --press 1@6s\n\n")
}

// sipLine writes addresses of one host and port as one: 127.0.0.1:5060 udp/tcp.
func sipLine(addrs []string) string {
	var hosts []string
	transports := map[string][]string{}
	for _, a := range addrs {
		transport, at, _ := strings.Cut(a, "://")
		if transports[at] == nil {
			hosts = append(hosts, at)
		}
		transports[at] = append(transports[at], transport)
	}
	for i, at := range hosts {
		hosts[i] = at + " " + strings.Join(transports[at], "/")
	}
	return strings.Join(hosts, ", ")
}
