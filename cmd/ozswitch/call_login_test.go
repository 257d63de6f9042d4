package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"os"
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
	cfg.RTP.WebRTCPort = -1
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

// TestCallByWeb: `call` calls as a web page does, one call and several, by ws and
// wss; where nobody listens it says so.
func TestCallByWeb(t *testing.T) {
	dir := t.TempDir()
	script := filepath.Join(dir, "script.xml")
	write(t, script, `<Response><Speak>good morning</Speak><Delay>3</Delay></Response>`)
	cfg, err := server.Dev(zeros{}, script)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Data, cfg.Dialplan = filepath.Join(dir, "data"), nil
	for i := range cfg.SIP.Listen {
		cfg.SIP.Listen[i].Address = "127.0.0.1:0"
	}
	cfg.SIP.TLS.Cert, cfg.SIP.TLS.Key = certificate(t, dir)
	cfg.HTTP.Listen, cfg.HTTP.TLSListen = "127.0.0.1:0", fmt.Sprintf("127.0.0.1:%d", freeUDP(t))
	cfg.RTP.WebRTCPort = freeUDP(t)
	s, err := server.New(cfg, server.Options{Version: "test", Voice: speller{}, Slog: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	if err := s.Bind(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	heard := filepath.Join(dir, "heard.wav")
	out, _ := calls(t, t.Context(), 0, "9000", "--transport", "ws", "--server", s.HTTPAddr(), "--press", "5@1s", "--record", heard)
	lacks(t, out, "answered after ", "\n    1.", "pressed 5\n", "ended: far end hung up", "\nok  ")
	if info, err := os.Stat(heard); err != nil || info.Size() < 8000 {
		t.Errorf("the recording: %v, %v", info, err)
	}
	out, _ = calls(t, t.Context(), 0, "9000", "--transport", "wss", "--ca", cfg.SIP.TLS.Cert, "--server", s.HTTPSAddr(), "--calls", "5", "--rate", "100", "--hangup-after", "1s")
	lacks(t, out, "answered  5, failed 0\n")

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := l.Addr().String()
	l.Close()
	out, diag := calls(t, t.Context(), 1, "9000", "--transport", "ws", "--server", nobody)
	lacks(t, out, "\nfailed  connection refused\n")
	lacks(t, diag, "Is a switch running at "+nobody)
}

// freeUDP is a port that is free at this moment, most likely for TCP too.
func freeUDP(t *testing.T) int {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).Port
}
