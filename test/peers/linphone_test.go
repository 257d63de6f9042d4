//go:build peers

package peers

import (
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A softphone is a linphonec that does what it is told at its prompt.
type softphone struct {
	*proc
	t   *testing.T
	in  io.WriteCloser
	dir string
}

func newSoftphone(t *testing.T, microphone string) *softphone {
	t.Helper()
	s := &softphone{t: t, dir: t.TempDir()}
	mkdir(t, s.dir, ".local", "share", "linphone")
	// It waits for a network beyond this machine unless told not to.
	write(t, filepath.Join(s.dir, "rc"), fmt.Sprintf("[sip]\nsip_port=%d\nsip_tcp_port=0\nsip_tls_port=0\nuse_ipv6=0\nregister_only_when_network_is_up=0\n", freePort(t)))
	s.proc = &proc{name: "linphonec", done: make(chan struct{}), cmd: exec.Command("linphonec", "-c", filepath.Join(s.dir, "rc"))}
	s.cmd.Dir, s.cmd.Env = s.dir, append(os.Environ(), "HOME="+s.dir)
	s.in = s.pipe(t)
	s.tell("soundcard use files")
	s.says("Using wav files")
	s.tell("play " + microphone)
	s.tell("record " + filepath.Join(s.dir, "heard.wav"))
	return s
}

func (s *softphone) tell(command string) {
	s.t.Helper()
	if _, err := fmt.Fprintln(s.in, command); err != nil {
		s.t.Fatal(err)
	}
}

func (s *softphone) says(what string) {
	s.t.Helper()
	eventually(s.t, "linphonec writes "+what, func() bool {
		if s.ended() {
			s.t.Fatalf("linphonec ended: %v", s.err)
		}
		return strings.Contains(s.out.String(), what)
	})
}

// TestLinphone: linphonec registers with digest and goes through a menu by keys;
// the tones of both ends arrive at the other.
func TestLinphone(t *testing.T) {
	need(t, "linphonec", "sox")
	app := newWebApp(t, map[string]string{})
	app.answers["IncomingCall"] = fmt.Sprintf(`<Response><UserInput Timeout="30"><InitialCommands><Delay>30</Delay></InitialCommands><Inputs>
<Input Key="1"><Hangup/></Input>
<Input Key="2"><Play>prompt.wav</Play><Record FinishDigits="#" Format="wav" FinishedUrl="%s"/><Delay>30</Delay></Input>
</Inputs></UserInput></Response>`, app.URL)
	n := serveGuests(t, "none", app.URL, deskExtension)
	tone(t, filepath.Join(mkdir(t, n.data, "media"), "prompt.wav"), 1000, 2)
	s := newSoftphone(t, tone(t, filepath.Join(t.TempDir(), "microphone.wav"), 440, 60))
	s.tell("register sip:1001@" + n.sip + " sip:" + n.sip + " " + deskPassword)
	asked := 0
	eventually(t, "linphonec is registered", func() bool {
		if asked++; asked%20 == 1 {
			s.tell("status register")
		}
		return strings.Contains(s.out.String(), "registered, identity=sip:1001@")
	})
	s.tell("call sip:9000@" + n.sip)
	s.says("Media streams established")
	s.tell("2")
	eventually(t, "three seconds are recorded", func() bool { // after the prompt
		parts, _ := filepath.Glob(filepath.Join(n.data, "recordings", "*.part"))
		if len(parts) != 1 {
			return false
		}
		i, err := os.Stat(parts[0])
		return err == nil && i.Size() > 3*16000
	})
	s.tell("#")
	eventually(t, "RecordCompleted came", func() bool { return len(app.notifications("RecordCompleted")) == 1 })
	if note := app.notifications("RecordCompleted")[0]; note.Get("Reason") != "digit" || note.Get("Digit") != "#" {
		t.Errorf("RecordCompleted %v, want it ended by #", note)
	}
	s.tell("terminate")
	s.says("ended")
	s.tell("quit")
	eventually(t, "linphonec ended", s.ended)
	n.close(t)
	files := n.recordings(t)
	if len(files) != 1 {
		t.Fatalf("recordings %q, want one", files)
	}
	wantTone(t, files[0], 1, 1, 440)
	for from := 0.0; from < 8; from += 0.25 {
		if rms, hertz := hear(t, filepath.Join(s.dir, "heard.wav"), from, 0.5); rms > 0.1 && math.Abs(hertz-1000) < 20 {
			t.Logf("heard at %.2f s: %.0f Hz at %.3f", from, hertz, rms)
			return
		}
	}
	t.Error("linphonec did not hear the prompt of 1000 Hz")
}
