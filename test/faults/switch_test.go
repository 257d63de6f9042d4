//go:build faults

package faults

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ozswitch/media"
	"ozswitch/media/mediatest"
	"ozswitch/media/wav"
	"ozswitch/ozml/trace"
)

var built = flag.String("bin", "", "the program to test; built from the sources when empty")

// limit is how long a test waits for one thing to happen.
const limit = 60 * time.Second

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(func() int {
		if *built == "" {
			dir, err := os.MkdirTemp("", "ozswitch-faults-")
			if err == nil {
				defer os.RemoveAll(dir)
				*built = filepath.Join(dir, "ozswitch")
				var out []byte
				if out, err = exec.Command("go", "build", "-o", *built, "ozswitch/cmd/ozswitch").CombinedOutput(); err != nil {
					err = fmt.Errorf("go build: %w\n%s", err, out)
				}
			}
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 1
			}
		}
		return m.Run()
	}())
}

// eventually waits until f is true.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	if !await(limit, f) {
		t.Fatalf("%s: not after %v", what, limit)
	}
}

// await waits until f is true, and tells whether that came in time.
func await(limit time.Duration, f func() bool) bool {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	end := time.After(limit)
	for !f() {
		select {
		case <-tick.C:
		case <-end:
			return false
		}
	}
	return true
}

// freePort is a port that was free for UDP and TCP a moment ago.
func freePort(t *testing.T) int {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := l.Addr().(*net.TCPAddr).Port
		u, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
		l.Close()
		if err == nil {
			u.Close()
			return port
		}
	}
	t.Fatal("no port is free for UDP and TCP")
	return 0
}

// A node is a switch that runs for one test.
type node struct {
	sip, http string // host:port
	data      string // its data folder
	cmd       *exec.Cmd
	done      chan struct{}
	err       error // after done
	out       lockedBuffer
}

// serve starts `ozswitch serve` with extensions (YAML, two spaces in front) and
// waits until it is ready.
func serve(t *testing.T, extensions string) *node {
	t.Helper()
	return serveWith(t, "", extensions)
}

// serveWith is serve with more keys before the extensions.
func serveWith(t *testing.T, more, extensions string) *node {
	t.Helper()
	dir := t.TempDir()
	n := &node{
		sip:  fmt.Sprintf("127.0.0.1:%d", freePort(t)),
		http: fmt.Sprintf("127.0.0.1:%d", freePort(t)),
		data: filepath.Join(dir, "data"),
		done: make(chan struct{}),
	}
	file := filepath.Join(dir, "ozswitch.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, `data: %s
sip: {listen: ["udp://%s"], domain: localhost, guests: loopback}
rtp: {address: 127.0.0.1, webrtc_port: -1}
http: {listen: "%s"}
web: {timeout: %s}
%sextensions:
%s`, n.data, n.sip, n.http, webTimeout, more, extensions), 0o600); err != nil {
		t.Fatal(err)
	}
	n.cmd = exec.Command(*built, "serve", "--config", file)
	n.cmd.Dir, n.cmd.Stdout, n.cmd.Stderr = dir, &n.out, &n.out
	n.cmd.WaitDelay = 5 * time.Second
	if err := n.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { n.err = n.cmd.Wait(); close(n.done) }()
	t.Cleanup(func() {
		n.stop()
		if t.Failed() {
			out := n.out.String()
			t.Logf("ozswitch wrote:\n%s", out[max(0, len(out)-6000):])
		}
	})
	eventually(t, "the switch is ready", func() bool {
		select {
		case <-n.done:
			t.Fatalf("ozswitch serve ended: %v", n.err)
		default:
		}
		answer, err := http.Get("http://" + n.http + "/readyz")
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
	return n
}

// stop asks the switch to end, then insists; it tells whether asking was enough.
func (n *node) stop() bool {
	for _, s := range []os.Signal{syscall.SIGTERM, os.Kill} {
		_ = n.cmd.Process.Signal(s)
		select {
		case <-n.done:
			return s != os.Kill
		case <-time.After(30 * time.Second):
		}
	}
	return false
}

// close ends the switch and looks whether it did so well.
func (n *node) close(t *testing.T) {
	t.Helper()
	if !n.stop() || n.err != nil {
		t.Errorf("ozswitch did not end well on SIGTERM: %v", n.err)
	}
	if out := n.out.String(); strings.Contains(out, "panic") || strings.Contains(out, "DATA RACE") {
		t.Error("ozswitch wrote of a panic or race")
	}
}

// metric reads a number from /metrics.
func (n *node) metric(t *testing.T, name string) float64 {
	t.Helper()
	answer, err := http.Get("http://" + n.http + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	for s := bufio.NewScanner(answer.Body); s.Scan(); {
		if value, ok := strings.CutPrefix(s.Text(), name+" "); ok {
			v, err := strconv.ParseFloat(value, 64)
			if err != nil {
				t.Fatalf("/metrics: %s: %v", name, err)
			}
			return v
		}
	}
	t.Fatalf("/metrics has no %s", name)
	return 0
}

// A callLog is the event log of one call.
type callLog []trace.Event

// find gives the first event that f likes.
func (l callLog) find(f func(trace.Event) bool) (trace.Event, bool) {
	for _, e := range l {
		if f(e) {
			return e, true
		}
	}
	return trace.Event{}, false
}

// count is how many events f likes.
func (l callLog) count(f func(trace.Event) bool) (n int) {
	for _, e := range l {
		if f(e) {
			n++
		}
	}
	return n
}

// String is the log without SIP, for the eye.
func (l callLog) String() string {
	var b strings.Builder
	for _, e := range l {
		if e.Type != trace.SIPReceived && e.Type != trace.SIPSent {
			e.Body = e.Body[:min(len(e.Body), 80)]
			line, _ := json.Marshal(e)
			fmt.Fprintf(&b, "%s\n", line)
		}
	}
	return b.String()
}

// logs reads the event logs that there are, by the caller's number.
func (n *node) logs(t *testing.T) map[string]callLog {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(n.data, "calls", "*", "*", "*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]callLog{}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var l callLog
		from := ""
		for line := range bytes.Lines(b) {
			if !bytes.HasSuffix(line, []byte("\n")) {
				break // it is being written
			}
			var e trace.Event
			if err := json.Unmarshal(line, &e); err != nil {
				t.Fatalf("%s: %v: %s", name, err, line)
			}
			if e.Type == trace.CallStarted {
				from = e.From
			}
			l = append(l, e)
		}
		all[from] = l
	}
	return all
}

// ended waits until the logs of n calls tell their end.
func (n *node) ended(t *testing.T, calls int) (all map[string]callLog) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d calls have ended", calls), func() bool {
		all = n.logs(t)
		done := 0
		for _, l := range all {
			done += l.count(func(e trace.Event) bool { return e.Type == trace.CallEnded })
		}
		return done == calls
	})
	return all
}

// prompt puts a spelled text into the folder of prompts.
func (n *node) prompt(t *testing.T, name, text string) {
	t.Helper()
	dir := filepath.Join(n.data, "media")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := wav.NewWriter(f, rate, 1)
	if err == nil {
		err = media.Copy(w, media.Samples(rate, mediatest.Spell(text, rate)))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A lockedBuffer is written by one goroutine and read by another.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
