package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"ozswitch/switch/phone"
)

// A line is a Phone that runs, and what is known of the switch it calls.
type line struct {
	host  string // host:port that is called
	phone *phone.Phone
	probe net.Conn
	stop  context.CancelFunc // of the phone
	wg    sync.WaitGroup

	waiting chan error                    // what comes of the registration, with --wait
	taken   chan *phone.Call              // the call that came
	options atomic.Pointer[phone.Options] // what is done with it; nil: not yet ready for one

	mu       sync.Mutex
	deaf     bool           // the machine there says that nobody listens
	warnings map[int]string // the last Warning text of each SIP status
}

// errDeaf is the cause of a context that ended because nobody listens there.
type errDeaf struct{ error }

func (e errDeaf) Unwrap() error { return e.error }

// newLine starts a phone that can reach who is called. Its context ends with ctx,
// and when the machine there says that nobody listens.
//
// That is what the probe is for, with UDP: a SIP socket talks to everybody, so the system
// does not tell it that a packet was refused (ICMP), and INVITE would wait 32 s
// for its Timer B. A connected socket is told at once. It sends the keep-alive
// of RFC 5626, which every SIP server ignores. Its other end is also the address
// to call from.
func newLine(ctx context.Context, k *caller, diag io.Writer) (*line, context.Context, error) {
	host, err := callHost(k.number, k.server, k.transport)
	if err != nil {
		return nil, nil, err
	}
	trust, err := authorities(k.ca)
	if err != nil {
		return nil, nil, err
	}
	addr, err := resolve(ctx, host)
	if err != nil {
		return nil, nil, err
	}
	probe, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(addr))
	if err != nil {
		return nil, nil, err
	}
	l := &line{host: host, probe: probe, warnings: map[int]string{}, waiting: make(chan error, 1), taken: make(chan *phone.Call, 1)}
	local := probe.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
	listen := map[string]string{"tcp": "tcp://"}[k.transport]
	if listen == "" {
		listen = "udp://" // it cannot be called by TLS, so it needs no certificate
	}
	cfg := phone.Config{
		Listen: listen + netip.AddrPortFrom(local, 0).String(), Transport: k.transport, TLS: trust, User: cmp.Or(k.user, k.from), Password: k.password,
		Log: slog.New(slog.NewTextHandler(diag, &slog.HandlerOptions{Level: slog.LevelError})),
	}
	watch(&cfg.Trace, l.received)
	if k.wait {
		l.expect(&cfg)
	}
	l.phone = phone.New(cfg)
	if err := l.phone.Bind(); err != nil {
		probe.Close()
		return nil, nil, err
	}
	under, stop := context.WithCancel(context.WithoutCancel(ctx))
	l.stop = stop
	l.wg.Go(func() { _ = l.phone.Run(under) })

	if k.transport != "udp" {
		return l, ctx, nil
	}
	ctx, give := context.WithCancelCause(ctx)
	l.wg.Go(func() {
		_, err := probe.Write([]byte("\r\n\r\n"))
		var b [16]byte
		for err == nil {
			_, err = probe.Read(b[:]) // a pong is fine
		}
		if !errors.Is(err, net.ErrClosed) {
			give(errDeaf{err})
		}
	})
	return l, ctx, nil
}

// authorities are what TLS trusts: nil is the system's.
func authorities(file string) (*tls.Config, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("--ca: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("--ca: no certificate in %s", file)
	}
	return &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, nil
}

// close stops the phone.
func (l *line) close() {
	l.probe.Close()
	l.stop()
	l.wg.Wait()
}

// grace is how long a call that was hung up or given up may take to end.
const grace = 2 * time.Second

// wait waits for the end of a call, and hangs up when ctx ends.
func (l *line) wait(ctx context.Context, call *phone.Call) phone.Result {
	select {
	case <-call.Done():
	case <-ctx.Done():
		call.Hangup()
		if _, deaf := errors.AsType[errDeaf](context.Cause(ctx)); !deaf {
			select {
			case <-call.Done():
			case <-time.After(grace):
			}
		}
		select {
		case <-call.Done():
		default:
			l.stop() // there is nobody to wait for
		}
	}
	return call.Wait(context.WithoutCancel(ctx))
}

// watch has see called with every SIP message that comes. L is call.LegID,
// which commands do not know.
func watch[L any](trace *func(L, bool, string, netip.AddrPort, []byte), see func(msg []byte)) {
	*trace = func(_ L, sent bool, _ string, _ netip.AddrPort, msg []byte) {
		if !sent {
			see(msg)
		}
	}
}

// received keeps the text of Warning headers (RFC 3261, 20.43): a refusal's own
// words, as in  Warning: 399 ozswitch "nobody has the number 12".
func (l *line) received(msg []byte) {
	status, ok := bytes.CutPrefix(msg, []byte("SIP/2.0 "))
	if !ok || len(status) < 3 || status[0] < '3' {
		return
	}
	code, err := strconv.Atoi(string(status[:3]))
	if err != nil {
		return
	}
	head, _, _ := bytes.Cut(status, []byte("\r\n\r\n"))
	for h := range bytes.SplitSeq(head, []byte("\r\n")) {
		name, value, _ := bytes.Cut(h, []byte(":"))
		if !strings.EqualFold(string(bytes.TrimSpace(name)), "warning") {
			continue
		}
		if text := quotedText(string(value)); text != "" {
			l.mu.Lock()
			l.warnings[code] = text
			l.mu.Unlock()
		}
		return
	}
}

