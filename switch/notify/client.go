package notify

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"ozswitch/ozml"
	"ozswitch/ozml/syntax"
	"ozswitch/ozml/trace"
	"ozswitch/switch/queue"
)

// Config of a Client; zero values are usable, but without Store reports do not
// survive a restart, and without Allow only public addresses are out of reach
// too: give the defaults of decisions 9 (words of ParseRules).
type Config struct {
	Timeout   time.Duration // for connect, headers and body together; 0 = 10 s (web.timeout)
	Redirects int           // 0 = 5
	Limits    syntax.Limits // of documents; Body (0 = 1 MiB) also bounds what is read

	// Allow says which addresses may be reached, see ParseRules. In dev and demo
	// "loopback", in serve "public", all hosts of URLs in the configuration, and
	// what the operator lists.
	Allow []string
	// PublicURL and ListenAddrs ("127.0.0.1:9509", ":9509") are the switch's own:
	// URLs that lead there are never dialled.
	PublicURL   string
	ListenAddrs []string
	// OpenRecording opens /recordings/name of the switch itself if the token is
	// good. Nil = refused.
	OpenRecording func(name, token string) (io.ReadCloser, error)

	Secret    string                        // signs RoutingInterception and CallChanged (web.secret), "" = unsigned
	SecretFor func(extension string) string // signs everything else; nil or "" = unsigned
	UserAgent string                        // "" = "ozswitch"
	CAFile    string                        // further root certificates, PEM

	Store      queue.Store                       // keeps reports; nil = in memory only
	ReadScript func(name string) ([]byte, error) // fallback_script and script extensions; nil = there are none
	IsCommand  func(name string) bool            // see syntax.Options
	// Answered gets a document that has commands and nobody waits for: the answer
	// to a report or a state. It must not block; it may be called from many
	// goroutines. Nil = such commands are not run.
	Answered func(callID string, n ozml.Notification, f *syntax.File)

	Trace    trace.Sink   // events of calls whose own sink is no longer known (after a restart); nil = none
	Log      *slog.Logger // nil = slog.Default
	Panicked func(v any)  // told of each panic that was caught, for a metric; nil = not told

	// Dial replaces the network, for tests: names are then its own business, and
	// rules are applied to addresses written as numbers only.
	Dial  func(ctx context.Context, network, address string) (net.Conn, error)
	NewID func() string // of notifications; nil = random
}

// A Client is the switch's only way to the web. Use New, then Run. All methods
// may be used at the same time.
type Client struct {
	cfg   Config
	rules atomic.Pointer[Rules]
	self  *self
	queue *queue.Queue
	known map[string][]ozml.Field // the own fields of each notification
	// Two pools of connections: one that an operator's URL opened must not carry
	// a request that may not go there.
	plain, operator *http.Transport

	reports pendings
	states  states
}

// New checks the configuration and starts nothing.
func New(cfg Config) (*Client, error) {
	if cfg.Timeout <= 0 {
		cfg.Timeout = 10 * time.Second
	}
	if cfg.Redirects <= 0 {
		cfg.Redirects = 5
	}
	if cfg.Limits.Body <= 0 {
		cfg.Limits.Body = 1 << 20
	}
	if cfg.UserAgent == "" {
		cfg.UserAgent = "ozswitch"
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Trace == nil {
		cfg.Trace = trace.SinkFunc(func(trace.Event) {})
	}
	if cfg.NewID == nil {
		cfg.NewID = randomID
	}
	if cfg.SecretFor == nil {
		cfg.SecretFor = func(string) string { return "" }
	}
	c := &Client{cfg: cfg}
	if err := c.SetAllow(cfg.Allow); err != nil {
		return nil, err
	}
	var err error
	if c.self, err = newSelf(cfg.PublicURL, cfg.ListenAddrs); err != nil {
		return nil, err
	}
	roots, err := rootCAs(cfg.CAFile)
	if err != nil {
		return nil, err
	}
	c.plain, c.operator = c.transport(roots), c.transport(roots)
	c.known = map[string][]ozml.Field{}
	for _, n := range ozml.Notifications() {
		c.known[n.Name] = n.Fields
	}
	c.reports.byID = map[string]*pending{}
	c.states.init()
	c.queue = queue.New(queue.Config{Store: cfg.Store, Deliver: c.deliver, GaveUp: c.gaveUp, Log: cfg.Log})
	return c, nil
}

// SetAllow replaces Config.Allow; on an error nothing changes. Connections that
// stand idle are not used again.
func (c *Client) SetAllow(lines []string) error {
	rules, err := ParseRules(lines)
	if err != nil {
		return err
	}
	if c.rules.Swap(rules) != nil {
		c.plain.CloseIdleConnections()
		c.operator.CloseIdleConnections()
	}
	return nil
}

// transport makes a pool. Proxies of the environment and HTTP/2 are off, as are
// cookies, which are not a transport's.
func (c *Client) transport(roots *x509.CertPool) *http.Transport {
	return &http.Transport{
		DialContext:            c.dial,
		TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    c.cfg.Timeout,
		ForceAttemptHTTP2:      false,
		MaxIdleConns:           4096,
		MaxIdleConnsPerHost:    1024,
		IdleConnTimeout:        4 * time.Second, // below the 5 s after which Node and Apache close
		MaxResponseHeaderBytes: 64 << 10,
		ResponseHeaderTimeout:  0, // the one deadline is the request's context
	}
}

func rootCAs(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil // the system's
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("notify: web.ca_file: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("notify: web.ca_file %s: no certificate in PEM in it", file)
	}
	return pool, nil
}

// Run delivers reports and states until ctx ends, and returns when all it
// started has ended. Asks work without it.
func (c *Client) Run(ctx context.Context) error {
	defer c.plain.CloseIdleConnections()
	defer c.operator.CloseIdleConnections()
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { c.runStates(ctx) })
	return c.queue.Run(ctx)
}

// Waiting says how many reports are not delivered yet: the metric notify_queue.
func (c *Client) Waiting() int { return c.queue.Len() }

// guard is the recover boundary of every goroutine here: a fault that one
// answer triggers ends the work on that answer only.
func (c *Client) guard(what string) {
	if v := recover(); v != nil {
		c.panicked(what, v)
	}
}

func (c *Client) panicked(what string, v any) {
	c.cfg.Log.Error("notify: panic", "in", what, "panic", v, "stack", string(debug.Stack()))
	if c.cfg.Panicked != nil {
		c.cfg.Panicked(v)
	}
}

func randomID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
