package message

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io/fs"
	"net"
	"net/mail"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// TLS modes of MailConfig.
const (
	TLSAuto     = ""         // STARTTLS when offered; required with a password, but on loopback; implicit on port 465
	TLSRequired = "required" // STARTTLS, or nothing is sent
	TLSImplicit = "implicit" // TLS from the first byte (RFC 8314 3.3)
	TLSOff      = "off"      // never; with a password on loopback only
)

// MailConfig is the mail server that mails are handed to (`mail:` of the
// configuration).
type MailConfig struct {
	Server   string // host or host:port; port 587 if not given, 465 with TLSImplicit
	From     string // default sender: "a@example.org" or "Name <a@example.org>"
	User     string // login; "" = none
	Password string
	TLS      string         // one of the modes
	RootCAs  *x509.CertPool // nil = those of the system
	Hello    string         // our name in EHLO; "" = localhost

	// Open opens a file that is to be attached. It decides which files may be
	// (allowed roots), and its error is shown to the script's author. nil: no
	// attachments.
	Open func(name string) (fs.File, error)
	// Dial connects; nil = a net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	Timeout time.Duration // for each step of the dialogue; 0 = 30 s
	MaxSize int64         // bytes of all attachments together; 0 = 20 MiB
	MaxText int           // bytes of the text; 0 = 1 MiB
}

// A Mail is one mail. Addresses may have names: "Ann Ő <ann@example.org>". A
// field of addresses may also hold several, with commas.
type Mail struct {
	From        string // "" = MailConfig.From
	To, Cc, Bcc []string
	Subject     string
	Text        string
	Attachments []string // names for MailConfig.Open

	Call      string // the call that asked for it; is not sent
	Extension string // on whose behalf; is not sent
	ID        string // goes into Message-ID, so that a mail sent twice can be seen to be one; Outbox sets it
}

// A Mailer sends mails. Use NewMailer. It may be used by many at once: each
// Send has a connection of its own.
type Mailer struct {
	cfg      MailConfig
	host     string
	addr     string // host:port
	from     *mail.Address
	implicit bool
	loopback bool
}

// NewMailer checks cfg and connects to nothing.
func NewMailer(cfg MailConfig) (*Mailer, error) {
	m := &Mailer{cfg: cfg}
	if cfg.Server == "" {
		return nil, wrong("mail.server", `for example mail: {server: "smtp.example.org:587"}`, "no mail server is configured")
	}
	port := "587"
	if cfg.TLS == TLSImplicit {
		port = "465"
	}
	m.host = cfg.Server
	if h, p, err := net.SplitHostPort(cfg.Server); err == nil {
		m.host, port = h, p
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || m.host == "" || strings.ContainsAny(m.host, " /@\r\n") {
		return nil, wrong("mail.server", "write host or host:port, for example smtp.example.org:587", "%q is no address of a mail server", cfg.Server)
	}
	m.addr = net.JoinHostPort(m.host, port)
	switch cfg.TLS {
	case TLSAuto, TLSRequired, TLSOff:
	case TLSImplicit:
		m.implicit = true
	default:
		return nil, wrong("mail.tls", "write required, implicit or off, or leave it away", "unknown mode %q", cfg.TLS)
	}
	m.implicit = m.implicit || cfg.TLS == TLSAuto && port == "465"
	ip, err := netip.ParseAddr(m.host)
	m.loopback = m.host == "localhost" || err == nil && ip.IsLoopback()
	if cfg.TLS == TLSOff && cfg.Password != "" && !m.loopback {
		return nil, wrong("mail.tls", "write tls: required, or leave it away", "the password would go through the network unencrypted")
	}
	if cfg.User == "" && cfg.Password != "" {
		return nil, wrong("mail.user", "add the name that the password is for", "there is a password and no user")
	}
	if cfg.From != "" {
		if m.from, err = address("mail.from", cfg.From); err != nil {
			return nil, err
		}
	}
	if m.cfg.Timeout <= 0 {
		m.cfg.Timeout = 30 * time.Second
	}
	if m.cfg.MaxSize <= 0 {
		m.cfg.MaxSize = 20 << 20
	}
	if m.cfg.MaxText <= 0 {
		m.cfg.MaxText = 1 << 20
	}
	if m.cfg.Hello == "" {
		m.cfg.Hello = "localhost"
	}
	if m.cfg.Dial == nil {
		m.cfg.Dial = new(net.Dialer).DialContext
	}
	return m, nil
}

// Check says what is wrong with ml before anything is sent: nil, or a final
// *Fault that names the field. It opens no files.
func (m *Mailer) Check(ml Mail) error {
	_, err := m.check(ml)
	return err
}

// Send hands ml to the mail server and returns when that has taken it over, or
// with a *Fault. No recipient gets it unless the server accepts all. It ends
// early with ctx.
//
// When the connection breaks after the whole mail was written and before the
// server's answer, nobody can know whether it was taken (RFC 5321 4.5.4.1);
// that counts as not sent, so a mail may arrive twice, with the same Message-ID.
func (m *Mailer) Send(ctx context.Context, ml Mail) error {
	l, err := m.check(ml)
	if err != nil {
		return err
	}
	msg, err := m.compose(ml, l)
	if err != nil {
		return err
	}
	return m.deliver(ctx, l, msg)
}

func (m *Mailer) tlsConfig() *tls.Config {
	return &tls.Config{ServerName: m.host, RootCAs: m.cfg.RootCAs, MinVersion: tls.VersionTLS12}
}

func (m *Mailer) place() string { return "mail server " + m.addr }
