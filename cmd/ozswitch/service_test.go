//go:build unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ozswitch/switch/phone"
)

// patience is how long the test waits for one thing to happen.
const patience = time.Minute

// A service is `ozswitch serve` as systemd runs it.
type service struct {
	t      *testing.T
	cmd    *exec.Cmd
	file   string
	data   string
	told   chan string // datagrams to NOTIFY_SOCKET
	ended  chan error
	out    outBuffer
	sip    string
	http   string
	notify *net.UnixConn
}

type outBuffer struct {
	mu  sync.Mutex
	b   bytes.Buffer
	new chan struct{} // something was written
}

func (o *outBuffer) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case o.new <- struct{}{}:
	default:
	}
	return o.b.Write(p)
}

func (o *outBuffer) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

var readyLine = regexp.MustCompile(`ready on sip (\S+), sip tcp \S+, http (\S+) `)

func startService(t *testing.T, config string) *service {
	t.Helper()
	exe, err := exec.LookPath("ozswitch") // TestMain put it there
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "oz") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	s := &service{t: t, file: filepath.Join(dir, "ozswitch.yaml"), data: filepath.Join(dir, "data"), told: make(chan string, 4096), ended: make(chan error, 1)}
	s.out.new = make(chan struct{}, 1)
	s.write(config)
	at := filepath.Join(dir, "notify")
	if s.notify, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: at, Net: "unixgram"}); err != nil {
		t.Fatal(err)
	}
	var reading sync.WaitGroup
	reading.Go(func() {
		b := make([]byte, 4096)
		for {
			n, err := s.notify.Read(b)
			if err != nil {
				return
			}
			s.told <- string(b[:n])
		}
	})
	s.cmd = exec.Command(exe, "serve", "--config", s.file)
	s.cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+at, "WATCHDOG_USEC=3000000", "OZ_SECRET=from the environment")
	s.cmd.Stdout, s.cmd.Stderr = &s.out, &s.out
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { s.ended <- s.cmd.Wait() }()
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill()
		s.notify.Close()
		reading.Wait()
		if t.Failed() {
			t.Logf("ozswitch serve wrote:\n%s", s.out.String())
		}
	})
	s.await("READY=1")
	m := s.wrote(0, readyLine)
	s.sip, s.http = m[1], m[2]
	return s
}

// wrote waits until what serve has written from byte from on matches.
func (s *service) wrote(from int, what *regexp.Regexp) []string {
	s.t.Helper()
	end := time.After(patience)
	for {
		if m := what.FindStringSubmatch(s.out.String()[from:]); m != nil {
			return m
		}
		select {
		case <-s.out.new:
		case <-end:
			s.t.Fatalf("serve did not write %s", what)
		}
	}
}

func (s *service) write(config string) {
	s.t.Helper()
	write(s.t, s.file, strings.ReplaceAll(config, "$DATA", s.data))
}

