//go:build peers

package peers

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// php starts the PHP page of an example, on a port that the switch knows already.
func php(t *testing.T, port int, example string, env ...string) (base string, p *proc) {
	t.Helper()
	need(t, "php")
	return startAppAt(t, port, filepath.Join(examples, example, "app.php"), languages[0].command, append(env, "PHP_CLI_SERVER_WORKERS=3")...)
}

// appURL is where the page of an example will answer.
func appURL(port int) string { return fmt.Sprintf("http://127.0.0.1:%d/", port) }

// lived waits for a call whose event log has these words in this order, each in
// a line below that of the one before.
func (n *node) lived(t *testing.T, words ...string) {
	t.Helper()
	var last string
	ok := false
	t.Cleanup(func() {
		if !ok {
			t.Logf("no call has %q in this order; the calls:\n%s", words, last)
		}
	})
	eventually(t, fmt.Sprintf("a call with %q", words), func() bool {
		last = ""
		logs, _ := filepath.Glob(filepath.Join(n.data, "calls", "*", "*", "*.jsonl"))
		for _, log := range logs {
			src, err := os.ReadFile(log)
			if err != nil {
				t.Fatal(err)
			}
			left := words
			for line := range strings.Lines(string(src)) {
				if strings.Contains(line, `"sip.`) || strings.Contains(line, `"script.parsed"`) {
					continue
				}
				last += line[:min(len(line), 300)] + "\n"
				if len(left) > 0 && strings.Contains(line, left[0]) {
					left = left[1:]
				}
			}
			ok = ok || len(left) == 0
		}
		return ok
	})
}

// wrote waits until a page has logged something.
func wrote(t *testing.T, page *proc, what string) {
	t.Helper()
	saysSoon(t, page, what)
	for _, word := range []string{"PHP Warning", "PHP Notice", "PHP Deprecated", "PHP Fatal"} {
		if strings.Contains(page.out.String(), word) {
			t.Errorf("PHP complains:\n%s", page.out.String())
		}
	}
}

