package switchtest

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ozswitch/internal/simnet"
	"ozswitch/media"
	"ozswitch/media/pace"
	"ozswitch/ozml"
	"ozswitch/ozml/trace"
	"ozswitch/switch/eventlog"
	"ozswitch/switch/server"
)

// Where everything is. Phones are at 10.1.0.1 and up.
const (
	switchHost = "10.0.0.1"
	webHost    = "10.0.0.2"
	userHost   = "10.0.0.3" // who uses the HTTP API
	sipAddr    = switchHost + ":5060"
	httpAddr   = switchHost + ":9509"
)

// Link is the way between phones and switch. Its delay is no multiple of what
// the switch paces by, so that no key arrives at the very moment a prompt ends.
// The way to web and API takes no time, so a fetch takes none on paper too.
const Link = 1300 * time.Microsecond

// A World is a switch, a network, a web app and phones. Config and Commands may
// be changed until the switch starts: with the first Phone, API or Start.
type World struct {
	T        *testing.T
	Config   *server.Config // one extension, 9000, which asks http://app/ivr; every number that is called leads there
	Commands ozml.Table     // nil = command.Table()
	Net      *simnet.Net
	Web      *Web
	Server   *server.Server        // nil before the start
	Options  func(*server.Options) // changes what the switch is made with; nil = nothing
	Errors   bool                  // the switch's log may hold errors

	ctx     context.Context
	parts   sync.WaitGroup
	pacer   *pace.Pacer // of all phones
	phones  []*Phone
	stopped chan struct{} // Server.Run has returned
	stop    context.CancelFunc
	halt    context.CancelFunc // ends Server.Run
	port    uint16             // the switch's last for RTP

	mu     sync.Mutex
	events []trace.Event
	logged []string // errors of the switch's log
}

// Run makes a World in a bubble of its own, runs f in it and shuts it down.
func Run(t *testing.T, f func(w *World)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		f(w)
	})
}

func newWorld(t *testing.T) *World {
	w := &World{T: t, Net: simnet.New(1), Config: config(t.TempDir()), port: 20000, pacer: pace.New(pace.Config{Portable: true, Shards: 1})}
	w.Net.SetDefault(simnet.Link{Delay: Link})
	for _, a := range []string{webHost, userHost} {
		w.Net.SetLink(netip.MustParseAddr(switchHost), netip.MustParseAddr(a), simnet.Link{})
		w.Net.SetLink(netip.MustParseAddr(a), netip.MustParseAddr(switchHost), simnet.Link{})
	}
	var stop context.CancelFunc
	w.ctx, stop = context.WithCancel(context.Background())
	w.stop = stop
	w.Web = newWeb(w)
	return w
}

func config(dir string) *server.Config {
	c := server.Default()
	c.Data = dir
	c.SIP.Listen, c.SIP.Guests = []server.Listen{{Transport: "udp", Address: sipAddr}}, "all"
	c.HTTP.Listen = httpAddr
	c.Users = []server.User{{Name: "api", Password: "api", API: true, Admin: true, URLs: "any"}}
	c.Extensions = []server.Extension{{Number: "9000", Type: "api", Name: "Test", URL: "http://app/ivr"}}
	c.Dialplan = []server.Rule{{From: "extension", Match: "*", To: server.Names{"9000"}}}
	c.Web.Allow = []string{"loopback", "private", webHost}
	c.Limits.Drain = server.Duration(5 * time.Second)
	return c
}

// Start starts the switch, if that was not done.
func (w *World) Start() {
	w.T.Helper()
	if w.Server != nil {
		return
	}
	w.Config.Fill()
	o := server.Options{
		Version: "test", Slog: slog.New(&handler{w: w, Handler: slog.NewTextHandler(w.T.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})}),
		Rand: rand.New(rand.NewPCG(1, 2)), Voice: voice{}, Portable: true, Commands: w.Commands,
		ListenPacket: func(_, addr string) (net.PacketConn, error) { return w.Net.PacketConn(addr) },
		ListenStream: func(_, addr string) (net.Listener, error) { return w.Net.Listen(addr) },
		ListenHTTP:   func(_, addr string) (net.Listener, error) { return w.Net.Listen(addr) },
		ListenRTP:    w.listenRTP, DialWeb: w.Web.dial,
	}
	if w.Options != nil {
		w.Options(&o)
	}
	s, err := server.New(w.Config, o)
	if err != nil {
		w.T.Fatalf("server.New: %v", err)
	}
	w.Server, w.stopped = s, make(chan struct{})
	follow := s.Events().Subscribe("", eventlog.Now)
	w.parts.Go(func() {
		for e, err := range follow.Events(w.ctx) {
			if err != nil {
				w.T.Errorf("event log: %v", err)
				return
			}
			w.mu.Lock()
			w.events = append(w.events, e)
			w.mu.Unlock()
		}
	})
	ctx, stop := context.WithCancel(context.Background())
	all, first := w.stop, w.halt == nil
	w.halt = stop
	w.stop = func() { stop(); <-w.stopped; all() }
	w.parts.Go(func() {
		defer close(w.stopped)
		if err := s.Run(ctx); err != nil {
			w.T.Errorf("Server.Run: %v", err)
		}
	})
	if first {
		w.parts.Go(func() { _ = w.pacer.Run(w.ctx) })
	}
	synctest.Wait()
}

// Stop stops the switch and waits until it has ended; the rest goes on.
func (w *World) Stop() {
	w.halt()
	<-w.stopped
}

