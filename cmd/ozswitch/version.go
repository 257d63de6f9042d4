package main

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"ozswitch"
)

// version is set by the Makefile: -ldflags "-X main.version=1.2.3".
var version string

// A build says what this program is.
type build struct {
	Version  string `json:"version"` // 0.1.0, or dev
	Commit   string `json:"commit,omitempty"`
	Time     string `json:"time,omitempty"`     // of the commit, RFC 3339
	Modified bool   `json:"modified,omitempty"` // built from a changed checkout
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func thisBuild() build {
	b := build{Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		b.Version = cmp.Or(b.Version, "dev")
		return b
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value[:min(len(s.Value), 12)]
		case "vcs.time":
			b.Time = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	if v := info.Main.Version; b.Version == "" && v != "(devel)" {
		b.Version = v // go install ozswitch@v1.2.3
	}
	b.Version = cmp.Or(b.Version, "dev")
	return b
}

// userAgent is what web apps see.
func userAgent() string { return "ozswitch/" + thisBuild().Version }

func (b build) String() string {
	s := "ozswitch " + b.Version
	if b.Commit != "" {
		s += " (" + b.Commit
		if b.Time != "" {
			s += ", " + b.Time
		}
		if b.Modified {
			s += ", modified"
		}
		s += ")"
	}
	return s + " " + b.Go + " " + b.Platform
}

func newVersionCommand() *cobra.Command {
	var licences, asJSON bool
	c := &cobra.Command{
		Use:   "version",
		Short: "print version and build",
		Long:  "Example:  ozswitch version\n          ozswitch version --licences\n\nversion prints version, commit, Go version and platform.",
		Args:  noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			out := c.OutOrStdout()
			switch {
			case licences && asJSON:
				return usagef("version: --licences is text: leave out --json")
			case licences:
				fmt.Fprint(out, ozswitch.License())
				if n := ozswitch.ThirdPartyNotices(); n != "" {
					fmt.Fprint(out, "\n", n)
				} else {
					talk(c, "ozswitch: built without THIRD_PARTY_NOTICES")
				}
				return nil
			case asJSON:
				return jsonLine(out, thisBuild())
			}
			_, err := fmt.Fprintln(out, thisBuild())
			return err
		},
	}
	c.Flags().BoolVar(&licences, "licences", false, "print the licence and those of what is built in")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// noArgs is cobra.NoArgs in words.
func noArgs(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%s: unexpected %q", c.Name(), args[0])
	}
	return nil
}