// TestAppointmentReminder: the page calls by the HTTP API, a key confirms, and
// nobody but the switch can.
func TestAppointmentReminder(t *testing.T) {
	port := freePort(t)
	n := serveGuests(t, "none", "http://127.0.0.1:9/", fmt.Sprintf("  - {number: \"9001\", type: api, url: %q, secret: copper-meadow}\n", appURL(port))+matrixExtensions)
	list := filepath.Join(t.TempDir(), "appointments.json")
	env := []string{"OZSWITCH=http://" + n.http, "OZSWITCH_LOGIN=HTTP_User_1:orange-lantern", "EXTENSION=9001", "OZSWITCH_SECRET=copper-meadow", "APPOINTMENTS=" + list}
	base, page := php(t, port, "appointment-reminder", env...)
	state := func(want string) {
		t.Helper()
		eventually(t, "the list says "+want, func() bool {
			b, err := os.ReadFile(list)
			return err == nil && strings.Contains(string(b), `"state": "`+want+`"`)
		})
	}

	// From a shell: Ann comes.
	ann := n.waits(t, "1001", "--press", "9@2s,1@4s")
	file, err := filepath.Abs(examples + "/appointment-reminder/app.php")
	if err != nil {
		t.Fatal(err)
	}
	cli := start(t, t.TempDir(), env, "php", file, "1", base)
	eventually(t, "the command ended", cli.ended)
	if cli.err != nil || cli.out.String() != "calling\n" {
		t.Fatalf("php app.php: %v\n%s", cli.err, cli.out.String())
	}
	saysSoon(t, ann, "call ended")
	state("comes")
	n.lived(t, `"CallConnected"`, "This is a reminder for Ann", `"key":"9"`, "This is a reminder for Ann", `"key":"1"`, `"DtmfEntered"`, "look forward", `"name":"Hangup"`, `"call.ended"`)

	// From the page, with a telephone that has a question: the desk takes it.
	desk := n.waits(t, "1002")
	bob := n.waits(t, "1003", "--press", "3@2s", "--hangup-after", "8s")
	answer, err := http.PostForm(base+"?id=2", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	saysSoon(t, desk, "answered")
	saysSoon(t, bob, "call ended")
	state("has a question")

	// To somebody who is not there.
	answer, err = http.PostForm(base+"?id=2", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	eventually(t, "the list says so", func() bool {
		b, err := os.ReadFile(list)
		return err == nil && strings.Contains(string(b), `"state": "not `)
	})

	// Others cannot confirm, and pages of others cannot call.
	forged := url.Values{"NotificationName": {"DtmfEntered"}, "DtmfDigits": {"1"}}
	answer, err = http.PostForm(base+"?id=2", forged)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusForbidden {
		t.Errorf("a notification that nobody signed: %s", answer.Status)
	}
	r, err := http.NewRequest(http.MethodPost, base+"?id=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	if answer, err = http.DefaultClient.Do(r); err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusForbidden {
		t.Errorf("a page of others made it call: %s", answer.Status)
	}
	state("comes")
	wrote(t, page, "")
	n.close(t)
}

// TestCompanyIVR: a member with a wrong and a right PIN, whose digits no log has,
// and a caller who wants the sales desk.
func TestCompanyIVR(t *testing.T) {
	port := freePort(t)
	n := serve(t, "http://127.0.0.1:9/", fmt.Sprintf("  - {number: \"9001\", type: api, url: %q}\n  - {number: \"9002\", type: api, url: %q, sensitive_input: true}\n", appURL(port), appURL(port))+matrixExtensions)
	_, page := php(t, port, "company-ivr")
	n.call(t, "9001", "--press", "3@2s,1@4s,0@4.3s,0@4.6s,1@4.9s,0@8s,0@8.3s,0@8.6s,0@8.9s,4@13s,7@13.3s,1@13.6s,1@13.9s,1@18s", "--hangup-after", "60s")
	n.lived(t, "Welcome to Miller", "enter your member number", "enter your PIN", "That is not right", "Welcome, Anna & Sons. You have 12 points", "all chairs cost half", "Goodbye", `"name":"Hangup"`)
	wrote(t, page, "member 1001 is in")

	desk := n.waits(t, "1002")
	n.call(t, "9001", "--press", "1@2s,2@10s", "--hangup-after", "18s")
	n.lived(t, "Welcome to Miller", "from Monday to Friday", "Welcome to Miller", "One moment", `"BlindTransfer","text":"1002"`)
	saysSoon(t, desk, "answered")

	n.call(t, "9002", "--press", "3@2s,1@4s,0@4.3s,0@4.6s,2@4.9s,0@8s,8@8.3s,1@8.6s,5@8.9s", "--hangup-after", "12s")
	n.lived(t, "enter your PIN", "Welcome, Bob. You have 0 points")
	n.close(t)
	logs, _ := filepath.Glob(filepath.Join(n.data, "calls", "*", "*", "*.jsonl"))
	for _, log := range logs {
		if b, err := os.ReadFile(log); err == nil && strings.Contains(string(b), "0815") {
			t.Errorf("the digits are in %s", log)
		}
	}
}

// TestCallMeBack: a telephone calls, presses 1 and hangs up; the switch calls it
// back and joins it with the desk.
func TestCallMeBack(t *testing.T) {
	port := freePort(t)
	n := serveGuests(t, "none", "http://127.0.0.1:9/", fmt.Sprintf("  - {number: \"9001\", type: api, url: %q}\n", appURL(port))+matrixExtensions)
	_, page := php(t, port, "call-me-back")
	desk := n.waits(t, "1002")
	again := n.waits(t, "1001", "--hangup-after", "8s")
	first := n.dials(t, "1001", "9001", "--press", "1@2s", "--hangup-after", "30s")
	saysSoon(t, first, "call ended")
	saysSoon(t, desk, "answered")
	saysSoon(t, again, "call ended")
	n.lived(t, "press 1", `"key":"1"`, "We will call you back at 1 0 0 1", `"name":"Hangup"`, `"call.ended"`, `"name":"Call"`)
	n.lived(t, `"CallConnected"`, "you wanted to talk to us", `"BlindTransfer","text":"1002"`)
	wrote(t, page, "called back: ")
	n.close(t)
}

// TestVoicemailToEmail: a message, and the mail with its sound at a real SMTP
// server: of a caller who presses the key, and of one who just hangs up.
func TestVoicemailToEmail(t *testing.T) {
	need(t, "aiosmtpd", "sox")
	smtp, box := fmt.Sprintf("127.0.0.1:%d", freePort(t)), filepath.Join(t.TempDir(), "mail")
	server := start(t, t.TempDir(), nil, "aiosmtpd", "-n", "-l", smtp, "-c", "aiosmtpd.handlers.Mailbox", box)
	eventually(t, "the SMTP server listens", func() bool {
		c, err := net.Dial("tcp", smtp)
		if err == nil {
			c.Close()
		}
		return err == nil || server.ended()
	})
	port := freePort(t)
	n := serve(t, appURL(port), "mail: {server: \""+smtp+"\", from: pbx@example.org}\n")
	_, page := php(t, port, "voicemail-to-email", "OWNER=owner@example.org")
	say := tone(t, filepath.Join(t.TempDir(), "tone.wav"), 700, 30)
	n.call(t, "9000", "--say", say, "--press", "#@11s", "--hangup-after", "60s")
	n.lived(t, "leave a message", `"Beep"`, `"recording.started"`, `"key":"#"`, `"recording.saved"`, `"RecordCompleted"`, `"SendEmail"`, "on its way", `"name":"Hangup"`)
	n.call(t, "9000", "--say", say, "--hangup-after", "10s")
	n.lived(t, `"recording.started"`, `"call.ended"`, `"recording.saved"`, `"SendEmail"`)
	var letters []string
	eventually(t, "two mails are there", func() bool {
		letters, _ = filepath.Glob(filepath.Join(box, "new", "*"))
		return len(letters) == 2
	})
	for _, l := range letters {
		text, sound := letter(t, l)
		if !strings.Contains(text, "phone called and left a message of") || !strings.Contains(text, "/recordings/") {
			t.Errorf("the mail says %q", text)
		}
		mp3 := strings.TrimSuffix(sound, ".wav") + ".mp3"
		if err := os.Rename(sound, mp3); err != nil {
			t.Fatal(err)
		}
		wav := filepath.Join(t.TempDir(), "heard.wav")
		run(t, t.TempDir(), "ffmpeg", "-v", "error", "-y", "-i", mp3, "-ar", "8000", wav)
		wantTone(t, wav, 0.5, 1, 700)
	}
	wrote(t, page, "")
	n.close(t)
}

// TestSMSResponder: text messages come by an HTTP service, the page's answers go
// out by it, and what became of them comes back; CALL makes a telephone ring.
func TestSMSResponder(t *testing.T) {
	var mu sync.Mutex
	var out []url.Values // what the service was given
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		out = append(out, r.PostForm)
		fmt.Fprintf(w, `{"id":"s%d"}`, len(out))
	}))
	defer service.Close()
	port := freePort(t)
	n := serveGuests(t, "none", "http://127.0.0.1:9/", fmt.Sprintf(`  - {number: "9001", type: api, url: %q, sms_url: %q}
%ssms: {type: http, address: "%s/send", token: silver-birch, from: "+3611111", receive: [{match: "*", to: "9001"}]}
dialplan: [{from: script, match: "+36201001", to: "1001"}]
`, appURL(port), appURL(port), matrixExtensions, service.URL))
	_, page := php(t, port, "sms-responder")
	deliver := func(fields url.Values) {
		t.Helper()
		fields.Set("token", "silver-birch")
		answer, err := http.PostForm("http://"+n.http+"/sms", fields)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusNoContent {
			t.Fatalf("/sms: %s", answer.Status)
		}
	}
	sent := func(to, text string) (id string) {
		t.Helper()
		eventually(t, "the service is given "+text, func() bool {
			mu.Lock()
			defer mu.Unlock()
			for i, f := range out {
				if f.Get("to") == to && strings.Contains(f.Get("text"), text) {
					id = fmt.Sprintf("s%d", i+1)
				}
			}
			return id != ""
		})
		return id
	}
	deliver(url.Values{"from": {"+36201234567"}, "to": {"+3611111"}, "text": {"hours please"}})
	id := sent("+36201234567", "from Monday to Friday")
	deliver(url.Values{"id": {id}, "status": {"delivered"}})
	wrote(t, page, "answer to +36201234567: Delivered")

	deliver(url.Values{"from": {"BANK"}, "to": {"+3611111"}, "text": {"Your code is 1234"}}) // gets no answer
	ann := n.waits(t, "1001", "--hangup-after", "3s")
	deliver(url.Values{"from": {"+36201001"}, "to": {"+3611111"}, "text": {"Call!"}})
	sent("+36201001", "We are calling you")
	saysSoon(t, ann, "call ended")
	n.lived(t, `"CallConnected"`, "you asked us to call")
	mu.Lock()
	defer mu.Unlock()
	if len(out) != 2 {
		t.Errorf("the service was given %d messages, want 2: %v", len(out), out)
	}
	wrote(t, page, "+36201001 wrote CALL")
	n.close(t)
}

