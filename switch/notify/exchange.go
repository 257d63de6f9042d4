package notify

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"path"
	"strings"
	"sync/atomic"
	"time"

	"ozswitch/ozml"
)

// A request is what is asked of a web app.
type request struct {
	method   string // GET or POST
	url      string
	body     string // a form, of a POST
	header   http.Header
	operator bool          // the URL counts as the operator's (decisions 9); its redirects do not
	max      int64         // bytes of the body, unpacked
	limit    time.Duration // for everything together
	quiet    bool          // nothing of the answer is quoted
}

// A hop is one request and its answer; a redirect makes another.
type hop struct {
	method, url string // credentials included: blank it where it is shown
	status      int    // 0 = no answer
	head        http.Header
	body        []byte
	took        time.Duration
	to          string // where it redirects to
	lost        bool   // the redirect turns the POST into a GET
	fault       *fault
}

// exchange asks and follows redirects until there is an answer. Each hop is shown to see, the last one included,
// which is returned too.
func (c *Client) exchange(ctx context.Context, r request, see func(hop)) hop {
	ctx, cancel := context.WithTimeout(ctx, r.limit)
	defer cancel()
	been := map[string]bool{}
	for n := 0; ; n++ {
		been[r.method+" "+r.url] = true
		h := c.once(ctx, r)
		if h.fault == nil && h.to != "" {
			switch {
			case been[h.redirected(r.method)+" "+h.to]:
				h.fault = newFault(ozml.CodeRedirect, "redirected in a circle, back to %s", Blank(h.to))
			case n == c.cfg.Redirects:
				h.fault = newFault(ozml.CodeRedirect, "redirected more than %d times, at last to %s", c.cfg.Redirects, Blank(h.to))
			}
		}
		see(h)
		if h.fault != nil || h.to == "" {
			return h
		}
		r = r.follow(h)
	}
}

// redirected gives the method after a redirect: 307 and 308 keep it; 301, 302
// and 303 are followed with GET, as all clients do (RFC 9110 15.4.2 to 15.4.4).
func (h *hop) redirected(method string) string {
	if h.status == http.StatusTemporaryRedirect || h.status == http.StatusPermanentRedirect {
		return method
	}
	return http.MethodGet
}

func (r request) follow(h hop) request {
	from, _ := url.Parse(r.url) // was read before
	to, _ := url.Parse(h.to)
	next := request{method: h.redirected(r.method), url: h.to, header: r.header.Clone(), max: r.max, limit: r.limit, quiet: r.quiet}
	if next.method == http.MethodPost {
		next.body = r.body
	}
	sameHost := plainHost(from.Hostname()) == plainHost(to.Hostname())
	if next.method != http.MethodPost || !sameHost {
		next.header.Del(signatureHeader)
	}
	if sameHost && from.Scheme == to.Scheme && portOf(from) == portOf(to) && to.User == nil && from.User != nil {
		to.User = from.User
		next.url = to.String()
	}
	return next
}

// readURL reads a URL that a script or the configuration gave.
func readURL(s string) (*url.URL, *fault) {
	u, err := url.Parse(strings.TrimSpace(s))
	switch {
	case err != nil:
		why := err
		if e, ok := errors.AsType[*url.Error](err); ok {
			why = e.Err // without the URL, which may hold a password
		}
		if strings.Contains(s, "@") {
			why = errors.New("perhaps a character of the password is not escaped, such as / (%2F)")
		}
		return nil, newFault(ozml.CodeURL, "not a URL: %v", why)
	case u.Scheme != "http" && u.Scheme != "https":
		if looksLikeSQL(s) {
			return nil, newFault(ozml.CodeURL, "SQL is not run here, only http and https URLs are fetched")
		}
		return nil, newFault(ozml.CodeURL, "not an http or https URL")
	case u.Hostname() == "" || u.Opaque != "":
		return nil, newFault(ozml.CodeURL, "the URL has no host")
	case strings.Contains(u.Host, ":") && u.Port() != "" && portOf(u) == 0:
		return nil, newFault(ozml.CodeURL, "port %s: want 1 to 65535", u.Port())
	}
	return u, nil
}

