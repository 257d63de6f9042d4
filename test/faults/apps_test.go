//go:build faults

package faults

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// A fault is one way in which a web app fails. The twelve have variants, which
// share the five calls of their kind.
type fault struct {
	kind, how string
	calls     int
	code      string // that the switch must give it
	place     string // line:column in the answer; "" when there is no document
	says      string // part of what the event's text or hint must say
	plain     bool   // 2xx that does not begin with <: a report counts as delivered (decisions 2)
	// serve misbehaves; base is where it can be found again. Nil = nothing listens.
	serve func(base string, w http.ResponseWriter, r *http.Request)
}

func (f fault) String() string { return f.kind + ": " + f.how }

// callers is how many call each of the twelve.
const callers = 5

// nobody is where no program listens: ports below 1024 are given to nobody by
// chance.
const nobody = "http://127.0.0.1:1"

var faults = []fault{
	{kind: "down", how: "nothing listens", calls: 5, code: "OZ1302", says: "127.0.0.1:1"},
	{kind: "slow", how: "never answers", calls: 3, code: "OZ1303", says: "nothing came back", serve: func(_ string, _ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
	}},
	{kind: "slow", how: "stops after the headers", calls: 2, code: "OZ1303", serve: func(_ string, w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}},
	{kind: "500", how: "page of a framework", calls: 5, code: "OZ1304", says: "500 Internal Server Error: \"Server Error\"", serve: text(500, "text/html; charset=UTF-8",
		"<!DOCTYPE html>\n<html lang=\"en\">\n<head><title>Server Error</title></head>\n<body>SQLSTATE[HY000] [2002]</body>\n</html>\n")},
	{kind: "HTML", how: "login page", calls: 5, code: "OZ1004", place: "1:1", serve: text(200, "text/html; charset=UTF-8",
		"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body><form method=post>Name <input name=u></form></body></html>\n")},
	{kind: "JSON", how: "an API's answer", calls: 5, code: "OZ1005", place: "1:1", plain: true, serve: text(200, "application/json",
		`{"response":[{"speak":"Welcome"}]}`)},
	{kind: "cut off", how: "Content-Length too large", calls: 2, code: "OZ1311", serve: cutOff(false)},
	{kind: "cut off", how: "reset in the middle", calls: 2, code: "OZ1311", serve: cutOff(true)},
	{kind: "cut off", how: "program died", calls: 1, code: "OZ1020", place: "3:13", serve: text(200, "text/xml",
		"<?xml version=\"1.0\"?>\n<Response>\n  <Speak>Wel")},
	{kind: "warning first", how: "PHP, html_errors on", calls: 3, code: "OZ1003", place: "1:1", says: "Undefined variable $name", serve: text(200, "text/html; charset=UTF-8",
		"<br />\n<b>Warning</b>:  Undefined variable $name in <b>/var/www/ivr.php</b> on line <b>3</b><br />\n<?xml version=\"1.0\"?>\n<Response><Speak>Hello</Speak></Response>\n")},
	{kind: "warning first", how: "PHP, html_errors off", calls: 2, code: "OZ1003", place: "2:1", says: "Undefined variable $name", plain: true, serve: text(200, "text/html; charset=UTF-8",
		"\nWarning: Undefined variable $name in /var/www/ivr.php on line 3\n<?xml version=\"1.0\"?>\n<Response><Speak>Hello</Speak></Response>\n")},
	{kind: "two roots", how: "printed twice", calls: 5, code: "OZ1021", place: "2:1", serve: text(200, "text/xml",
		"<Response><Speak>One</Speak></Response>\n<Response><Speak>Two</Speak></Response>\n")},
	{kind: "wrong encoding", how: "windows-1252 in UTF-8", calls: 3, code: "OZ1009", place: "2:20", says: "Grüß", serve: text(200, "text/xml; charset=utf-8",
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Speak>Gr\xfc\xdf Gott</Speak></Response>\n")},
	{kind: "wrong encoding", how: "unknown name", calls: 2, code: "OZ1008", place: "1:1", says: "x-klingon", serve: text(200, "text/xml",
		"<?xml version=\"1.0\" encoding=\"x-klingon\"?>\n<Response><Speak>Hello</Speak></Response>\n")},
	{kind: "redirect loop", how: "in a circle", calls: 3, code: "OZ1308", serve: func(base string, w http.ResponseWriter, r *http.Request) {
		to := base + "/b"
		if strings.HasSuffix(r.URL.Path, "/b") {
			to = base + "/a"
		}
		http.Redirect(w, r, to, http.StatusTemporaryRedirect)
	}},
	{kind: "redirect loop", how: "ever further", calls: 2, code: "OZ1308", serve: func(base string, w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, base+"/"+r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]+"x", http.StatusTemporaryRedirect)
	}},
	{kind: "private address", how: "of the company", calls: 3, code: "OZ1307", says: `web.allow: ["10.255.255.1:80"]`, serve: func(_ string, w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://10.255.255.1/", http.StatusTemporaryRedirect)
	}},
	{kind: "private address", how: "of the cloud", calls: 2, code: "OZ1307", says: "metadata", serve: func(_ string, w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://169.254.169.254/latest/meta-data/", http.StatusPermanentRedirect)
	}},
	{kind: "endless body", how: "as fast as it can", calls: 3, code: "OZ1309", says: "1 MiB", serve: endless(32<<10, 0)},
	{kind: "endless body", how: "drop by drop", calls: 2, code: "OZ1303", says: "did not end", serve: endless(10, 100*time.Millisecond)},
}

