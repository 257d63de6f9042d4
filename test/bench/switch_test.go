//go:build bench && linux

package bench

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"ozswitch/media"
	"ozswitch/media/wav"
	"ozswitch/switch/phone"
)

// A node is a switch that runs.
type node struct {
	sip, http string // host:port
	data      string // its data folder
	app       *app
	cmd       *exec.Cmd
	done      chan struct{}
	log       string
}

// serve starts `ozswitch serve`; every number of app is an extension that asks
// it. more is added to the configuration, env to the environment.
func (b *bench) serve(more string, env ...string) (*node, error) {
	dir, err := os.MkdirTemp(b.dir, "node-")
	if err != nil {
		return nil, err
	}
	n := &node{data: filepath.Join(dir, "data"), log: filepath.Join(dir, "log"), app: newApp(), done: make(chan struct{})}
	if n.sip, err = b.freePort(); err == nil {
		n.http, err = b.freePort()
	}
	var web string
	if err == nil {
		web, err = b.freePort()
	}
	if err == nil {
		err = writePrompts(filepath.Join(n.data, "media"))
	}
	if err != nil {
		return nil, err
	}
	var c strings.Builder
	fmt.Fprintf(&c, "data: %s\nsip: {listen: [\"udp://%s\"], domain: localhost, guests: loopback}\nrtp: {address: 127.0.0.1, webrtc_port: %s}\n"+
		"http: {listen: \"%s\"}\nretention: {min_free: 0}\n%s\nextensions:\n", n.data, n.sip, web[strings.LastIndexByte(web, ':')+1:], n.http, more)
	for _, number := range []string{caller, callee} {
		fmt.Fprintf(&c, "  - {number: %q, type: phone, password: %q}\n", number, secret)
	}
	for number := range scripts {
		fmt.Fprintf(&c, "  - {number: %q, type: api, url: \"%s/%s\"}\n", number, n.app.url, number)
	}
	file := filepath.Join(dir, "ozswitch.yaml")
	if err := os.WriteFile(file, []byte(c.String()), 0o600); err != nil {
		return nil, err
	}
	log, err := os.Create(n.log)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	n.cmd = exec.Command(b.bin, "serve", "--config", file)
	n.cmd.Dir, n.cmd.Stdout, n.cmd.Stderr, n.cmd.Env = dir, log, log, append(os.Environ(), env...)
	if err := n.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { _ = n.cmd.Wait(); close(n.done) }()
	ready := b.await(30*time.Second, func() bool {
		answer, err := http.Get("http://" + n.http + "/readyz")
		if err != nil {
			return n.ended()
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
	if !ready || n.ended() {
		n.stop()
		out, _ := os.ReadFile(n.log)
		return nil, fmt.Errorf("ozswitch serve is not ready:\n%s", out[max(0, len(out)-2000):])
	}
	return n, nil
}

// node is the switch that most parts share.
func (b *bench) node() (*node, error) {
	if b.last != nil && !b.last.ended() {
		return b.last, nil
	}
	n, err := b.serve("")
	b.last = n
	if err != nil {
		return nil, err
	}
	return n, b.warm(n)
}

// warm lets a switch play its prompts to their end once, so that they are
// cached, and keeps a few connections to the app.
func (b *bench) warm(n *node) error {
	c := b.place(n, "9002", 3, 100, phone.Options{}, nil)
	d := b.place(n, "9001", 3, 100, phone.Options{HangupAfter: 2500 * time.Millisecond}, nil)
	d.wait(b)
	c.wait(b)
	if err := c.failedIn("warming up"); err != nil {
		return err
	}
	return n.idle(b)
}

// stop ends the shared switch: the next part gets a fresh one.
func (b *bench) stop() {
	if b.last != nil {
		b.last.stop()
		b.last = nil
	}
}

func (n *node) ended() bool {
	select {
	case <-n.done:
		return true
	default:
		return false
	}
}

// stop asks the switch to end, then insists.
func (n *node) stop() {
	for _, s := range []os.Signal{syscall.SIGTERM, syscall.SIGTERM, os.Kill} {
		if n.ended() {
			break
		}
		_ = n.cmd.Process.Signal(s)
		select {
		case <-n.done:
		case <-time.After(5 * time.Second):
		}
	}
	n.app.close()
}

// idle waits until no call is left, and what follows a call is done.
func (n *node) idle(b *bench) error {
	if !b.await(60*time.Second, func() bool {
		m, err := n.metrics()
		return err == nil && m.sum("ozswitch_calls_active") == 0 && m.sum("ozswitch_notify_queue") == 0
	}) {
		return errors.New("the switch still has calls or reports after 60 s")
	}
	b.pause(300 * time.Millisecond)
	return nil
}

// cpu is user and system time of the switch; family counts its worker
// processes as well.
func (n *node) cpu() time.Duration { return cpuOf(n.cmd.Process.Pid, "") }

func (n *node) family() time.Duration {
	all := n.cpu()
	mine := strconv.Itoa(n.cmd.Process.Pid)
	names, _ := filepath.Glob("/proc/[0-9]*")
	for _, name := range names {
		if pid, err := strconv.Atoi(filepath.Base(name)); err == nil {
			all += cpuOf(pid, mine)
		}
	}
	return all
}

// cpuOf reads /proc/PID/stat (proc(5)); of a process with another parent than
// wanted it is 0. Children that ended count for their parent.
func cpuOf(pid int, parent string) time.Duration {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(b), ") ") // the name may hold anything
	f := strings.Fields(rest)                  // from field 3 on
	if len(f) < 15 || parent != "" && f[1] != parent {
		return 0
	}
	ticks := 0
	for _, i := range []int{11, 12} { // utime, stime
		n, _ := strconv.Atoi(f[i])
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond // USER_HZ is 100 on Linux
}

// rss is what the switch has in memory, in bytes.
func (n *node) rss() float64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", n.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, _ := strconv.Atoi(strings.Fields(v)[0])
			return float64(kb) * 1024
		}
	}
	return 0
}