func (s *service) signal(sig os.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

// await waits until systemd would be told a word.
func (s *service) await(word string) {
	s.t.Helper()
	end := time.After(patience)
	for {
		select {
		case d := <-s.told:
			for line := range strings.SplitSeq(d, "\n") {
				if line == word {
					return
				}
			}
		case err := <-s.ended:
			s.t.Fatalf("serve ended while waiting for %s: %v", word, err)
		case <-end:
			s.t.Fatalf("systemd was not told %s", word)
		}
	}
}

// reload has the file read again and gives what was logged of it.
func (s *service) reload(config string) string {
	s.t.Helper()
	s.write(config)
	before := len(s.out.String())
	s.signal(syscall.SIGHUP)
	s.await("RELOADING=1")
	s.await("READY=1")
	s.wrote(before, reloadLine)
	return s.out.String()[before:]
}

var reloadLine = regexp.MustCompile(`reloaded.*\n`)

// api asks the HTTP API for the calls that are up, as user u.
func (s *service) api(password string) string {
	s.t.Helper()
	resp, err := http.Get("http://" + s.http + "/api?" + url.Values{"command": {"ListActiveCalls"}, "username": {"u"}, "password": {password}}.Encode())
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(b)
}

const serviceConfig = `data: $DATA
sip: {listen: ["udp://127.0.0.1:0", "tcp://127.0.0.1:0"], guests: none, domain: %s}
http: {listen: "127.0.0.1:0"}
users: [{name: u, password: "%s", api: true}]
limits: {drain: 1h}
log: {level: debug}
extensions:
  - {number: "1001", type: phone, password: "digest secret"}
  - {number: "1002", type: phone, password: "env:OZ_SECRET"}
  - {number: "9000", type: echo}
  - {number: "9001", type: api, url: "http://bob:url-secret@127.0.0.1:1/ivr?password=query-secret", secret: "signing secret"}
%s
rtp: {webrtc_port: -1}
`

// TestService: ready, watchdog, reload, drain, a second SIGTERM, no secret in
// any log.
func TestService(t *testing.T) {
	s := startService(t, fmt.Sprintf(serviceConfig, "localhost", "old password", ""))
	s.await("WATCHDOG=1")
	s.await("WATCHDOG=1")

	// What can change does, what cannot is named.
	log := s.reload(fmt.Sprintf(serviceConfig, "pbx.example", "new password", "  - {number: \"9002\", type: echo}\n"))
	if !strings.Contains(log, `restart=sip.domain`) {
		t.Errorf("reload logs %q, want sip.domain to need a restart", log)
	}
	if got := s.api("old password"); !strings.Contains(got, "<Code>30") {
		t.Errorf("with the old password: %s, want it refused", got)
	}
	if got := s.api("new password"); strings.Contains(got, "<Code>30") {
		t.Errorf("with the new password: %s, want it let in", got)
	}

	// A file with errors changes nothing and is told by line and column.
	log = s.reload(fmt.Sprintf(serviceConfig, "localhost", "newer password", "  - {number: \"9003\", type: ehco}\n"))
	if !strings.Contains(log, "ozswitch.yaml:12:28: error") || !strings.Contains(log, "nothing has changed") {
		t.Errorf("reload of a bad file logs %q, want its line and column and that nothing has changed", log)
	}
	if got := s.api("new password"); strings.Contains(got, "<Code>30") {
		t.Errorf("after a bad file: %s, want the password from before", got)
	}

	// Callers prove who they are; a call goes on while the switch drains.
	p := startPhone(t, "1001", "digest secret")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, err := startPhone(t, "1001", "wrong secret").Dial(ctx, "9000", phone.Options{Server: s.sip}); err == nil {
		t.Error("a call with a wrong password was answered")
	}
	// Its app is not there: what matters is what the logs say of that.
	if c, err := startPhone(t, "1002", "from the environment").Dial(ctx, "9001", phone.Options{Server: s.sip}); err == nil {
		c.Wait(ctx)
	}
	call, err := p.Dial(ctx, "9002", phone.Options{Server: s.sip}) // of the reload
	if err != nil {
		t.Fatal(err)
	}
	s.signal(syscall.SIGTERM)
	s.await("STOPPING=1")
	for { // the exchange closes just after systemd was told
		_, err := p.Dial(ctx, "9000", phone.Options{Server: s.sip})
		if r, ok := err.(*phone.Refused); ok && r.Code == 503 {
			break
		} else if ctx.Err() != nil {
			t.Fatalf("a new call while draining: %v, want 503", err)
		}
	}
	select {
	case <-call.Done():
		t.Error("the call ended before the drain's limit")
	case err := <-s.ended:
		t.Fatalf("serve ended with a call up: %v", err)
	default:
	}
	s.signal(syscall.SIGTERM)
	if r := call.Wait(ctx); r.Cause != phone.TheyHungUp {
		t.Errorf("after a second SIGTERM the call ended %v, want the switch to hang up", r)
	}
	select {
	case err := <-s.ended:
		if err != nil {
			t.Errorf("serve ended with %v", err)
		}
	case <-time.After(patience):
		t.Fatal("serve does not end")
	}
	s.noSecrets("digest secret", "from the environment", "url-secret", "query-secret", "signing secret", "old password", "new password", "newer password", `response="`)
}

// noSecrets looks for secrets in the log and in the event logs.
func (s *service) noSecrets(secrets ...string) {
	s.t.Helper()
	logs, sip := map[string]string{"the log": s.out.String()}, false
	err := filepath.WalkDir(filepath.Join(s.data, "calls"), func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(name)
		logs[name] = string(b)
		sip = sip || strings.Contains(string(b), "INVITE sip:")
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	if !sip {
		s.t.Error("no SIP message is in any event log: the test looks at nothing")
	}
	for name, log := range logs {
		for _, secret := range secrets {
			for _, form := range []string{secret, url.QueryEscape(secret), strings.ReplaceAll(secret, `"`, `\"`)} {
				if i := strings.Index(log, form); i >= 0 {
					s.t.Errorf("%s has %q: %s", name, secret, log[max(0, i-100):min(len(log), i+100)])
				}
			}
		}
	}
}

func startPhone(t *testing.T, user, password string) *phone.Phone {
	t.Helper()
	p := phone.New(phone.Config{User: user, Password: password})
	if err := p.Bind(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = p.Run(ctx) })
	t.Cleanup(func() { stop(); wg.Wait() })
	return p
}

// TestWatchdogStarves: no tick of the sound's clock, no food.
func TestWatchdogStarves(t *testing.T) {
	at := filepath.Join(t.TempDir(), "n")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: at, Net: "unixgram"})
	if err != nil {
		t.Skipf("the path is too long for a socket here: %v", err)
	}
	defer l.Close()
	sup, err := newSupervisor(func(name string) string { return map[string]string{"NOTIFY_SOCKET": at, "WATCHDOG_USEC": "3000"}[name] })
	if err != nil {
		t.Fatal(err)
	}
	defer sup.close()
	ctx, stop := context.WithCancel(t.Context())
	tick, looks := time.Now(), 0
	sup.feed(ctx, func() time.Time {
		if looks++; looks == 5 {
			stop()
		}
		if looks == 3 {
			tick = tick.Add(time.Second)
		}
		return tick
	})
	sup.tell("END")
	var got []string
	b := make([]byte, 100)
	for {
		n, err := l.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		if got = append(got, string(b[:n])); got[len(got)-1] == "END" {
			break
		}
	}
	if want := "WATCHDOG=1 WATCHDOG=1 END"; strings.Join(got, " ") != want {
		t.Errorf("systemd was told %q, want %q: two ticks in five looks", got, want)
	}
}

