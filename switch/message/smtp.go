package message

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	netmail "net/mail"
	"net/textproto"
	"os"
	"path"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// compose makes the message. Attachments are looked at here, and opened again
// when they are written, so that none is kept in memory.
func (m *Mailer) compose(ml Mail, l *letter) (*mail.Msg, error) {
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent())
	msg.FromMailAddress(l.from)
	msg.ToMailAddress(l.to...)
	msg.CcMailAddress(l.cc...) // Bcc stands in the envelope only
	msg.Subject(ml.Subject)
	msg.SetDate()
	if ml.ID != "" {
		_, domain, _ := cutLast(l.from.Address, "@")
		msg.SetMessageIDWithValue(ml.ID + "@" + domain)
	} else {
		msg.SetMessageID()
	}
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834 5: no answers from holidays
	msg.SetBodyString(mail.TypeTextPlain, ml.Text)
	var files []*mail.File
	left := m.cfg.MaxSize
	for i, name := range ml.Attachments {
		place := fmt.Sprintf("Attachments, file %d (%s)", i+1, plain(name))
		f, err := m.open(place, name)
		if err != nil {
			return nil, err
		}
		st, err := f.Stat()
		f.Close()
		switch {
		case err != nil:
			return nil, &Fault{Place: place, Cause: plain(err.Error()), Final: true, Err: err}
		case !st.Mode().IsRegular():
			return nil, wrong(place, "name a file", "it is no file")
		case st.Size() > left:
			return nil, wrong(place, "send fewer or smaller files", "the attachments are larger than %d bytes together", m.cfg.MaxSize)
		}
		left -= st.Size()
		files = append(files, &mail.File{Name: path.Base(strings.ReplaceAll(name, `\`, "/")), Header: textproto.MIMEHeader{},
			Writer: func(w io.Writer) (int64, error) { return m.copyFile(w, place, name, st.Size()) }})
	}
	msg.SetAttachments(files)
	return msg, nil
}

func (m *Mailer) open(place, name string) (fs.File, error) {
	f, err := m.cfg.Open(name)
	if err != nil {
		return nil, &Fault{Place: place, Cause: plain(err.Error()), Cure: "name a file that exists, below an allowed folder", Final: true, Err: err}
	}
	return f, nil
}

// copyFile writes exactly size bytes of the file, else fails: a file that is
// still being written is not sent by halves.
func (m *Mailer) copyFile(w io.Writer, place, name string, size int64) (int64, error) {
	f, err := m.open(place, name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	n, err := io.Copy(w, io.LimitReader(f, size+1))
	if err == nil && n != size {
		err = &Fault{Place: place, Cause: "it changed while it was sent"}
	}
	return n, err
}

// steps times MailConfig.Timeout is how long one mail may take, however often
// the server shows a sign of life.
const steps = 20

// deliver hands the message over.
func (m *Mailer) deliver(ctx context.Context, l *letter, msg *mail.Msg) error {
	return m.dialogue(ctx, l, func(c *smtp.Client) error { return m.transfer(c, l, msg) })
}

// Probe connects, encrypts and logs in as Send does, and leaves. Its errors are
// those of Send.
func (m *Mailer) Probe(ctx context.Context) error {
	return m.dialogue(ctx, &letter{from: &netmail.Address{}}, func(*smtp.Client) error { return nil })
}

// dialogue is what is said to the server, with do in the middle; it is a recover
// boundary.
func (m *Mailer) dialogue(ctx context.Context, l *letter, do func(*smtp.Client) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &Fault{Place: m.place(), Cause: fmt.Sprintf("panic: %v\n%s", v, debug.Stack()), Final: true}
		}
	}()
	dialing, cancel := context.WithTimeout(ctx, m.cfg.Timeout)
	raw, err := m.cfg.Dial(dialing, "tcp", m.addr)
	cancel()
	if err != nil {
		return m.fault(ctx, err)
	}
	defer raw.Close()
	whole, cancel := context.WithTimeoutCause(ctx, steps*m.cfg.Timeout, os.ErrDeadlineExceeded)
	defer cancel()
	defer context.AfterFunc(whole, func() { raw.Close() })()
	defer func() {
		if err != nil && whole.Err() != nil && ctx.Err() == nil {
			err = netFault(m.place(), "mail.server", context.Cause(whole))
		}
	}()
	var conn net.Conn = &patient{Conn: raw, each: m.cfg.Timeout, left: 1 << 20}
	if m.implicit {
		conn = tls.Client(conn, m.tlsConfig())
	}
	c, err := smtp.NewClient(conn, m.host)
	if err != nil {
		return m.fault(ctx, err)
	}
	if err := m.begin(c, l); err != nil {
		return m.fault(ctx, err)
	}
	if err := do(c); err != nil {
		return m.fault(ctx, err)
	}
	_ = c.Quit() // it has the mail: how we part makes no difference
	return nil
}

// begin says hello, encrypts and logs in.
func (m *Mailer) begin(c *smtp.Client, l *letter) error {
	if err := c.Hello(m.cfg.Hello); err != nil {
		return err
	}
	secret := m.implicit
	offered, _ := c.Extension("STARTTLS")
	switch {
	case m.implicit || m.cfg.TLS == TLSOff:
	case offered:
		if err := c.StartTLS(m.tlsConfig()); err != nil {
			return err
		}
		secret = true
	case m.cfg.TLS == TLSRequired, m.cfg.Password != "" && !m.loopback:
		return wrong(m.place(), "use its port for submission (587 or 465), or another server", "it offers no encryption (STARTTLS), which is required here")
	}
	if m.cfg.User != "" {
		if err := m.login(c, secret || m.loopback); err != nil {
			return err
		}
	}
	ascii := !slices.ContainsFunc(append(l.all(), l.from), func(a *netmail.Address) bool {
		return strings.ContainsFunc(a.Address, func(r rune) bool { return r > 126 })
	})
	c.SkipSMTPUTF8(ascii)
	if offered, _ := c.Extension("SMTPUTF8"); !ascii && !offered { // RFC 6531 3.2
		return wrong(m.place(), "use an address in ASCII; a domain in its xn-- form", "it does not know addresses beyond ASCII")
	}
	return nil
}

// login takes the best way that both know. open: a password may be shown to
// this server.
func (m *Mailer) login(c *smtp.Client, open bool) error {
	_, words := c.Extension("AUTH")
	has := func(w string) bool { return slices.Contains(strings.Fields(strings.ToUpper(words)), w) }
	u, p := m.cfg.User, m.cfg.Password
	var a smtp.Auth
	switch {
	case open && has("PLAIN"):
		a = smtp.PlainAuth("", u, p, m.host, m.loopback)
	case open && has("LOGIN"):
		a = smtp.LoginAuth(u, p, m.host, m.loopback)
	case has("SCRAM-SHA-256"):
		a = smtp.ScramSHA256Auth(u, p)
	case has("CRAM-MD5"):
		a = smtp.CRAMMD5Auth(u, p)
	default:
		return wrong(m.place(), "remove mail.user and mail.password if it wants none", "it offers no login that we know (%s)", plain(words))
	}
	err := c.Auth(a)
	if e, ok := errors.AsType[*textproto.Error](err); ok && e.Code/100 == 5 {
		return &Fault{Place: m.place(), Code: e.Code, Cause: fmt.Sprintf("it refused the login of %s: %d %s", u, e.Code, plain(e.Msg)),
			Cure: "correct mail.user and mail.password", Final: true, Err: err}
	}
	return err
}

// transfer hands the message over.
func (m *Mailer) transfer(c *smtp.Client, l *letter, msg *mail.Msg) error {
	if err := c.Mail("<" + l.from.Address + ">"); err != nil {
		return m.reply("Sender "+l.from.Address, err)
	}
	var refused error
	for _, a := range l.all() {
		err := c.Rcpt("<" + a.Address + ">")
		if err == nil {
			continue
		}
		err = m.reply("Recipient "+a.Address, err)
		if f, ok := errors.AsType[*Fault](err); !ok || f.Code == 0 {
			return err // the connection is gone
		} else if refused == nil || f.Final && !IsFinal(refused) {
			refused = err
		}
	}
	if refused != nil {
		_ = c.Quit()
		return refused
	}
	w, err := c.Data()
	if err != nil {
		return m.reply(m.place(), err)
	}
	if _, err := msg.WriteTo(w); err != nil {
		return err // w stays open: the lone dot that would end half a mail is not written
	}
	if err := w.Close(); err != nil {
		return m.reply(m.place(), err)
	}
	return nil
}

// reply names a refusal: 4xx may become better, 5xx not (RFC 5321 4.2.1).
func (m *Mailer) reply(place string, err error) error {
	e, ok := errors.AsType[*textproto.Error](err)
	if !ok {
		return err
	}
	f := &Fault{Place: place, Code: e.Code, Cause: fmt.Sprintf("%s answered %d %s", m.addr, e.Code, plain(e.Msg)), Final: e.Code/100 == 5, Err: err}
	switch e.Code {
	case 530, 554, 550, 553:
		f.Cure = "correct the address, or ask the mail server's operator; it may want a login (mail.user)"
	case 552:
		f.Cure = "send less"
	}
	return f
}

// fault makes any error of the dialogue a *Fault, but that of an ended ctx.
func (m *Mailer) fault(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if f, ok := errors.AsType[*Fault](err); ok {
		return f
	}
	var cert *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var unknown x509.UnknownAuthorityError
	switch {
	case errors.As(err, &cert), errors.As(err, &unknown):
		return &Fault{Place: m.place(), Cause: plain(err.Error()), Err: err,
			Cure: "mail.server must have the name of the certificate; if the certificate is your own, give its authority"}
	case errors.As(err, &record):
		return &Fault{Place: m.place(), Cause: "it does not speak TLS there", Final: true, Err: err, Cure: "port 465 is TLS from the start, 587 begins in the clear: correct mail.server or mail.tls"}
	}
	if _, ok := errors.AsType[*textproto.Error](err); ok {
		return m.reply(m.place(), err)
	}
	return netFault(m.place(), "mail.server", err)
}

// patient is a connection on which each step has a time limit, and on which no
// more than left bytes are read: textproto would read a line without end.
type patient struct {
	net.Conn
	each time.Duration
	left int64
}

func (p *patient) Read(b []byte) (int, error) {
	if p.left <= 0 {
		return 0, errors.New("it says too much")
	}
	if err := p.SetReadDeadline(time.Now().Add(p.each)); err != nil {
		return 0, err
	}
	n, err := p.Conn.Read(b[:min(int64(len(b)), p.left)])
	p.left -= int64(n)
	return n, err
}

func (p *patient) Write(b []byte) (int, error) {
	if err := p.SetWriteDeadline(time.Now().Add(p.each)); err != nil {
		return 0, err
	}
	return p.Conn.Write(b)
}