// metrics are the samples of /metrics by name with labels.
type metrics map[string]float64

func (n *node) metrics() (metrics, error) {
	answer, err := http.Get("http://" + n.http + "/metrics")
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	m := metrics{}
	for s := bufio.NewScanner(answer.Body); s.Scan(); {
		if name, value, ok := strings.Cut(s.Text(), " "); ok && !strings.HasPrefix(name, "#") {
			m[name], _ = strconv.ParseFloat(value, 64)
		}
	}
	return m, nil
}

// sum adds up a name over all labels that contain each of parts.
func (m metrics) sum(name string, parts ...string) (v float64) {
next:
	for k, x := range m {
		if k != name && !strings.HasPrefix(k, name+"{") {
			continue
		}
		for _, p := range parts {
			if !strings.Contains(k, p) {
				continue next
			}
		}
		v += x
	}
	return v
}

// late is a quantile of the sound's ticks since before, as the upper end of its
// bucket.
func (m metrics) late(before metrics, q float64) string {
	const name = "ozswitch_media_tick_lag_seconds"
	all := m[name+"_count"] - before[name+"_count"]
	type bucket struct{ le, n float64 }
	var buckets []bucket
	for k, v := range m {
		if s, ok := strings.CutPrefix(k, name+`_bucket{le="`); ok {
			if le, err := strconv.ParseFloat(strings.TrimSuffix(s, `"}`), 64); err == nil && le < 3600 {
				buckets = append(buckets, bucket{le, v - before[k]})
			}
		}
	}
	slices.SortFunc(buckets, func(a, b bucket) int {
		if a.le < b.le {
			return -1
		}
		return 1
	})
	for _, x := range buckets {
		if x.n >= q*all {
			return fmt.Sprintf("≤ %v", time.Duration(x.le*1e9))
		}
	}
	return "> 1s"
}

// freePort is an address of loopback that was free for UDP and TCP a moment ago,
// below the ports that systems and the switch's sound give out. None is given
// twice.
func (b *bench) freePort() (string, error) {
	for b.port = max(b.port, 15060) + 1; b.port < 19000; b.port++ {
		addr := fmt.Sprintf("127.0.0.1:%d", b.port)
		l, err := net.Listen("tcp", addr)
		if err != nil {
			continue
		}
		u, err := net.ListenPacket("udp", addr)
		l.Close()
		if err == nil {
			u.Close()
			return addr, nil
		}
	}
	return "", errors.New("no port is free for UDP and TCP")
}

// writePrompts makes the prompts that scripts play.
func writePrompts(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, d := range map[string]time.Duration{"2s.wav": 2 * time.Second, "5s.wav": 5 * time.Second} {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		w, err := wav.NewWriter(f, 8000, 1)
		if err == nil {
			err = media.Copy(w, media.Tone(8000, 440, -12, d))
		}
		if err == nil {
			err = w.Close()
		}
		if e := f.Close(); err == nil {
			err = e
		}
		if err != nil {
			return err
		}
	}
	return nil
}