// TestUnit: the unit starts what there is, and leaves time to drain.
func TestUnit(t *testing.T) {
	b, err := os.ReadFile("../../packaging/ozswitch.service")
	if err != nil {
		t.Fatal(err)
	}
	key := func(name string) string {
		m := regexp.MustCompile(`(?m)^` + name + `=(.*)$`).FindSubmatch(b)
		if m == nil {
			t.Fatalf("the unit has no %s", name)
		}
		return string(m[1])
	}
	line, ok := strings.CutPrefix(key("ExecStart"), "/usr/bin/ozswitch ")
	if !ok {
		t.Fatalf("ExecStart=%s", key("ExecStart"))
	}
	c, args, err := newRoot().Find(strings.Fields(line))
	if err != nil || c.Name() != "serve" {
		t.Fatalf("ozswitch %s is %v, %v", line, c, err)
	}
	if err := c.ParseFlags(args); err != nil {
		t.Errorf("ozswitch %s: %v", line, err)
	}
	if got := key("Type"); got != "notify" {
		t.Errorf("Type=%s, want notify", got)
	}
	if d, err := time.ParseDuration(key("TimeoutStopSec") + "s"); err != nil || d < 30*time.Second {
		t.Errorf("TimeoutStopSec=%s, %v: want well over limits.drain", key("TimeoutStopSec"), err)
	}
}
