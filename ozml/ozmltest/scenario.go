package ozmltest

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"ozswitch/ozml"
)

// A Scenario is what the caller and the world around a script do. The zero
// Scenario is a caller who listens for an hour and leaves.
type Scenario struct {
	Acts []Act    // of the caller, by time
	Web  []Answer // of the web application, the first that fits

	Info      ozml.CallInfo
	Setting   ozml.Setting // 0 = Extension
	Connected bool         // the call is up before the script begins, as after CallConnected
	Show      bool         // begin the transcript with the line of the call
	Sensitive bool
	ErrorURL  string
	Limits    ozml.Limits
	Leaves    time.Duration // when the caller gives up; 0 = an hour

	Files  map[string]time.Duration // lengths of sound files; negative = does not exist
	Spoken map[string]time.Duration // lengths of texts that a voice is known to take
	Dial   map[string]Dialed        // what becomes of a number that is called; else it answers
	Others []string                 // ids of other calls that are up
	Rings  bool                     // the callee of this call still rings, so it can be forwarded
	Alarms []Alarm                  // that the caller, a panel, reports
	Rooms  map[string]string        // conferences that let nobody in: full, locked
	Queues map[string]Dialed        // call queues; State waits (nobody answers), full, empty, unknown; else an agent answers
	Nobody ozml.Party               // this party of the call is not there; "" = both are

	Fates    map[string]Fate // of what is sent: sms, mail, message
	Messages []Arrival       // that come, by time

	Recorded   []Ended // what became of the recordings, one after another; nil: what the caller says decides
	AlarmFails string  // why alarms are not delivered, and those of the caller are not understood; "" = they are
}

// A Dialed is what becomes of a number that is called.
type Dialed struct {
	State string // Busy, NoAnswer, NotFound, Error; "" = it answers
	After time.Duration
}

// Ended says how a recording ended that is known.
type Ended struct {
	Silent time.Duration // it was that long when Inactivity ended it; 0 = something else ended it
}

// An Act is one thing the caller does.
type Act struct {
	At     time.Duration
	Key    ozml.Key // presses a key
	Source ozml.KeySource
	Say    time.Duration // speaks for so long
	File   string        // or what a sound file says, see Scenario.Listen
	Hangup bool
}

// An Answer is what the web application says to a request.
type Answer struct {
	URL    string            // whole, or from its / on, or with a * at its end
	Fields map[string]string // only requests that carry these
	Once   bool              // counts for one request only
	After  time.Duration     // how long it takes
	Fail   string            // no answer; why
	Status int               // 0 = 200
	Body   string

	used bool
}

// between is the time between the keys of one "press 123".
const between = 200 * time.Millisecond

// Parse reads a scenario, one line each:
//
//	at 3s press 2            keys; several follow each other by 0.2 s
//	at 3s press 2 by inband  event, info or inband
//	press 1@5s,#@7s          the same, short
//	at 2s say 3s             voice for 3 s
//	at 2s say hello.wav      what this sound file says
//	at 63s hangup
//	when POST http://app/x DtmfDigits=12 reply menu2.xml
//	when POST /x* once after 2s reply <Response/>
//	when POST /x status 500
//	when POST /x reply base64 PEJlZXAvPg==
//	when POST /x fail connection refused
//	file welcome.wav 3.2s    or: file welcome.wav missing
//	call 1001 -> 9000 Ann    direction Inbound    extension 9000
//	setting third-party      connected    sensitive    show
//	error_url http://app/error
//	limit steps 50           or: jumps, fetches
//	dial 1002 Busy           who calls 1002 gets this state; or: dial 1002 answers after 5s
//	alarm 1234 18 1110 01 015 at 2s    the caller, an alarm panel, reports this
//	alarm fails no kiss-off was heard  why an alarm is not delivered
//	room 9400 full           or locked: who is put into that conference is not let in
//	queue 9500 answers after 20s   or: waits (nobody answers), full, empty, unknown
//	other Qz81x              another call that is up
//	ringing                  the callee still rings, so the call can be forwarded
//	nobody callee            the call has no callee (or caller)
//	leaves 2h
//	sms fails 501            or 401; likewise mail and message (SendMsg)
//	sms delivered after 2s   SMSDeliveryReport says so; or: sms lost
//	message from 1001 at 3s Let her in     from sms:+36201234567 is a text message of that number
//
// A line that begins with # is a remark. open reads the file of a reply.
func Parse(name, text string, open func(file string) (string, error)) (*Scenario, error) {
	s := &Scenario{Files: map[string]time.Duration{}, Dial: map[string]Dialed{}, Rooms: map[string]string{}, Queues: map[string]Dialed{}}
	for i, l := range strings.Split(text, "\n") {
		l = strings.TrimSpace(l)
		if l == "" || l[0] == '#' {
			continue
		}
		if err := s.line(l, open); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, i+1, err)
		}
	}
	return s, nil
}

