//go:build peers

package peers

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A party is a telephone of one of the makes that the switch is tested with. Its
// methods do what a person does with it, and fail the test when that takes too
// long.
type party interface {
	of(t *testing.T) // what follows is of that test
	stop() bool      // ends the program
	dial(number string)
	rings() // waits until somebody calls
	answer()
	talks() // waits until a call is up
	hold()
	resume()
	transfer(number string) // blind
	consult(number string)  // holds the call and calls a second party
	join()                  // the two, and leaves (attended transfer)
	press(key byte)
	got(key byte) // waits until the far end's key is known
	hangup()
	idle()            // waits until no call is left
	hears(hertz int)  // waits until that tone comes
	misses(hertz int) // waits until it does not
}

// The tones by which parties know each other.
const (
	tone1001 = 440
	tone1002 = 700
	tone1003 = 1000
)

// last is how much sound is looked at: the end of what was heard so far.
const last = 0.4 // seconds

// share tells how much of the end of a WAV file that is still being written is a
// tone, 0 to 1, and how loud the end is.
func share(file string, hertz float64) (part, rms float64) {
	b, err := os.ReadFile(file)
	if err != nil || len(b) < 44 {
		return 0, 0
	}
	channels, rate := int(binary.LittleEndian.Uint16(b[22:])), int(binary.LittleEndian.Uint32(b[24:]))
	b = b[44:]
	if channels > 0 && rate > 0 {
		return tail16(b, channels, rate, hertz)
	}
	for _, rate := range []int{8000, 16000, 44100, 48000} { // linphone writes the header at the end
		if p, r := tail16(b, 1, rate, hertz); p > part {
			part, rms = p, r
		}
	}
	return part, rms
}

// tail16 is share for samples.
func tail16(b []byte, channels, rate int, hertz float64) (part, rms float64) {
	n := int(last * float64(rate))
	b = b[:len(b)/(2*channels)*2*channels]
	if len(b) < n*2*channels {
		return 0, 0
	}
	b = b[len(b)-n*2*channels:]
	var re, im, all float64
	for i := range n {
		s := float64(int16(binary.LittleEndian.Uint16(b[i*2*channels:]))) / 32768
		a := 2 * math.Pi * hertz * float64(i) / float64(rate)
		re, im, all = re+s*math.Cos(a), im+s*math.Sin(a), all+s*s
	}
	if all == 0 {
		return 0, 0
	}
	return 2 * (re*re + im*im) / float64(n) / all, math.Sqrt(all / float64(n))
}

// newest is the file of a pattern that was written last, "" when there is none.
func newest(pattern string) (name string) {
	files, _ := filepath.Glob(pattern)
	var at int64
	for _, f := range files {
		if i, err := os.Stat(f); err == nil && i.ModTime().UnixNano() > at {
			name, at = f, i.ModTime().UnixNano()
		}
	}
	return name
}

// hearsIn waits until the newest file of a pattern ends with a tone.
func hearsIn(t *testing.T, who, pattern string, hertz int) {
	t.Helper()
	eventually(t, fmt.Sprintf("%s hears %d Hz", who, hertz), func() bool {
		part, rms := share(newest(pattern), float64(hertz))
		return part > 0.5 && rms > 0.01
	})
}

// missesIn waits until the newest file ends without it, or grows no more.
func missesIn(t *testing.T, who, pattern string, hertz int) {
	t.Helper()
	still, size := 0, int64(0)
	eventually(t, fmt.Sprintf("%s hears %d Hz no more", who, hertz), func() bool {
		file := newest(pattern)
		if i, err := os.Stat(file); err == nil && i.Size() != size {
			still, size = 0, i.Size()
		}
		still++ // one every 20 ms
		part, rms := share(file, float64(hertz))
		return part < 0.1 || rms < 0.003 || still > 50
	})
}

// A since waits for what a program writes after a moment.
type since struct {
	t    *testing.T
	p    *proc
	from int
}

func (s *since) now() { s.from = len(s.p.out.String()) }

