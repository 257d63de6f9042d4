package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ozswitch/switch/server"
)

// certificate makes one for 127.0.0.1 and ::1 that signs itself.
func certificate(t *testing.T, dir string) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	write(t, cert, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	write(t, key, string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: secret})))
	return cert, key
}

// TestCallLogsIn: `call` proves who calls by UDP, TCP and TLS, over IPv4 and
// IPv6, to a switch that lets nobody in without.
func TestCallLogsIn(t *testing.T) {
	dir := t.TempDir()
	cfg := server.Default()
	cfg.Data, cfg.HTTP.Listen = filepath.Join(dir, "data"), ""
	cfg.SIP.TLS.Cert, cfg.SIP.TLS.Key = certificate(t, dir)
	cfg.SIP.Listen = nil
	for _, l := range []string{"udp://127.0.0.1:0", "tcp://127.0.0.1:0", "tls://127.0.0.1:0", "udp://[::1]:0", "tcp://[::1]:0", "tls://[::1]:0"} {
		listen, err := server.ParseListen(l)
		if err != nil {
			t.Fatal(err)
		}
		cfg.SIP.Listen = append(cfg.SIP.Listen, listen)
	}
	write(t, filepath.Join(dir, "hello.xml"), `<Response><Speak>a</Speak></Response>`)
	for _, digest := range []string{"md5", "sha-256", "both"} {
		cfg.Extensions = append(cfg.Extensions, server.Extension{Number: "2" + digest, Type: "phone", Password: "butter fly", Digest: digest})
		cfg.Extensions = append(cfg.Extensions, server.Extension{Number: "1" + digest, Type: "phone", Password: "dragon fly", Digest: digest})
	}
	cfg.Extensions = append(cfg.Extensions, server.Extension{Number: "9000", Type: "script", File: filepath.Join(dir, "hello.xml")})
	cfg.Fill()
	s, err := server.New(cfg, server.Options{Version: "test", Slog: slog.New(slog.NewTextHandler(t.Output(), nil)), Voice: speller{}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Bind(); err != nil {
		s.Close()
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Run(ctx); err != nil {
			t.Errorf("the switch: %v", err)
		}
	})
	defer wg.Wait()
	defer stop()

	passwords := filepath.Join(dir, "password")
	write(t, passwords, "dragon fly\n")
	for _, at := range s.SIPAddrs() {
		transport, addr, _ := strings.Cut(at, "://")
		args := []string{"9000", "--server", addr, "--transport", transport}
		if transport == "tls" {
			args = append(args, "--ca", cfg.SIP.TLS.Cert)
		}
		t.Run(at[:len(transport)+len("://")]+addr[:strings.LastIndex(addr, ":")], func(t *testing.T) {
			for _, user := range []string{"1md5", "1sha-256", "1both"} {
				calls(t, t.Context(), 0, append(args, "--user", user, "--password", "file:"+passwords)...)
			}
			if out, diag := calls(t, t.Context(), 1, append(args, "--user", "1md5", "--password", "wrong")...); !strings.Contains(out+diag, "401") {
				t.Errorf("with a wrong password: %s%s, want 401", out, diag)
			}
			if out, diag := calls(t, t.Context(), 1, args...); !strings.Contains(out+diag, "401") || !strings.Contains(diag, "--user and --password") {
				t.Errorf("without credentials: %s%s, want 401 and a hint", out, diag)
			}
		})
	}
	// Somebody's password is no other's.
	if out, diag := calls(t, t.Context(), 1, "9000", "--server", s.SIPAddr().String(), "--user", "1md5", "--from", "2md5", "--password", "dragon fly"); !strings.Contains(out+diag, "403") {
		t.Errorf("as 2md5 with 1md5's name: %s%s, want 403", out, diag)
	}
}
