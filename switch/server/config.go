package server

import (
	"net"
	"strings"
	"time"

	"ozswitch/switch/bridge"
	"ozswitch/switch/extension"
)

// A Config is everything that can be told to a switch: the YAML file of
// `serve`, or a preset. Start from Default or Dev; Load does. Where a comment
// says "0 = x", the zero value means x.
type Config struct {
	Data       string      `yaml:"data"`       // folder of recordings/ media/ voicemail/ calls/ and ozswitch.db; "" = ./ozswitch-data
	SIP        SIP         `yaml:"sip"`        // signalling
	RTP        RTP         `yaml:"rtp"`        // sound
	Tones      Tones       `yaml:"tones"`      // what callers hear while they wait
	HTTP       HTTP        `yaml:"http"`       // API, console, recordings
	Users      []User      `yaml:"users"`      // who may use the API and the console
	Extensions []Extension `yaml:"extensions"` // what has a number
	Lines      []Line      `yaml:"lines"`      // outside lines
	Dialplan   []Rule      `yaml:"dialplan"`   // first match wins; without a rule nothing goes to a line
	Times      []Times     `yaml:"times"`      // named for dialplan.when
	Emergency  []string    `yaml:"emergency"`  // numbers that no limit of a user refuses, as they are dialled on the line: 112

	FeatureCodes FeatureCodes `yaml:"feature_codes"` // what phones dial to change their settings, and to act on calls

	AddressBooks []AddressBook `yaml:"addressbooks"` // ListAddressbookContacts, and names of callers

	RoutingURL     string `yaml:"routing_url"`      // gets RoutingInterception, "" = none
	CallChangedURL string `yaml:"call_changed_url"` // gets CallChanged, "" = none

	Web        Web        `yaml:"web"`        // requests to web apps
	Recordings Recordings `yaml:"recordings"` // how they are made
	Speech     Speech     `yaml:"speech"`     // the voice
	Codecs     []string   `yaml:"codecs"`     // in order of preference, of PCMU PCMA G722 opus
	Mail       Mail       `yaml:"mail"`       // SendEmail
	SMS        SMS        `yaml:"sms"`        // SendSms
	Limits     Limits     `yaml:"limits"`     // what a script, a call and all calls may use
	Log        Log        `yaml:"log"`        // what is logged
	Retention  Retention  `yaml:"retention"`  // what is kept how long

	dev bool // a preset for one machine: nothing but Web.Allow may be reached
}

// SIP is how phones and lines reach the switch.
type SIP struct {
	Listen          []Listen `yaml:"listen"`           // udp://, tcp://, tls://
	Domain          string   `yaml:"domain"`           // what extensions register to; "" = localhost
	Guests          string   `yaml:"guests"`           // none | loopback | all: callers without credentials may reach api, script and echo extensions, never a line; "" = none
	ExternalAddress string   `yaml:"external_address"` // put into SDP and Contact behind NAT; "" = the socket's own
	Headers         []string `yaml:"headers"`          // that scripts may add to an INVITE and see in one; X-* where absent, [] = none
	TLS             TLS      `yaml:"tls"`              // for tls:// and HTTPS
}

// TLS names the files of a certificate (PEM); both or none.
type TLS struct {
	Cert string `yaml:"cert"` // certificate chain
	Key  string `yaml:"key"`  // private key
}

// Tones are what a caller hears while somebody rings, and who is on hold.
type Tones struct {
	Country string `yaml:"country"` // whose ringing tone: eu | us | uk; "" = eu
	Music   string `yaml:"music"`   // hold music: a file below media/, wav or mp3, read once; "" = music.wav, else music.mp3, else a melody of our own
}

// RTP is how sound comes and goes.
type RTP struct {
	Address string `yaml:"address"` // to bind; "" = 127.0.0.1
	Ports   Ports  `yaml:"ports"`   // even ones for RTP, the odd ones above for RTCP; zero = 20000-29998
	// One UDP port for the sound of all browsers (WebRTC); 0 = 19998, -1 = no WebRTC.
	WebRTCPort int      `yaml:"webrtc_port"`
	Timeout    Duration `yaml:"timeout"` // without a packet in, the call ends (30 min on hold); 0 = never
	Silence    string   `yaml:"silence"` // send | off: what goes out while nothing is said; "" = send
}