// says waits until one of the texts was written since then.
func (s *since) says(what ...string) {
	s.t.Helper()
	eventually(s.t, s.p.name+" writes "+strings.Join(what, " or "), func() bool {
		if s.p.ended() {
			s.t.Fatalf("%s ended: %v", s.p.name, s.p.err)
		}
		new := s.p.out.String()[s.from:]
		for _, w := range what {
			if strings.Contains(new, w) {
				return true
			}
		}
		return false
	})
}

// A deskParty is baresip.
type deskParty struct {
	*desk
	s since
	n *node
}

func newDeskParty(t *testing.T, n *node, user string, hertz int) *deskParty {
	t.Helper()
	return newDeskPartyWith(t, n, user, hertz, "")
}

// newDeskPartyWith adds more to baresip's account.
func newDeskPartyWith(t *testing.T, n *node, user string, hertz int, more string) *deskParty {
	t.Helper()
	microphone := filepath.Join(t.TempDir(), "microphone.wav")
	run(t, ".", "sox", tone(t, filepath.Join(t.TempDir(), "tone.wav"), hertz, 300), "-r", "8000", "-c", "1", "-b", "16", microphone)
	d := newDeskFor(t, n, user, "udp", deskPassword, microphone, more)
	d.says("[1 binding]")
	return &deskParty{desk: d, s: since{t, d.proc, 0}, n: n}
}

func (d *deskParty) do(command, params string) { d.t.Helper(); d.s.now(); d.tell(command, params) }

func (d *deskParty) of(t *testing.T)        { d.desk.t, d.s.t = t, t }
func (d *deskParty) dial(number string)     { d.do("dial", "sip:"+number+"@"+d.n.sip) }
func (d *deskParty) rings()                 { d.s.says("Incoming call from") }
func (d *deskParty) answer()                { d.do("accept", "") }
func (d *deskParty) talks()                 { d.s.says("Call established") }
func (d *deskParty) hold()                  { d.do("hold", "") }
func (d *deskParty) resume()                { d.do("resume", "") }
func (d *deskParty) transfer(number string) { d.do("transfer", "sip:"+number+"@"+d.n.sip) }
func (d *deskParty) consult(string)         { d.t.Skip("baresip 1.0 makes no attended transfer") }
func (d *deskParty) join()                  {}
func (d *deskParty) press(key byte)         { d.do("sndcode", string(rune(key))) }
func (d *deskParty) got(key byte) {
	d.s.says(fmt.Sprintf("received event: '%c'", key), fmt.Sprintf("received DTMF: '%c'", key))
}
func (d *deskParty) hangup()          { d.do("hangup", "") }
func (d *deskParty) idle()            { d.s.says("audio: destroyed", "session closed"); d.s.now() }
func (d *deskParty) hears(hertz int)  { hearsIn(d.t, "baresip", d.heard, hertz) }
func (d *deskParty) misses(hertz int) { missesIn(d.t, "baresip", d.heard, hertz) }

// A softParty is linphonec.
type softParty struct {
	*softphone
	s      since
	n      *node
	number string
	first  int // ids of calls, as it counts them
	calls  int
}

func newSoftParty(t *testing.T, n *node, user string, hertz int) *softParty {
	t.Helper()
	s := newSoftphone(t, tone(t, filepath.Join(t.TempDir(), "microphone.wav"), hertz, 300))
	s.tell("register sip:" + user + "@" + n.sip + " sip:" + n.sip + " " + deskPassword)
	asked := 0
	eventually(t, "linphonec is registered", func() bool {
		if asked++; asked%20 == 1 {
			s.tell("status register")
		}
		return strings.Contains(s.out.String(), "registered, identity=sip:"+user+"@")
	})
	return &softParty{softphone: s, s: since{t, s.proc, 0}, n: n, number: user}
}

func (p *softParty) do(command string) { p.t.Helper(); p.s.now(); p.tell(command) }

func (p *softParty) of(t *testing.T) { p.softphone.t, p.s.t = t, t }

