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
	"strings"
	"syscall"
	"time"

	"ozswitch/ozml"
	"ozswitch/switch/api"
	"ozswitch/switch/call"
)

// httpSide is all of HTTP, on one port.
type httpSide struct {
	listen   string
	open     func(network, addr string) (net.Listener, error)
	server   *http.Server
	commands *api.Commands
	socket   net.Listener
}

// newHTTP wires the handlers (contract.md "HTTP path").
func (s *Server) newHTTP() error {
	c := s.cfg
	access := &api.Access{
		Off: c.HTTP.Auth == "off", Allowed: Prefixes(c.HTTP.Allowed), Denied: Prefixes(c.HTTP.Denied),
		Proxies: Prefixes(c.HTTP.Proxies), Origins: c.HTTP.Origins,
	}
	if u, err := url.Parse(c.PublicURL()); err == nil {
		access.Hosts = []string{u.Hostname()}
	}
	for _, u := range c.Users {
		access.Users = append(access.Users, api.User{Name: u.Name, Password: string(u.Password), API: u.API, Admin: u.Admin, AnyURL: u.URLs == "any"})
	}
	commands := api.NewCommands(access, api.CommandsConfig{Table: commandTable, World: s.world, Log: s.log})
	events := &api.Events{Log: s.events}
	mux := http.NewServeMux()
	mux.Handle("/api", commands)
	mux.Handle("/v1/events", access.Guard(get(events)))
	mux.Handle("/v1/calls", access.Guard(get(&api.Calls{Live: s.scripts.Calls(call.ByAPI, false).Active, History: s.store})))
	mux.Handle("/v1/calls/{id}/events", access.Guard(get(events)))
	mux.HandleFunc("/v1/", api.NotFound)
	mux.Handle("GET /recordings/{file...}", &api.Recordings{Root: s.data.recordings, Tokens: s.tokens, Access: access})
	mux.HandleFunc("GET /metrics", s.scrape)
	mux.HandleFunc("GET /healthz", api.Healthz)
	mux.Handle("GET /readyz", api.Readyz(s.checks()...))
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, r *http.Request) {
		if api.IsCommand(r) {
			commands.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		fmt.Fprintf(w, "ozswitch %s\n\nHTTP API   /api?command=...\nCalls      /v1/calls\nEvents     /v1/events\nMetrics    /metrics\nReady      /readyz\n", s.opt.Version)
	})
	s.http = &httpSide{listen: strings.TrimPrefix(c.HTTP.Listen, "+"), open: s.opt.ListenHTTP, commands: commands, server: &http.Server{
		Handler: s.recovering(mux), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
	}}
	return nil
}

// get refuses other methods than GET; the preflight of a page of another origin
// was answered before it.
func get(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET")
			http.Error(w, "GET, please", http.StatusMethodNotAllowed)
			return
		}
		h.ServeHTTP(w, r)
	})
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
	if h.listen == "" || h.socket != nil {
		return nil
	}
	h.socket, err = h.open("tcp", h.listen)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("server: http on %s: the port is taken: %w", h.listen, err)
	}
	if err != nil {
		return fmt.Errorf("server: http on %s: %w", h.listen, err)
	}
	return nil
}

func (h *httpSide) addr() string {
	if h.socket == nil {
		return ""
	}
	return h.socket.Addr().String()
}

// run serves until ctx ends; streams and commands that run then are cut.
func (h *httpSide) run(ctx context.Context) error {
	if h.socket == nil {
		<-ctx.Done()
		return nil
	}
	h.server.BaseContext = func(net.Listener) context.Context { return ctx }
	failed := make(chan error, 1)
	go func() { failed <- h.server.Serve(h.socket) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	h.commands.Close()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if h.server.Shutdown(last) != nil {
		h.server.Close()
	}
	<-failed
	return nil
}

// scrape serves /metrics with the figures that are read only when asked for.
func (s *Server) scrape(w http.ResponseWriter, r *http.Request) {
	s.metrics.NotifyQueue(s.web.Waiting())
	s.metrics.Handler().ServeHTTP(w, r)
}

// checks are what /readyz looks at.
func (s *Server) checks() []api.Check {
	return []api.Check{
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
	return ozml.World{Calls: s.scripts.Calls(call.ByAPI, u.AnyURL), Trace: s.events, Limits: s.scriptLimits()}
}

// openRecording opens a recording of ours whose URL a script was given.
func (s *Server) openRecording(name, token string) (io.ReadCloser, error) {
	if !s.tokens.Good(name, token, time.Now()) {
		return nil, errors.New("the token is not good")
	}
	return s.data.recordings.Open(name)
}
