package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// scalar reads a YAML value as the text that stands in the file, so that 0044
// stays 0044, and gives an error its place.
func scalar(n ast.Node, parse func(string) error) error {
	for {
		switch v := n.(type) {
		case *ast.AnchorNode:
			n = v.Value
			continue
		case *ast.TagNode:
			n = v.Value
			continue
		case *ast.MappingNode, *ast.MappingValueNode, *ast.SequenceNode, *ast.AliasNode:
			return &yaml.SyntaxError{Message: "want one value here", Token: n.GetToken()}
		case *ast.LiteralNode:
			return place(parse(v.Value.Value), n)
		case *ast.NullNode:
			return place(parse(""), n)
		}
		return place(parse(n.GetToken().Value), n)
	}
}

func place(err error, n ast.Node) error {
	if err == nil {
		return nil
	}
	return &yaml.SyntaxError{Message: err.Error(), Token: n.GetToken()}
}

// A Secret is a password or key. In the file it may be file:PATH (below the
// file's own folder) or env:NAME instead; Load has looked it up. It prints as
// stars; string(s) is the secret itself.
type Secret string

const stars = "***"

func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return stars
}

// GoString keeps %#v from telling it.
func (s Secret) GoString() string { return strconv.Quote(s.String()) }

// LogValue keeps slog from telling it.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalJSON keeps encoding/json from telling it.
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// A Duration is written 20 (seconds), 1.5s, 10m, 4h or 30d.
type Duration time.Duration

func (d Duration) String() string { return time.Duration(d).String() }

// short is String without the zeros at its end: 5m, 20s.
func (d Duration) short() string {
	s := d.String()
	if t, ok := strings.CutSuffix(s, "m0s"); ok {
		s = t + "m"
	}
	if t, ok := strings.CutSuffix(s, "h0m"); ok {
		s = t + "h"
	}
	return s
}

// ParseDuration reads a Duration.
func ParseDuration(s string) (Duration, error) {
	bad := fmt.Errorf("%q is no duration: write 20 (seconds), 90s, 10m, 4h or 30d", s)
	if s == "" {
		return 0, bad
	}
	var d time.Duration
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		if !(f >= 0) || f > math.MaxInt64/1e9 {
			return 0, bad
		}
		return Duration(f * 1e9), nil
	}
	rest := s
	if days, after, ok := strings.Cut(s, "d"); ok {
		n, err := strconv.Atoi(days)
		if err != nil || n < 0 || n > 100000 {
			return 0, bad
		}
		d, rest = time.Duration(n)*24*time.Hour, after
	}
	if rest != "" {
		r, err := time.ParseDuration(rest)
		if err != nil || r < 0 {
			return 0, bad
		}
		d += r
	}
	return Duration(d), nil
}

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (d *Duration) UnmarshalYAML(n ast.Node) error {
	return scalar(n, func(s string) (err error) { *d, err = ParseDuration(s); return })
}

// A Size is a number of bytes, written 4096, 64KiB, 1MiB, 1GiB or 1TiB; kB, MB
// and GB count in thousands.
type Size int64

// ParseSize reads a Size.
func ParseSize(s string) (Size, error) {
	bad := fmt.Errorf("%q is no size: write 4096, 64KiB, 1MiB or 1GiB", s)
	i := 0
	for i < len(s) && (s[i] >= '0' && s[i] <= '9' || s[i] == '.') {
		i++
	}
	f, err := strconv.ParseFloat(s[:i], 64)
	if err != nil {
		return 0, bad
	}
	unit, ok := map[string]float64{"": 1, "b": 1, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40,
		"kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12}[strings.ToLower(strings.TrimSpace(s[i:]))]
	if f *= unit; !ok || f > math.MaxInt64/2 {
		return 0, bad
	}
	return Size(f), nil
}

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (z *Size) UnmarshalYAML(n ast.Node) error {
	return scalar(n, func(s string) (err error) { *z, err = ParseSize(s); return })
}

// A Percent is written 5%.
type Percent float64

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (p *Percent) UnmarshalYAML(n ast.Node) error {
	return scalar(n, func(s string) error {
		f, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(s, "%")), 64)
		if err != nil || !(f >= 0 && f <= 100) || !strings.HasSuffix(s, "%") && s != "0" {
			return fmt.Errorf("%q is no percentage: write 5%%", s)
		}
		*p = Percent(f)
		return nil
	})
}

// Ports is a range of ports, written 20000-29998. Both ends count.
type Ports struct{ First, Last int }

