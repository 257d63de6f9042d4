// Package server makes a switch of its parts: it opens the data folder, wires
// signalling, sound, scripts and the web together and runs them. It decides
// nothing; what a number means is switch/dialplan's, what a call does
// switch/call's. Configuration stands in config.go.
//
// Start at New, then Server.Run.
package server

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"ozswitch/media/pace"
	"ozswitch/media/recorder"
	"ozswitch/media/rtc"
	"ozswitch/media/tts"
	"ozswitch/ozml"
	"ozswitch/ozml/command"
	"ozswitch/switch/addressbook"
	"ozswitch/switch/api"
	"ozswitch/switch/bridge"
	"ozswitch/switch/call"
	"ozswitch/switch/eventlog"
	"ozswitch/switch/exchange"
	"ozswitch/switch/line"
	"ozswitch/switch/notify"
	"ozswitch/switch/quota"
	"ozswitch/switch/route"
	"ozswitch/switch/script"
	"ozswitch/switch/sip"
	"ozswitch/switch/store/sqlite"
	"ozswitch/switch/webphone"
)

// Options are what is not configuration: the build, and what tests replace.
type Options struct {
	Version string
	Slog    *slog.Logger   // nil = slog.Default
	Level   *slog.LevelVar // Slog's, set when log.level is reloaded; may be nil

	Rand         *rand.Rand                                         // ids, tags, SSRCs; nil = seeded by the system
	Voice        script.Voice                                       // nil = as configured
	ListenPacket func(network, addr string) (net.PacketConn, error) // SIP; nil = the system's
	ListenRTP    func() (pace.Wire, error)                          // nil = rtp.address and rtp.ports
	ListenStream func(network, addr string) (net.Listener, error)   // SIP over TCP and TLS; nil = the system's
	DialStream   func(ctx context.Context, network, addr string) (net.Conn, error)
	ListenHTTP   func(network, addr string) (net.Listener, error) // nil = the system's
	Portable     bool                                             // pace in plain goroutines (bubbles)
	DialWeb      func(ctx context.Context, network, address string) (net.Conn, error)
	DialMail     func(ctx context.Context, network, address string) (net.Conn, error)
	DialSMS      func(ctx context.Context, network, address string) (net.Conn, error)
	Encoder      recorder.Encoder // of mp3 files; nil = as configured, in worker processes
	Commands     ozml.Table       // of scripts on calls; nil = command.Table()
	Pages        fs.FS            // of the console; nil = those in the program
	Source       *Source          // the file that the Config is from, Source.Load made it; nil = there is none
}

// A Server is one switch.
type Server struct {
	opt Options
	log *slog.Logger

	state     atomic.Pointer[state]
	reloading sync.Mutex
	markKey   markKey
	loaded    mark    // of the Config that Source had
	doors     mark    // of what newHandler was made with
	preset    *Config // without a Source: the Config that was loaded, with its passwords
	draining  atomic.Bool
	halt      chan struct{}
	halted    sync.Once

	data     *data
	metrics  *Metrics
	events   *eventlog.Log
	store    *sqlite.DB
	web      *notify.Client
	voice    *tts.Voice // nil when tests bring one, or there is none
	noVoice  error      // why there is none
	rec      *recorder.Recorder
	pacer    *pace.Pacer
	bridge   *bridge.Bridge
	rtc      *rtc.Port // nil without WebRTC
	sip      *sip.Endpoint
	sockets  *webphone.Sockets
	calls    *exchange.Exchange
	scripts  *script.Runner
	router   *route.Router
	lines    *line.Set
	quota    *quota.Quota
	holds    holds
	echoes   sync.WaitGroup
	tokens   *api.Tokens
	grants   *api.TokenStore
	once     *api.Once
	sessions api.Sessions
	figures  figures
	files    *scripts
	books    atomic.Pointer[addressbook.Books]
	begun    time.Time

	phoneSettings settings
	phones        *Phones
	services      services
	mailroom      *mailroom
	library       *script.Library
	http          *httpSide

	randMu sync.Mutex
	rand   *rand.Rand
	warm   chan struct{} // closed when the voice is ready
}