func looksLikeSQL(s string) bool {
	word, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(s)), " ")
	return word == "select" || word == "insert" || word == "update" || word == "delete" || word == "exec"
}

// once makes one hop.
func (c *Client) once(ctx context.Context, r request) (h hop) {
	start := time.Now()
	h = hop{method: r.method, url: r.url}
	defer func() { h.took = time.Since(start) }()
	u, f := readURL(r.url)
	if f != nil {
		h.fault = f
		return h
	}
	if c.self.owns(u) {
		c.openOwn(&h, u, r)
		return h
	}

	var got progress
	req, err := http.NewRequestWithContext(got.watch(c.withPass(ctx, u, r.operator)), r.method, "", strings.NewReader(r.body))
	if err != nil {
		h.fault = newFault(ozml.CodeURL, "not a URL: %v", err)
		return h
	}
	req.Header = r.header.Clone()
	if req.Header == nil {
		req.Header = http.Header{}
	}
	if u.User != nil {
		pw, _ := u.User.Password()
		req.SetBasicAuth(u.User.Username(), pw)
		u.User = nil
	}
	u.Fragment = ""
	req.URL, req.Host = u, u.Host
	if r.method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	} else {
		req.Body, req.GetBody, req.ContentLength = nil, nil, 0
	}
	req.Header.Set("User-Agent", c.cfg.UserAgent)
	req.Header.Set("Accept-Encoding", "gzip")
	// A kept connection that the server closes at this very moment is replaced
	// by a new one, for a POST too: the event id makes the request the same one.
	// Nil is known to net/http and is not sent.
	req.Header["Idempotency-Key"] = nil

	pool := c.plain
	if r.operator {
		pool = c.operator
	}
	resp, err := pool.RoundTrip(req)
	if err != nil {
		h.fault = transportFault(err, u.Host, got.phase(), r.limit)
		return h
	}
	defer resp.Body.Close()
	h.status, h.head = resp.StatusCode, resp.Header
	c.readAnswer(&h, r, resp, u)
	return h
}

// readAnswer reads status and body.
func (c *Client) readAnswer(h *hop, r request, resp *http.Response, u *url.URL) {
	switch h.status {
	case 301, 302, 303, 307, 308:
		if loc := resp.Header.Get("Location"); loc != "" {
			to, err := u.Parse(loc)
			if err != nil || to.Scheme != "http" && to.Scheme != "https" || to.Hostname() == "" {
				h.fault = newFault(ozml.CodeRedirect, "redirected to %q, which is no http or https URL", Blank(loc))
				return
			}
			h.to = to.String()
			h.lost = r.method == http.MethodPost && h.redirected(r.method) != r.method
			io.Copy(io.Discard, io.LimitReader(resp.Body, 16<<10)) // so that the connection can be kept
			return
		}
	}
	max := r.max
	ok := h.status >= 200 && h.status <= 299
	if !ok {
		max = 16 << 10 // to be quoted
	}
	body, err := unpack(resp)
	if err == nil {
		h.body, err = io.ReadAll(io.LimitReader(body, max+1))
	}
	switch {
	case !ok:
		quote := h.body
		if r.quiet {
			quote = nil
		}
		h.fault = statusFault(h.status, resp.Header, quote)
	case int64(len(h.body)) > max:
		h.body = h.body[:max]
		h.fault = newFault(ozml.CodeTooLarge, "the answer is larger than %s", size(max))
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.Is(err, errEncoding), isCorrupt(err):
		h.fault = newFault(ozml.CodeUnpack, "the answer cannot be unpacked: Content-Encoding is %q, but the body is not", resp.Header.Get("Content-Encoding"))
		if errors.Is(err, errEncoding) {
			h.fault.cause = fmt.Sprintf("the answer cannot be unpacked: Content-Encoding %q is not read here", resp.Header.Get("Content-Encoding"))
		}
		h.fault.err = err
	case err != nil:
		h.fault = transportFault(err, u.Host, firstByte, r.limit)
		if h.fault.code == ozml.CodeBroken && resp.ContentLength > 0 {
			h.fault.cause = fmt.Sprintf("the answer was cut off after %d of %d bytes", len(h.body), resp.ContentLength)
		}
	}
}

