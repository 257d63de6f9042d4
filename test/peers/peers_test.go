//go:build peers

package peers

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var (
	skip  = flag.String("skip", "", "peers to leave out, separated by commas")
	built = flag.String("bin", "../../bin/ozswitch", "the program to test")
)

// limit is how long a test waits for one thing to happen.
const limit = 60 * time.Second

// need fails the test when a peer is not here, or skips it when told to.
func need(t *testing.T, peers ...string) {
	t.Helper()
	left := strings.FieldsFunc(*skip, func(r rune) bool { return r == ',' || r == ' ' })
	for _, p := range peers {
		if slices.Contains(left, p) {
			t.Skipf("left out: %s", p)
		}
		if _, err := exec.LookPath(p); err != nil {
			t.Fatalf("the peer %s is not installed (make test installs it; SKIP=%s leaves it out)", p, p)
		}
	}
}

// eventually waits until f is true.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	end := time.After(limit)
	for !f() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("%s: not after %v", what, limit)
		}
	}
}

// A proc is a program that runs beside the test.
type proc struct {
	name string
	out  lockedBuffer
	done chan struct{}
	err  error // after done
	cmd  *exec.Cmd
}

// start runs a program until the test's end. It ends by SIGTERM.
func start(t *testing.T, dir string, env []string, arg ...string) *proc {
	t.Helper()
	p := &proc{name: filepath.Base(arg[0]), done: make(chan struct{}), cmd: exec.Command(arg[0], arg[1:]...)}
	p.cmd.Dir, p.cmd.Env = dir, append(os.Environ(), env...)
	p.begin(t)
	return p
}

// pipe is begin for a program that is told things by its standard input.
func (p *proc) pipe(t *testing.T) io.WriteCloser {
	t.Helper()
	in, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.begin(t)
	return in
}

// begin runs the program until the test's end.
func (p *proc) begin(t *testing.T) {
	t.Helper()
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	p.cmd.WaitDelay = 5 * time.Second
	if p.name == "php" {
		p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // see signal
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.err = p.cmd.Wait(); close(p.done) }()
	t.Cleanup(func() {
		p.stop()
		if t.Failed() {
			t.Logf("%s wrote:\n%s", p.name, tail(p.out.String()))
		}
	})
}

// stop asks the program to end, then insists; it tells whether asking was enough.
func (p *proc) stop() bool {
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGTERM, syscall.SIGKILL} {
		if p.ended() {
			break
		}
		p.signal(s)
		select {
		case <-p.done:
			return s != syscall.SIGKILL
		case <-time.After(15 * time.Second):
		}
	}
	<-p.done
	return false
}

// signal reaches the program, and with php its workers, which would outlive it.
func (p *proc) signal(s syscall.Signal) {
	pid := p.cmd.Process.Pid
	if p.name == "php" {
		pid = -pid
	}
	_ = syscall.Kill(pid, s)
}

func (p *proc) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// run runs a program to its end and gives its output; any status but 0 fails.
func run(t *testing.T, dir string, arg ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*limit)
	defer cancel()
	c := exec.CommandContext(ctx, arg[0], arg[1:]...)
	c.Dir = dir
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(arg, " "), err, tail(string(out)))
	}
	return string(out)
}

// tail is the last 6,000 bytes of s.
func tail(s string) string { return s[max(0, len(s)-6000):] }

// freePort is a port that was free for UDP and TCP a moment ago, and the next one
// for TCP: baresip listens there for TLS.
func freePort(t *testing.T) int {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := l.Addr().(*net.TCPAddr).Port
		u, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
		next, err2 := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port+1))
		l.Close()
		if err2 == nil {
			next.Close()
		}
		if err == nil {
			u.Close()
		}
		if err == nil && err2 == nil {
			return port
		}
	}
	t.Fatal("no port is free for UDP and TCP")
	return 0
}

// A node is a switch that runs for one test.
type node struct {
	*proc
	sip, http string // host:port
	data      string // its data folder
	page      int    // where a page is served: an allowed origin
}

// program is the path of the binary under test.
func program(t *testing.T) string {
	t.Helper()
	bin, err := filepath.Abs(*built)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(bin); err != nil {
		t.Fatalf("%v; make build makes it", err)
	}
	return bin
}

// serve starts `ozswitch serve` with one extension, 9000, that asks app, and
// waits until it is ready. more is added to the configuration.
func serve(t *testing.T, app, more string) *node {
	t.Helper()
	return serveGuests(t, "loopback", app, more)
}

// serveGuests is serve where sip.guests is another one.
func serveGuests(t *testing.T, guests, app, more string) *node {
	t.Helper()
	dir := t.TempDir()
	n := &node{
		sip:  fmt.Sprintf("127.0.0.1:%d", freePort(t)),
		http: fmt.Sprintf("127.0.0.1:%d", freePort(t)),
		data: filepath.Join(dir, "data"),
		page: freePort(t),
	}
	config := fmt.Sprintf(`data: %s
sip: {listen: ["udp://%s", "tcp://%[2]s"], domain: localhost, guests: %[3]s}
rtp: {address: 127.0.0.1, webrtc_port: %[7]d}
http: {listen: "%[4]s", origins: ["http://127.0.0.1:%[8]d"]}
extensions:
  - {number: "9000", type: api, url: "%[5]s"}
%[6]s`, n.data, n.sip, guests, n.http, app, more, freePort(t), n.page)
	file := filepath.Join(dir, "ozswitch.yaml")
	write(t, file, config)
	n.boot(t, file)
	return n
}

// boot starts the switch and waits until it is ready.
func (n *node) boot(t *testing.T, config string) {
	t.Helper()
	n.proc = start(t, filepath.Dir(config), nil, program(t), "serve", "--config", config)
	eventually(t, "the switch is ready", func() bool {
		if n.ended() {
			t.Fatalf("ozswitch serve ended: %v\n%s", n.err, tail(n.out.String()))
		}
		answer, err := http.Get("http://" + n.http + "/readyz")
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
}

// close ends the switch and looks whether it did so well.
func (n *node) close(t *testing.T) {
	t.Helper()
	if !n.stop() || n.err != nil {
		t.Errorf("ozswitch did not end well on SIGTERM: %v", n.err)
	}
	if out := n.out.String(); strings.Contains(out, "panic") || strings.Contains(out, "DATA RACE") {
		t.Errorf("ozswitch wrote of a panic or race:\n%s", tail(out))
	}
}

// call places a call with `ozswitch call` and gives what it printed.
func (n *node) call(t *testing.T, number string, arg ...string) string {
	t.Helper()
	return run(t, t.TempDir(), append([]string{program(t), "call", number, "--server", n.sip}, arg...)...)
}

// recordings are the finished files in the folder of recordings; a .part left
// behind fails the test.
func (n *node) recordings(t *testing.T) (files []string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(n.data, "recordings"), func(name string, d os.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(name, ".part") {
			t.Errorf("an unfinished recording was left: %s", name)
		}
		if err == nil && (strings.HasSuffix(name, ".wav") || strings.HasSuffix(name, ".mp3")) {
			files = append(files, name)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	return files
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
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
