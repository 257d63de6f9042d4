package server

import (
	"context"
	"errors"
	"net"
	"net/url"
	"time"
)

// A MessageProbe is what was found out about mail or sms.
type MessageProbe struct {
	Name  string // mail or sms, as in the configuration
	OK    bool
	Words string
}

var errNoProbe = errors.New("no answer within 5 s")

// probePatience is how long each may take.
const probePatience = 5 * time.Second

// ProbeMessages looks whether the mail server and the SMS service of a
// configuration can be reached; it sends nothing.
func ProbeMessages(ctx context.Context, c *Config) (all []MessageProbe) {
	tell := func(name, good string, err error) {
		p := MessageProbe{Name: name, OK: err == nil, Words: good}
		if err != nil {
			p.Words = err.Error()
		}
		all = append(all, p)
	}
	if c.Mail.Server != "" {
		one, cancel := context.WithTimeoutCause(ctx, probePatience, errNoProbe)
		m, err := c.Mail.mailer(nil)
		if err == nil {
			err = m.Probe(one)
		}
		cancel()
		tell("mail", c.Mail.Server+" takes mail", err)
	}
	if c.SMS.Type != "" {
		address, port := c.SMS.Address, "2775"
		if u, err := url.Parse(address); c.SMS.Type == "http" && err == nil {
			address, port = u.Host, "80"
			if u.Scheme == "https" {
				port = "443"
			}
		}
		if _, _, err := net.SplitHostPort(address); err != nil {
			address = net.JoinHostPort(address, port)
		}
		one, cancel := context.WithTimeoutCause(ctx, probePatience, errNoProbe)
		conn, err := new(net.Dialer).DialContext(one, "tcp", address)
		cancel()
		if err == nil {
			conn.Close()
		}
		tell("sms", address+" can be reached", err)
	}
	return all
}
