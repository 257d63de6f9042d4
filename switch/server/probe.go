package server

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"

	"ozswitch/switch/line"
	"ozswitch/switch/sip"
)

// A LineProbe is what was found out about one outside line.
type LineProbe struct {
	Name  string
	OK    bool
	Words string
}

// ProbeLines looks whether the lines of a configuration can be used, from a port of
// its own beside a switch that may run; it changes nothing at the carriers'. It
// waits for each answer 8 s at most; told gets each line as it is known.
func ProbeLines(ctx context.Context, c *Config, told func(LineProbe)) error {
	if len(c.Lines) == 0 {
		return nil
	}
	host := "0.0.0.0"
	for _, l := range c.SIP.Listen {
		if h, _, err := net.SplitHostPort(l.Address); err == nil && h != "" {
			host = h
			break
		}
	}
	e := sip.New(sip.Config{Listen: []string{"udp://" + net.JoinHostPort(host, "0"), "tcp://" + net.JoinHostPort(host, "0")},
		TLS: &tls.Config{MinVersion: tls.VersionTLS12}, External: c.SIP.ExternalAddress, Log: slog.New(slog.DiscardHandler)}, nil)
	if err := e.Bind(); err != nil {
		return fmt.Errorf("server: %w", err)
	}
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = e.Run(ctx) // it is bound: it ends with ctx
	}()
	for _, l := range c.Lines {
		ok, words := line.Probe(ctx, e, l.config(nil))
		told(LineProbe{l.Name, ok, words})
	}
	stop()
	<-ended
	return nil
}