func (s *Scenario) line(l string, open func(string) (string, error)) error {
	word, rest, _ := strings.Cut(l, " ")
	rest = strings.TrimSpace(rest)
	f := strings.Fields(rest)
	arg := func(i int) string {
		if i < len(f) {
			return f[i]
		}
		return ""
	}
	var err error
	switch word {
	case "at":
		err = s.at(f)
	case "press":
		for p := range strings.SplitSeq(rest, ",") {
			keys, at, ok := strings.Cut(strings.TrimSpace(p), "@")
			if !ok {
				return fmt.Errorf("press wants KEYS@TIME, got %q", p)
			}
			if err := s.at([]string{at, "press", keys}); err != nil {
				return err
			}
		}
	case "when":
		err = s.when(rest, open)
	case "file":
		d := time.Duration(-1)
		if arg(1) != "missing" {
			d, err = seconds(arg(1))
		}
		s.Files[arg(0)] = d
	case "call":
		if len(f) < 3 || f[1] != "->" {
			return fmt.Errorf("call wants FROM -> TO [NAME], got %q", rest)
		}
		s.Info.Caller, s.Info.Dialed, s.Info.CallerName, s.Show = f[0], f[2], strings.Join(f[3:], " "), true
	case "direction":
		s.Info.Direction = rest
	case "extension":
		s.Info.Extension = rest
	case "setting":
		set := map[string]ozml.Setting{"extension": ozml.Extension, "third-party": ozml.ThirdParty, "api": ozml.API, "routing": ozml.Routing}
		if s.Setting = set[rest]; s.Setting == 0 {
			return fmt.Errorf("setting wants extension, third-party, api or routing, got %q", rest)
		}
	case "connected":
		s.Connected = true
	case "sensitive":
		s.Sensitive = true
	case "show":
		s.Show = true
	case "error_url":
		s.ErrorURL = rest
	case "limit":
		n, bad := strconv.Atoi(arg(1))
		if bad != nil {
			return fmt.Errorf("limit wants a number, got %q", rest)
		}
		switch arg(0) {
		case "steps":
			s.Limits.Steps = n
		case "jumps":
			s.Limits.Jumps = n
		case "fetches":
			s.Limits.FetchesPerSecond = n
		default:
			return fmt.Errorf("limit wants steps, jumps or fetches, got %q", rest)
		}
	case "dial":
		err = s.dial(f)
	case "alarm":
		err = s.alarm(rest)
	case "room":
		err = s.room(f)
	case "queue":
		err = s.queue(f)
	case "other":
		s.Others = append(s.Others, f...)
	case "ringing":
		s.Rings = true
	case "nobody":
		if s.Nobody = ozml.Party(rest); s.Nobody != ozml.Caller && s.Nobody != ozml.Callee {
			return fmt.Errorf("nobody wants caller or callee, got %q", rest)
		}
	case "sms", "mail":
		err = s.fate(word, f)
	case "message":
		err = s.message(rest)
	case "leaves":
		s.Leaves, err = seconds(rest)
	default:
		return fmt.Errorf("unknown word %q", word)
	}
	return err
}