var errEncoding = errors.New("notify: unknown Content-Encoding")

// unpack gives the body as it was before compression. The transport would do
// the same, but would not say what was wrong.
func unpack(resp *http.Response) (io.Reader, error) {
	switch strings.ToLower(strings.TrimSpace(resp.Header.Get("Content-Encoding"))) {
	case "", "identity":
		return resp.Body, nil
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(resp.Body)
		if err == io.EOF {
			return resp.Body, nil // nothing at all, so nothing compressed
		}
		return z, err
	}
	return nil, errEncoding
}

func isCorrupt(err error) bool {
	return err != nil && strings.HasPrefix(err.Error(), "flate: ")
}

func size(n int64) string {
	if n >= 1<<20 && n%(1<<20) == 0 {
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d bytes", n)
}

// openOwn answers for the switch itself, without the network.
func (c *Client) openOwn(h *hop, u *url.URL, r request) {
	_, name, ok := strings.Cut(u.Path, "/recordings/")
	if !ok || c.cfg.OpenRecording == nil || path.Clean("/"+name) != "/"+name {
		h.fault = newFault(ozml.CodeNotAllowed, "%s is this switch itself", u.Host).with(selfHint)
		return
	}
	f, err := c.cfg.OpenRecording(name, u.Query().Get("token"))
	if err != nil {
		h.status = http.StatusNotFound
		h.fault = newFault(ozml.CodeNotAllowed, "the switch has no such recording, or the token is not good").with("use RecordURL as it came in RecordCompleted, within its days")
		return
	}
	defer f.Close()
	var b bytes.Buffer
	n, err := b.ReadFrom(io.LimitReader(f, r.max+1))
	h.status, h.head, h.body = http.StatusOK, http.Header{}, b.Bytes()
	switch {
	case err != nil:
		h.fault = newFault(ozml.CodeScriptFile, "the recording cannot be read: %s", lastWords(err))
	case n > r.max:
		h.body = h.body[:r.max]
		h.fault = newFault(ozml.CodeTooLarge, "the recording is larger than %s", size(r.max))
	}
}

// charset is the one of the header Content-Type, "" when it says none.
func charset(head http.Header) string {
	_, params, err := mime.ParseMediaType(head.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return params["charset"]
}

// A phase is how far a request came.
type phase int32

const (
	begun phase = iota
	connecting
	connected
	asked
	firstByte
)

// words end the sentence "no answer within 10s: …".
func (p phase) words(host string) string {
	return [...]string{
		"the name was not resolved",
		"no connection to " + host,
		"connected, but not ready to be asked",
		"connected and asked, but nothing came back",
		"the answer began, but did not end",
	}[p]
}

// progress watches a request. The pool's own goroutines report, hence atomic.
type progress struct{ at atomic.Int32 }

func (p *progress) phase() phase { return phase(p.at.Load()) }

func (p *progress) reach(to phase) {
	for {
		old := p.at.Load()
		if old >= int32(to) || p.at.CompareAndSwap(old, int32(to)) {
			return
		}
	}
}

func (p *progress) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		ConnectStart:         func(string, string) { p.reach(connecting) },
		GotConn:              func(httptrace.GotConnInfo) { p.reach(connected) },
		WroteRequest:         func(httptrace.WroteRequestInfo) { p.reach(asked) },
		GotFirstResponseByte: func() { p.reach(firstByte) },
	})
}