// HTTP is all of HTTP, on one port.
type HTTP struct {
	Listen    string   `yaml:"listen"`     // host:port, ":9509" or "+:9509" = all addresses; "" = no HTTP
	TLSListen string   `yaml:"tls_listen"` // HTTPS, with sip.tls; "" = the host of listen, port 9508
	PublicURL string   `yaml:"public_url"` // base of RecordURL and links; "" = http://<listen>
	Allowed   []Net    `yaml:"allowed"`    // who may use the API; none = everybody
	Denied    []Net    `yaml:"denied"`     // exceptions to Allowed
	Origins   []string `yaml:"origins"`    // web pages of other origins that may use the API: https://app.example
	Proxies   []Net    `yaml:"proxies"`    // whose X-Forwarded-For is believed
	Auth      string   `yaml:"auth"`       // required | off; "" = required
}

// A User may use the HTTP API or the console.
type User struct {
	Name     string `yaml:"name"`
	Password Secret `yaml:"password"` // plain, or what `ozswitch config password` made of it: $argon2id$...
	API      bool   `yaml:"api"`      // may use the HTTP API
	Admin    bool   `yaml:"admin"`    // may change scripts and numbers; may use the console
	URLs     string `yaml:"urls"`     // allowed | any: which URLs it may hand over (decisions 9); "" = allowed
	Phone    string `yaml:"phone"`    // number of the phone extension that is this user's in the browser; "" = none
}

// A Rule of the dial plan says where a call goes.
type Rule struct {
	From     string   `yaml:"from"`      // extension | script | any | the name of a line; "" = any
	Match    string   `yaml:"match"`     // the number dialled: digits, X any digit, [2-4] one of these, ? one key, * any; /a regular expression/; "" = *
	To       Names    `yaml:"to"`        // a line, an extension, or * = the number as dialled, after strip and prepend; several = all or in order
	Strip    int      `yaml:"strip"`     // keys taken off the front
	Prepend  string   `yaml:"prepend"`   // then put before it
	RingTime Duration `yaml:"ring_time"` // a plain number is seconds; 0 = 60 s
	Ring     string   `yaml:"ring"`      // all | order, for several destinations; "" = all
	CallerID string   `yaml:"caller_id"` // shown to who is called; "" = the caller's own
	When     string   `yaml:"when"`      // the name of times; !name = all other times; "" = always
}

// Times are hours of the week at which a rule of the dial plan holds.
type Times struct {
	Name   string `yaml:"name"`
	Open   Names  `yaml:"open"`   // "mon-fri 08:00-17:00", "sat 09:00-12:00"; several
	Closed Names  `yaml:"closed"` // days that do not count: "2026-12-25", or "12-25" for every year
	Zone   string `yaml:"zone"`   // Europe/Budapest; "" = the machine's
}

// Web is how web apps are asked and told.
type Web struct {
	Timeout Duration `yaml:"timeout"` // of one request; 0 = 10 s
	Allow   []string `yaml:"allow"`   // host, host:port, CIDR or the word private (decisions 9)
	Secret  Secret   `yaml:"secret"`  // signs notifications to the global URLs
	CAFile  string   `yaml:"ca_file"` // PEM, added to the system's authorities
}

// Recordings say how recordings are made.
type Recordings struct {
	Encoder string `yaml:"encoder"` // a WebAssembly file that makes the mp3 files instead of the embedded LAME and of the program lame; "" = those
}

// Speech is the voice of Speak.
type Speech struct {
	Engine   string   `yaml:"engine"`   // auto | espeak-ng | flite | http; "" = auto, the embedded voice
	Voice    string   `yaml:"voice"`    // by name; "" = the engine's default
	URL      string   `yaml:"url"`      // http: gets the text by POST and answers with a WAV
	Timeout  Duration `yaml:"timeout"`  // http: of one piece; 0 = 10 s
	Language string   `yaml:"language"` // a tag such as en-GB, for scripts that name none; "" = the engine's own
}

