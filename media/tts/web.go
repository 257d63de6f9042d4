package tts

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// web is an engine behind a URL. Each piece is one request:
//
//	POST URL?voice=NAME&language=TAG   (each only where it is given)
//	Content-Type: text/plain; charset=utf-8
//	Accept: audio/wav
//
//	the text
//
// The answer is 200 and a WAV file of 16-bit PCM, any sampling rate from 4 to 96 kHz. A user and password in the URL go
// as HTTP Basic.
type web struct {
	url     *url.URL
	shown   string // without password and query
	timeout time.Duration
	client  *http.Client
	n       int
}

func newWeb(c Config) (engine, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("tts: speech.engine is http and needs speech.url, http://… or https://…, not %q", blank(c.URL))
	}
	shown := *u
	shown.User, shown.RawQuery, shown.Fragment = nil, "", ""
	w := &web{u, shown.String(), or(c.Timeout, 10*time.Second), c.Client, or(c.Workers, 4)}
	if w.client == nil {
		dial := c.Dial
		if dial == nil {
			dial = (&net.Dialer{Timeout: w.timeout}).DialContext
		}
		w.client = &http.Client{
			Transport: &http.Transport{
				DialContext:            dial,
				MaxIdleConnsPerHost:    w.n,
				IdleConnTimeout:        4 * time.Second, // below the 5 s after which Node and Apache close
				TLSHandshakeTimeout:    w.timeout,
				MaxResponseHeaderBytes: 64 << 10,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	return w, nil
}

// blank hides the password in what may not even be a URL.
func blank(s string) string {
	if at := strings.LastIndexByte(s, '@'); at >= 0 {
		return "…" + s[at:]
	}
	return s
}

func (w *web) name() string { return "http " + w.shown }

// voices are the server's own affair.
func (w *web) voices() []string { return nil }
func (w *web) workers() int     { return 1 }
func (w *web) places() int      { return w.n }
func (w *web) quick() string    { return "" }

// english: what a server speaks by itself is not known.
func (w *web) english(r Request, _ string) bool { return r.Language != "" && english(r.Language) }

func (w *web) run(ctx context.Context) error {
	<-ctx.Done()
	w.client.CloseIdleConnections()
	return nil
}

// pick gives voice and language as they go into the URL.
func (w *web) pick(r Request) (voice, note string) {
	q := url.Values{}
	if r.Voice != "" {
		q.Set("voice", r.Voice)
	}
	if r.Language != "" {
		q.Set("language", r.Language)
	}
	return q.Encode(), ""
}

func (w *web) prepare(r Request) string { return plain(r.Text) }

func (w *web) say(ctx context.Context, voice, text string) (sound, error) {
	b, err := w.post(ctx, voice, text)
	if err != nil {
		return sound{}, fmt.Errorf("tts: POST %s: %w", w.shown, err)
	}
	return pcmOf(b)
}

var errSlow = errors.New("no answer in time")

// post has the server make one piece; one deadline covers connect, headers and body.
func (w *web) post(ctx context.Context, voice, text string) ([]byte, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, w.timeout, errSlow)
	defer cancel()
	u := *w.url
	u.RawQuery = strings.Trim(u.RawQuery+"&"+voice, "&")
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "text/plain; charset=utf-8")
	req.Header.Set("Accept", "audio/wav")
	resp, err := w.client.Do(req)
	if err != nil {
		return nil, w.plainly(ctx, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, mostSound+1))
	switch {
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%s %s", resp.Status, firstLine(b))
	case err != nil:
		return nil, w.plainly(ctx, err)
	case len(b) > mostSound:
		return nil, fmt.Errorf("the answer is longer than %d bytes", mostSound)
	case !bytes.HasPrefix(b, []byte("RIFF")):
		return nil, fmt.Errorf("the answer is no WAV file but %d bytes of %s: %s", len(b), cmp.Or(resp.Header.Get("Content-Type"), "an unknown type"), firstLine(b))
	}
	return b, nil
}

// plainly says an error of the client without repeating the URL, which may hold a password.
func (w *web) plainly(ctx context.Context, err error) error {
	switch cause := context.Cause(ctx); {
	case cause == errSlow:
		return fmt.Errorf("%w (%v)", errSlow, w.timeout)
	case cause != nil:
		return cause
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// firstLine is the start of a text answer, for an error message.
func firstLine(b []byte) string {
	line, _, _ := strings.Cut(strings.TrimSpace(strings.ToValidUTF8(string(b[:min(len(b), 200)]), "?")), "\n")
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7F {
			return '?'
		}
		return r
	}, line)
}