// Restart starts a new switch with the same data, after Stop.
func (w *World) Restart() {
	w.Server = nil
	w.Start()
}

// listenRTP opens the switch's next even port.
func (w *World) listenRTP() (pace.Wire, error) {
	w.mu.Lock()
	w.port += 2
	at := fmt.Sprintf("%s:%d", switchHost, w.port)
	w.mu.Unlock()
	return w.Net.Wire(at)
}

// close hangs up what is left, stops the switch, and waits for all of it.
func (w *World) close() {
	for _, p := range w.phones {
		p.stop()
	}
	synctest.Wait()
	w.stop()
	w.Web.close()
	w.parts.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.logged) > 0 && !w.Errors {
		w.T.Errorf("errors in the switch's log:\n%s", strings.Join(w.logged, "\n"))
	}
}

// handler keeps errors.
type handler struct {
	slog.Handler
	w *World
}

// Handle implements slog.Handler.
func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelError {
		var b bytes.Buffer
		_ = slog.NewTextHandler(&b, nil).Handle(ctx, r)
		h.w.mu.Lock()
		h.w.logged = append(h.w.logged, strings.TrimSpace(b.String()))
		h.w.mu.Unlock()
		if h.w.Errors {
			return nil // expected: not shown
		}
	}
	return h.Handler.Handle(ctx, r)
}

// Logged are the errors in the switch's log so far.
func (w *World) Logged() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.logged)
}

// Events are what happened on a call so far, as its event log has it; "" gives
// those of all calls.
func (w *World) Events(id string) []trace.Event {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []trace.Event
	for _, e := range w.events {
		if id == "" || e.Call == id {
			all = append(all, e)
		}
	}
	return all
}

// Transcript is a call's transcript so far.
func (w *World) Transcript(id string) string {
	var b strings.Builder
	p := trace.NewPrinter(&b)
	for _, e := range w.Events(id) {
		p.Emit(e)
	}
	_ = p.Flush()
	return b.String()
}

// Dialled gives the ids of the calls from a number, in order.
func (w *World) Dialled(from string) (ids []string) {
	for _, e := range w.Events("") {
		if e.Type == trace.CallStarted && e.From == from {
			ids = append(ids, e.Call)
		}
	}
	return ids
}

// Up is how many calls are up.
func (w *World) Up() int {
	w.Start()
	up := map[string]bool{}
	for _, e := range w.Events("") {
		switch e.Type {
		case trace.CallStarted:
			up[e.Call] = true
		case trace.CallEnded:
			delete(up, e.Call)
		}
	}
	return len(up)
}

// Forget drops what World itself has kept of calls that are over: events,
// notifications, sounds.
func (w *World) Forget() {
	synctest.Wait()
	w.mu.Lock()
	w.events = nil
	w.mu.Unlock()
	w.Web.mu.Lock()
	w.Web.posted = nil
	w.Web.mu.Unlock()
	for _, p := range w.phones {
		p.mu.Lock()
		p.ears, p.made, p.taken = nil, 0, 0
		p.mu.Unlock()
	}
}

// Settle waits until nobody has anything to do but wait for time to pass.
func (w *World) Settle() { synctest.Wait() }

// Pass lets time pass, and whatever is due in it happen.
func (w *World) Pass(d time.Duration) { <-time.After(d) }

// Until waits until ok, at most a minute, looking every 10 ms.
func (w *World) Until(what string, ok func() bool) {
	w.T.Helper()
	for range 6000 {
		synctest.Wait()
		if ok() {
			return
		}
		w.Pass(10 * time.Millisecond)
	}
	w.T.Fatalf("waited a minute until %s", what)
}

// API asks the HTTP API and gives its answer. Params are name, value, ...
func (w *World) API(command string, params ...string) string {
	w.T.Helper()
	w.Start()
	q := url.Values{"command": {command}}
	for i := 0; i+1 < len(params); i += 2 {
		q.Set(params[i], params[i+1])
	}
	return w.Get("/api?" + q.Encode())
}

// Get gets a path of the switch's own HTTP side.
func (w *World) Get(path string) string {
	w.T.Helper()
	w.Start()
	tr := &http.Transport{DialContext: w.Net.DialContext(netip.MustParseAddr(userHost)), DisableKeepAlives: true}
	req, err := http.NewRequestWithContext(w.ctx, http.MethodGet, "http://"+httpAddr+path, nil)
	if err != nil {
		w.T.Fatal(err)
	}
	req.SetBasicAuth("api", "api")
	resp, err := tr.RoundTrip(req)
	if err != nil {
		w.T.Fatalf("GET %s: %v", path, err)
	}
	defer resp.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(resp.Body); err != nil {
		w.T.Fatalf("GET %s: %v", path, err)
	}
	return b.String()
}

// File is a file below the data folder.
func (w *World) File(name string) []byte {
	w.T.Helper()
	b, err := os.ReadFile(filepath.Join(w.Config.Data, name))
	if err != nil {
		w.T.Fatal(err)
	}
	return b
}

// Noise is d of sound like that of a voice: loud and soft by turns.
func Noise(d time.Duration) media.Source {
	pcm := make([]int16, rate.N(d))
	r := rand.New(rand.NewPCG(7, 7))
	for i := range pcm {
		loud := 200
		if i/rate.N(120*time.Millisecond)%2 == 0 {
			loud = 12000
		}
		pcm[i] = int16(r.IntN(2*loud) - loud)
	}
	return media.Samples(rate, pcm)
}
