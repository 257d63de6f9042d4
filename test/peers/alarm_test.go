//go:build peers

package peers

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ozswitch/ozml/contactid"
	"ozswitch/switch/alarm"
)

// The frequencies of the digits, as DC-05 has them: B to F are the keys * # A B C.
var contactID = map[rune][2]int{
	'1': {697, 1209}, '2': {697, 1336}, '3': {697, 1477}, 'D': {697, 1633},
	'4': {770, 1209}, '5': {770, 1336}, '6': {770, 1477}, 'E': {770, 1633},
	'7': {852, 1209}, '8': {852, 1336}, '9': {852, 1477}, 'F': {852, 1633},
	'B': {941, 1209}, '0': {941, 1336}, 'C': {941, 1477},
}

// TestAlarmFromSox has sox play an alarm panel, then the receiver of an alarm: its
// tones, its noise and its G.711 are nobody's of ours.
func TestAlarmFromSox(t *testing.T) {
	need(t, "sox")
	dir := t.TempDir()
	const digits, letters = "1234181131010158", "BCDE183FB001C022"
	for _, law := range []string{"mu-law", "a-law"} {
		for _, said := range []string{digits, letters} {
			// 1.6 s of silence while the handshake is given, then 50 ms on, 50 ms off.
			parts := []string{silence(t, dir, 1.6)}
			for i, d := range said {
				f := contactID[d]
				key := filepath.Join(dir, fmt.Sprintf("key%d.wav", i))
				run(t, dir, "sox", "-r", "8000", "-c", "2", "-n", "-b", "16", key, "synth", "0.05", "sine", fmt.Sprint(f[0]), "sine", fmt.Sprint(f[1]),
					"remix", "-", "gain", "-14", "pad", "0", "0.05")
				parts = append(parts, key)
			}
			r := alarm.NewReceiver()
			spoken := drive(t, r, soxed(t, dir, law, append(parts, silence(t, dir, 7))))
			got, ok := r.Next()
			if !ok || got.Digits != said || r.Err() != nil {
				t.Errorf("%s: received %v %v, %v, want %s", law, got, ok, r.Err(), said)
				continue
			}
			t.Logf("%s: %s: %v", law, got.Digits, got)
			// And sox finds our kiss-off: 1400 Hz in the middle of it.
			file := filepath.Join(dir, "spoken.raw")
			raw := make([]byte, 0, 2*len(spoken))
			for _, v := range spoken {
				raw = binary.LittleEndian.AppendUint16(raw, uint16(v))
			}
			if err := os.WriteFile(file, raw, 0o600); err != nil {
				t.Fatal(err)
			}
			wav := filepath.Join(dir, "spoken.wav")
			run(t, dir, "sox", "-t", "raw", "-r", "8000", "-e", "signed", "-b", "16", "-c", "1", file, wav)
			wantTone(t, wav, 3.7, 0.6, 1400)
		}

		// Handshake, 2.3 s for the message, kiss-off.
		m, err := contactid.Parse(digits)
		if err != nil {
			t.Fatal(err)
		}
		s, err := alarm.NewSender(m)
		if err != nil {
			t.Fatal(err)
		}
		drive(t, s, soxed(t, dir, law, []string{
			silence(t, dir, 1), tone(t, filepath.Join(dir, "1400.wav"), 1400, 0.1), silence(t, dir, 0.1), tone(t, filepath.Join(dir, "2300.wav"), 2300, 0.1),
			silence(t, dir, 2.3), tone(t, filepath.Join(dir, "kiss.wav"), 1400, 0.85), silence(t, dir, 1),
		}))
		if s.Err() != nil || len(s.Sent()) != 1 || s.Tries() != 1 {
			t.Errorf("%s: the sender: %v, %d confirmed after %d tries, want 1 after 1", law, s.Err(), len(s.Sent()), s.Tries())
		}
	}
}

