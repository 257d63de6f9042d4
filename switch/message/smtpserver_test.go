package message

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// A mailServer is a real SMTP server in this process.
type mailServer struct {
	user, password string
	broken         bool                                      // cannot log anybody in
	mechs          []string                                  // of login
	mail           func(from string) error                   // nil = fine
	rcpt           func(to string) error                     // nil = fine
	data           func(r io.Reader) (taken bool, err error) // before it is read; nil = fine

	mu    sync.Mutex
	mails []arrived
	conns []net.Conn
	login string // how the last login was made
	tls   bool   // whether it, or the last mail, came encrypted
}

type arrived struct {
	from string
	to   []string
	data []byte
	tls  bool
}

// start serves on a real socket until the test ends; cert nil = no STARTTLS.
func (m *mailServer) start(t *testing.T, cert *tls.Config, implicit bool) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if implicit {
		l = tls.NewListener(l, cert)
	}
	s := m.server(cert)
	var wg sync.WaitGroup
	wg.Go(func() { s.Serve(l) })
	t.Cleanup(func() {
		l.Close() // the server may not know it yet
		s.Close()
		wg.Wait()
	})
	return addr
}

func (m *mailServer) server(cert *tls.Config) *smtp.Server {
	s := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.conns = append(m.conns, c.Conn())
		return &mailSession{m: m, c: c}, nil
	}))
	s.Domain, s.TLSConfig, s.AllowInsecureAuth, s.ErrorLog = "mail.test", cert, true, log.New(io.Discard, "", 0)
	s.EnableSMTPUTF8 = true
	return s
}

func (m *mailServer) got() []arrived {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]arrived(nil), m.mails...)
}

// cut drops all connections.
func (m *mailServer) cut() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.conns {
		c.Close()
	}
}

type mailSession struct {
	m  *mailServer
	c  *smtp.Conn
	on arrived
}

func (s *mailSession) secret() bool { _, ok := s.c.TLSConnectionState(); return ok }

func (s *mailSession) AuthMechanisms() []string { return s.m.mechs }

func (s *mailSession) Auth(mech string) (sasl.Server, error) {
	check := func(user, password string) error {
		if s.m.broken {
			return &smtp.SMTPError{Code: 454, EnhancedCode: smtp.EnhancedCode{4, 7, 0}, Message: "ask me later"}
		}
		if user != s.m.user || password != s.m.password {
			return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: "wrong name or password"}
		}
		s.m.mu.Lock()
		defer s.m.mu.Unlock()
		s.m.login, s.m.tls = mech, s.secret()
		return nil
	}
	if mech == sasl.Login {
		return &loginServer{check: check}, nil
	}
	return sasl.NewPlainServer(func(_, user, password string) error { return check(user, password) }), nil
}

// loginServer is the server's side of LOGIN (draft-murchison-sasl-login).
type loginServer struct {
	step  int
	user  string
	check func(user, password string) error
}

func (l *loginServer) Next(b []byte) ([]byte, bool, error) {
	switch l.step++; l.step {
	case 1:
		return []byte("Username:"), false, nil
	case 2:
		l.user = string(b)
		return []byte("Password:"), false, nil
	}
	return nil, true, l.check(l.user, string(b))
}

func (s *mailSession) Reset()        { s.on = arrived{} }
func (s *mailSession) Logout() error { return nil }

func (s *mailSession) Mail(from string, _ *smtp.MailOptions) error {
	s.on.from = from
	if s.m.mail != nil {
		return s.m.mail(from)
	}
	return nil
}

func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.on.to = append(s.on.to, to)
	if s.m.rcpt != nil {
		return s.m.rcpt(to)
	}
	return nil
}

func (s *mailSession) Data(r io.Reader) error {
	if s.m.data != nil {
		if taken, err := s.m.data(r); taken || err != nil {
			return err
		}
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.on.data, s.on.tls = bytes.Clone(b), s.secret()
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	s.m.mails = append(s.m.mails, s.on)
	return nil
}

// certificate makes a self-signed one for 127.0.0.1 and mail.test, good in
// bubbles too, and the pool that trusts it.
func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail.test"}, DNSNames: []string{"mail.test"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, pool
}
