package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"ozswitch/media"
	"ozswitch/media/wav"
	"ozswitch/switch/phone"
)

const callHelp = `Example:  ozswitch call 9000 --press 1@6s --record heard.wav
          ozswitch call sip:9000@192.0.2.7 --say hello.wav@1s --hangup-after 10s
          ozswitch call 9000 --user 1001 --password env:PW --transport tcp
          ozswitch call 9000 --transport ws --server 127.0.0.1:9509
          ozswitch call 9000 --calls 300 --rate 20
          ozswitch call 1002 --user 1001 --password env:PW --do hold@2s,resume@4s,transfer:1003@6s
          ozswitch call --wait --user 1002 --password env:PW --ring-for 2s

call is a telephone: it calls a number as a SIP phone does, with sound both
ways, presses keys, and prints what happened and when, as the caller sees it.
Times of --press, --say and --hangup-after count from the answer; it listens
until the far end hangs up, or Ctrl-C.

With --user and --password it proves to be that extension when it is asked to.
The password may be env:NAME or file:PATH: then it stands in no list of processes.

With --transport ws or wss it calls as a web page does: SIP by WebSocket to /sip of
the switch's HTTP or HTTPS port, sound by WebRTC.

With --calls it places many calls, --rate of them each second, and sums them up.

With --do it does more of what telephones can: hold, resume, transfer:NUMBER (blind),
consult:NUMBER (holds the call and calls a second number) and join (leaves both to
each other: an attended transfer).

With --wait it registers as --user instead, and takes the first call that comes.

The exit status is 1 when the call was not answered or ended badly; with --calls
when one of them did.`

// A caller is what `ozswitch call` is asked to do.
type caller struct {
	number, server, from string
	user, password       string
	transport, ca        string
	press, say, do       []string // as typed
	record               string
	hangup               time.Duration
	calls, most          int
	rate                 float64
	json                 bool
	wait                 bool          // be called
	ring                 time.Duration // and ring so long before the answer

	keys   []phone.Press
	sounds []voice

	actions []action
}

// A voice is a file that the caller plays. All calls share its samples.
type voice struct {
	name string
	at   time.Duration
	pcm  []int16 // at the rate of every codec there is: a call need not resample
}

func newCallCommand() *cobra.Command {
	k := &caller{}
	c := &cobra.Command{
		Use:   "call NUMBER",
		Short: "Call a number as a SIP phone, or many times as a load test",
		Long:  callHelp,
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case k.wait && len(args) > 0:
				return usagef("call: --wait calls nobody: leave out %q", args)
			case !k.wait && len(args) == 0:
				return usagef("call: want a number or a SIP URI")
			case len(args) > 1:
				return usagef("call: want one number, got %q", args)
			case len(args) == 1:
				k.number = args[0]
			}
			if err := k.check(c.Flags().Changed); err != nil {
				return usageError{fmt.Errorf("call: %w", err)}
			}
			return k.run(c)
		},
	}
	f := c.Flags()
	f.StringVar(&k.server, "server", "127.0.0.1:5060", "the switch, `HOST:PORT`; with ws and wss its HTTP port, 9509 or 9508")
	f.StringVar(&k.from, "from", "phone", "the caller's `NUMBER` (default with --user: that)")
	f.StringVar(&k.user, "user", "", "the `EXTENSION` to call as")
	f.StringVar(&k.password, "password", "", "its `PASSWORD`, env:NAME or file:PATH")
	f.StringVar(&k.transport, "transport", "udp", "`udp|tcp|tls|ws|wss`")
	f.StringVar(&k.ca, "ca", "", "with tls and wss: trust the certificates in `FILE.pem`, not those of the system")
	f.StringArrayVar(&k.press, "press", nil, "keys and when they are pressed, as in `1@2s,#@5s`")
	f.StringArrayVar(&k.do, "do", nil, "what else is done and when, as in `hold@2s,resume@4s`")
	f.StringArrayVar(&k.say, "say", nil, "a sound to play and when, as in `FILE.wav@1s`")
	f.StringVar(&k.record, "record", "", "write what is heard to `FILE.wav`")
	f.DurationVar(&k.hangup, "hangup-after", 0, "hang up so long after the answer")
	f.IntVar(&k.calls, "calls", 1, "how many calls to place")
	f.Float64Var(&k.rate, "rate", 10, "how many calls start in a second")
	f.IntVar(&k.most, "concurrent", 0, "how many calls may be up at once (0 = any number)")
	f.BoolVar(&k.wait, "wait", false, "register as --user and take the first call that comes")
	f.DurationVar(&k.ring, "ring-for", 0, "with --wait: ring so long before the answer")
	f.BoolVar(&k.json, "json", false, "print one JSON object a line")
	f.BoolP("quiet", "q", false, "no hints and no progress bar")
	_ = c.MarkFlagFilename("record", "wav")
	return c
}

