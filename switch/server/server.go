// Package server makes a switch of its parts: it opens the data folder, wires
// signalling, sound, scripts and the web together and runs them. It decides
// nothing; what a number means is switch/dialplan's, what a call does
// switch/call's. Configuration stands in config.go.
//
// Start at New, then Server.Run.
package server

import (
	"context"
	"errors"
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

	"ozswitch/media/codec"
	"ozswitch/media/mp3"
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
	"ozswitch/switch/message"
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

func (s *Server) newSound() {
	c := s.state.Load().cfg
	s.rec = recorder.New(recorder.Config{
		Dir: s.data.recordings, Log: s.log, Late: s.late, MP3: mp3.Config{Wasm: c.Recordings.Encoder}, Encoder: s.opt.Encoder,
	})
	s.pacer = pace.New(pace.Config{Portable: s.opt.Portable})
	s.metrics.Pacing(s.pacer.Lag)
	listen := s.opt.ListenRTP
	var to func(netip.Addr) (pace.Wire, error)
	if listen == nil {
		addr, err := netip.ParseAddr(c.RTP.Address)
		if err != nil {
			addr = netip.MustParseAddr("127.0.0.1") // Validate has told it
		}
		addr, other := rtpAddrs(addr, c.SIP.Listen)
		p := newPorts(addr, uint16(c.RTP.Ports.First), uint16(c.RTP.Ports.Last))
		p.other = other
		listen, to = p.listen, p.listenTo
	}
	var external netip.Addr
	if a, err := netip.ParseAddr(c.SIP.ExternalAddress); err == nil {
		external = a
	}
	s.bridge = bridge.New(bridge.Config{
		Pacer: s.pacer, Listen: listen, ListenTo: to, Advertise: external, Codecs: codecs(c.Codecs),
		Timeout: time.Duration(c.RTP.Timeout), Silence: c.RTP.Silence != "off", Rand: s.random,
		Packets:  func(t bridge.Stats) { s.metrics.RTP(t.PacketsIn, t.PacketsOut, t.Lost) },
		Panicked: s.panicked, Slog: s.log, Capture: s.capture, OpenWeb: s.openWeb, Music: s.music, Country: c.Tones.Country,
	})
	if s.opt.Voice != nil {
		close(s.warm)
		return
	}
	disk := int64(c.Retention.SpeechCache)
	if disk == 0 {
		disk = -1 // no limit
	}
	v, err := tts.New(tts.Config{
		Engine: c.Speech.Engine, Voice: c.Speech.Voice, Language: c.Speech.Language, URL: c.Speech.URL,
		Timeout: time.Duration(c.Speech.Timeout), Dial: notify.OperatorDial(time.Duration(c.Speech.Timeout)), CacheDir: filepath.Join(c.Data, "cache"), Disk: disk, Log: s.log,
	})
	if err != nil {
		s.noVoice = err
		s.opt.Voice = mute{err}
		s.log.Warn("there is no voice: Speak will fail", "err", err)
		close(s.warm)
		return
	}
	s.voice, s.opt.Voice = v, &timedVoice{v, s.metrics}
}

// codecs are those of the configuration that are built, in its order.
func codecs(names []string) (all []*codec.Codec) {
	for _, n := range names {
		for _, c := range codec.Table {
			if equalFold(c.Name, n) {
				all = append(all, c)
			}
		}
	}
	return all
}

func (s *Server) newCalls() {
	c := s.state.Load().cfg
	var listen []string
	for _, l := range c.SIP.Listen {
		listen = append(listen, l.String())
	}
	s.calls = exchange.New(exchange.Config{
		Signal: lateSignal{s}, Sound: sound{s.bridge}, Limits: c.callLimits(), NewID: s.newID, Route: s.route, Security: s.security, Script: s.script,
		Log:     s.openLog,
		Changed: s.changed, LegChanged: s.legChanged, Transfer: func(l *exchange.Line, t call.TransferAsked) { s.router.Transfer(l, t) }, Finished: s.finished, Panicked: s.panicked, Slog: s.log, MaxCalls: c.Limits.Calls,
	})
	s.quota = quota.New(c.quotas())
	s.newRouter()
	s.sip = sip.New(sip.Config{
		Listen: listen, ListenPacket: s.opt.ListenPacket, ListenStream: s.opt.ListenStream, DialStream: s.opt.DialStream, TLS: s.tls(),
		External: c.SIP.ExternalAddress, UserAgent: "ozswitch/" + s.opt.Version,
		Realm: c.SIP.Domain, Accounts: s.state.Load().accounts, Passwords: s.tokenPhones, Guest: s.guest, Proves: s.proves, Keeper: s.store, Registration: s.registration, Events: s.phones, Texts: s.phones.Text, Line: s.account, Whose: s.whose, Shown: s.headerAllowed,
		CallsPerSecond: c.Limits.CallsPerSecond, MaxCalls: c.Limits.Calls, Rand: rand.NewPCG(s.rand.Uint64(), s.rand.Uint64()),
		Trace: s.message, Log: s.log,
	}, named{s.calls, s})
	s.newLines()
	s.library = &script.Library{Media: s.data.media, Recordings: s.data.recordings, Voicemail: s.data.voicemail, Dir: c.Data, Web: s.web}
	s.scripts = script.New(script.Config{
		Bridge: s.bridge, Voice: s.opt.Voice, Recorder: s.rec, Prompts: s.library, Web: s.web, Events: s.events, Table: s.opt.Commands,
		Exchange: s.calls, Target: s.target, Route: s.divert, Files: s.library, Messages: &sender{s: s}, Of: s.taskFor, Limits: s.scriptLimits(),
		Confer: s.confer, Enqueue: s.enqueue, Header: s.headerAllowed,
		RecordURL: func(name string) string { return s.tokens.URL(name, time.Now()) }, Room: s.room,
		Recording: func(n int) {
			if n > 0 {
				s.metrics.RecordingStarted()
			}
		},
		Recorded: s.metrics.RecordingEnded, Panicked: s.panicked, Slog: s.log,
	})
}

// newWeb makes the client for web apps (decisions 8, 9).
func (s *Server) newWeb() (err error) {
	c := s.state.Load().cfg
	s.web, err = notify.New(notify.Config{
		Timeout: time.Duration(c.Web.Timeout), Limits: c.documentLimits(), Allow: c.allowed(),
		PublicURL: c.PublicURL(), ListenAddrs: c.httpListen(), OpenRecording: s.openRecording,
		Secret: string(c.Web.Secret), SecretFor: func(ext string) string {
			e, _ := s.state.Load().exts.Find(ext)
			return e.Secret
		},
		UserAgent: "ozswitch/" + s.opt.Version, CAFile: c.Web.CAFile, Store: message.Others(s.store), ReadScript: s.readScript,
		IsCommand: func(n string) bool { return s.opt.Commands.Lookup(n) != nil },
		Answered:  func(id string, n ozmlNotification, f *file) { s.scripts.Answered(s.calls.Find(call.ID(id)), id, n, f) },
		Trace:     s.events, Log: s.log, Panicked: func(any) { s.panicked("web") }, Dial: s.opt.DialWeb,
	})
	return err
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

// Run serves until ctx ends: no new calls then (503), those that are up are hung
// up after limits.drain or by Halt, reports are kept for the next start. It
// returns when all that it started has ended.
func (s *Server) Run(ctx context.Context) error {
	if err := s.Bind(); err != nil {
		s.Close()
		return err
	}
	if err := s.loadQuota(ctx); err != nil {
		s.log.Warn("what users have talked today before this start is not counted", "err", err)
	}
	if done, err := s.rec.Recover(ctx); err != nil {
		s.log.Warn("recordings of an earlier run could not be finished", "err", err)
	} else {
		s.recovered(done)
	}
	// What calls need ends after the calls have.
	under, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	part := func(name string, run func(context.Context) error) {
		wg.Go(func() {
			if err := run(under); err != nil && under.Err() == nil {
				stop(fmt.Errorf("server: %s: %w", name, err))
			}
		})
	}
	s.books.Load().Warm()
	part("event log", s.events.Run)
	part("store", s.store.Run)
	part("web", s.web.Run)
	part("mail", s.services.outbox.Run)
	part("recorder", s.rec.Run)
	part("pacer", s.pacer.Run)
	if s.voice != nil {
		part("voice", s.voice.Run)
		wg.Go(func() { s.warmUp(under) })
	}
	part("sip", s.sip.Run)
	watched, unwatch := context.WithCancel(ctx) // lines give up their places while SIP still works
	lines := make(chan struct{})
	go func() {
		defer close(lines)
		_ = s.lines.Run(watched)
	}()
	linked, unlink := context.WithCancel(under) // what comes last is still kept
	sms := make(chan struct{})
	go func() {
		defer close(sms)
		_ = s.services.sms.run(linked)
	}()
	part("http", func(ctx context.Context) error {
		select { // the first request may be to call a telephone
		case <-s.sip.Restored():
		case <-ctx.Done(): // it closes what it has bound
		}
		return s.http.run(ctx)
	})
	part("webphone", s.runSockets)
	part("phones", s.phones.run)
	alive := s.lastAlive()
	wg.Go(func() { s.beat(under) })
	wg.Go(func() {
		s.restore(under, alive)
		s.sweep(under)
	})

	select {
	case <-ctx.Done():
	case <-under.Done():
	}
	s.draining.Store(true)
	unwatch()
	if n := s.calls.Len(); n > 0 {
		s.log.Info("stopping: calls go on for a while", "calls", n, "limit", s.state.Load().cfg.Limits.Drain)
	}
	drained, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Duration(s.state.Load().cfg.Limits.Drain))
	if under.Err() != nil {
		cancel() // something broke: no more waiting
	}
	wg.Go(func() {
		select {
		case <-s.halt:
			cancel()
		case <-drained.Done():
		}
	})
	s.calls.Drain(drained)
	cancel()
	s.bridge.Wait()
	s.router.Wait()
	s.scripts.Wait()
	s.services.wait()
	s.echoes.Wait()
	<-lines
	unlink()
	<-sms
	s.services.reports.Wait()
	s.sip.EndSubscriptions()
	stop(nil)
	wg.Wait()
	s.Close()
	if err := context.Cause(under); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

func (s *Server) warmUp(ctx context.Context) {
	defer close(s.warm)
	if err := s.voice.Warm(ctx); err != nil && ctx.Err() == nil {
		s.log.Error("the voice does not start", "err", err)
	}
}

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