func (p *softParty) dial(number string) {
	p.calls++
	p.first = p.calls
	p.do("call sip:" + number + "@" + p.n.sip)
}
func (p *softParty) rings()  { p.s.says("Receiving new incoming call"); p.calls++; p.first = p.calls }
func (p *softParty) answer() { p.do("answer") }
func (p *softParty) talks()  { p.s.says("Media streams established", "connected") }
func (p *softParty) hold()   { p.do("pause") }
func (p *softParty) resume() { p.do(fmt.Sprintf("resume %d", p.first)) }
func (p *softParty) transfer(number string) {
	p.do("transfer sip:" + number + "@" + p.n.sip)
}
func (p *softParty) consult(number string) {
	p.do("pause")
	p.calls++
	p.do("call sip:" + number + "@" + p.n.sip)
}
func (p *softParty) join()          { p.do(fmt.Sprintf("transfer %d --to-call %d", p.first, p.calls)) }
func (p *softParty) press(key byte) { p.do(string(rune(key))) }
func (p *softParty) got(key byte)   { p.s.says(fmt.Sprintf("Receiving tone %c", key)) }
func (p *softParty) hangup()        { p.do("terminate") }
func (p *softParty) idle()          { p.s.says("ended", "Call terminated", "transfered"); p.s.now() }
func (p *softParty) hears(hertz int) {
	hearsIn(p.t, "linphonec", filepath.Join(p.dir, "heard.wav"), hertz)
}
func (p *softParty) misses(hertz int) {
	missesIn(p.t, "linphonec", filepath.Join(p.dir, "heard.wav"), hertz)
}

// A pageParty is a page with JsSIP.
type pageParty struct {
	*proc
	t  *testing.T
	in io.Writer
	s  since
}

func newPageParty(t *testing.T, n *node, user string, hertz int) *pageParty {
	t.Helper()
	p := &proc{name: "the page", done: make(chan struct{}), cmd: exec.Command("node", "party.mjs", "--ws", "ws://"+n.http+"/sip",
		"--user", user, "--password", deskPassword, "--hertz", fmt.Sprint(hertz))}
	p.cmd.Dir, p.cmd.Env = "../browser", append(os.Environ(), fmt.Sprintf("PAGE_PORT=%d", n.page))
	in := p.pipe(t)
	d := &pageParty{proc: p, t: t, in: in, s: since{t, p, 0}}
	d.s.says("event registered")
	return d
}

func (p *pageParty) do(command string) {
	p.t.Helper()
	p.s.now()
	if _, err := fmt.Fprintln(p.in, command); err != nil {
		p.t.Fatal(err)
	}
}

func (p *pageParty) of(t *testing.T)        { p.t, p.s.t = t, t }
func (p *pageParty) dial(number string)     { p.do("call " + number) }
func (p *pageParty) rings()                 { p.s.says("event incoming call") }
func (p *pageParty) answer()                { p.do("answer") }
func (p *pageParty) talks()                 { p.s.says("event confirmed") }
func (p *pageParty) hold()                  { p.do("hold"); p.s.says("done hold") }
func (p *pageParty) resume()                { p.do("resume"); p.s.says("done resume") }
func (p *pageParty) transfer(number string) { p.do("transfer " + number) }
func (p *pageParty) consult(number string)  { p.do("consult " + number) }
func (p *pageParty) join()                  { p.do("join") }
func (p *pageParty) press(key byte)         { p.do("key " + string(rune(key))) }
func (p *pageParty) got(byte)               {} // a browser tells a page of no key
func (p *pageParty) hangup()                { p.do("hangupAll") }
func (p *pageParty) idle()                  { p.s.says("event ended", "event failed"); p.s.now() }

// now is the last that it said of what it hears.
func (p *pageParty) now() (hertz int) {
	out := p.out.String()
	i := strings.LastIndex(out, "hears ")
	if i >= 0 {
		_, _ = fmt.Sscanf(out[i:], "hears %d", &hertz)
	}
	return hertz
}

func (p *pageParty) hears(hertz int) {
	eventually(p.t, fmt.Sprintf("the page hears %d Hz", hertz), func() bool { return p.now() > hertz-25 && p.now() < hertz+25 })
}

func (p *pageParty) misses(hertz int) {
	eventually(p.t, fmt.Sprintf("the page hears %d Hz no more", hertz), func() bool { return p.now() < hertz-25 || p.now() > hertz+25 })
}
