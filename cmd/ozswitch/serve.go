package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"ozswitch/switch/server"
)

// newServeCommand runs a switch by a configuration file.
func newServeCommand() *cobra.Command {
	var file string
	var offset int
	c := &cobra.Command{
		Use:     "serve --config FILE",
		Short:   "Run a switch for production",
		Example: "  ozswitch serve --config /etc/ozswitch.yaml",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if file == "" {
				return usagef("serve: --config FILE is needed (ozswitch dev needs none)")
			}
			cfg, problems := server.Load(file, os.LookupEnv)
			for _, p := range problems {
				fmt.Fprintln(c.ErrOrStderr(), styleOf(c, c.ErrOrStderr()).remark(p.Error()))
			}
			if problems.Errors() != nil {
				return errors.New("serve: the configuration is refused, see above")
			}
			if err := cfg.Shift(offset); err != nil {
				return usageError{err}
			}
			s, err := newServer(cfg, c.ErrOrStderr())
			if err != nil {
				return err
			}
			if err := s.Bind(); err != nil {
				s.Close()
				return err
			}
			talk(c, "ozswitch (version %s) ready on sip %s, http %s · data: %s", thisBuild().Version, s.SIPAddr(), s.HTTPAddr(), cfg.Data)
			return s.Run(c.Context())
		},
	}
	c.Flags().StringVar(&file, "config", "", "the configuration, YAML")
	c.Flags().IntVar(&offset, "port-offset", 0, "add this to every port")
	return c
}

// newServer makes a switch whose log goes to w as the configuration says.
func newServer(cfg *server.Config, w io.Writer) (*server.Server, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(cfg.Log.Level)); err != nil {
		return nil, err
	}
	o := &slog.HandlerOptions{Level: level}
	var h slog.Handler = slog.NewTextHandler(w, o)
	if cfg.Log.Format == "json" {
		h = slog.NewJSONHandler(w, o)
	}
	return server.New(cfg, server.Options{Version: thisBuild().Version, Slog: slog.New(h)})
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
