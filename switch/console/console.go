package console

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

//go:embed all:assets
var embedded embed.FS

// Pages are the first words of the addresses that the pages know.
var Pages = []string{"", "calls", "scripts", "phone", "login", "numbers", "simulator", "webhooks", "api-explorer", "health", "settings"}

// A Handler serves the pages. It asks nobody for credentials: the pages are the
// same for all, and what they show comes from /v1.
type Handler struct {
	files fs.FS
	live  bool // files change while we serve them

	mu   sync.Mutex
	tags map[string]string // entity tags of files that do not change
}

// New gives the pages that are built into the program.
func New() *Handler {
	files, err := fs.Sub(embedded, "assets")
	if err != nil {
		panic(err) // the folder's name is right, or nothing compiles
	}
	return &Handler{files: files, tags: map[string]string{}}
}

// From gives the pages of a folder, read anew at each request (dev --web).
func From(files fs.FS) *Handler { return &Handler{files: files, live: true} }

// hashed is the name of a file whose content never changes.
var hashed = regexp.MustCompile(`-[0-9A-Za-z]{8}\.[a-z0-9.]+$`)

// unbuilt is what the page says when there is none.
const unbuilt = `The pages of the console are not built into this program.

  make assets && make build     builds them (Node 20 with npm is needed)
  ozswitch dev --web DIR        serves those of a folder

Everything else works without them: the HTTP API at /api, the JSON API at /v1,
figures at /metrics, readiness at /readyz.
`

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET")
		http.Error(w, "GET, please", http.StatusMethodNotAllowed)
		return
	}
	name := strings.TrimPrefix(r.URL.Path, "/")
	if first, _, _ := strings.Cut(name, "/"); slices.Contains(Pages, first) {
		h.index(w, r)
		return
	}
	name = strings.TrimPrefix(name, "assets/")
	if !fs.ValidPath(name) || name == "." || name == "README.md" || name == "index.html" || strings.HasSuffix(name, ".gz") || !h.file(w, r, name) {
		http.Error(w, "there is no such page", http.StatusNotFound)
	}
}

// nonceMark stands in index.html where the nonce of the answer is to stand.
const nonceMark = "{{nonce}}"

// index sends index.html with the headers of a page.
func (h *Handler) index(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	page, err := h.plain("index.html")
	if errors.Is(err, fs.ErrNotExist) {
		header.Set("Content-Type", "text/plain; charset=utf-8")
		header.Set("Cache-Control", "no-store")
		fmt.Fprint(w, unbuilt)
		return
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	nonce := rand.Text()
	header.Set("Content-Security-Policy", policy(r, nonce))
	header.Set("Permissions-Policy", "microphone=(self), speaker-selection=(self), camera=(), geolocation=(), display-capture=()")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("X-Frame-Options", "DENY") // browsers without frame-ancestors
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Cache-Control", "no-cache")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(bytes.ReplaceAll(page, []byte(nonceMark), []byte(nonce))))
}

// hostName is a Host header that may stand in a policy.
var hostName = regexp.MustCompile(`^[0-9A-Za-z.\-]+(:[0-9]+)?$|^\[[0-9A-Fa-f:.]+\](:[0-9]+)?$`)

// policy is the content security policy: nothing from outside, no script but
// our files. The socket of the phone is named, for browsers to which 'self' does
// not mean it (CSP3, 6.7.2.8).
func policy(r *http.Request, nonce string) string {
	connect := "connect-src 'self'"
	if hostName.MatchString(r.Host) {
		scheme := "ws://"
		if r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https") {
			scheme = "wss://"
		}
		connect += " " + scheme + r.Host
	}
	return strings.Join([]string{
		"default-src 'none'", "script-src 'self'", "style-src 'self' 'nonce-" + nonce + "'", "img-src 'self' data:", "font-src 'self'",
		"media-src 'self' blob:", connect, "worker-src 'self'", "manifest-src 'self'",
		"base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'",
	}, "; ")
}

// file sends one file, packed if it can be; false: there is none.
func (h *Handler) file(w http.ResponseWriter, r *http.Request, name string) bool {
	header := w.Header()
	packed, err := fs.ReadFile(h.files, name+".gz")
	zipped := err == nil && accepts(r, "gzip")
	body := packed
	if !zipped {
		if body, err = h.plain(name); err != nil {
			return false
		}
	}
	header.Add("Vary", "Accept-Encoding")
	if zipped {
		header.Set("Content-Encoding", "gzip")
	}
	header.Set("Content-Type", "application/octet-stream")
	if kind := types[path.Ext(name)]; kind != "" {
		header.Set("Content-Type", kind)
	}
	header.Set("Cache-Control", "no-cache")
	if !h.live && hashed.MatchString(name) {
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	// An asset opened by itself, an SVG for one, runs nothing.
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
	header.Set("ETag", h.tag(name, zipped, body))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	return true
}

// types are the kinds of files that a page is made of, the same on every machine.
var types = map[string]string{
	".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".png": "image/png",
	".woff2": "font/woff2", ".json": "application/json", ".map": "application/json", ".webmanifest": "application/manifest+json",
	".wasm": "application/wasm", ".txt": "text/plain; charset=utf-8",
}

// plain gives a file unpacked, whether it lies there packed or not.
func (h *Handler) plain(name string) ([]byte, error) {
	b, err := fs.ReadFile(h.files, name)
	if !errors.Is(err, fs.ErrNotExist) {
		return b, err
	}
	f, err := h.files.Open(name + ".gz")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("console: %s.gz: %w", name, err)
	}
	return io.ReadAll(z)
}

// tag gives the entity tag of a file.
func (h *Handler) tag(name string, zipped bool, body []byte) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if zipped {
		name += ".gz"
	}
	if t := h.tags[name]; t != "" {
		return t
	}
	sum := sha256.Sum256(body)
	t := `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	if !h.live {
		h.tags[name] = t
	}
	return t
}

// accepts tells whether a client takes an encoding (RFC 9110, 12.5.3).
func accepts(r *http.Request, encoding string) bool {
	for part := range strings.SplitSeq(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		name, params, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(name), encoding) {
			q := strings.ReplaceAll(params, " ", "")
			return q != "q=0" && q != "q=0.0" && q != "q=0.00" && q != "q=0.000"
		}
	}
	return false
}