// check reads what was typed.
func (k *caller) check(typed func(flag string) bool) error {
	_, isURI := cutScheme(k.number)
	switch {
	case k.wait && (k.user == "" || k.calls != 1):
		return errors.New("--wait wants --user, and takes one call")
	case !k.wait && typed("ring-for") || k.ring < 0:
		return errors.New("--ring-for goes with --wait, and is a time from 0 on")
	case !k.wait && strings.TrimSpace(k.number) == "":
		return errors.New("want a number or a SIP URI")
	case strings.HasPrefix(strings.ToLower(k.number), "sips:"):
		return fmt.Errorf("%s: want sip: and --transport tls", k.number)
	case !slices.Contains([]string{"udp", "tcp", "tls", "ws", "wss"}, k.transport):
		return fmt.Errorf("--transport %q: want udp, tcp, tls, ws or wss", k.transport)
	case k.ca != "" && k.transport != "tls" && k.transport != "wss":
		return errors.New("--ca goes with --transport tls or wss")
	case k.password != "" && k.user == "":
		return errors.New("--password goes with --user")
	case isURI && typed("server"):
		return fmt.Errorf("%s says itself where to call: leave out --server", k.number)
	case k.hangup < 0:
		return fmt.Errorf("--hangup-after %v: want a time from 0 on", k.hangup)
	case k.calls < 1:
		return fmt.Errorf("--calls %d: want 1 or more", k.calls)
	case !(k.rate > 0) || math.IsInf(k.rate, 0):
		return fmt.Errorf("--rate %v: want a number above 0", k.rate)
	case k.most < 0:
		return fmt.Errorf("--concurrent %d: want 0 or more", k.most)
	case k.calls == 1 && !typed("calls") && (typed("rate") || typed("concurrent")):
		return errors.New("--rate and --concurrent go with --calls")
	case k.calls > 1 && len(k.do) > 0:
		return errors.New("--do is for one call: leave out --calls")
	case k.calls > 1 && k.record != "":
		return errors.New("--record is for one call: leave out --calls")
	}
	if !typed("server") {
		k.server = "127.0.0.1:" + usualPort(k.transport)
	}
	if k.user != "" && !typed("from") {
		k.from = k.user
	}
	if host, err := callHost(k.number, k.server, k.transport); err != nil {
		return err
	} else if !isURI {
		k.server = host
	}
	var err error
	if k.password, err = secret(k.password); err != nil {
		return fmt.Errorf("--password: %w", err)
	}
	if typed("press") {
		if k.keys, err = parseKeys(k.press); err != nil {
			return err
		}
	}
	if typed("do") {
		if k.actions, err = parseActions(k.do); err != nil {
			return err
		}
	}
	for _, s := range k.say {
		v, err := readVoice(s)
		if err != nil {
			return err
		}
		k.sounds = append(k.sounds, v)
	}
	slices.SortStableFunc(k.sounds, func(a, b voice) int { return cmp.Compare(a.at, b.at) })
	return nil
}

// secret looks up env: and file:, as in the configuration.
func secret(s string) (string, error) {
	if name, ok := strings.CutPrefix(s, "env:"); ok {
		if s = os.Getenv(name); s == "" {
			return "", fmt.Errorf("the environment variable %s is not set", name)
		}
	} else if name, ok := strings.CutPrefix(s, "file:"); ok {
		b, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}
		s = strings.TrimRight(string(b), "\r\n")
	}
	return s, nil
}

// parseKeys reads all --press as if they were one.
func parseKeys(typed []string) ([]phone.Press, error) {
	keys, err := phone.ParsePresses(strings.Join(typed, ","))
	switch {
	case err != nil:
		return nil, fmt.Errorf("--press: %s", strings.TrimPrefix(err.Error(), "phone: press "))
	case keys == nil:
		return nil, errors.New("--press: want keys, as in 1@2s,#@5s")
	}
	return keys, nil
}

