//go:build peers

package peers

import (
	"encoding/json"
	"fmt"
	"math"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A desk is a baresip that registers and does what it is told over TCP.
type desk struct {
	*proc
	t     *testing.T
	ctrl  net.Conn
	heard string // pattern of the WAV file of what it heard
}

// newDesk starts a baresip whose microphone is a file.
func newDesk(t *testing.T, n *node, transport, password, microphone string) *desk {
	t.Helper()
	return newDeskFor(t, n, "1001", transport, password, microphone, "")
}

// newDeskFor is newDesk for any extension; more is added to its account.
func newDeskFor(t *testing.T, n *node, user, transport, password, microphone, more string) *desk {
	t.Helper()
	dir := t.TempDir()
	d := &desk{t: t, heard: filepath.Join(dir, "dump-*-dec.wav")}
	ctrl := freePort(t)
	write(t, filepath.Join(dir, "config"), fmt.Sprintf(`sip_listen 127.0.0.1:%d
net_interface 127.0.0.1
module_path /usr/lib/baresip/modules
module stdio.so
module g711.so
module aufile.so
module sndfile.so
snd_path %s
module srtp.so
module account.so
module uuid.so
module menu.so
module ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:%d
audio_source aufile,%s
audio_player aufile,%s
audio_alert aufile,%s
`, freePort(t), dir, ctrl, microphone, filepath.Join(dir, "player.wav"), filepath.Join(dir, "alert.wav")))
	write(t, filepath.Join(dir, "accounts"), fmt.Sprintf("<sip:%s@%s;transport=%s>;auth_user=%[1]s;auth_pass=%[4]s;regint=60%s\n", user, n.sip, transport, password, more))
	write(t, filepath.Join(dir, "contacts"), "")
	d.proc = start(t, dir, nil, "baresip", "-f", dir, "-s", "-v")
	eventually(t, "baresip takes commands", func() (ok bool) {
		if d.ended() {
			t.Fatalf("baresip ended: %v\n%s", d.err, tail(d.out.String()))
		}
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", ctrl))
		d.ctrl = c
		return err == nil
	})
	t.Cleanup(func() { d.ctrl.Close() })
	return d
}

// tell gives baresip a command, as a netstring of JSON.
func (d *desk) tell(command, params string) {
	d.t.Helper()
	b, err := json.Marshal(map[string]string{"command": command, "params": params})
	if err != nil {
		d.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(d.ctrl, "%d:%s,", len(b), b); err != nil {
		d.t.Fatal(err)
	}
}

// says waits until baresip has written that.
func (d *desk) says(what string) {
	d.t.Helper()
	eventually(d.t, "baresip writes "+what, func() bool {
		if strings.Contains(d.out.String(), what) {
			return true
		}
		if d.ended() {
			d.t.Fatalf("baresip ended: %v\n%s", d.err, tail(d.out.String()))
		}
		return false
	})
}

const deskPassword = "for-a-desk-1"

const deskExtension = `  - {number: "1001", type: phone, password: ` + deskPassword + "}\n"

// TestBaresip: baresip registers with digest, is challenged once when it calls,
// and goes through a menu by keys; the tones of both ends arrive at the other.
func TestBaresip(t *testing.T) {
	need(t, "baresip", "sox")
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			app := newWebApp(t, map[string]string{})
			app.answers["IncomingCall"] = fmt.Sprintf(`<Response><UserInput Timeout="30"><InitialCommands><Delay>30</Delay></InitialCommands><Inputs>
<Input Key="1"><Hangup/></Input>
<Input Key="2"><Play>prompt.wav</Play><Record FinishDigits="#" Format="wav" FinishedUrl="%s"/><Delay>30</Delay></Input>
</Inputs></UserInput></Response>`, app.URL)
			n := serveGuests(t, "none", app.URL, deskExtension)
			tone(t, filepath.Join(mkdir(t, n.data, "media"), "prompt.wav"), 1000, 2)
			microphone := filepath.Join(t.TempDir(), "microphone.wav")
			run(t, ".", "sox", tone(t, filepath.Join(t.TempDir(), "tone.wav"), 440, 60), "-r", "8000", "-c", "1", "-b", "16", microphone)
			d := newDesk(t, n, transport, deskPassword, microphone)
			d.says("[1 binding]")
			if got := strings.Count(d.out.String(), "WWW-Authenticate:"); got != 1 {
				t.Errorf("baresip was challenged %d times as it registered, want once", got)
			}
			d.tell("dial", "sip:9000@"+n.sip+";transport="+transport)
			eventually(t, "the call reached the app", func() bool { return len(app.notifications("IncomingCall")) == 1 })
			d.says("Call established")
			d.tell("sndcode", "2")
			eventually(t, "three seconds are recorded", func() bool { // after the prompt
				parts, _ := filepath.Glob(filepath.Join(n.data, "recordings", "*.part"))
				if len(parts) != 1 {
					return false
				}
				i, err := os.Stat(parts[0])
				return err == nil && i.Size() > 3*16000
			})
			d.tell("sndcode", "#")
			eventually(t, "RecordCompleted came", func() bool { return len(app.notifications("RecordCompleted")) == 1 })
			note := app.notifications("RecordCompleted")[0]
			if note.Get("Reason") != "digit" || note.Get("Digit") != "#" {
				t.Errorf("RecordCompleted %v, want it ended by #", note)
			}
			d.tell("hangup", "")
			d.says("audio: destroyed")
			d.tell("quit", "")
			eventually(t, "baresip ended", d.ended)
			n.close(t)
			files := n.recordings(t)
			if len(files) != 1 {
				t.Fatalf("recordings %q, want one", files)
			}
			wantTone(t, files[0], 0.5, 1, 440)
			if got := app.notifications("IncomingCall")[0].Get("Caller"); got != "" && got != "1001" {
				t.Errorf("the app was told of caller %q, want 1001", got)
			}
			rms, hertz := hear(t, files[0], 0.5, 1)
			t.Logf("recorded: %.0f Hz at %.3f", hertz, rms)
			heard, _ := filepath.Glob(d.heard)
			if len(heard) != 1 {
				t.Fatalf("baresip kept %q of what it heard, want one file", heard)
			}
			found := false
			for from := 0.0; from < 5 && !found; from += 0.25 {
				rms, hertz := hear(t, heard[0], from, 0.5)
				if found = rms > 0.1 && math.Abs(hertz-1000) < 20; found {
					t.Logf("heard at %.2f s: %.0f Hz at %.3f", from, hertz, rms)
				}
			}
			if !found {
				t.Error("baresip did not hear the prompt of 1000 Hz")
			}
		})
	}
}

// TestBaresipRefused: with a wrong password it does not get in, is not called,
// and may not call.
func TestBaresipRefused(t *testing.T) {
	need(t, "baresip", "sox")
	app := newWebApp(t, map[string]string{"IncomingCall": "<Response/>"})
	n := serveGuests(t, "none", app.URL, deskExtension)
	d := newDesk(t, n, "udp", "not-the-one", tone(t, filepath.Join(t.TempDir(), "tone.wav"), 440, 5))
	d.says("401 Unauthorized")
	d.tell("dial", "sip:9000@"+n.sip)
	d.says("session closed")
	if strings.Contains(d.out.String(), "[1 binding]") || len(app.notifications("IncomingCall")) != 0 {
		t.Errorf("baresip got in with a wrong password:\n%s", tail(d.out.String()))
	}
	n.close(t)
}
