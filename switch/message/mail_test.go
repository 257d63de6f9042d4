package message

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/emersion/go-smtp"
)

func newMailer(t *testing.T, cfg MailConfig) *Mailer {
	t.Helper()
	m, err := NewMailer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// parts reads a mail as any mail program would: the text, and the attachments.
func parts(t *testing.T, raw []byte) (head mail.Header, text string, files map[string][]byte) {
	t.Helper()
	msg, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatalf("net/mail: %v\n%s", err, raw)
	}
	body := func(enc string, r io.Reader) []byte {
		switch strings.ToLower(enc) {
		case "base64":
			r = base64.NewDecoder(base64.StdEncoding, r)
		case "quoted-printable":
			r = quotedprintable.NewReader(r)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	kind, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(kind, "multipart/") {
		return msg.Header, string(body(msg.Header.Get("Content-Transfer-Encoding"), msg.Body)), nil
	}
	files = map[string][]byte{}
	for r := multipart.NewReader(msg.Body, params["boundary"]); ; {
		p, err := r.NextRawPart()
		if err == io.EOF {
			return msg.Header, text, files
		}
		if err != nil {
			t.Fatal(err)
		}
		b := body(p.Header.Get("Content-Transfer-Encoding"), p)
		_, disposition, _ := mime.ParseMediaType(p.Header.Get("Content-Disposition"))
		if name := disposition["filename"]; name != "" {
			name, err := new(mime.WordDecoder).DecodeHeader(name)
			if err != nil {
				t.Fatal(err)
			}
			files[name] = b
		} else {
			text = string(b)
		}
	}
}

// TestMail goes through the whole of it: STARTTLS, login, names and subject
// beyond ASCII, a hidden recipient, attachments of all byte values.
func TestMail(t *testing.T) {
	cert, pool := certificate(t)
	for _, implicit := range []bool{false, true} {
		for _, mech := range []string{"PLAIN", "LOGIN"} {
			s := &mailServer{user: "oz", password: "geheim", mechs: []string{mech}}
			sound := make([]byte, 300_000)
			r := rand.New(rand.NewPCG(1, 2))
			for i := range sound {
				sound[i] = byte(r.Uint32())
			}
			files := fstest.MapFS{"recordings/hívás 1.wav": {Data: sound}, "recordings/empty.txt": {}}
			cfg := MailConfig{Server: s.start(t, cert, implicit), From: "Switch <oz@example.org>", User: "oz", Password: "geheim", RootCAs: pool, Open: files.Open}
			if implicit {
				cfg.TLS = TLSImplicit
			}
			text := "Valaki hívott.\r\n.\r\nA dot alone, and a line of " + strings.Repeat("x", 2000) + "\n"
			err := newMailer(t, cfg).Send(t.Context(), Mail{ID: "msg-1", To: []string{"Őrs <ors@example.org>, b@example.org"}, Cc: []string{"c@example.org"},
				Bcc: []string{"secret@example.org", "b@example.org"}, Subject: "Üzenet: árvíztűrő tükörfúrógép, egy hosszú tárgy, amely nem fér egy sorba", Text: text,
				Attachments: []string{"recordings/hívás 1.wav", "recordings/empty.txt"}})
			if err != nil {
				t.Fatalf("%s: %v", mech, err)
			}
			got := s.got()
			if len(got) != 1 {
				t.Fatalf("%d mails", len(got))
			}
			g := got[0]
			if want := []string{"ors@example.org", "b@example.org", "c@example.org", "secret@example.org"}; g.from != "oz@example.org" || !slices.Equal(g.to, want) {
				t.Errorf("envelope %s %v, want %v", g.from, g.to, want)
			}
			if !g.tls || !s.tls || s.login != mech {
				t.Errorf("encrypted %v, login %s encrypted %v; want both encrypted, by %s", g.tls, s.login, s.tls, mech)
			}
			head, body, att := parts(t, g.data)
			dec := new(mime.WordDecoder)
			if sub, _ := dec.DecodeHeader(head.Get("Subject")); !strings.HasPrefix(sub, "Üzenet: árvíztűrő tükörfúrógép, egy") {
				t.Errorf("subject %q", sub)
			}
			if to, err := head.AddressList("To"); err != nil || len(to) != 2 || to[0].Name != "Őrs" {
				t.Errorf("To: %v, %v", to, err)
			}
			if head.Get("Bcc") != "" || bytes.Contains(g.data, []byte("secret@")) {
				t.Error("the hidden recipient can be seen")
			}
			if id := head.Get("Message-Id"); id != "<msg-1@example.org>" {
				t.Errorf("Message-ID %s", id)
			}
			if d, err := head.Date(); err != nil || time.Since(d) > time.Hour {
				t.Errorf("Date: %v, %v", d, err)
			}
			if strings.ReplaceAll(body, "\r\n", "\n") != strings.ReplaceAll(text, "\r\n", "\n") {
				t.Errorf("text %.60q, want %.60q", body, text)
			}
			if len(att) != 2 || !bytes.Equal(att["hívás 1.wav"], sound) || len(att["empty.txt"]) != 0 {
				t.Errorf("attachments %d, the first equal %v", len(att), bytes.Equal(att["hívás 1.wav"], sound))
			}
			for line := range bytes.Lines(g.data) {
				if len(line) > 1000 {
					t.Errorf("a line of %d bytes", len(line)) // RFC 5321 4.5.3.1.6
				}
			}
		}
	}
}

// TestMailNoInjection: nothing in a field makes another header or command.
func TestMailNoInjection(t *testing.T) {
	s := &mailServer{}
	m := newMailer(t, MailConfig{Server: s.start(t, nil, false), From: "oz@example.org", Open: fstest.MapFS{"a": {}}.Open})
	fine := Mail{To: []string{"a@example.org"}, Subject: "s", Text: "t"}
	for _, evil := range []string{"x\r\nBcc: evil@example.org", "x\nBcc: evil@example.org", "x\rBcc: evil@example.org", "x\x00", "x\u2028y", "x\u0085y", "\xff"} {
		for name, set := range map[string]func(*Mail){
			"Subject":             func(m *Mail) { m.Subject = evil },
			"Sender":              func(m *Mail) { m.From = evil + " <a@example.org>" },
			"Recipient":           func(m *Mail) { m.To = []string{"a@example.org" + evil} },
			"Recipient 2":         func(m *Mail) { m.To = []string{"a@example.org", evil} },
			"Cc":                  func(m *Mail) { m.Cc = []string{evil} },
			"Bcc":                 func(m *Mail) { m.Bcc = []string{evil} },
			"id":                  func(m *Mail) { m.ID = evil },
			"Attachments, file 1": func(m *Mail) { m.Attachments = []string{evil} },
		} {
			ml := fine
			set(&ml)
			err := m.Send(t.Context(), ml)
			f, ok := errors.AsType[*Fault](err)
			if !ok || !f.Final || f.Place != name || f.Cure == "" {
				t.Errorf("%s = %q: %v, want a final fault there", name, evil, err)
			}
		}
	}
	// What hides in encoded words and quotes.
	for _, to := range []string{"=?utf-8?q?a=0D=0ABcc:_evil@example.org?= <a@example.org>", `"a b"@example.org`, `"a>b"@example.org`, "a@example.org, b", "a", "@", "a@", strings.Repeat("a", 65) + "@example.org"} {
		if err := m.Check(Mail{To: []string{to}}); !IsFinal(err) {
			t.Errorf("To = %q: %v, want a final fault", to, err)
		}
	}
	if got := s.got(); len(got) != 0 {
		t.Errorf("%d mails went out", len(got))
	}
	// The text may hold anything that is text, and makes no header.
	ml := fine
	ml.Text = "Bcc: evil@example.org\r\n\r\n.\r\nRCPT TO:<evil@example.org>\r\n"
	if err := m.Send(t.Context(), ml); err != nil {
		t.Fatal(err)
	}
	if g := s.got()[0]; len(g.to) != 1 {
		t.Errorf("recipients %v", g.to)
	}
}

func TestMailCheck(t *testing.T) {
	m := newMailer(t, MailConfig{Server: "mail.test", MaxText: 10})
	many := make([]string, 101)
	for i := range many {
		many[i] = fmt.Sprintf("a%d@example.org", i)
	}
	for _, c := range []struct {
		m    Mail
		want string
	}{
		{Mail{To: []string{"a@example.org"}}, "Sender"},
		{Mail{From: "b@example.org"}, "Recipient"},
		{Mail{From: "b@example.org", To: many}, "Recipient"},
		{Mail{From: "b@example.org", To: many[:1], Text: "eleven byte"}, "Message"},
		{Mail{From: "b@example.org", To: many[:1], Subject: strings.Repeat("s", 999)}, "Subject"},
		{Mail{From: "b@example.org", To: many[:1], Attachments: []string{"x"}}, "Attachments, file 1"},
	} {
		err := m.Check(c.m)
		if f, ok := errors.AsType[*Fault](err); !ok || f.Place != c.want || !f.Final {
			t.Errorf("Check = %v, want a fault of %s", err, c.want)
		}
	}
	for _, c := range []struct {
		cfg  MailConfig
		want string
	}{
		{MailConfig{}, "mail.server"},
		{MailConfig{Server: "mail:x"}, "mail.server"},
		{MailConfig{Server: "http://mail/"}, "mail.server"},
		{MailConfig{Server: "mail", TLS: "maybe"}, "mail.tls"},
		{MailConfig{Server: "mail", TLS: TLSOff, User: "u", Password: "p"}, "mail.tls"},
		{MailConfig{Server: "mail", Password: "p"}, "mail.user"},
		{MailConfig{Server: "mail", From: "nobody"}, "mail.from"},
	} {
		_, err := NewMailer(c.cfg)
		if f, ok := errors.AsType[*Fault](err); !ok || f.Place != c.want || f.Cure == "" {
			t.Errorf("NewMailer(%q): %v, want a fault of %s", c.cfg.Server, err, c.want)
		}
	}
}

// TestMailFaults: each refusal has its class and its words.
func TestMailFaults(t *testing.T) {
	cert, pool := certificate(t)
	code := func(n int, words string) error { return &smtp.SMTPError{Code: n, Message: words} }
	sound := fstest.MapFS{"a.wav": {Data: make([]byte, 1000)}}
	for _, c := range []struct {
		name  string
		s     *mailServer
		noTLS bool
		cfg   MailConfig
		mail  Mail
		final bool
		want  string
	}{
		{name: "sender refused", s: &mailServer{mail: func(string) error { return code(550, "not you") }}, final: true, want: "Sender oz@example.org"},
		{name: "unknown recipient", s: &mailServer{rcpt: func(string) error { return code(550, "no such user") }}, final: true, want: "Recipient a@example.org"},
		{name: "greylisted", s: &mailServer{rcpt: func(string) error { return code(451, "try later") }}, want: "451"},
		{name: "one of two refused", s: &mailServer{rcpt: func(to string) error {
			if to == "b@example.org" {
				return code(550, "no b here")
			}
			return code(451, "later")
		}}, mail: Mail{Cc: []string{"b@example.org"}}, final: true, want: "Recipient b@example.org"},
		{name: "too large for it", s: &mailServer{data: func(io.Reader) (bool, error) { return true, code(552, "too big") }}, final: true, want: "552"},
		{name: "disk full", s: &mailServer{data: func(io.Reader) (bool, error) { return true, code(452, "disk full") }}, want: "452"},
		{name: "wrong password", s: &mailServer{user: "oz", password: "other", mechs: []string{"PLAIN"}}, cfg: MailConfig{User: "oz", Password: "geheim"}, final: true, want: "correct mail.user and mail.password"},
		{name: "login out of order", s: &mailServer{broken: true, mechs: []string{"PLAIN"}}, cfg: MailConfig{User: "oz", Password: "geheim"}, want: "454"},
		{name: "no login there", s: &mailServer{}, cfg: MailConfig{User: "oz", Password: "geheim"}, final: true, want: "it offers no login"},
		{name: "no encryption there", noTLS: true, cfg: MailConfig{TLS: TLSRequired}, final: true, want: "it offers no encryption"},
		{name: "TLS from the start where there is none", noTLS: true, cfg: MailConfig{TLS: TLSImplicit}, final: true, want: "it does not speak TLS there"},
		{name: "stranger's certificate", cfg: MailConfig{RootCAs: nil, Hello: "stranger"}, want: "certificate"},
		{name: "no such file", cfg: MailConfig{Open: sound.Open}, mail: Mail{Attachments: []string{"b.wav"}}, final: true, want: "file 1 (b.wav)"},
		{name: "a folder", cfg: MailConfig{Open: sound.Open}, mail: Mail{Attachments: []string{"."}}, final: true, want: "it is no file"},
		{name: "too much", cfg: MailConfig{Open: sound.Open, MaxSize: 1500}, mail: Mail{Attachments: []string{"a.wav", "a.wav"}}, final: true, want: "larger than 1500 bytes"},
		{name: "outside the roots", cfg: MailConfig{Open: sound.Open}, mail: Mail{Attachments: []string{"../etc/passwd"}}, final: true, want: "../etc/passwd"},
	} {
		s := c.s
		if s == nil {
			s = &mailServer{}
		}
		tlsCfg := cert
		if c.noTLS {
			tlsCfg = nil
		}
		cfg := c.cfg
		cfg.Server, cfg.From = s.start(t, tlsCfg, false), "oz@example.org"
		if cfg.Hello != "stranger" {
			cfg.RootCAs = pool
		}
		ml := c.mail
		ml.To, ml.Text = []string{"a@example.org"}, "x"
		err := newMailer(t, cfg).Send(t.Context(), ml)
		f, ok := errors.AsType[*Fault](err)
		if !ok || f.Final != c.final || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want final %v with %q", c.name, err, c.final, c.want)
		}
		if len(s.got()) != 0 {
			t.Errorf("%s: the mail was delivered", c.name)
		}
	}
}

// TestMailPasswordStaysHome: a password is not shown to a server that offers no
// encryption, unless it is this machine.
func TestMailPasswordStaysHome(t *testing.T) {
	s := &mailServer{user: "oz", password: "geheim", mechs: []string{"PLAIN"}}
	addr := s.start(t, nil, false)
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, addr)
	}
	cfg := MailConfig{Server: "mail.test", From: "oz@example.org", User: "oz", Password: "geheim", Dial: dial}
	err := newMailer(t, cfg).Send(t.Context(), Mail{To: []string{"a@example.org"}})
	if !IsFinal(err) || !strings.Contains(err.Error(), "it offers no encryption") || s.login != "" {
		t.Errorf("far away: %v, login %q", err, s.login)
	}
	cfg.Server = addr
	if err := newMailer(t, cfg).Send(t.Context(), Mail{To: []string{"a@example.org"}}); err != nil || s.login != "PLAIN" {
		t.Errorf("on loopback: %v, login %q", err, s.login)
	}
}

// TestMailFileGrows: half a file is not sent as a whole one.
func TestMailFileGrows(t *testing.T) {
	s := &mailServer{}
	opened := 0
	open := func(name string) (fs.File, error) {
		opened++
		return fstest.MapFS{name: {Data: make([]byte, 1000*opened)}}.Open(name)
	}
	m := newMailer(t, MailConfig{Server: s.start(t, nil, false), From: "oz@example.org", Open: open})
	err := m.Send(t.Context(), Mail{To: []string{"a@example.org"}, Attachments: []string{"x.wav"}})
	if err == nil || IsFinal(err) || !strings.Contains(err.Error(), "it changed while it was sent") || len(s.got()) != 0 {
		t.Errorf("%v, %d mails; want a fault that may become better, and no mail", err, len(s.got()))
	}
}