// keysFile has sox play the digits of an alarm, 50 ms each and as much silence.
func keysFile(t *testing.T, dir, digits string) string {
	t.Helper()
	var parts []string
	for i, d := range digits {
		f := contactID[d]
		key := filepath.Join(dir, fmt.Sprintf("%s-%d.wav", digits, i))
		run(t, dir, "sox", "-r", "8000", "-c", "2", "-n", "-b", "16", key, "synth", "0.05", "sine", fmt.Sprint(f[0]), "sine", fmt.Sprint(f[1]),
			"remix", "-", "gain", "-14", "pad", "0", "0.05")
		parts = append(parts, key)
	}
	file := filepath.Join(dir, digits+".wav")
	run(t, dir, append(append([]string{"sox"}, parts...), file)...)
	return file
}

// TestAlarmApp is a real panel's evening: sox plays the panel in a real call, the page
// in PHP has the guard called, who takes the alarm by a key, and a text message and a
// mail go out, though the panel hangs up as soon as it was confirmed.
func TestAlarmApp(t *testing.T) {
	need(t, "php", "sox", "aiosmtpd")
	smtp, box := fmt.Sprintf("127.0.0.1:%d", freePort(t)), filepath.Join(t.TempDir(), "mail")
	server := start(t, t.TempDir(), nil, "aiosmtpd", "-n", "-l", smtp, "-c", "aiosmtpd.handlers.Mailbox", box)
	eventually(t, "the SMTP server listens", func() bool {
		c, err := net.Dial("tcp", smtp)
		if err == nil {
			c.Close()
		}
		return err == nil || server.ended()
	})
	texts := make(chan string, 10)
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		texts <- r.PostFormValue("to") + ": " + r.PostFormValue("text")
		fmt.Fprint(w, "id1")
	}))
	defer service.Close()
	port, log := freePort(t), filepath.Join(t.TempDir(), "alarms.log")
	n := serve(t, appURL(port), matrixExtensions+"mail: {server: \""+smtp+"\", from: pbx@example.org}\nsms: {type: http, address: \""+service.URL+"\", token: orange-lantern}\n")
	_, page := php(t, port, "alarm", "ALARM_LOG="+log, "MOBILE=+36201234567", "OFFICE=office@example.org")
	guard := n.waits(t, "1002", "--press", "5@3s,1@6s", "--hangup-after", "30s")

	dir := t.TempDir()
	frame, panel := keysFile(t, dir, "1234181110010151"), filepath.Join(dir, "panel.wav")
	run(t, dir, "sox", silence(t, dir, 2.5), frame, silence(t, dir, 4), frame, silence(t, dir, 6), panel)
	n.call(t, "9000", "--say", panel, "--hangup-after", "11s")
	n.lived(t, `"name":"ReceiveAlarmNotification"`, `"key":"1234181110010151"`, `"name":"Call","text":"1002"`, `"name":"SendSms"`, `"name":"SendEmail"`)
	n.lived(t, `"CallConnected"`, "event 110 in zone 015 of account 1234", `"key":"5"`, `"key":"1"`, `"DtmfEntered"`, "The alarm is yours", `"name":"Hangup"`)
	wrote(t, page, "taken by the guard")
	wrote(t, page, "call of the guard over, Completed")
	saysSoon(t, guard, "call ended")
	if got, want := <-texts, "+36201234567: fire in zone 015 of account 1234 (NewEvent)"; got != want {
		t.Errorf("text message %q, want %q", got, want)
	}
	eventually(t, "the mail is there", func() bool {
		all, _ := filepath.Glob(filepath.Join(box, "new", "*"))
		if len(all) == 0 {
			return false
		}
		b, err := os.ReadFile(all[0])
		return err == nil && strings.Contains(string(b), "Subject: fire, account 1234") && strings.Contains(string(b), "NewEvent 110, partition 01, zone 015")
	})
	if b, err := os.ReadFile(log); err != nil || strings.Count(string(b), "event 110 in zone 015 of account 1234: taken by the guard") != 1 {
		t.Errorf("the log: %v\n%s", err, b)
	}
	if len(texts) != 0 {
		t.Errorf("a second text message: %q; the panel had repeated the report in the same words", <-texts)
	}
	n.close(t)
}

