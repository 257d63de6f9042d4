package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"ozswitch/ozml"
	"ozswitch/ozml/trace"
	"ozswitch/switch/api"
	"ozswitch/switch/call"
	"ozswitch/switch/console"
)

// httpSide is all of HTTP: one port, and one for HTTPS when there is a certificate.
type httpSide struct {
	doors  []*door
	open   func(network, addr string) (net.Listener, error)
	server *http.Server
	now    atomic.Pointer[handler]

	mu       sync.Mutex
	commands []*api.Commands // those of handlers before, too
}

// A door is one listener.
type door struct {
	listen string
	tls    bool
	socket net.Listener // nil before bind
}

// A handler is made anew when users change.
type handler struct{ http.Handler }

// newHTTP makes the server; handlers stand in newHandler.
func (s *Server) newHTTP() {
	c := s.state.Load().cfg
	h := &httpSide{open: s.opt.ListenHTTP}
	if at := c.HTTP.Listen; at != "" {
		h.doors = append(h.doors, &door{listen: allAddresses(at)})
	}
	if at := c.HTTP.TLSListen; at != "" { // perhaps the same words: 127.0.0.1:0
		h.doors = append(h.doors, &door{listen: allAddresses(at), tls: true})
	}
	h.server = &http.Server{
		Handler:   s.recovering(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.now.Load().ServeHTTP(w, r) })),
		TLSConfig: s.tls(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
	}
	s.http = h
	h.handle(s.newHandler(c))
}

// httpListen lists where HTTP and HTTPS are served.
func (c *Config) httpListen() (all []string) {
	for _, at := range []string{c.HTTP.Listen, c.HTTP.TLSListen} {
		if at != "" {
			all = append(all, allAddresses(at))
		}
	}
	return all
}

// allAddresses turns Ozeki's way to write them, +:9509, into ours.
func allAddresses(listen string) string { return strings.TrimPrefix(listen, "+") }

// handle serves requests from now on.
func (h *httpSide) handle(next http.Handler, commands *api.Commands) {
	h.mu.Lock()
	h.commands = append(h.commands, commands)
	h.mu.Unlock()
	h.now.Store(&handler{next})
}

// newHandler wires the handlers (contract.md "HTTP path").
func (s *Server) newHandler(c *Config) (http.Handler, *api.Commands) {
	access := &api.Access{
		Off: c.HTTP.Auth == "off", Allowed: Prefixes(c.HTTP.Allowed), Denied: Prefixes(c.HTTP.Denied),
		Proxies: Prefixes(c.HTTP.Proxies), Origins: c.HTTP.Origins, Sessions: &s.sessions, Tokens: s.grants,
	}
	if u, err := url.Parse(c.PublicURL()); err == nil {
		access.Hosts = []string{u.Hostname()}
	}
	access.Users = slices.Clone(s.state.Load().users)
	access.Prepare()
	commands := api.NewCommands(access, api.CommandsConfig{Table: commandTable, World: s.world, Log: s.log, CallLog: s.logOf})
	v1 := s.newV1(c, access, commands)
	v1.Lines = s.lineStates
	pages := console.New()
	if s.opt.Pages != nil {
		pages = console.From(s.opt.Pages)
	}
	mux := http.NewServeMux()
	mux.Handle("/api", commands)
	v1.Mount(mux)
	mux.Handle("/sms", s.smsHandler())
	mux.Handle("/sip", s.sipHandler(access, c.PublicURL()))
	mux.Handle("GET /recordings/{file...}", &api.Recordings{Root: s.data.recordings, Tokens: s.tokens, Access: access})
	mux.HandleFunc("GET /metrics", s.scrape)
	mux.HandleFunc("GET /healthz", api.Healthz)
	mux.Handle("GET /readyz", api.Readyz(s.checks()...))
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, r *http.Request) {
		switch {
		case api.IsCommand(r):
			commands.ServeHTTP(w, r)
		case v1.Login(w, r):
		default:
			pages.ServeHTTP(w, r)
		}
	})
	mux.Handle("/", pages)
	return mux, commands
}

// recovering keeps a bug in a request from ending more than the request.
func (s *Server) recovering(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if v == http.ErrAbortHandler {
				panic(v)
			}
			s.panicked("http")
			s.log.Error("panic in a request", "path", r.URL.Path, "panic", v, "stack", string(debug.Stack()))
			http.Error(w, "a fault of the switch", http.StatusInternalServerError)
		}()
		h.ServeHTTP(w, r)
	})
}