func text(status int, contentType, body string) func(string, http.ResponseWriter, *http.Request) {
	return func(_ string, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// cutOff promises more than it sends, then closes or resets the connection.
func cutOff(reset bool) func(string, http.ResponseWriter, *http.Request) {
	return func(_ string, w http.ResponseWriter, _ *http.Request) {
		c, b, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer c.Close()
		fmt.Fprint(b, "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 5000\r\n\r\n<Response><Speak>Welcome to")
		_ = b.Flush()
		if tcp, ok := c.(*net.TCPConn); ok && reset {
			_ = tcp.SetLinger(0)
		}
	}
}

// endless writes pieces of n bytes until nobody reads them any more.
func endless(n int, pause time.Duration) func(string, http.ResponseWriter, *http.Request) {
	return func(_ string, w http.ResponseWriter, r *http.Request) {
		piece := []byte(strings.Repeat("<Beep/>\n", n/8+1))
		_, err := w.Write([]byte("<Response>\n"))
		for err == nil {
			if _, err = w.Write(piece); err == nil {
				err = http.NewResponseController(w).Flush()
			}
			select {
			case <-r.Context().Done():
				return
			case <-time.After(pause):
			}
		}
	}
}

// A note is one request that the good app got.
type note struct {
	path, id string // id: Ozswitch-Event-Id
	form     url.Values
}

// A web is the apps: one that fails, one that does not, and one that fails once.
type web struct {
	faulty, good, flaky *httptest.Server

	mu      sync.Mutex
	scripts map[string]string // of the good app, by path
	told    []note
	tries   map[string][]note // of the flaky app, by path
}

func newWeb(t *testing.T) *web {
	t.Helper()
	w := &web{scripts: map[string]string{}, tries: map[string][]note{}}
	w.faulty = httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		// Only who has read all of a request is told when the other side leaves.
		if _, err := read(r); err != nil {
			http.Error(out, err.Error(), http.StatusBadRequest)
			return
		}
		if i, ok := number(r.URL.Path); ok {
			faults[i].serve(w.base(i), out, r)
		}
	}))
	w.good = httptest.NewServer(http.HandlerFunc(w.answer))
	w.flaky = httptest.NewServer(http.HandlerFunc(w.stumble))
	t.Cleanup(func() {
		for _, s := range []*httptest.Server{w.faulty, w.good, w.flaky} {
			s.CloseClientConnections()
			s.Close()
		}
	})
	return w
}

// number is which fault a path means: /7/b is faults[7].
func number(path string) (i int, ok bool) {
	_, err := fmt.Sscanf(path, "/%d", &i)
	return i, err == nil && i < len(faults) && faults[i].serve != nil
}

// base is the URL of a faulty app.
func (w *web) base(i int) string {
	if faults[i].serve == nil {
		return nobody
	}
	return fmt.Sprintf("%s/%d", w.faulty.URL, i)
}

func read(r *http.Request) (note, error) {
	err := r.ParseForm()
	return note{r.URL.Path, r.Header.Get("Ozswitch-Event-Id"), r.PostForm}, err
}

// answer is the good app.
func (w *web) answer(out http.ResponseWriter, r *http.Request) {
	n, err := read(r)
	if err != nil {
		http.Error(out, err.Error(), http.StatusBadRequest)
		return
	}
	w.mu.Lock()
	w.told = append(w.told, n)
	script := w.scripts[r.URL.Path]
	w.mu.Unlock()
	out.Header().Set("Content-Type", "application/xml")
	fmt.Fprint(out, script)
}

// stumble is the app that fails at the first try of each path.
func (w *web) stumble(out http.ResponseWriter, r *http.Request) {
	n, err := read(r)
	if err != nil {
		http.Error(out, err.Error(), http.StatusBadRequest)
		return
	}
	w.mu.Lock()
	w.tries[n.path] = append(w.tries[n.path], n)
	try := len(w.tries[n.path])
	w.mu.Unlock()
	if i, ok := number(n.path); ok && try == 1 {
		faults[i].serve(w.base(i), out, r)
	}
}

// notes are what the good app was told at a path, by CallID.
func (w *web) notes(path string) map[string][]url.Values {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := map[string][]url.Values{}
	for _, n := range w.told {
		if n.path == path {
			all[n.form.Get("CallID")] = append(all[n.form.Get("CallID")], n.form)
		}
	}
	return all
}

// attempts are what the flaky app was told at a path.
func (w *web) attempts(path string) []note {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]note(nil), w.tries[path]...)
}
