package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"ozswitch/ozml"
	"ozswitch/ozml/command"
	"ozswitch/ozml/syntax"
	"ozswitch/switch/notify"
	"ozswitch/switch/server"
)

// What doctor looks at on the network: ports, certificates, web apps.

func (d *doctor) ports(cfg *server.Config) {
	for _, l := range cfg.SIP.Listen {
		network := "tcp"
		if l.Transport == "udp" {
			network = "udp"
		}
		d.port("SIP "+l.Transport, network, l.Address)
	}
	if cfg.HTTP.Listen != "" {
		d.port("HTTP", "tcp", cfg.HTTP.Listen)
	}
	if cfg.HTTP.TLSListen != "" {
		d.port("HTTPS", "tcp", cfg.HTTP.TLSListen)
	}
	d.soundPorts(cfg.RTP)
}

// port binds a port and lets it go again.
func (d *doctor) port(check, network, addr string) {
	check = "port " + check
	err := bind(network, addr)
	switch {
	case err == nil:
		d.ok(check, "%s is free", addr)
	case errors.Is(err, syscall.EADDRINUSE):
		_, port, _ := net.SplitHostPort(addr)
		n, _ := strconv.Atoi(port)
		who := portHolder(network, n)
		switch {
		case strings.HasPrefix(who, "ozswitch "):
			d.ok(check, "%s is held by a running %s", addr, who)
		case who != "":
			d.fail(check, "stop it, or move all ports with --port-offset 100", "%s is held by %s", addr, who)
		default:
			d.fail(check, "stop what holds it (sudo ss -lnp tells), or move all ports with --port-offset 100", "%s is taken", addr)
		}
	case errors.Is(err, syscall.EACCES):
		d.fail(check, "take a port above 1023, or give the capability CAP_NET_BIND_SERVICE", "%s may not be bound by this user", addr)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		d.fail(check, "listen on an address of this machine (ip addr lists them), or on 0.0.0.0", "%s is no address of this machine", addr)
	default:
		d.fail(check, "", "%s: %v", addr, err)
	}
}

func bind(network, addr string) error {
	if network == "udp" {
		c, err := net.ListenPacket("udp", addr)
		if err == nil {
			c.Close()
		}
		return err
	}
	l, err := net.Listen("tcp", addr)
	if err == nil {
		l.Close()
	}
	return err
}

// soundPorts tries every even port of the range.
func (d *doctor) soundPorts(r server.RTP) {
	free, all := 0, 0
	var last error
	for p := r.Ports.First; p <= r.Ports.Last; p += 2 {
		all++
		if err := bind("udp", net.JoinHostPort(r.Address, strconv.Itoa(p))); err == nil {
			free++
		} else {
			last = err
		}
	}
	const check = "ports RTP"
	switch text := fmt.Sprintf("%d of %d free in %s on %s, one a leg", free, all, r.Ports, r.Address); {
	case free == 0:
		d.fail(check, "set rtp.address and rtp.ports", "none of %s on %s can be bound: %v", r.Ports, r.Address, last)
	case free < all*9/10:
		d.warn(check, "set rtp.ports to a range that nothing else uses", "%s", text)
	default:
		d.ok(check, "%s", text)
	}
}

// portHolder tells which process holds a port of this machine: "php (pid 12)",
// "" when that cannot be told. It reads Linux's /proc.
func portHolder(network string, port int) string {
	var inodes []string
	for _, file := range []string{network, network + "6"} {
		table, err := os.ReadFile("/proc/net/" + file)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(table)) {
			f := strings.Fields(line)
			if len(f) < 10 || network == "tcp" && f[3] != "0A" { // 0A: listens
				continue
			}
			if _, hex, ok := strings.Cut(f[1], ":"); ok {
				if n, err := strconv.ParseInt(hex, 16, 32); err == nil && int(n) == port {
					inodes = append(inodes, "socket:["+f[9]+"]")
				}
			}
		}
	}
	if len(inodes) == 0 {
		return ""
	}
	procs, _ := os.ReadDir("/proc")
	for _, p := range procs {
		if _, err := strconv.Atoi(p.Name()); err != nil {
			continue
		}
		fds, _ := os.ReadDir("/proc/" + p.Name() + "/fd") // of other users: not ours to read
		for _, fd := range fds {
			if to, _ := os.Readlink("/proc/" + p.Name() + "/fd/" + fd.Name()); slices.Contains(inodes, to) {
				name, _ := os.ReadFile("/proc/" + p.Name() + "/comm")
				return strings.TrimSpace(string(name)) + " (pid " + p.Name() + ")"
			}
		}
	}
	return ""
}

// certificate looks at sip.tls, which serves HTTPS as well.
func (d *doctor) certificate(cfg *server.Config) {
	t := cfg.SIP.TLS
	if t.Cert == "" {
		return
	}
	const check = "certificate"
	pair, err := tls.LoadX509KeyPair(t.Cert, t.Key)
	if err != nil {
		d.fail(check, "see sip.tls in the configuration", "%v", err)
		return
	}
	leaf := pair.Leaf
	if leaf == nil {
		if leaf, err = x509.ParseCertificate(pair.Certificate[0]); err != nil {
			d.fail(check, "", "%s: %v", t.Cert, err)
			return
		}
	}
	left := time.Until(leaf.NotAfter)
	days := int(left.Hours() / 24)
	switch names := strings.Join(leaf.DNSNames, ", "); {
	case left <= 0:
		d.fail(check, "renew it; SIGHUP loads the new one", "%s has expired on %s", t.Cert, leaf.NotAfter.Format(time.DateOnly))
	case time.Now().Before(leaf.NotBefore):
		d.fail(check, "look at the clock", "%s is valid from %s on", t.Cert, leaf.NotBefore.Format(time.DateOnly))
	case days < 14:
		d.warn(check, "renew it; SIGHUP loads the new one", "%s (%s) expires in %d days", t.Cert, names, days)
	default:
		d.ok(check, "%s (%s), %d days left", t.Cert, names, days)
	}
}