// quotedText is the first quoted string in s, without its quotes.
func quotedText(s string) string {
	_, s, _ = strings.Cut(s, `"`)
	var b strings.Builder
	for i := 0; i < len(s) && s[i] != '"'; i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		if s[i] >= ' ' && s[i] != 0x7f { // nobody out there writes to our terminal
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// why says why a call failed; "" when it was answered and ended well.
func (l *line) why(ctx context.Context, r phone.Result) string {
	deaf, isDeaf := errors.AsType[errDeaf](context.Cause(ctx))
	switch {
	case r.Cause == phone.TheyHungUp:
		return ""
	case r.Cause == phone.HungUp && (r.Reason == "hung up" || r.Reason == "the phone stopped"):
		return ""
	case r.Cause == phone.HungUp: // by the phone itself: no codec, no sound
		return r.Reason
	case r.Cause == phone.GaveUp && isDeaf:
		if errors.Is(deaf, syscall.ECONNREFUSED) {
			return "connection refused"
		}
		return deaf.Error()
	case r.Cause == phone.GaveUp:
		return "given up before the answer"
	}
	if strings.Contains(r.Reason, "connection refused") { // by TCP and its like the phone itself is told
		l.mu.Lock()
		defer l.mu.Unlock()
		l.deaf = true
		return "connection refused"
	}
	text := r.Reason
	if r.Code != 0 {
		text = fmt.Sprintf("%d %s", r.Code, r.Reason)
	}
	if r.Cause == phone.WasLost {
		text = "lost: " + text
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if w := l.warnings[r.Code]; w != "" {
		text += ": " + w
	}
	return text
}

// hint says what to do about a call that failed; "" when there is nothing to say.
func (l *line) hint(ctx context.Context, code int) string {
	_, deaf := errors.AsType[errDeaf](context.Cause(ctx))
	l.mu.Lock()
	deaf = deaf || l.deaf
	l.mu.Unlock()
	if deaf {
		return fmt.Sprintf("Is a switch running at %s? 'ozswitch dev' starts one; --server HOST:PORT calls another.", l.host)
	}
	switch code {
	case 401, 407:
		return "It wants to know who calls: --user and --password of an extension. Without, a switch of ours lets callers in by sip.guests."
	case 403:
		return "The password is that of another extension than --from says, or the switch lets nobody call that number."
	case 404:
		return "The number must be an extension of the switch, or a rule of its dialplan must match it."
	case 408:
		return fmt.Sprintf("Nothing came back from %s: is the address right, and is it let through?", l.host)
	case 488:
		return "There is no codec in common, or the other side wants the sound another way (WebRTC is spoken with --transport ws or wss): this phone speaks " + strings.Join(phone.Codecs(), ", ") + "."
	case 503:
		return "The switch has too many calls, or is about to stop: try again, or with a lower --rate."
	}
	return ""
}

// cutScheme cuts sip: off a URI.
func cutScheme(number string) (rest string, ok bool) {
	if len(number) >= 4 && strings.EqualFold(number[:4], "sip:") {
		return number[4:], true
	}
	return number, false
}

// usualPort is where a switch of ours listens for a transport.
func usualPort(transport string) string {
	switch transport {
	case "tls":
		return "5061"
	case "ws":
		return "9509"
	case "wss":
		return "9508"
	}
	return "5060"
}

// callHost is the host:port a number is called at: the URI's own, or the server.
func callHost(number, server, transport string) (string, error) {
	host, of := server, "--server"
	if rest, ok := cutScheme(number); ok {
		of = "call"
		host = rest[strings.LastIndexByte(rest, '@')+1:]
		if i := strings.IndexAny(host, ";?"); i >= 0 {
			host = host[:i]
		}
	}
	bad := fmt.Errorf("%s %q: want HOST:PORT", of, host)
	name, port, err := net.SplitHostPort(host)
	if err != nil { // without a port it is SIP's
		name, port = strings.Trim(host, "[]"), usualPort(transport)
		if _, err := netip.ParseAddr(name); err != nil && strings.Contains(name, ":") {
			return "", bad
		}
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || name == "" || strings.ContainsAny(name, " <>\"@/") {
		return "", bad
	}
	return net.JoinHostPort(name, port), nil
}

// resolve finds the address of host:port; the switch's own listens on IPv4
// unless told otherwise, so that comes first.
func resolve(ctx context.Context, host string) (netip.AddrPort, error) {
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		return netip.AddrPort{}, err
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return netip.AddrPort{}, err
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", name)
	if err != nil {
		return netip.AddrPort{}, err
	}
	best := addrs[0].Unmap()
	for _, a := range addrs {
		if a = a.Unmap(); a.Is4() {
			best = a
			break
		}
	}
	return netip.AddrPortFrom(best, uint16(n)), nil
}
