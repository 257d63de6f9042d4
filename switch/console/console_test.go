package console

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func files() fstest.MapFS {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write([]byte("let a = 1"))
	z.Close()
	return fstest.MapFS{
		"index.html":          {Data: []byte(`<meta name="csp-nonce" content="{{nonce}}">`)},
		"main-7F3KQ2LX.js":    {Data: []byte("let a = 1")},
		"main-7F3KQ2LX.js.gz": {Data: packed.Bytes()},
		"only-AAAAAAAA.js.gz": {Data: packed.Bytes()},
		"plain.svg":           {Data: []byte("<svg/>")},
		"README.md":           {Data: []byte("no page")},
	}
}

func get(h http.Handler, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestPages(t *testing.T) {
	h := &Handler{files: files(), tags: map[string]string{}}
	for _, path := range []string{"/", "/calls/q7Lx2", "/scripts/hello.xml", "/numbers", "/phone", "/login?link=used"} {
		w := get(h, path)
		csp := w.Header().Get("Content-Security-Policy")
		_, nonce, _ := strings.Cut(csp, "'nonce-")
		nonce, _, _ = strings.Cut(nonce, "'")
		if want := `content="` + nonce + `"`; w.Code != 200 || len(nonce) < 16 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %q, want the page with %s", path, w.Code, w.Body, want)
		}
		for _, want := range []string{"default-src 'none'", "script-src 'self';", "connect-src 'self' ws://example.com;", "frame-ancestors 'none'", "media-src 'self' blob:"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: the policy %q has no %s", path, csp, want)
			}
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY", "Cache-Control": "no-cache",
			"Content-Type": "text/html; charset=utf-8",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: %s %q, want %q", path, name, got, want)
			}
		}
		if got := w.Header().Get("Permissions-Policy"); !strings.HasPrefix(got, "microphone=(self)") {
			t.Errorf("%s: Permissions-Policy %q", path, got)
		}
	}
	if a, b := get(h, "/").Body.String(), get(h, "/").Body.String(); a == b {
		t.Errorf("two answers have one nonce: %s", a)
	}
}

// TestHost: what a client says that we are called is put into the policy only
// if it is a name.
func TestHost(t *testing.T) {
	h := &Handler{files: files()}
	for host, want := range map[string]string{
		"127.0.0.1:9509": " ws://127.0.0.1:9509;", "[::1]:9509": " ws://[::1]:9509;", "a; script-src *": "connect-src 'self';", "": "connect-src 'self';",
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Host = host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, want) || strings.Contains(csp, "*") {
			t.Errorf("host %q: %q, want %q in it", host, csp, want)
		}
	}
}

func TestAssets(t *testing.T) {
	h := &Handler{files: files(), tags: map[string]string{}}
	const forever = "public, max-age=31536000, immutable"
	tests := []struct {
		path, accept           string
		code                   int
		kind, cache, encodings string
	}{
		{"/assets/main-7F3KQ2LX.js", "br, gzip", 200, "text/javascript; charset=utf-8", forever, "gzip"},
		{"/assets/main-7F3KQ2LX.js", "gzip;q=0", 200, "text/javascript; charset=utf-8", forever, ""},
		{"/assets/only-AAAAAAAA.js", "", 200, "text/javascript; charset=utf-8", forever, ""},
		{"/assets/plain.svg", "gzip", 200, "image/svg+xml", "no-cache", ""},
		{"/assets/main-7F3KQ2LX.js.gz", "", 404, "", "", ""},
		{"/assets/README.md", "", 404, "", "", ""},
		{"/assets/../console.go", "", 404, "", "", ""},
		{"/assets//etc/passwd", "", 404, "", "", ""},
		{"/nothing", "", 404, "", "", ""},
	}
	for _, tt := range tests {
		w := get(h, tt.path, "Accept-Encoding", tt.accept)
		if w.Code != tt.code {
			t.Errorf("%s: %d, want %d", tt.path, w.Code, tt.code)
		}
		if w.Code != 200 {
			continue
		}
		if got := w.Header(); got.Get("Content-Type") != tt.kind || got.Get("Cache-Control") != tt.cache || got.Get("Content-Encoding") != tt.encodings {
			t.Errorf("%s (%s): %v", tt.path, tt.accept, got)
		}
		if !strings.HasSuffix(tt.path, ".js") {
			continue
		}
		body := io.Reader(w.Body)
		if tt.encodings == "gzip" {
			z, err := gzip.NewReader(w.Body)
			if err != nil {
				t.Fatal(err)
			}
			body = z
		}
		if b, err := io.ReadAll(body); err != nil || string(b) != "let a = 1" {
			t.Errorf("%s: %q, %v", tt.path, b, err)
		}
		if again := get(h, tt.path, "Accept-Encoding", tt.accept, "If-None-Match", w.Header().Get("ETag")); again.Code != 304 {
			t.Errorf("%s: %d with the tag that it gave", tt.path, again.Code)
		}
	}
}

// TestUnbuilt: without the pages / says what to do, and a folder of pages is
// read anew.
func TestUnbuilt(t *testing.T) {
	if w := get(From(fstest.MapFS{}), "/"); !strings.Contains(w.Body.String(), "make assets") {
		t.Errorf("got %q", w.Body)
	}
	live := files()
	h := From(live)
	live["index.html"] = &fstest.MapFile{Data: []byte("another")}
	if w := get(h, "/"); w.Body.String() != "another" {
		t.Errorf("got %q", w.Body)
	}
	if w := get(h, "/assets/main-7F3KQ2LX.js"); w.Header().Get("Cache-Control") != "no-cache" {
		t.Errorf("a file that may change: %q", w.Header())
	}
	if w := get(New(), "/"); w.Code != 200 {
		t.Errorf("the program's own pages: %d", w.Code)
	}
}