// readVoice reads FILE.wav@1s; without a time it is played at the answer.
func readVoice(typed string) (voice, error) {
	v := voice{name: typed}
	if i := strings.LastIndexByte(typed, '@'); i >= 0 {
		if d, err := time.ParseDuration(strings.TrimSpace(typed[i+1:])); err == nil {
			if d < 0 {
				return v, fmt.Errorf("--say %s: want a time from 0 on", typed)
			}
			v.name, v.at = typed[:i], d
		}
	}
	f, err := os.Open(v.name)
	if err != nil {
		if v.name == typed && strings.Contains(typed, "@") {
			return v, fmt.Errorf("--say: %w (want FILE.wav@1s)", err)
		}
		return v, fmt.Errorf("--say: %w", err)
	}
	defer f.Close()
	r, err := wav.NewReader(f)
	if err == nil {
		v.pcm, err = media.ReadAll(media.Resample(r, telephone))
	}
	if err != nil {
		return v, fmt.Errorf("--say %s: %w", v.name, err)
	}
	return v, nil
}

// options are those of one call.
func (k *caller) options() phone.Options {
	o := phone.Options{Server: k.server, From: k.from, Keys: k.keys, HangupAfter: k.hangup, RingFor: k.ring, Record: k.record != ""}
	for _, v := range k.sounds {
		o.Say = append(o.Say, phone.Say{At: v.at, Source: media.Samples(telephone, v.pcm)})
	}
	return o
}

func (k *caller) run(c *cobra.Command) error {
	var rec *recording
	if k.record != "" {
		var err error
		if rec, err = newRecording(k.record); err != nil {
			return usageError{fmt.Errorf("call: --record: %w", err)}
		}
		defer rec.drop()
	}
	l, ctx, err := newLine(c.Context(), k, c.ErrOrStderr())
	if err != nil {
		return fmt.Errorf("call: %w", err)
	}
	defer l.close()
	if k.calls > 1 {
		return k.load(ctx, c, l)
	}
	return k.one(ctx, c, l, rec)
}

// one places one call, or waits for one, and shows it.
func (k *caller) one(ctx context.Context, c *cobra.Command, l *line, rec *recording) error {
	s := &transcript{k: k, out: c.OutOrStdout(), host: l.host}
	s.st = styleOf(c, s.out)
	o := k.options()
	o.Events = s.event
	var call *phone.Call
	var err error
	if k.wait {
		if call, err = l.called(ctx, o, s); err != nil {
			return fmt.Errorf("call: %w", err)
		}
	} else if call, err = l.phone.Place(k.number, o); err != nil {
		return err
	}
	var acting sync.WaitGroup
	if len(k.actions) > 0 {
		acting.Go(func() { l.act(ctx, call, k, s) })
	}
	r := l.wait(ctx, call)
	acting.Wait()
	why, hint := l.why(ctx, r), ""
	if why != "" {
		hint = l.hint(ctx, r.Code)
	} else if s.trouble != "" {
		why = s.trouble
	}
	if rec != nil && r.Heard != nil && len(r.Heard.PCM) > 0 {
		if err := rec.write(r.Heard); err != nil {
			return fmt.Errorf("call: --record: %w", err)
		}
		s.heard = k.record
	}
	if err := s.summary(r, why, hint); err != nil {
		return err
	}
	if hint != "" && !k.json {
		talk(c, "%s", hint)
	}
	if why != "" {
		return errNo
	}
	return nil
}

// A recording is what --record writes. It grows beside the file it is to be and
// takes its place when it is whole, so that a call that failed leaves the one of
// an earlier call alone.
type recording struct {
	name string
	file *os.File
}

func newRecording(name string) (*recording, error) {
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		return nil, fmt.Errorf("%s is a folder", name)
	}
	f, err := os.Create(name + ".part")
	if err != nil {
		return nil, err
	}
	return &recording{name, f}, nil
}

func (r *recording) write(h *phone.Heard) error {
	w, err := wav.NewWriter(r.file, h.Rate, 1)
	if err != nil {
		return err
	}
	if err := errors.Join(w.Write(h.PCM), w.Close(), r.file.Close()); err != nil {
		return err
	}
	return os.Rename(r.file.Name(), r.name)
}

// drop removes what was not written.
func (r *recording) drop() {
	r.file.Close()
	os.Remove(r.file.Name())
}
