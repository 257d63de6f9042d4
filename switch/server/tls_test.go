package server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ozswitch/switch/server"
)

// newCertificate writes a certificate of 127.0.0.1 that signs itself and gives
// what trusts it and no other.
func newCertificate(t *testing.T, c *server.Config, serial int64) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(serial), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	shown := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for name, b := range map[string][]byte{c.SIP.TLS.Cert: shown, c.SIP.TLS.Key: pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: secret})} {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(shown)
	return &tls.Config{RootCAs: roots}
}

// TestTLS: with a certificate there is SIP by TLS and HTTPS; a reload takes the
// renewed certificate while the switch runs.
func TestTLS(t *testing.T) {
	c := phones(t)
	dir := t.TempDir()
	c.SIP.TLS = server.TLS{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
	c.SIP.Listen = append(c.SIP.Listen, server.Listen{Transport: "tls", Address: "127.0.0.1:0"})
	c.HTTP.TLSListen = "127.0.0.1:0"
	first := newCertificate(t, c, 1)
	s, _ := run(t, c)
	secure := func(trust *tls.Config) error {
		conn, err := tls.Dial("tcp", strings.TrimPrefix(s.SIPAddrs()[2], "tls://"), trust.Clone())
		if err == nil {
			conn.Close()
		}
		return err
	}
	if err := secure(first); err != nil {
		t.Errorf("SIP by TLS: %v", err)
	}
	if s.HTTPAddr() == s.HTTPSAddr() || s.HTTPAddr() == "" {
		t.Errorf("HTTP at %q, HTTPS at %q", s.HTTPAddr(), s.HTTPSAddr())
	}
	if resp, err := http.Get("http://" + s.HTTPAddr() + "/healthz"); err != nil { // of the same words as HTTPS, and yet without TLS
		t.Errorf("HTTP: %v", err)
	} else if resp.Body.Close(); resp.StatusCode != http.StatusOK {
		t.Errorf("HTTP /healthz = %s", resp.Status)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: first}}
	defer client.CloseIdleConnections()
	resp, err := client.Get("https://" + s.HTTPSAddr() + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("HTTPS /healthz = %s", resp.Status)
	}

	second := newCertificate(t, c, 2)
	if _, err := s.Reload(c); err != nil {
		t.Fatal(err)
	}
	if err := secure(second); err != nil {
		t.Errorf("after a reload, with the renewed certificate: %v", err)
	}
	if err := secure(first); err == nil {
		t.Error("after a reload the old certificate is still shown")
	}
	if err := os.WriteFile(c.SIP.TLS.Cert, []byte("not whole yet"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Reload(c); err == nil {
		t.Error("a broken certificate was taken")
	}
	if err := secure(second); err != nil {
		t.Errorf("after a broken certificate: %v, want the one before", err)
	}
}