func (p Ports) String() string { return fmt.Sprintf("%d-%d", p.First, p.Last) }

func (p Ports) valid() error {
	switch {
	case p.First < 1024 || p.Last > 65535:
		return fmt.Errorf("ports %s: want them between 1024 and 65535", p)
	case p.Last < p.First:
		return fmt.Errorf("ports %s: the last is below the first", p)
	case p.First%2 != 0:
		return fmt.Errorf("ports %s: the first must be even, RTP is (RFC 3550 11)", p)
	}
	return nil
}

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (p *Ports) UnmarshalYAML(n ast.Node) error {
	return scalar(n, func(s string) error {
		a, b, ok := strings.Cut(s, "-")
		first, err1 := strconv.Atoi(strings.TrimSpace(a))
		last, err2 := strconv.Atoi(strings.TrimSpace(b))
		if !ok || err1 != nil || err2 != nil {
			return fmt.Errorf("%q is no range of ports: write 20000-29998", s)
		}
		r := Ports{first, last}
		if err := r.valid(); err != nil {
			return err
		}
		*p = r
		return nil
	})
}

// A Listen is a socket for SIP, written udp://127.0.0.1:5060.
type Listen struct {
	Transport string // udp, tcp or tls
	Address   string // host:port
}

func (l Listen) String() string { return l.Transport + "://" + l.Address }

// ParseListen reads a Listen. Without a port it is 5060, for tls 5061.
func ParseListen(s string) (Listen, error) {
	t, addr, ok := strings.Cut(s, "://")
	t = strings.ToLower(t)
	if !ok || t != "udp" && t != "tcp" && t != "tls" {
		return Listen{}, fmt.Errorf("%q is no listener: write udp://127.0.0.1:5060, tcp:// or tls://", s)
	}
	port := "5060"
	if t == "tls" {
		port = "5061"
	}
	addr, err := hostPort(addr, port)
	if err != nil {
		return Listen{}, err
	}
	return Listen{t, addr}, nil
}

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (l *Listen) UnmarshalYAML(n ast.Node) error {
	return scalar(n, func(s string) (err error) { *l, err = ParseListen(s); return })
}

// hostPort checks host:port and puts in what is missing; a host of + means all
// addresses, as Ozeki writes it.
func hostPort(s, port string) (string, error) {
	host, p, err := net.SplitHostPort(s)
	if err != nil {
		if host, p, err = net.SplitHostPort(s + ":" + port); err != nil || port == "" {
			return "", fmt.Errorf("%q is no address: write 127.0.0.1:5060", s)
		}
	}
	if n, err := strconv.Atoi(p); err != nil || n < 0 || n > 65535 {
		return "", fmt.Errorf("%q: the port must be a number up to 65535", s)
	}
	if host == "+" || host == "*" {
		host = ""
	}
	if strings.ContainsAny(host, "/@?# \t") {
		return "", fmt.Errorf("%q: the host is malformed", s)
	}
	return net.JoinHostPort(host, p), nil
}

// A Net is an address or a network: 10.0.0.7, 192.168.0.0/16, fc00::/7.
type Net struct{ netip.Prefix }

// ParseNet reads a Net.
func ParseNet(s string) (Net, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		return Net{netip.PrefixFrom(a.Unmap().WithZone(""), a.Unmap().BitLen())}, nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return Net{}, fmt.Errorf("%q is no address or network: write 10.0.0.7 or 192.168.0.0/16", s)
	}
	return Net{p.Masked()}, nil
}

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (p *Net) UnmarshalYAML(n ast.Node) error {
	return scalar(n, func(s string) (err error) { *p, err = ParseNet(s); return })
}

// Prefixes gives the networks as package netip knows them.
func Prefixes(nets []Net) []netip.Prefix {
	var ps []netip.Prefix
	for _, n := range nets {
		ps = append(ps, n.Prefix)
	}
	return ps
}

// Names is one name or a list of them.
type Names []string

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (l *Names) UnmarshalYAML(n ast.Node) error {
	if a, ok := n.(*ast.AnchorNode); ok {
		n = a.Value
	}
	nodes := []ast.Node{n}
	if s, ok := n.(*ast.SequenceNode); ok {
		nodes = s.Values
	}
	var names Names
	for _, n := range nodes {
		err := scalar(n, func(s string) error {
			if s == "" {
				return errors.New("want a name here")
			}
			names = append(names, s)
			return nil
		})
		if err != nil {
			return err
		}
	}
	*l = names
	return nil
}
