package server

import (
	"math/rand/v2"
	"net/netip"
	"path/filepath"
	"time"

	"ozswitch/media/codec"
	"ozswitch/media/mp3"
	"ozswitch/media/pace"
	"ozswitch/media/recorder"
	"ozswitch/media/tts"
	"ozswitch/switch/bridge"
	"ozswitch/switch/call"
	"ozswitch/switch/exchange"
	"ozswitch/switch/message"
	"ozswitch/switch/notify"
	"ozswitch/switch/quota"
	"ozswitch/switch/script"
	"ozswitch/switch/sip"
)

// How New makes the parts of a switch: sound, calls, the web.

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
