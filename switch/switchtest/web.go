package switchtest

import (
	"cmp"
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing/synctest"
	"time"
)

// A Web is the web app of a World: every host name leads to it.
type Web struct {
	w      *World
	server *http.Server

	mu      sync.Mutex
	answers map[string]func(Post) Answer
	down    map[string]bool
	posted  []Post
}

// A Post is a notification that arrived.
type Post struct {
	At     time.Time
	Host   string
	Path   string
	Name   string // NotificationName
	Fields url.Values
	Header http.Header
}

// An Answer is what the app says.
type Answer struct {
	Status int           // 0 = 200
	Type   string        // Content-Type; "" = application/xml
	After  time.Duration // how long it takes
	Body   string
	Drop   bool // no answer: the connection is closed
}

func newWeb(w *World) *Web {
	b := &Web{w: w, answers: map[string]func(Post) Answer{}, down: map[string]bool{}}
	l, err := w.Net.Listen(webHost + ":80")
	if err != nil {
		w.T.Fatal(err)
	}
	b.server = &http.Server{Handler: http.HandlerFunc(b.serve)}
	w.parts.Go(func() { _ = b.server.Serve(l) })
	return b
}

func (b *Web) close() { _ = b.server.Close() }

// dial connects to the app, whatever the name.
func (b *Web) dial(ctx context.Context, _, addr string) (net.Conn, error) {
	host, _, _ := net.SplitHostPort(addr)
	b.mu.Lock()
	down := b.down[host]
	b.mu.Unlock()
	if down {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	return b.w.Net.Dial(ctx, netip.MustParseAddr(switchHost), webHost+":80")
}

// Down has a host refuse connections from now on.
func (b *Web) Down(host string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.down[host] = true
}

// Serve answers what is posted to a path: a document, or the name of a file
// that holds one (no < and no line break in it).
func (b *Web) Serve(path, answer string) {
	b.w.T.Helper()
	if answer != "" && !strings.ContainsAny(answer, "<\n") {
		src, err := os.ReadFile(answer)
		if err != nil {
			b.w.T.Fatal(err)
		}
		answer = string(src)
	}
	b.Handle(path, func(Post) Answer { return Answer{Body: answer} })
}

// Handle answers what is posted to a path; "" stands for all other paths, which
// are 404 else. f may be called by many at once.
func (b *Web) Handle(path string, f func(Post) Answer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answers[path] = f
}

func (b *Web) serve(rw http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	fields, _ := url.ParseQuery(string(body))
	p := Post{At: time.Now(), Host: r.Host, Path: r.URL.Path, Name: fields.Get("NotificationName"), Fields: fields, Header: r.Header}
	b.mu.Lock()
	b.posted = append(b.posted, p)
	f := b.answers[p.Path]
	if f == nil {
		f = b.answers[""]
	}
	b.mu.Unlock()
	if f == nil {
		http.NotFound(rw, r)
		return
	}
	a := f(p)
	if a.After > 0 {
		t := time.NewTimer(a.After)
		defer t.Stop()
		select {
		case <-t.C:
		case <-r.Context().Done():
			return
		}
	}
	if a.Drop {
		panic(http.ErrAbortHandler)
	}
	rw.Header().Set("Content-Type", cmp.Or(a.Type, "application/xml"))
	rw.WriteHeader(cmp.Or(a.Status, http.StatusOK))
	_, _ = io.WriteString(rw, a.Body)
}

// Posted are the notifications of that name so far; "" gives all.
func (b *Web) Posted(name string) []Post {
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(b.posted), func(p Post) bool { return name != "" && p.Name != name })
}

// Wait waits, at most a minute, for the n-th notification of that name.
func (b *Web) Wait(name string, n int) Post {
	b.w.T.Helper()
	b.w.Until(name+" was posted", func() bool { return len(b.Posted(name)) >= n })
	return b.Posted(name)[n-1]
}
