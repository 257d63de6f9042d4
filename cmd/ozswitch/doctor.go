package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"ozswitch/switch/server"
)

const doctorHelp = `Example:  ozswitch doctor --config ozswitch.yaml

doctor looks at what a switch needs of its machine: free ports, the clock, the
limit of open files, UDP buffers, the voice, the data folder, certificates, the
web apps, the outside lines, the mail server and the SMS service of the
configuration. Where the switch runs it
also tells which telephones were not let in, and why. Each line is ok, warn or
fail, and says what to do. Without --config it looks for the defaults of dev.

It changes nothing but for a file that it writes into the data folder and
removes again. The exit status is 1 when something fails.`

func newDoctorCommand() *cobra.Command {
	var config string
	var asJSON bool
	var offset int
	c := &cobra.Command{
		Use:   "doctor",
		Short: "look whether this machine is fit to run the switch",
		Long:  doctorHelp,
		Args:  noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			d := &doctor{ctx: c.Context(), out: c.OutOrStdout(), st: styleOf(c, c.OutOrStdout()), json: asJSON}
			cfg := server.Default()
			if config != "" {
				if cfg = d.config(config); cfg == nil {
					return errNo
				}
			}
			if err := cfg.Shift(offset); err != nil {
				return usageError{err}
			}
			d.examine(cfg)
			if d.failed {
				return errNo
			}
			return nil
		},
	}
	c.Flags().StringVarP(&config, "config", "c", "", "configuration `FILE` of serve")
	c.Flags().IntVar(&offset, "port-offset", 0, "move all ports by this number")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line for each check")
	_ = c.MarkFlagFilename("config", "yaml", "yml")
	return c
}

// A finding is what one check found.
type finding struct {
	Check  string `json:"check"`
	Status string `json:"status"` // ok, warn, fail
	Text   string `json:"text"`
	Do     string `json:"do,omitempty"` // what to do about it
}

type doctor struct {
	ctx    context.Context
	out    io.Writer
	st     style
	json   bool
	failed bool
}

func (d *doctor) examine(cfg *server.Config) {
	d.ports(cfg)
	d.clock()
	d.descriptors()
	d.buffers()
	d.voices(cfg)
	d.data(cfg)
	d.certificate(cfg)
	d.web(cfg)
	d.lines(cfg)
	d.messages(cfg)
	d.running(cfg)
}

func (d *doctor) ok(check, format string, args ...any) {
	d.tell(finding{Check: check, Status: "ok", Text: fmt.Sprintf(format, args...)})
}

func (d *doctor) warn(check, do, format string, args ...any) {
	d.tell(finding{Check: check, Status: "warn", Text: fmt.Sprintf(format, args...), Do: do})
}

func (d *doctor) fail(check, do, format string, args ...any) {
	d.failed = true
	d.tell(finding{Check: check, Status: "fail", Text: fmt.Sprintf(format, args...), Do: do})
}

// tell prints a finding at once: some of the checks take a moment.
func (d *doctor) tell(f finding) {
	if d.json {
		_ = jsonLine(d.out, f)
		return
	}
	word := map[string]func(string) string{"ok": d.st.green, "warn": d.st.yellow, "fail": d.st.red}[f.Status]
	fmt.Fprintf(d.out, "%s  %-20s  %s\n", word(fmt.Sprintf("%-4s", f.Status)), f.Check, f.Text)
	for line := range strings.Lines(f.Do) {
		fmt.Fprintf(d.out, "      %-20s  -> %s\n", "", strings.TrimSpace(line))
	}
}

// config reads the configuration, nil when serve would refuse it.
func (d *doctor) config(name string) *server.Config {
	cfg, problems := server.Load(name, os.LookupEnv)
	for _, p := range problems {
		if p.Warning {
			d.warn("config", "", "%s", p.Error())
		} else {
			d.fail("config", "ozswitch config check "+name, "%s", p.Error())
		}
	}
	if len(problems) == 0 {
		d.ok("config", "%s", name)
	}
	return cfg
}