// TestQueueApp: a caller waits until an agent is there, another presses 1 while he
// waits, and leaves a message.
func TestQueueApp(t *testing.T) {
	port := freePort(t)
	n := serve(t, "http://127.0.0.1:9/", fmt.Sprintf("  - {number: \"9001\", type: api, url: %q}\n", appURL(port))+
		"  - {number: \"9500\", type: queue, members: [\"1002\"], join_empty: true}\n"+matrixExtensions)
	_, page := php(t, port, "queue")
	caller := start(t, t.TempDir(), nil, program(t), "call", "9001", "--server", n.sip, "--hangup-after", "60s")
	n.lived(t, "Welcome. The next free person", `"Enqueue","text":"9500"`, `"queue"`)
	agent := n.waits(t, "1002", "--hangup-after", "3s")
	saysSoon(t, agent, "answered")
	saysSoon(t, agent, "call ended")
	saysSoon(t, caller, "call ended")
	n.lived(t, "Welcome. The next free person", `"Enqueue"`, `"reason":"answered"`, `"call.ended"`)
	n.call(t, "9001", "--press", "1@10s,#@19s", "--hangup-after", "60s")
	n.lived(t, `"Enqueue"`, `"key":"1"`, "leave a message after the tone", `"recording.started"`, `"key":"#"`, `"recording.saved"`)
	wrote(t, page, "message of ")
	n.close(t)
}