// TestAlarmToSox sends an alarm by a real call to a monitoring centre that sox plays.
func TestAlarmToSox(t *testing.T) {
	need(t, "sox")
	results := make(chan url.Values, 10)
	app := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		results <- r.PostForm
	}))
	defer app.Close()
	n := serve(t, "http://127.0.0.1:9/", matrixExtensions+"web: {allow: [loopback]}\n")
	dir := t.TempDir()
	centre := filepath.Join(dir, "centre.wav")
	run(t, dir, "sox", silence(t, dir, 1), tone(t, filepath.Join(dir, "1400.wav"), 1400, 0.1), silence(t, dir, 0.1), tone(t, filepath.Join(dir, "2300.wav"), 2300, 0.1),
		silence(t, dir, 2.3), tone(t, filepath.Join(dir, "kiss.wav"), 1400, 0.85), silence(t, dir, 1), centre)
	heard := filepath.Join(dir, "heard.wav")
	station := n.waits(t, "1003", "--say", centre, "--record", heard)
	answer, err := http.Get("http://" + n.http + "/api?" + url.Values{
		"command": {"SendAlarmNotification"}, "Username": {"HTTP_User_1"}, "Password": {"orange-lantern"}, "PhoneNumber": {"1003"}, "AccountNumber": {"1234"},
		"EventCode": {"131"}, "PartitionNumber": {"1"}, "ZoneNumber": {"15"}, "ResultUrl": {app.URL},
	}.Encode())
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(answer.Body)
	answer.Body.Close()
	if !strings.Contains(string(body), "<Code>200</Code>") {
		t.Fatalf("answered %s", body)
	}
	saysSoon(t, station, "call ended")
	r := <-results
	if r.Get("Result") != "Success" || r.Get("Reason") != "" || r.Get("AccountNumber") != "1234" || r.Get("PhoneNumber") != "1003" {
		t.Errorf("told %v", r)
	}
	n.lived(t, `"type":"alarm"`)
	n.close(t)
}

// silence makes a file of silence.
func silence(t *testing.T, dir string, seconds float64) string {
	name := filepath.Join(dir, fmt.Sprintf("silence%g.wav", seconds))
	run(t, dir, "sox", "-n", "-r", "8000", "-b", "16", "-c", "1", name, "trim", "0", fmt.Sprint(seconds))
	return name
}

// soxed is files one after another, with a little noise, after G.711 there and back.
func soxed(t *testing.T, dir, law string, files []string) []int16 {
	t.Helper()
	joined, noise, coded, out := filepath.Join(dir, "joined.wav"), filepath.Join(dir, "noise.wav"), filepath.Join(dir, "coded.raw"), filepath.Join(dir, "out.raw")
	run(t, dir, append(append([]string{"sox"}, files...), joined)...)
	run(t, dir, "sox", "-R", joined, noise, "synth", "pinknoise", "gain", "-45")
	run(t, dir, "sox", "-m", "-v", "1", joined, "-v", "1", noise, "-t", "raw", "-e", law, coded)
	run(t, dir, "sox", "-t", "raw", "-r", "8000", "-c", "1", "-e", law, coded, "-t", "raw", "-e", "signed", "-b", "16", "-L", out)
	raw, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	pcm := make([]int16, len(raw)/2)
	for i := range pcm {
		pcm[i] = int16(binary.LittleEndian.Uint16(raw[2*i:]))
	}
	return pcm
}

// An alarmEnd is a Sender or a Receiver.
type alarmEnd interface {
	Read([]int16) (int, error)
	Write([]int16) error
}

// drive gives an end all of pcm and returns what it says meanwhile.
func drive(t *testing.T, end alarmEnd, pcm []int16) (said []int16) {
	t.Helper()
	buf := make([]int16, 160)
	for ; len(pcm) >= 160; pcm = pcm[160:] {
		n, _ := end.Read(buf)
		said = append(said, buf[:n]...)
		if err := end.Write(pcm[:160]); err != nil {
			t.Fatal(err)
		}
	}
	return said
}