func (h *httpSide) bind() (err error) {
	for _, d := range h.doors {
		if d.socket != nil {
			continue
		}
		d.socket, err = h.open("tcp", d.listen)
		if err == nil {
			continue
		}
		h.close()
		if errors.Is(err, syscall.EADDRINUSE) {
			return fmt.Errorf("server: http on %s: the port is taken: %w", d.listen, err)
		}
		return fmt.Errorf("server: http on %s: %w", d.listen, err)
	}
	return nil
}

// close gives back what bind took.
func (h *httpSide) close() {
	for _, d := range h.doors {
		if d.socket != nil {
			d.socket.Close()
			d.socket = nil
		}
	}
}

// addr is where HTTP, or HTTPS, is served; "" when it is not.
func (h *httpSide) addr(tls bool) string {
	for _, d := range h.doors {
		if d.tls == tls && d.socket != nil {
			return d.socket.Addr().String()
		}
	}
	return ""
}

// run serves until ctx ends; streams and commands that run then are cut.
func (h *httpSide) run(ctx context.Context) error {
	h.server.BaseContext = func(net.Listener) context.Context { return ctx }
	failed := make(chan error, len(h.doors))
	for _, d := range h.doors {
		go func() {
			if d.tls {
				failed <- h.server.ServeTLS(d.socket, "", "")
			} else {
				failed <- h.server.Serve(d.socket)
			}
		}()
	}
	running := len(h.doors)
	var err error
	select {
	case err = <-failed:
		running--
	case <-ctx.Done():
	}
	h.mu.Lock()
	commands := h.commands
	h.mu.Unlock()
	for _, c := range commands {
		c.Close()
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if h.server.Shutdown(last) != nil {
		h.server.Close()
	}
	for range running {
		<-failed
	}
	return err
}

// scrape serves /metrics with the figures that are read only when asked for.
func (s *Server) scrape(w http.ResponseWriter, r *http.Request) {
	s.metrics.NotifyQueue(s.web.Waiting())
	s.countPhones()
	s.metrics.Handler().ServeHTTP(w, r)
}

// checks are what /readyz looks at.
func (s *Server) checks() []api.Check {
	return []api.Check{
		{Name: "running", Err: func(context.Context) error {
			if s.draining.Load() {
				return errors.New("is stopping: no new calls")
			}
			return nil
		}},
		{Name: "sip sockets", Err: func(context.Context) error {
			if !s.sip.Addr().IsValid() {
				return errors.New("not bound")
			}
			return nil
		}},
		{Name: "voice", Err: func(context.Context) error {
			select {
			case <-s.warm:
				return s.noVoice
			default:
				return errors.New("is warming up")
			}
		}},
		{Name: "store", Err: func(ctx context.Context) error {
			_, _, err := s.store.Calls(ctx, storeProbe)
			return err
		}},
		{Name: "event log", Err: func(context.Context) error { return s.events.Err() }},
		{Name: "sound", Err: func(context.Context) error {
			if late := time.Since(s.pacer.LastTick()); late > 5*time.Second {
				return fmt.Errorf("the clock of the sound has stood still for %v", late.Round(time.Second))
			}
			return nil
		}},
		{Name: "disk", Err: func(context.Context) error { return s.room() }},
	}
}

// world is where a request of the HTTP API runs.
func (s *Server) world(_ context.Context, u api.User) ozml.World {
	return ozml.World{
		Calls: s.scripts.Calls(call.ByAPI, u.AnyURL), Messages: s.messages(u), Lists: s.lists(u), Configs: s.configs(u),
		Trace: s.events, Limits: s.scriptLimits(),
	}
}

// logOf is the event log of a call that is up, nil when there is none.
func (s *Server) logOf(id string) trace.Sink {
	if l, c := s.line(id); c != nil {
		return l.Sink()
	}
	return nil
}

// openRecording opens a recording of ours whose URL a script was given.
func (s *Server) openRecording(name, token string) (io.ReadCloser, error) {
	if !s.tokens.Good(name, token, time.Now()) {
		return nil, errors.New("the token is not good")
	}
	return s.data.recordings.Open(name)
}
