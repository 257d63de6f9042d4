package notify

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"ozswitch/ozml"
	"ozswitch/ozml/trace"
)

// What web apps do wrong, on real sockets: each must give a cause, a place and
// a hint that a web developer can act on.
func TestFaultsOfWebApps(t *testing.T) {
	const phpWarning = "\nWarning: Undefined variable $name in /app/ivr.php on line 7\n<?xml version=\"1.0\"?><Response/>"
	mux := http.NewServeMux()
	say := func(path, contentType, body string) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", contentType)
			io.WriteString(w, body)
		})
	}
	status := func(path string, code int, body string) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(code); io.WriteString(w, body) })
	}
	redirect := func(path, to string, code int) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Location", to); w.WriteHeader(code) })
	}
	raw := func(path, answer string) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			c, _, _ := w.(http.Hijacker).Hijack()
			io.WriteString(c, answer)
			c.Close()
		})
	}
	status("/500", 500, "<html><head><title>Fatal error: Call to undefined function say()</title></head></html>")
	status("/404", 404, "\n  Not here \x1b[31m\n")
	status("/401", 401, "")
	status("/405", 405, "")
	status("/419", 419, "Page Expired")
	say("/html", "text/html", "<!DOCTYPE html>\n<html><body>Login</body></html>")
	say("/json", "application/json", `{"speak": "hello"}`)
	say("/empty", "text/xml", " \n")
	say("/warning", "text/html", phpWarning)
	say("/tworoots", "text/xml", "<Response><Speak>a</Speak></Response>\n<Response/>")
	say("/encoding", "text/xml; charset=utf-8", "<Response>\n<Speak>J\xf6</Speak></Response>")
	say("/klingon", "text/xml; charset=klingon", "<Response/>")
	say("/cutxml", "text/xml", "<Response>\n  <Speak>Hello</Speak>\n  <Pla")
	redirect("/circle", "/circle2", 307)
	redirect("/circle2", "/circle", 307)
	mux.HandleFunc("/far/", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path+"x", http.StatusFound) })
	redirect("/ftp", "ftp://user:pw@example.com/", 302)
	redirect("/inside", "http://10.0.0.7/admin", 302)
	redirect("/metadata", "http://169.254.169.254/latest/", 302)
	redirect("/nowhere", "", 302)
	raw("/cut", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<Response>")
	raw("/closed", "")
	raw("/nothttp", "SSH-2.0-OpenSSH\r\n\r\n")
	raw("/headers", "HTTP/1.1 200 OK\r\nX: "+strings.Repeat("x", 70<<10)+"\r\n\r\n")
	mux.HandleFunc("/endless", func(w http.ResponseWriter, r *http.Request) {
		for block := []byte(strings.Repeat("<Speak/>", 8192)); ; {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/bomb", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		for block := make([]byte, 64<<10); ; {
			if _, err := z.Write(block); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/gzip", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		io.WriteString(w, hello)
	})
	mux.HandleFunc("/br", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "br")
		io.WriteString(w, hello)
	})
	mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body); <-r.Context().Done() })
	quiet := slog.NewLogLogger(slog.DiscardHandler, 0)
	web := httptest.NewUnstartedServer(mux)
	web.Config.ErrorLog = quiet
	web.Start()
	defer web.Close()
	tls := httptest.NewUnstartedServer(mux)
	tls.Config.ErrorLog = quiet
	tls.StartTLS()
	defer tls.Close()
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()

	c, err := New(Config{Allow: []string{"loopback"}, Log: slog.New(slog.DiscardHandler), ListenAddrs: []string{"127.0.0.1:9509"}, PublicURL: "https://pbx.example.com/oz"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.plain.CloseIdleConnections()
	for _, f := range []struct {
		url  string // a path of the app, or a whole URL
		code string
		pos  string
		msg  string // part of it
		hint string // part of it
	}{
		{"http://" + gone.Addr().String() + "/", ozml.CodeRefused, "-", "connection refused: nothing listens on " + gone.Addr().String(), "Start the web app"},
		{"http://no-such-host.invalid/", ozml.CodeNoHost, "-", "no-such-host.invalid", "getent hosts"},
		{"/slow", ozml.CodeTimeout, "-", "no answer within 200ms: connected and asked, but nothing came back", "web.timeout"},
		{"/500", ozml.CodeStatus, "-", `the web app answered 500 Internal Server Error: "Fatal error: Call to undefined function say()"`, "error log"},
		{"/404", ozml.CodeStatus, "-", `the web app answered 404 Not Found: "Not here  [31m"`, "check the path"},
		{"/401", ozml.CodeStatus, "-", "answered 401", "https://user:password@host"},
		{"/405", ozml.CodeStatus, "-", "answered 405", "POST"},
		{"/419", ozml.CodeStatus, "-", `answered 419: "Page Expired"`, "CSRF"},
		{"/html", "OZ1004", "1:1", "", "login"},
		{"/json", "OZ1005", "1:1", "", "json_encode"},
		{"/empty", ozml.CodeEmpty, "-", "the answer is empty", "error log"},
		{"/warning", "OZ1003", "2:1", "", "Warning: Undefined variable $name"},
		{"/tworoots", "OZ1021", "2:1", "", "one <Response>"},
		{"/encoding", "OZ1009", "2:9", "", "UTF-8"},
		{"/klingon", "OZ1008", "", "klingon", "UTF-8"},
		{"/cutxml", "OZ1020", "3:", "", ""},
		{"/cut", ozml.CodeBroken, "-", "cut off after 10 of 100 bytes", "error log"},
		{"/closed", ozml.CodeBroken, "-", "closed without an answer", "error log"},
		{"/nothttp", ozml.CodeNotHTTP, "-", "is not HTTP", "port"},
		{"/headers", ozml.CodeTooLarge, "-", "headers of the answer are larger", ""},
		{"/circle", ozml.CodeRedirect, "-", "redirected in a circle, back to " + web.URL + "/circle", "curl -iL"},
		{"/far/", ozml.CodeRedirect, "-", "redirected more than 5 times, at last to " + web.URL + "/far/xxxxxx", "curl -iL"},
		{"/ftp", ozml.CodeRedirect, "-", `redirected to "ftp://***@example.com/"`, ""},
		{"/nowhere", ozml.CodeStatus, "-", "302 Found, without a Location", ""},
		{"/inside", ozml.CodeNotAllowed, "-", `10.0.0.7:80 is a private address and not allowed; to allow it: web.allow: ["10.0.0.7:80"]`, `web.allow: ["10.0.0.7:80"]`},
		{"/metadata", ozml.CodeNotAllowed, "-", `169.254.169.254:80 is a metadata address`, `web.allow: ["169.254.169.254:80"]`},
		{"http://[fd00::7]:81/", ozml.CodeNotAllowed, "-", `private address`, `web.allow: ["[fd00::7]:81"]`},
		{"http://8.8.8.8/", ozml.CodeNotAllowed, "-", `public address`, `web.allow: ["8.8.8.8:80"]`},
		{"http://localhost:9509/api?command=Call", ozml.CodeNotAllowed, "-", "is this switch itself", "web.allow"},
		{"http://[::ffff:127.0.0.1]:9509/", ozml.CodeNotAllowed, "-", "is this switch itself", ""},
		{"http://0.0.0.0:9509/", ozml.CodeNotAllowed, "-", "is this switch itself", ""},
		{"https://PBX.example.com/oz/recordings/x", ozml.CodeNotAllowed, "-", "is this switch itself", ""},
		{"/endless", ozml.CodeTooLarge, "-", "larger than 1 MiB", "limits.body"},
		{"/bomb", ozml.CodeTooLarge, "-", "larger than 1 MiB", "limits.body"},
		{"/gzip", ozml.CodeUnpack, "-", `Content-Encoding is "gzip", but the body is not`, "gzip"},
		{"/br", ozml.CodeUnpack, "-", `Content-Encoding "br" is not read here`, "gzip"},
		{tls.URL + "/html", ozml.CodeTLS, "-", "which is not trusted here", "web.ca_file"},
		{"https://" + web.Listener.Addr().String() + "/", ozml.CodeTLS, "-", "speaks no TLS", "http://"},
		{"http://" + tls.Listener.Addr().String() + "/html", ozml.CodeStatus, "-", "answered 400 Bad Request", ""},
		{"ftp://app/x", ozml.CodeURL, "-", "not an http or https URL", ""},
		{"SELECT * FROM menu", ozml.CodeURL, "-", "SQL is not run here", ""},
		{"http://me:hunter/2@app/", ozml.CodeURL, "-", "not escaped", "%20"},
		{"http:///x", ozml.CodeURL, "-", "no host", ""},
		{"http://app:70000/", ozml.CodeURL, "-", "want 1 to 65535", ""},
	} {
		u := f.url
		if strings.HasPrefix(u, "/") {
			u = web.URL + u
		}
		ev := &events{}
		w := c.ForCall(CallContext{Info: info, Sink: ev})
		limit := 20 * time.Second
		if f.url == "/slow" {
			limit = 200 * time.Millisecond
		}
		file, h, fa := w.ask(t.Context(), w.newAsk(ozml.Notification{Name: "IncomingCall", URL: u}), limit)
		if fa == nil {
			t.Errorf("%s: got a document with %d commands, want %s", f.url, commands(file), f.code)
			continue
		}
		e := fa.fetchError(h.method, h.url, h.status)
		pos := e.Pos.String()
		if e.Code != f.code || !strings.HasPrefix(pos, f.pos) || !strings.Contains(e.Msg, f.msg) || !strings.Contains(e.Hint, f.hint) || e.Hint == "" {
			t.Errorf("%s:\n got %s at %s: %s\n     hint: %s\nwant %s at %s: %s\n     hint: %s", f.url, e.Code, pos, e.Msg, e.Hint, f.code, f.pos, f.msg, f.hint)
		}
		for _, s := range []string{e.Msg, e.URL, e.Hint, fmt.Sprint(ev.list)} {
			if strings.Contains(s, "hunter") || strings.Contains(s, "user:pw") {
				t.Errorf("%s: a password in %q", f.url, s)
			}
		}
		// The last event says the same as the error.
		last := ev.list[len(ev.list)-1]
		if last.Code != f.code || last.Hint != e.Hint || !strings.Contains(e.Msg, last.Text) || fa.pos.IsValid() && last.Type != trace.ScriptRefused {
			t.Errorf("%s: last event %+v, want the fault %s", f.url, last, e.Msg)
		}
	}
}

// What works: redirects, gzip, names and operators' URLs.
func TestWaysToADocument(t *testing.T) {
	var method, signed string
	mux := http.NewServeMux()
	mux.HandleFunc("/ok", func(w http.ResponseWriter, r *http.Request) {
		r.ParseForm()
		method, signed = r.Method+" "+r.PostForm.Get("NotificationName"), r.Header.Get(signatureHeader)
		io.WriteString(w, hello)
	})
	for _, code := range []int{301, 302, 303, 307, 308} {
		mux.Handle(fmt.Sprint("/", code), http.RedirectHandler("/ok", code))
	}
	mux.HandleFunc("/gzip", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		io.WriteString(z, hello)
		z.Close()
	})
	web := httptest.NewServer(mux)
	defer web.Close()
	port := web.Listener.Addr().(*net.TCPAddr).Port
	byName := fmt.Sprintf("http://localhost:%d/ok", port)

	client := func(allow ...string) *Client {
		c, err := New(Config{Allow: allow, SecretFor: func(string) string { return "s" }})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.plain.CloseIdleConnections(); c.operator.CloseIdleConnections() })
		return c
	}
	loop := client("loopback")
	for _, c := range []struct {
		name   string
		c      *Client
		url    string
		ops    []string
		method string
		code   string // of the event, "" = none; a FetchError when no method is wanted
	}{
		{"plain", loop, web.URL + "/ok", nil, "POST IncomingCall signed", ""},
		{"gzip", loop, web.URL + "/gzip", nil, "", ""},
		{"301", loop, web.URL + "/301", nil, "GET", ozml.CodeLostFields},
		{"302", loop, web.URL + "/302", nil, "GET", ozml.CodeLostFields},
		{"303", loop, web.URL + "/303", nil, "GET", ozml.CodeLostFields},
		{"307", loop, web.URL + "/307", nil, "POST IncomingCall signed", ""},
		{"308", loop, web.URL + "/308", nil, "POST IncomingCall signed", ""},
		{"by name", client("localhost"), byName, nil, "POST IncomingCall signed", ""},
		{"by name and port", client(fmt.Sprintf("localhost:%d", port)), byName, nil, "POST IncomingCall signed", ""},
		{"by name, another port", client("localhost:1"), byName, nil, "", ozml.CodeNotAllowed},
		{"operator", client(), web.URL + "/ok", []string{web.URL + "/ok"}, "POST IncomingCall signed", ""},
		{"operator, but the redirect is not", client(), web.URL + "/307", []string{web.URL + "/307"}, "", ozml.CodeNotAllowed},
		{"nobody allowed it", client(), web.URL + "/ok", []string{web.URL + "/307"}, "", ozml.CodeNotAllowed},
	} {
		method, signed = "", ""
		ev := &events{}
		_, err := c.c.ForCall(CallContext{Info: info, Sink: ev, Operator: c.ops}).Fetch(t.Context(), ozml.Notification{Name: "IncomingCall", URL: c.url})
		got := strings.TrimSpace(method)
		if signed != "" {
			got += " signed"
		}
		code := ""
		for _, e := range ev.list {
			if e.Code != "" && e.Type == trace.ScriptFetch {
				code = e.Code
			}
		}
		if got != c.method || code != c.code || (err != nil) != (code == ozml.CodeNotAllowed) {
			t.Errorf("%s: the app saw %q, event %q, %v; want %q, %q", c.name, got, code, err, c.method, c.code)
		}
	}

	// A connection that an operator's URL opened serves nobody else.
	c := client()
	w := c.ForCall(CallContext{Info: info, Operator: []string{web.URL + "/ok"}})
	if _, err := w.Fetch(t.Context(), ozml.Notification{Name: "IncomingCall", URL: web.URL + "/ok"}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Fetch(t.Context(), ozml.Notification{Name: "GoTo", URL: web.URL + "/gzip"}); err == nil {
		t.Error("a script used the operator's connection")
	}

	p, err := loop.Get(t.Context(), web.URL+"/gzip", nil, 1<<20, 0, false)
	if err != nil || string(p.Body) != hello {
		t.Errorf("Get = %+v, %v", p, err)
	}
	_, err = loop.Get(t.Context(), web.URL+"/gzip", nil, 10, 0, false)
	if e, ok := errors.AsType[*ozml.FetchError](err); !ok || e.Code != ozml.CodeTooLarge {
		t.Errorf("Get beyond its limit = %v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(ozml.ErrGone)
	if _, err := loop.ForCall(CallContext{}).Fetch(ctx, ozml.Notification{Name: "GoTo", URL: web.URL + "/ok"}); err != ozml.ErrGone {
		t.Errorf("Fetch of a call that is over = %v, want the cause", err)
	}
}

func TestOwnRecordings(t *testing.T) {
	c, err := New(Config{PublicURL: "https://pbx.example.com/oz/", ListenAddrs: []string{":9509"}, OpenRecording: func(name, token string) (io.ReadCloser, error) {
		if name != "2026/a.wav" || token != "good" {
			return nil, errors.New("no")
		}
		return io.NopCloser(strings.NewReader("sound")), nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	for u, want := range map[string]string{
		"https://pbx.example.com/oz/recordings/2026/a.wav?token=good": "sound",
		"http://127.0.0.1:9509/recordings/2026/a.wav?token=good":      "sound",
		"http://127.0.0.1:9509/recordings/2026/a.wav?token=bad":       ozml.CodeNotAllowed,
		"http://127.0.0.1:9509/recordings/../a.wav?token=good":        ozml.CodeNotAllowed,
		"http://127.0.0.1:9509/v1/calls":                              ozml.CodeNotAllowed,
		"https://pbx.example.com/other":                               ozml.CodeNotAllowed, // not ours, and public is not allowed here
	} {
		got := ""
		p, err := c.Get(t.Context(), u, nil, 100, 0, false)
		if e, ok := errors.AsType[*ozml.FetchError](err); ok {
			got = e.Code
		} else if err == nil {
			got = string(p.Body)
		}
		if got != want && !(want == ozml.CodeNotAllowed && got == ozml.CodeNoHost) {
			t.Errorf("Get(%s) = %q (%v), want %q", u, got, err, want)
		}
	}
	for _, bad := range []Config{{PublicURL: "pbx"}, {ListenAddrs: []string{"9509"}}, {ListenAddrs: []string{"pbx:80"}}, {CAFile: "/no/such"}, {Allow: []string{"http://x/"}}} {
		if _, err := New(bad); err == nil || !strings.HasPrefix(err.Error(), "notify: ") {
			t.Errorf("New(%+v) = %v, want a refusal", bad, err)
		}
	}
}
