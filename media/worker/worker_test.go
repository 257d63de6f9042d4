package worker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestMain lets the test binary be its own worker: "child MODE".
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "child" {
		os.Exit(child(os.Args[2]))
	}
	os.Exit(m.Run())
}

// child does what jobs say.
func child(mode string) int {
	switch mode {
	case "mute": // never says hello
		io.Copy(io.Discard, os.Stdin)
		return 0
	case "foreign":
		fmt.Println("Usage: some other program")
		return 2
	case "old":
		writeFrame(os.Stdout, hello, []byte("ozswitch worker 0"))
		io.Copy(io.Discard, os.Stdin)
		return 0
	}
	err := Serve(os.Stdin, os.Stdout, func(j []byte) ([]byte, error) {
		verb, rest, _ := strings.Cut(string(j), " ")
		switch verb {
		case "echo":
			return []byte(rest), nil
		case "pid":
			return strconv.AppendInt(nil, int64(os.Getpid()), 10), nil
		case "fail":
			return nil, errors.New(rest)
		case "panic":
			panic(rest)
		case "crash":
			fmt.Fprintln(os.Stderr, "last words")
			os.Exit(3)
		case "crash-once": // rest is a file that the first try leaves behind
			if _, err := os.Stat(rest); err != nil {
				os.WriteFile(rest, nil, 0o600)
				os.Exit(3)
			}
			return []byte("second try"), nil
		case "hang":
			os.WriteFile(rest, nil, 0o600)
			select {}
		case "garbage":
			os.Stdout.WriteString("hello, world\n")
			select {}
		case "wait": // until a file is there
			os.WriteFile(rest+".on", nil, 0o600)
			for {
				if _, err := os.Stat(rest); err == nil {
					return nil, nil
				}
				runtime.Gosched()
			}
		case "lie": // claims 16 MiB and sends nothing of it
			os.Stdout.Write([]byte("ozwd\x01\x00\x00\x00"))
			os.Exit(0)
		case "big":
			return make([]byte, MaxFrame+1), nil
		}
		return nil, fmt.Errorf("what is %q?", verb)
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func pool(t *testing.T, c Config) *Pool {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if c.Program == "" {
		c.Program = self
	}
	if c.Args == nil {
		c.Args = []string{"child", "good"}
	}
	if c.Max == 0 {
		c.Max = 1
	}
	c.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	p := New(c)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- p.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run() = %v", err)
		}
		if _, err := p.Do(context.Background(), Job{}); !errors.Is(err, ErrEnded) {
			t.Errorf("Do after the end = %v, want ErrEnded", err)
		}
	})
	return p
}

func do(t *testing.T, p *Pool, job string) string {
	t.Helper()
	out, err := p.Do(t.Context(), Job{Payload: []byte(job)})
	if err != nil {
		t.Fatalf("Do(%q): %v", job, err)
	}
	return string(out)
}

func TestJobs(t *testing.T) {
	p := pool(t, Config{})
	if got := do(t, p, "echo hello"); got != "hello" {
		t.Errorf("echo = %q", got)
	}
	big := strings.Repeat("x", 1<<20)
	if got := do(t, p, "echo "+big); got != big {
		t.Errorf("echo of 1 MiB came back as %d bytes", len(got))
	}
	pid := do(t, p, "pid")
	for job, want := range map[string]string{
		"fail no such voice": "no such voice", "panic boo": "panic: boo", "big": "result of 16777217 bytes",
	} {
		_, err := p.Do(t.Context(), Job{Payload: []byte(job)})
		var refused *JobError
		if !errors.As(err, &refused) || !strings.Contains(refused.Text, want) {
			t.Errorf("Do(%q) = %v, want a JobError with %q", job, err, want)
		}
	}
	if now := do(t, p, "pid"); now != pid {
		t.Errorf("a failed job cost its process: pid %s, was %s", now, pid)
	}
}

// TestDeath: whatever becomes of a process, its job gets an error, the next job a fresh process.
func TestDeath(t *testing.T) {
	for _, c := range []struct {
		job   string
		limit time.Duration
		want  error
		says  string
	}{
		{"crash", 0, errDied, "last words"},
		{"garbage", 0, errDied, "not a frame"},
		{"lie", 0, errDied, "cut-off frame"},
		{"hang", 50 * time.Millisecond, ErrTooLong, ""},
	} {
		t.Run(c.job, func(t *testing.T) {
			p := pool(t, Config{})
			pid := do(t, p, "pid")
			_, err := p.Do(t.Context(), Job{Payload: []byte(c.job), Limit: c.limit})
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("Do = %v, want %v with %q", err, c.want, c.says)
			}
			if now := do(t, p, "pid"); now == pid {
				t.Errorf("pid %s again after its death", now)
			}
		})
	}
}

// TestSecondTry: a job that lost its process through no fault of its own is done by the next one.
func TestSecondTry(t *testing.T) {
	p := pool(t, Config{})
	if got := do(t, p, "crash-once "+t.TempDir()+"/tried"); got != "second try" {
		t.Errorf("Do = %q", got)
	}
}