// Mail is the server for SendEmail; without Server there is none.
type Mail struct {
	Server   string `yaml:"server"` // host:port
	From     string `yaml:"from"`   // default sender
	User     string `yaml:"user"`
	Password Secret `yaml:"password"`
	TLS      string `yaml:"tls"` // required | implicit | off; "" = STARTTLS where it is offered, required with a password, implicit on port 465
}

// SMS is the connection for SendSms; without Type there is none. Messages that
// come go to the extension of their number, else by Receive.
type SMS struct {
	Type     string   `yaml:"type"`    // smpp | http
	Address  string   `yaml:"address"` // host:port or URL
	User     string   `yaml:"user"`
	Password Secret   `yaml:"password"`
	From     string   `yaml:"from"`    // sender of messages that have none: a number, or up to 11 letters
	Send     []string `yaml:"send"`    // numbers that may be written to, in patterns as in the dial plan; none = all
	Receive  []Inward `yaml:"receive"` // which extension gets what came for a number that no extension has; none = the first with an sms_url

	SystemType string `yaml:"system_type"` // smpp: as the operator says
	TLS        bool   `yaml:"tls"`         // smpp: over TLS

	Body        string `yaml:"body"`         // http: what is posted, with {to} {from} {text} {id} {report}; "" = a form of those
	ContentType string `yaml:"content_type"` // http: of body
	ID          string `yaml:"id"`           // http: where the answer has the service's id: messages.0.id; "" = id, or the whole answer
	Token       Secret `yaml:"token"`        // http: must come with what the service posts to /sms; "" = nothing is taken
}

// An Inward says which extension gets a text message.
type Inward struct {
	Match string `yaml:"match"` // the number that was written to, a pattern
	To    string `yaml:"to"`    // an extension
}

// Limits bound scripts, calls and the switch.
type Limits struct {
	Body             Size     `yaml:"body"`               // of a script, unpacked; 0 = 1 MiB
	Depth            int      `yaml:"depth"`              // of its elements; 0 = 100
	Elements         int      `yaml:"elements"`           // 0 = 20000
	Attributes       int      `yaml:"attributes"`         // of one element; 0 = 64
	Value            Size     `yaml:"value"`              // one value after expansion; 0 = 64 KiB
	Steps            int      `yaml:"steps"`              // without sound or a key between; 0 = 10000
	Jumps            int      `yaml:"jumps"`              // GoTo likewise; 0 = 100
	FetchesPerSecond int      `yaml:"fetches_per_second"` // of one call; 0 = 10
	Call             Duration `yaml:"call"`               // length of a call; 0 = 4 h
	Calls            int      `yaml:"calls"`              // at once; 0 = no limit
	CallsPerSecond   int      `yaml:"calls_per_second"`   // new ones; 0 = no limit
	Drain            Duration `yaml:"drain"`              // how long calls may go on after SIGTERM; 0 = 10 s

	User UserLimits `yaml:"user"` // of each extension that has none of its own
}

// Log is what is logged and how.
type Log struct {
	Level  string `yaml:"level"`  // debug | info | warn | error; "" = info
	Format string `yaml:"format"` // text | json; "" = text
	Calls  string `yaml:"calls"`  // full | brief | off; "" = full
	Sound  string `yaml:"sound"`  // off | all; "" = off
}

// Retention is how long things are kept; a sweep runs each hour.
type Retention struct {
	Calls       Duration `yaml:"calls"`        // history and event logs; 0 = for ever
	Recordings  Duration `yaml:"recordings"`   // 0 = for ever
	Messages    Duration `yaml:"messages"`     // 0 = for ever
	SpeechCache Size     `yaml:"speech_cache"` // 0 = no limit
	MinFree     Percent  `yaml:"min_free"`     // of the disk; below it recordings are refused; 0 = never
}