// New opens the data folder and makes all parts; nothing is bound or started.
// Close it when Run is not to follow.
func New(c *Config, o Options) (s *Server, err error) {
	if o.Slog == nil {
		o.Slog = slog.Default()
	}
	if o.Rand == nil {
		o.Rand = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	}
	if o.ListenHTTP == nil {
		o.ListenHTTP = net.Listen
	}
	if o.Commands == nil {
		o.Commands = command.Table()
	}
	s = &Server{opt: o, log: o.Slog, rand: o.Rand, warm: make(chan struct{}), halt: make(chan struct{}), begun: time.Now(), metrics: NewMetrics(o.Version)}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	st, err := newState(c, nil)
	if err != nil {
		return s, err
	}
	s.markKey = newMarkKey()
	s.remember(c, s.markKey.of(&Config{HTTP: c.HTTP, Users: c.Users, Limits: c.Limits}))
	s.state.Store(st)
	c = st.cfg
	if s.data, err = openData(c.Data); err != nil {
		return s, err
	}
	if c.dev {
		if err = seedHello(s.data.scripts); err != nil {
			return s, fmt.Errorf("server: data folder: %w", err)
		}
	}
	level, err := eventlog.ParseLevel(c.Log.Calls)
	if err != nil {
		return s, err
	}
	if s.events, err = eventlog.New(eventlog.Config{Dir: filepath.Join(c.Data, "calls"), Level: level, Log: s.log}); err != nil {
		return s, err
	}
	if s.store, err = sqlite.Open(context.Background(), sqlite.Config{Path: filepath.Join(c.Data, "ozswitch.db"), Log: s.log}); err != nil {
		return s, err
	}
	if err = s.phoneSettings.load(s.store); err != nil {
		s.log.Error("settings of phones cannot be read", "err", err)
	}
	s.mailroom = newMailroom(s.store)
	s.phones = newPhones(s)
	s.phones.texts.SMS = s.textCame
	if err = s.phones.load(s.store); err != nil {
		s.log.Error("texts that wait cannot be read", "err", err)
	}
	s.tokens = &api.Tokens{Key: s.data.key, Base: c.PublicURL()}
	if s.grants, err = api.OpenTokenStore(s.store); err != nil {
		s.log.Error("tokens of the API cannot be read", "err", err)
	}
	s.grants.SetTelephones(s.pageTelephones())
	if s.once, err = api.OpenOnce(s.store, s.begun); err != nil {
		s.log.Error("answers of requests with an Idempotency-Key cannot be read", "err", err)
	}
	if err = s.newWeb(); err != nil {
		return s, err
	}
	s.files = &scripts{s: s, root: s.data.scripts}
	if err = s.openBooks(c); err != nil {
		return s, err
	}
	s.newSound()
	s.newCalls()
	if err = s.newServices(); err != nil {
		return s, err
	}
	s.newSockets()
	s.newHTTP()
	return s, nil
}

// Close gives back what New opened.
func (s *Server) Close() {
	if b := s.books.Load(); b != nil {
		b.Close()
	}
	if s.store != nil {
		s.store.Close()
	}
	if s.events != nil {
		s.events.Close()
	}
	if s.data != nil {
		s.data.close()
	}
	if s.rtc != nil {
		s.rtc.Close()
	}
	s.services.close()
}

// Bind binds all sockets, so that a taken port is told before anything starts.
func (s *Server) Bind() error {
	if err := s.sip.Bind(); err != nil {
		return err
	}
	if err := s.bindWeb(); err != nil {
		s.sip.Close()
		return err
	}
	if err := s.http.bind(); err != nil {
		s.sip.Close()
		return err
	}
	return nil
}

// SIPAddr is where the switch listens for SIP; call Bind first.
func (s *Server) SIPAddr() netip.AddrPort { return s.sip.Addr() }

// SIPAddrs are all that it listens on for SIP, "udp://127.0.0.1:5060".
func (s *Server) SIPAddrs() []string { return s.sip.Addrs() }

// HTTPAddr is where it listens for HTTP, "" when it does not.
func (s *Server) HTTPAddr() string { return s.http.addr(false) }

// HTTPSAddr is where it listens for HTTPS, "" when it does not.
func (s *Server) HTTPSAddr() string { return s.http.addr(true) }

// LastTick is when the sound's clock last ticked, for a watchdog: while all is
// well it is never much more than a second ago.
func (s *Server) LastTick() time.Time { return s.pacer.LastTick() }

// Up is how many calls are up.
func (s *Server) Up() int { return s.calls.Len() }

// Events is the event log of all calls.
func (s *Server) Events() *eventlog.Log { return s.events }

// NoVoice tells why there is no voice; nil when there is one.
func (s *Server) NoVoice() error { return s.noVoice }

// Warm is closed once the voice is ready.
func (s *Server) Warm() <-chan struct{} { return s.warm }

// Halt ends the wait of Run for calls to end: they are hung up at once.
func (s *Server) Halt() { s.halted.Do(func() { close(s.halt) }) }

func (s *Server) random() uint32 {
	s.randMu.Lock()
	defer s.randMu.Unlock()
	return s.rand.Uint32()
}

// newID gives a call id: five characters of base 62 (http-api.md A5).
func (s *Server) newID() call.ID {
	const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	s.randMu.Lock()
	defer s.randMu.Unlock()
	var b [6]byte
	for i := range b {
		b[i] = letters[s.rand.IntN(len(letters))]
	}
	return call.ID(b[:])
}

func (s *Server) panicked(where string) {
	s.metrics.Panic()
	s.log.Error("a bug was caught", "in", where)
}
