package server

import (
	"encoding/base32"
	"fmt"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Dev gives the preset of `dev` and `demo`: loopback, phones 1001 and 1002 and
// an API user with passwords from rand, and 9000 for the script (a file, a URL,
// or "" for the built-in hello), to which every number without an extension
// leads.
func Dev(rand io.Reader, script string) (*Config, error) {
	var words [3]Secret
	for i := range words {
		var b [10]byte
		if _, err := io.ReadFull(rand, b[:]); err != nil {
			return nil, fmt.Errorf("server: random passwords: %w", err)
		}
		words[i] = Secret(strings.ToLower(base32.StdEncoding.EncodeToString(b[:])))
	}
	main := Extension{Number: "9000", Type: "script", Name: "Script", File: script}
	if strings.HasPrefix(script, "http://") || strings.HasPrefix(script, "https://") {
		main = Extension{Number: "9000", Type: "api", Name: "Script", URL: script}
	} else if script != "" {
		path, err := filepath.Abs(script) // a file of that name in data/scripts is another one
		if err != nil {
			return nil, fmt.Errorf("server: --script %s: %w", script, err)
		}
		main.File = path
	}
	c := Default()
	c.SIP.Guests = "loopback"
	c.Users = []User{{Name: "dev", Password: words[0], API: true, Admin: true, URLs: "any", Phone: "1001"}}
	c.Extensions = []Extension{
		{Number: "1001", Type: "phone", Name: "Ann", Password: words[1]},
		{Number: "1002", Type: "phone", Name: "Bob", Password: words[2]},
		main,
	}
	c.Dialplan = []Rule{{From: "any", Match: "100[12]", To: Names{"*"}}, {From: "any", Match: "*", To: Names{"9000"}}}
	c.Web.Allow = []string{"loopback"}
	c.dev = true
	c.Limits.Drain = Duration(time.Second) // Ctrl-C
	c.Log.Sound = "all"
	c.Fill()
	return c, nil
}

// Shift moves every port by n (--port-offset).
func (c *Config) Shift(n int) error {
	if n == 0 {
		return nil
	}
	old := c.HTTP.Listen
	for i := range c.SIP.Listen {
		if err := shift(&c.SIP.Listen[i].Address, n); err != nil {
			return err
		}
	}
	if err := shift(&c.HTTP.Listen, n); err != nil {
		return err
	}
	if err := shift(&c.HTTP.TLSListen, n); err != nil {
		return err
	}
	// A public URL that names the listener's own port moves with it.
	if u, err := url.Parse(c.HTTP.PublicURL); err == nil && u.Port() != "" {
		if _, port, _ := net.SplitHostPort(old); port == u.Port() {
			if err := shift(&u.Host, n); err != nil {
				return err
			}
			c.HTTP.PublicURL = u.String()
		}
	}
	lo := c.RTP.Ports.First + n
	lo += lo & 1 // RTP is even
	p := Ports{lo, c.RTP.Ports.Last + n}
	if err := p.valid(); err != nil {
		return fmt.Errorf("server: port offset %d: %w", n, err)
	}
	c.RTP.Ports = p
	if w := &c.RTP.WebRTCPort; *w > 0 {
		if *w += n; *w < 1 || *w > 65535 {
			return fmt.Errorf("server: port offset %d: WebRTC would have port %d", n, *w)
		}
	}
	return nil
}

func shift(addr *string, n int) error {
	if *addr == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(*addr)
	if err != nil {
		return fmt.Errorf("server: port offset %d: %w", n, err)
	}
	p, err := strconv.Atoi(port)
	if err != nil {
		return fmt.Errorf("server: port offset %d: %s: the port is no number", n, *addr)
	}
	if p == 0 { // any free port stays any free port
		return nil
	}
	if p += n; p < 1 || p > 65535 {
		return fmt.Errorf("server: port offset %d: %s would become port %d", n, *addr, p)
	}
	*addr = net.JoinHostPort(host, strconv.Itoa(p))
	return nil
}