// TestIdleDeath: a process that is killed between two jobs is replaced unnoticed.
func TestIdleDeath(t *testing.T) {
	p := pool(t, Config{})
	pid, _ := strconv.Atoi(do(t, p, "pid"))
	proc, err := os.FindProcess(pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := proc.Kill(); err != nil {
		t.Fatal(err)
	}
	if got := do(t, p, "echo still here"); got != "still here" {
		t.Errorf("Do = %q", got)
	}
}

// TestQueue: first pieces go before later ones, and a job whose caller has gone is not done.
func TestQueue(t *testing.T) {
	p := pool(t, Config{Waiting: 3})
	gate := t.TempDir() + "/gate"
	var wg sync.WaitGroup
	wg.Go(func() { do(t, p, "wait "+gate) })
	appears(t, gate+".on")

	results := make(chan string, 3)
	put := func(name string, first bool, ctx context.Context) {
		n := queued(p)
		wg.Go(func() {
			out, err := p.Do(ctx, Job{Payload: []byte("echo " + name), First: first})
			if err != nil {
				out = []byte(name + ": " + err.Error())
			}
			results <- string(out)
		})
		for queued(p) == n {
			runtime.Gosched()
		}
	}
	put("later", false, t.Context())
	gone, leave := context.WithCancelCause(t.Context())
	put("gone", true, gone)
	put("first", true, t.Context())
	if _, err := p.Do(t.Context(), Job{}); !errors.Is(err, ErrBusy) {
		t.Errorf("a fourth job: %v, want ErrBusy", err)
	}
	leave(errors.New("hung up"))
	if got := <-results; got != "gone: hung up" {
		t.Errorf("left job = %q", got)
	}
	if n := queued(p); n != 2 {
		t.Errorf("%d jobs wait, want 2: the left one is still there", n)
	}
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	if a, b := <-results, <-results; a != "first" || b != "later" {
		t.Errorf("order %s, %s; want first, later", a, b)
	}
}

func TestCannotStart(t *testing.T) {
	for _, c := range []struct {
		name string
		cfg  Config
		says string
	}{
		{"no such program", Config{Program: "/nonexistent/ozswitch"}, "/nonexistent/ozswitch"},
		{"another program", Config{Args: []string{"child", "foreign"}}, "not a frame"},
		{"another version", Config{Args: []string{"child", "old"}}, "was the program replaced"},
		{"mute", Config{Args: []string{"child", "mute"}, StartTimeout: 50 * time.Millisecond}, "no hello within"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := pool(t, c.cfg)
			_, err := p.Do(t.Context(), Job{})
			if !errors.Is(err, ErrStart) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("Do = %v, want ErrStart with %q", err, c.says)
			}
		})
	}
	// Without a Program the test binary would run its tests again, and they theirs.
	if _, err := (Config{}).program(); !errors.Is(err, ErrStart) || !strings.Contains(err.Error(), "test binary") {
		t.Errorf("program() in a test = %v, want ErrStart", err)
	}
}

func TestEndsWithJobs(t *testing.T) {
	self, _ := os.Executable()
	p := New(Config{Program: self, Args: []string{"child", "good"}, Max: 1})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	errs := make(chan error, 2)
	sign := t.TempDir() + "/on"
	for range 2 {
		go func() {
			_, err := p.Do(context.Background(), Job{Payload: []byte("hang " + sign)})
			errs <- err
		}()
	}
	appears(t, sign)
	cancel()
	for range 2 {
		if err := <-errs; !errors.Is(err, ErrEnded) {
			t.Errorf("Do = %v, want ErrEnded", err)
		}
	}
	if err := <-ended; err != nil {
		t.Errorf("Run() = %v", err)
	}
}

// TestServeEnds: a child whose parent has gone leaves, also from the middle of a job, and one that is fed nonsense too.
func TestServeEnds(t *testing.T) {
	r, w := io.Pipe()
	release, started := make(chan struct{}), make(chan struct{})
	defer close(release)
	ended := make(chan error)
	go func() {
		ended <- Serve(r, io.Discard, func([]byte) ([]byte, error) {
			close(started)
			<-release
			return nil, nil
		})
	}()
	if err := writeFrame(w, job, nil); err != nil {
		t.Fatal(err)
	}
	<-started
	w.Close()
	if err := <-ended; err != nil {
		t.Errorf("Serve after its input's end = %v, want nil", err)
	}
	err := Serve(strings.NewReader("GET / HTTP/1.1\r\n"), io.Discard, nil)
	if !errors.Is(err, errGarbage) {
		t.Errorf("Serve of a web request = %v, want errGarbage", err)
	}
}

func FuzzFrame(f *testing.F) {
	var b bytes.Buffer
	writeFrame(&b, job, []byte("hello"))
	f.Add(b.Bytes())
	f.Add([]byte("ozwd\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		k, p, err := readFrame(bytes.NewReader(b))
		if err != nil {
			return
		}
		var again bytes.Buffer
		if err := writeFrame(&again, k, p); err != nil || !bytes.HasPrefix(b, again.Bytes()) {
			t.Errorf("%q read and written is %q, %v", b, again.Bytes(), err)
		}
	})
}

func queued(p *Pool) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.first) + len(p.later)
}

// appears waits for a file that a child makes.
func appears(t *testing.T, name string) {
	t.Helper()
	for {
		if _, err := os.Stat(name); err == nil {
			return
		}
		if t.Context().Err() != nil {
			t.Fatal("test ended")
		}
		runtime.Gosched()
	}
}