func (s *Scenario) at(f []string) error {
	if len(f) < 2 {
		return fmt.Errorf("at wants a time and what happens then")
	}
	at, err := seconds(f[0])
	if err != nil {
		return err
	}
	switch {
	case f[1] == "hangup" && len(f) == 2:
		s.Acts = append(s.Acts, Act{At: at, Hangup: true})
		return nil
	case f[1] == "say" && len(f) == 3 && strings.Contains(f[2], ".") && !strings.ContainsAny(f[2][:1], "0123456789"):
		s.Acts = append(s.Acts, Act{At: at, File: f[2]})
		return nil
	case f[1] == "say" && len(f) == 3:
		d, err := seconds(f[2])
		s.Acts = append(s.Acts, Act{At: at, Say: d})
		return err
	case f[1] == "press" && (len(f) == 3 || len(f) == 5 && f[3] == "by"):
		src := ozml.KeyEvent
		if len(f) == 5 {
			by := map[string]ozml.KeySource{"event": ozml.KeyEvent, "info": ozml.KeyInfo, "inband": ozml.KeyInband}
			var ok bool
			if src, ok = by[f[4]]; !ok {
				return fmt.Errorf("by wants event, info or inband, got %q", f[4])
			}
		}
		for i, k := range strings.ToUpper(f[2]) {
			if !strings.ContainsRune("0123456789*#ABCD", k) {
				return fmt.Errorf("%q is no key", k)
			}
			s.Acts = append(s.Acts, Act{At: at + time.Duration(i)*between, Key: ozml.Key(k), Source: src})
		}
		return nil
	}
	return fmt.Errorf("unknown act %q", strings.Join(f[1:], " "))
}

// Listen finds out when the caller speaks in the sound files that it says: voice
// gives the times in a file at which somebody talks, as Acts that Say.
func (s *Scenario) Listen(voice func(file string) ([]Act, error)) error {
	var acts []Act
	for _, a := range s.Acts {
		if a.File == "" {
			acts = append(acts, a)
			continue
		}
		if voice == nil {
			return fmt.Errorf("say %s: sound files cannot be read here", a.File)
		}
		talks, err := voice(a.File)
		if err != nil {
			return fmt.Errorf("say %s: %w", a.File, err)
		}
		for _, t := range talks {
			acts = append(acts, Act{At: a.At + t.At, Say: t.Say})
		}
	}
	s.Acts = acts
	return nil
}

// dial reads NUMBER STATE [after TIME].
func (s *Scenario) dial(f []string) error {
	if len(f) != 2 && (len(f) != 4 || f[2] != "after") {
		return fmt.Errorf("dial wants a number, a state and maybe after a time, got %q", strings.Join(f, " "))
	}
	var d Dialed
	switch f[1] {
	case "answers":
	case "Busy", "NoAnswer", "NotFound", "Error":
		d.State = f[1]
	default:
		return fmt.Errorf("dial wants answers, Busy, NoAnswer, NotFound or Error, got %q", f[1])
	}
	var err error
	if len(f) == 4 {
		d.After, err = seconds(f[3])
	}
	s.Dial[f[0]] = d
	return err
}

func (s *Scenario) when(rest string, open func(string) (string, error)) error {
	a := Answer{Fields: map[string]string{}}
	next := func() (w string) {
		w, rest, _ = strings.Cut(strings.TrimSpace(rest), " ")
		return w
	}
	w := next()
	if w == "POST" || w == "GET" { // every request is a POST
		w = next()
	}
	if a.URL = w; a.URL == "" {
		return fmt.Errorf("when wants a URL")
	}
	done := false
	for strings.TrimSpace(rest) != "" {
		var err error
		switch w := next(); w {
		case "once":
			a.Once = true
		case "after":
			a.After, err = seconds(next())
		case "status":
			a.Status, err = strconv.Atoi(next())
			done = true
		case "fail":
			a.Fail, rest, done = strings.TrimSpace(rest), "", true
		case "reply":
			a.Body, rest, done = strings.TrimSpace(rest), "", true
			if bytes, ok := strings.CutPrefix(a.Body, "base64 "); ok {
				var raw []byte
				raw, err = base64.StdEncoding.DecodeString(bytes)
				a.Body = string(raw)
			} else if a.Body == "empty" {
				a.Body = ""
			} else if !strings.ContainsAny(a.Body, "< ") {
				if open == nil {
					return fmt.Errorf("no file %s here", a.Body)
				}
				a.Body, err = open(a.Body)
			}
		default:
			name, v, ok := strings.Cut(w, "=")
			if !ok {
				return fmt.Errorf("when: unknown word %q", w)
			}
			a.Fields[name] = v
		}
		if err != nil {
			return err
		}
	}
	if !done {
		return fmt.Errorf("when wants reply, status or fail")
	}
	s.Web = append(s.Web, a)
	return nil
}

// seconds reads "3s", "1m", "2h" or plain seconds.
func seconds(s string) (time.Duration, error) {
	if f, err := strconv.ParseFloat(s, 64); err == nil && f >= 0 && f < 1e9 {
		return time.Duration(f * float64(time.Second)), nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("want a time such as 3s, got %q", s)
	}
	return d, nil
}
