package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"ozswitch/switch/server"
)

// running asks the switch that runs by this configuration, if one does, for the
// telephones that it did not let in: what they are told themselves says nothing.
func (d *doctor) running(cfg *server.Config) {
	t, ok := clientOf(cfg)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(d.ctx, 3*time.Second)
	defer cancel()
	var now struct {
		Sentence      string   `json:"sentence"`
		OK            bool     `json:"ok"`
		Registrations int      `json:"registrations"`
		Refused       []string `json:"registrations_refused"`
	}
	err := t.ask(ctx, http.MethodGet, "/v1/status", &now)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return // none runs
	case err != nil:
		d.warn("running switch", "", "%s", strings.TrimSpace(strings.TrimPrefix(err.Error(), "top: ")))
		return
	case now.OK:
		d.ok("running switch", "%s: %s", t.server, now.Sentence)
	default:
		d.warn("running switch", "", "%s: %s", t.server, now.Sentence)
	}
	for _, said := range now.Refused {
		what, do := said, ""
		if i := strings.LastIndex(said, "): "); i >= 0 {
			what, do = said[:i+1], said[i+3:]
		}
		d.warn("telephone refused", do, "%s", what)
	}
	if len(now.Refused) == 0 {
		d.ok("telephones", "%d registered, none was turned away", now.Registrations)
	}
}

// clientOf finds out how to ask: as top does, else by the first user whose password
// stands in the configuration.
func clientOf(cfg *server.Config) (t topClient, ok bool) {
	if _, err := os.Stat(filepath.Join(cfg.Data, consoleFile)); err == nil {
		return t, t.find(cfg.Data) == nil
	}
	host, port, err := net.SplitHostPort(cfg.HTTP.Listen)
	if err != nil {
		return t, false
	}
	if a := net.ParseIP(host); host == "" || host == "+" || a != nil && a.IsUnspecified() {
		host = "127.0.0.1"
	}
	t.server = "http://" + net.JoinHostPort(host, port)
	for _, u := range cfg.Users {
		if (u.API || u.Admin) && u.Password != "" && !strings.HasPrefix(string(u.Password), "$argon2id$") {
			t.user, t.password = u.Name, string(u.Password)
			return t, true
		}
	}
	return t, cfg.HTTP.Auth == "off"
}
