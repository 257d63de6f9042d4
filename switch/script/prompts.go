package script

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"ozswitch/ozml"
	"ozswitch/switch/notify"
)

// Prompts opens what Play names.
type Prompts interface {
	Open(ctx context.Context, name string) (*PromptFile, error)
}

// A PromptFile is a sound file that is open. Key names this content for caches;
// "" when it may not be kept.
type PromptFile struct {
	io.ReadSeeker
	Key   string
	close func() error
}

// Close closes the file.
func (f *PromptFile) Close() error {
	if f.close == nil {
		return nil
	}
	return f.close()
}

const (
	maxDownload  = 64 << 20 // decisions 10
	downloadTime = 60 * time.Second
	maxPages     = 256 << 20 // bytes of downloads that are kept
)

// Library is the Prompts of a switch: files below media/ and recordings/, and
// URLs, which are kept as HTTP says (RFC 9111).
type Library struct {
	// Roots by the name of their folder, media first: the one that a path without
	// a root's name is relative to.
	// Voicemail may be nil.
	Media, Recordings, Voicemail *os.Root
	// Dir is the data folder that holds them; an absolute path must lie below one.
	Dir string
	Web *notify.Client

	mu    sync.Mutex
	pages map[string]*page
	size  int64
}

type page struct {
	body  []byte
	etag  string
	since string    // Last-Modified
	fresh time.Time // until then it need not be asked for
	used  time.Time
}

// Open implements Prompts.
func (l *Library) Open(ctx context.Context, name string) (*PromptFile, error) {
	if low := strings.ToLower(name); strings.HasPrefix(low, "http://") || strings.HasPrefix(low, "https://") {
		return l.download(ctx, name)
	}
	root, rel, err := l.place(name)
	if err == nil && rel == "." {
		err = outside(name)
	}
	if err != nil {
		return nil, err
	}
	f, err := root.Open(rel)
	if err != nil {
		return nil, noFile(name, err)
	}
	i, err := f.Stat()
	if err == nil && !i.Mode().IsRegular() {
		err = errors.New("not a file")
	}
	if err != nil {
		f.Close()
		return nil, noFile(name, err)
	}
	return &PromptFile{f, fmt.Sprintf("%s\x00%d\x00%d", name, i.Size(), i.ModTime().UnixNano()), f.Close}, nil
}

func noFile(name string, err error) error {
	const hint = "put it below media/"
	if errors.Is(err, fs.ErrNotExist) {
		return &ozml.Fault{Code: ozml.CodeNoFile, Msg: "no such sound file: " + name, Hint: hint} // as on paper
	}
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		err = p.Err
	}
	return &ozml.Fault{Code: ozml.CodeNoFile, Msg: fmt.Sprintf("%q cannot be played: %v", name, err), Hint: hint}
}

// download gets a URL, or what is kept of it.
func (l *Library) download(ctx context.Context, url string) (*PromptFile, error) {
	now := time.Now()
	l.mu.Lock()
	old := l.pages[url]
	if old != nil {
		old.used = now
	}
	l.mu.Unlock()
	if old != nil && now.Before(old.fresh) {
		return openPage(url, old), nil
	}
	ask := http.Header{}
	if old != nil && old.etag != "" {
		ask.Set("If-None-Match", old.etag)
	} else if old != nil && old.since != "" {
		ask.Set("If-Modified-Since", old.since)
	}
	got, err := l.Web.Get(ctx, url, ask, maxDownload, downloadTime, false)
	if err != nil {
		return nil, err
	}
	p := &page{body: got.Body, etag: got.Header.Get("ETag"), since: got.Header.Get("Last-Modified"), used: now}
	if got.Status == http.StatusNotModified && old != nil {
		p.body = old.body
	}
	var store bool
	if p.fresh, store = freshness(got.Header, now); store {
		l.keep(url, p)
	}
	return openPage(url, p), nil
}

func openPage(url string, p *page) *PromptFile {
	key := ""
	if p.etag != "" || p.since != "" {
		key = url + "\x00" + p.etag + "\x00" + p.since
	}
	return &PromptFile{bytes.NewReader(p.body), key, nil}
}

// freshness reads Cache-Control and Expires (RFC 9111 4.2): until when an
// answer may be used unasked, and whether it may be kept at all.
func freshness(h http.Header, now time.Time) (fresh time.Time, store bool) {
	fresh, store = now, true
	if t, err := http.ParseTime(h.Get("Expires")); err == nil {
		fresh = t
	}
	ask := false
	for d := range strings.SplitSeq(strings.ToLower(strings.Join(h.Values("Cache-Control"), ",")), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(d), "=")
		switch name {
		case "no-store":
			store = false
		case "no-cache":
			ask = true
		case "max-age": // before Expires (RFC 9111 5.3)
			if s, err := strconv.Atoi(strings.Trim(value, `"`)); err == nil {
				fresh = now.Add(time.Duration(s) * time.Second)
			}
		}
	}
	if ask {
		fresh = now
	}
	return fresh, store
}

// keep puts a page into the cache; what was not used for longest goes.
func (l *Library) keep(url string, p *page) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pages == nil {
		l.pages = map[string]*page{}
	}
	if old := l.pages[url]; old != nil {
		l.size -= int64(len(old.body))
	}
	l.pages[url] = p
	for l.size += int64(len(p.body)); l.size > maxPages; {
		var oldest string
		for u, q := range l.pages {
			if oldest == "" || q.used.Before(l.pages[oldest].used) {
				oldest = u
			}
		}
		l.size -= int64(len(l.pages[oldest].body))
		delete(l.pages, oldest)
	}
}