// Default gives what a file that says nothing means: a switch on loopback
// without extensions.
func Default() *Config {
	c := &Config{
		SIP:  SIP{Listen: []Listen{{"udp", "127.0.0.1:5060"}, {"tcp", "127.0.0.1:5060"}}},
		RTP:  RTP{Timeout: Duration(time.Minute)},
		HTTP: HTTP{Listen: "127.0.0.1:9509"},
		Retention: Retention{
			Calls: Duration(30 * 24 * time.Hour), SpeechCache: 1 << 30, MinFree: 5,
		},
	}
	c.Fill()
	return c
}

// Fill puts the default where the zero value means one. Load, Default and Dev
// have done it; it may be done again.
func (c *Config) Fill() {
	set(&c.Data, "./ozswitch-data")
	set(&c.SIP.Domain, "localhost")
	set(&c.SIP.Guests, "none")
	set(&c.RTP.Address, "127.0.0.1")
	set(&c.RTP.Ports, Ports{20000, 29998})
	set(&c.RTP.WebRTCPort, 19998)
	set(&c.RTP.Silence, "send")
	if c.SIP.Headers == nil {
		c.SIP.Headers = []string{"X-*"}
	}
	set(&c.Tones.Country, bridge.DefaultCountry)
	set(&c.HTTP.Auth, "required")
	if host, _, err := net.SplitHostPort(c.HTTP.Listen); err == nil && c.SIP.TLS.Cert != "" {
		set(&c.HTTP.TLSListen, net.JoinHostPort(host, "9508"))
	}
	for i := range c.Users {
		set(&c.Users[i].URLs, "allowed")
	}
	for i := range c.Extensions {
		e := &c.Extensions[i]
		set(&e.Type, "phone")
		set(&e.RecordChannels, 1)
		switch e.Type {
		case "phone":
			set(&e.Digest, "md5")
			c.toVoicemail(&e.Forward)
			set(&e.Forward.After, Duration(extension.DefaultAfter))
		case "ringgroup":
			set(&e.Strategy, "all")
			set(&e.RingTime, Duration(20*time.Second))
		case "queue":
			set(&e.Strategy, "longest-idle")
			set(&e.RingTime, Duration(20*time.Second))
		}
	}
	for i := range c.Lines {
		c.Lines[i].fill()
	}
	for i := range c.Dialplan {
		r := &c.Dialplan[i]
		set(&r.From, "any")
		set(&r.Match, "*")
		set(&r.Ring, "all")
		set(&r.RingTime, Duration(time.Minute))
	}
	c.FeatureCodes.fill()
	set(&c.Web.Timeout, Duration(10*time.Second))
	set(&c.Speech.Engine, "auto")
	if len(c.Codecs) == 0 {
		c.Codecs = []string{"PCMU", "PCMA", "G722", "opus"}
	}
	l := &c.Limits
	set(&l.Body, 1<<20)
	set(&l.Depth, 100)
	set(&l.Elements, 20000)
	set(&l.Attributes, 64)
	set(&l.Value, 64<<10)
	set(&l.Steps, 10000)
	set(&l.Jumps, 100)
	set(&l.FetchesPerSecond, 10)
	set(&l.Call, Duration(4*time.Hour))
	set(&l.Drain, Duration(10*time.Second))
	set(&c.Log.Level, "info")
	set(&c.Log.Format, "text")
	set(&c.Log.Calls, "full")
	set(&c.Log.Sound, "off")
}

// set puts def where *v is zero.
func set[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

// PublicURL gives the base of links to this switch, without a slash at its end;
// "" without HTTP.
func (c *Config) PublicURL() string {
	if c.HTTP.PublicURL != "" {
		return strings.TrimRight(c.HTTP.PublicURL, "/")
	}
	switch {
	case c.HTTP.Listen != "":
		return "http://" + c.HTTP.Listen
	case c.HTTP.TLSListen != "":
		return "https://" + c.HTTP.TLSListen
	}
	return ""
}
