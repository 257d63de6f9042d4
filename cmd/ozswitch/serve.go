package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"ozswitch/switch/server"
)

const serveHelp = `Example:  ozswitch serve --config /etc/ozswitch/ozswitch.yaml

serve runs a switch by a configuration file (examples/full.yaml has every key).

SIGTERM or Ctrl-C: no new calls, those that are up go on for limits.drain and
are hung up then; a second one hangs them up at once. SIGHUP reads the file
again and applies what can change while calls are up: extensions, users, dial
plan, certificate, web.allow, limits, log level; it says what needs a restart.
A file with errors changes nothing.

Under systemd (packaging/ozswitch.service) it tells when it is ready, and feeds
the watchdog from the thread that paces the sound.`

// newServeCommand runs a switch by a configuration file.
func newServeCommand() *cobra.Command {
	v := &serving{}
	c := &cobra.Command{
		Use:   "serve --config FILE",
		Short: "Run a switch for production",
		Long:  serveHelp,
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if v.file == "" {
				return usagef("serve: --config FILE is needed (ozswitch dev needs none)")
			}
			return v.serve(c)
		},
	}
	c.Flags().StringVar(&v.file, "config", "", "the configuration, YAML")
	c.Flags().IntVar(&v.offset, "port-offset", 0, "add this to every port")
	_ = c.MarkFlagFilename("config", "yaml", "yml")
	return c
}

// serving is a switch that runs by a file.
type serving struct {
	file   string
	offset int

	s   *server.Server
	log *slog.Logger
	sup *supervisor
}

func (v *serving) serve(c *cobra.Command) error {
	source := &server.Source{File: v.file, Offset: v.offset, Getenv: os.LookupEnv}
	cfg, problems := source.Load()
	for _, p := range problems {
		fmt.Fprintln(c.ErrOrStderr(), styleOf(c, c.ErrOrStderr()).remark(p.Error()))
	}
	if cfg == nil {
		return errors.New("serve: the configuration is refused, see above")
	}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGHUP, syscall.SIGTERM, os.Interrupt)
	defer signal.Stop(signals)
	var level slog.LevelVar
	var err error
	if v.log, err = newLog(cfg, c.ErrOrStderr(), &level); err != nil {
		return err
	}
	if v.sup, err = newSupervisor(os.Getenv); err != nil {
		return err
	}
	defer v.sup.close()
	if percent, limit := setMemory(os.DirFS("/"), os.LookupEnv); limit > 0 {
		v.log.Debug("memory", "gogc", percent, "limit", limit)
	}
	if v.s, err = server.New(cfg, server.Options{Version: thisBuild().Version, Slog: v.log, Level: &level, Source: source}); err != nil {
		return err
	}
	if err := v.s.Bind(); err != nil {
		v.s.Close()
		return err
	}
	talk(c, "ozswitch (version %s) ready on %s · data: %s", thisBuild().Version, strings.Join(listening(v.s), ", "), cfg.Data)
	return v.run(c.Context(), signals)
}

// listening lists all that a switch listens on.
func listening(s *server.Server) (all []string) {
	for _, a := range s.SIPAddrs() {
		transport, at, _ := strings.Cut(a, "://")
		if transport == "udp" {
			transport = "sip"
		} else {
			transport = "sip " + transport
		}
		all = append(all, transport+" "+at)
	}
	if a := s.HTTPAddr(); a != "" {
		all = append(all, "http "+a)
	}
	if a := s.HTTPSAddr(); a != "" {
		all = append(all, "https "+a)
	}
	return all
}

// run runs the switch until ctx ends, and does what signals say. The signal
// that ends ctx is among them.
func (v *serving) run(ctx context.Context, signals <-chan os.Signal) error {
	ended := make(chan error, 1)
	go func() { ended <- v.s.Run(ctx) }()
	under, stop := context.WithCancel(context.WithoutCancel(ctx))
	var feeding sync.WaitGroup
	defer feeding.Wait()
	defer stop()
	feeding.Go(func() { v.sup.feed(under, v.s.LastTick) })
	warm, quit := v.s.Warm(), ctx.Done()
	stops := 0
	for {
		select {
		case <-warm:
			warm = nil
			v.sup.tell("READY=1", "STATUS="+strings.Join(listening(v.s), ", "))
		case <-quit:
			quit = nil
			v.sup.tell("STOPPING=1", fmt.Sprintf("STATUS=stopping, %d calls are up", v.s.Up()))
		case sig := <-signals:
			switch {
			case sig == syscall.SIGHUP:
				v.reload()
			case stops > 0:
				v.log.Warn("stopping at once", "calls", v.s.Up())
				v.s.Halt()
			default:
				stops++
			}
		case err := <-ended:
			return err
		}
	}
}

// reload reads the file again. Whatever is wrong with it, the switch goes on.
func (v *serving) reload() {
	v.sup.tell("RELOADING=1")
	defer v.sup.tell("READY=1")
	restart, problems, err := v.s.ReloadFile()
	for _, p := range problems {
		if p.Warning {
			v.log.Warn("configuration", "problem", p.Error())
		} else {
			v.log.Error("configuration", "problem", p.Error())
		}
	}
	switch {
	case err != nil:
		v.log.Error("not reloaded: nothing has changed", "file", v.file, "err", err)
	case len(restart) > 0:
		v.log.Warn("reloaded, but for keys that need a restart", "file", v.file, "restart", strings.Join(restart, ", "))
	default:
		v.log.Info("reloaded", "file", v.file)
	}
}

// newLog makes the log that the configuration asks for; level changes it later.
func newLog(cfg *server.Config, w io.Writer, level *slog.LevelVar) (*slog.Logger, error) {
	if err := level.UnmarshalText([]byte(cfg.Log.Level)); err != nil {
		return nil, err
	}
	o := &slog.HandlerOptions{Level: level}
	if cfg.Log.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, o)), nil
	}
	return slog.New(slog.NewTextHandler(w, o)), nil
}

// newServer makes a switch whose log goes to w as the configuration says; pages
// are the console's, nil for those in the program.
func newServer(cfg *server.Config, w io.Writer, pages fs.FS) (*server.Server, error) {
	log, err := newLog(cfg, w, &slog.LevelVar{})
	if err != nil {
		return nil, err
	}
	return server.New(cfg, server.Options{Version: thisBuild().Version, Slog: log, Pages: pages})
}

// running runs a switch beside f, which is called once the voice is warm; the
// switch ends when f has, and f's context when the switch does.
func running(ctx context.Context, s *server.Server, f func(context.Context) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() {
		ended <- s.Run(ctx)
		stop()
	}()
	var err error
	select {
	case <-s.Warm():
		err = f(ctx)
	case <-ctx.Done():
	}
	stop()
	return errors.Join(err, <-ended)
}