// A target is a URL that calls lead to.
type target struct {
	where string // the key or script that names it
	url   string
	own   bool // the configuration names it: it is allowed wherever it resolves to
}

// web connects to the web apps, by the rules of decisions 9.
func (d *doctor) web(cfg *server.Config) {
	targets := webTargets(cfg)
	allow := append([]string{string(notify.Public)}, cfg.Web.Allow...)
	for _, t := range targets {
		if u, err := url.Parse(t.url); err == nil && t.own {
			allow = append(allow, u.Hostname())
		}
	}
	rules, err := notify.ParseRules(allow)
	if err != nil {
		d.fail("web", "see web.allow in the configuration", "%v", err)
		return
	}
	for _, e := range cfg.Extensions {
		d.scriptFile(e.Number, e.File)
		d.scriptFile(e.Number, e.FallbackScript)
	}
	seen := map[string]bool{}
	for _, t := range targets {
		u, err := url.Parse(t.url)
		if err != nil || u.Hostname() == "" || seen[u.Host] {
			continue
		}
		seen[u.Host] = true
		d.app(t, u, rules)
	}
}

// webTargets lists the URLs of the configuration and of its script files.
func webTargets(cfg *server.Config) (ts []target) {
	own := func(where, u string) {
		if u != "" {
			ts = append(ts, target{where, u, true})
		}
	}
	for _, e := range cfg.Extensions {
		for _, u := range []string{e.URL, e.FallbackURL, e.ErrorURL, e.FinishedURL, e.SMSURL} {
			own("extension "+e.Number, u)
		}
	}
	own("routing_url", cfg.RoutingURL)
	own("call_changed_url", cfg.CallChangedURL)
	for _, e := range cfg.Extensions {
		for _, file := range []string{e.File, e.FallbackScript} {
			for _, u := range scriptURLs(file) {
				ts = append(ts, target{file, u, false})
			}
		}
	}
	return ts
}

// scriptURLs lists the whole URLs that stand in a script.
func scriptURLs(file string) (urls []string) {
	src, err := os.ReadFile(file)
	if file == "" || err != nil {
		return nil
	}
	f, err := syntax.Parse(file, src)
	if err != nil {
		return nil
	}
	add := func(s string) {
		if s = strings.TrimSpace(s); isURL(s) && !strings.Contains(s, "$") {
			urls = append(urls, s)
		}
	}
	var walk func(e *syntax.Element)
	walk = func(e *syntax.Element) {
		for _, a := range e.Attrs {
			add(a.Value)
		}
		add(e.Text())
		for _, c := range e.Children {
			if c, ok := c.(*syntax.Element); ok {
				walk(c)
			}
		}
	}
	walk(f.Root)
	return urls
}

// scriptFile checks a script of the configuration.
func (d *doctor) scriptFile(number, file string) {
	if file == "" {
		return
	}
	check_ := "script " + number
	src, err := os.ReadFile(file)
	if err != nil {
		d.fail(check_, "correct the path in the configuration", "%v", err)
		return
	}
	_, remarks, _ := check(document{name: file, src: src}, command.Table(), ozml.Extension)
	bad := slices.DeleteFunc(remarks, func(r ozml.Diagnostic) bool { return r.Severity != ozml.Error })
	if len(bad) > 0 {
		d.fail(check_, "ozswitch vet "+file, "%s", bad[0])
		return
	}
	d.ok(check_, "%s", file)
}

// app resolves, asks the rules and connects.
func (d *doctor) app(t target, u *url.URL, rules *notify.Rules) {
	check := "web app"
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443"}[strings.ToLower(u.Scheme)]
		if port == "" {
			port = "80"
		}
	}
	host := net.JoinHostPort(u.Hostname(), port)
	ctx, cancel := context.WithTimeout(d.ctx, 3*time.Second)
	defer cancel()
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", u.Hostname())
	if err != nil || len(addrs) == 0 {
		d.fail(check, "correct the name in "+t.where+", or the resolver of this machine", "%s cannot be resolved: %v", u.Hostname(), err)
		return
	}
	n, _ := strconv.ParseUint(port, 10, 16)
	at := netip.AddrPortFrom(addrs[0].Unmap(), uint16(n))
	if !rules.Host(u.Hostname(), uint16(n)) && !rules.Addr(at) {
		d.warn(check, "to let scripts reach it, add this to the configuration: "+notify.Line(at), "%s (%s) is a %s address, which scripts may not reach", host, t.where, notify.KindOf(at.Addr()))
		return
	}
	begun := time.Now()
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", host)
	if err != nil {
		d.fail(check, "start it, or correct the URL of "+t.where, "%s (%s) does not answer: %v", host, t.where, lastError(err))
		return
	}
	c.Close()
	d.ok(check, "%s (%s) answers in %d ms", host, t.where, time.Since(begun).Milliseconds())
}

// lastError leaves out what the line has said already.
func lastError(err error) error {
	if e, ok := errors.AsType[*net.OpError](err); ok {
		err = e.Err
	}
	if e, ok := errors.AsType[*os.SyscallError](err); ok {
		err = e.Err
	}
	return err
}
