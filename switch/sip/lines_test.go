package sip

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A carrier is a far end that answers each request with what answer gives.
func carrier(t *testing.T, n *testNet, answer func(method, request string) (status, extra string)) (close func()) {
	t.Helper()
	far, err := n.listen("udp", ourAddr)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		buf := make([]byte, 1<<16)
		for {
			k, from, err := far.ReadFrom(buf)
			if err != nil {
				return
			}
			m := string(buf[:k])
			method, _, _ := strings.Cut(m, " ")
			status, extra := answer(method, m)
			if status == "" {
				continue
			}
			far.WriteTo(fmt.Appendf(nil, "SIP/2.0 %s\r\nVia: %s\r\nFrom: %s\r\nTo: %s;tag=far\r\nCall-ID: %s\r\nCSeq: %s\r\n%sContent-Length: 0\r\n\r\n", status,
				headers(m, "Via"), headers(m, "From"), headers(m, "To"), headers(m, "Call-ID"), headers(m, "CSeq"), extra), from)
		}
	}()
	return func() { far.Close() }
}

func challenge(realm, more string) string {
	return `WWW-Authenticate: Digest realm="` + realm + `", nonce="n", qop="auth"` + more + "\r\n"
}

var carrierAt = Place{Transport: "udp", Addr: netip.MustParseAddrPort(ourAddr), Name: "carrier.test"}

// TestTrunk: what comes of each answer to a REGISTER.
func TestTrunk(t *testing.T) {
	ok := func(string) (string, string) { return "200 OK", "Expires: 600\r\n" }
	for _, c := range []struct {
		name    string
		answers []func(request string) (status, extra string) // the last for all that follow
		realm   string
		want    Asked
		sent    int
		learned string
	}{
		{"at once", []func(string) (string, string){ok}, "", Asked{Code: 200, Reason: "OK", Heard: true, Granted: 600 * time.Second}, 1, ""},
		{"our contact among others", []func(string) (string, string){func(m string) (string, string) {
			mine := headers(m, "Contact")
			return "200 OK", "Contact: <sip:other@10.9.9.9>;expires=7\r\nContact: " + strings.Replace(mine, "expires=3600", "expires=900", 1) + "\r\nExpires: 5\r\n"
		}}, "", Asked{Code: 200, Reason: "OK", Heard: true, Granted: 900 * time.Second}, 1, ""},
		{"a challenge", []func(string) (string, string){func(string) (string, string) { return "401 Unauthorized", challenge("Carrier", "") }, ok}, "",
			Asked{Code: 200, Reason: "OK", Heard: true, Granted: 600 * time.Second}, 2, "Carrier"},
		{"a proxy's", []func(string) (string, string){func(string) (string, string) { return "407 Who", "Proxy-" + challenge("carrier", "")[4:] }, ok}, "CARRIER",
			Asked{Code: 200, Reason: "OK", Heard: true, Granted: 600 * time.Second}, 2, "CARRIER"},
		{"another realm", []func(string) (string, string){func(string) (string, string) { return "401 Unauthorized", challenge("evil", "") }}, "carrier",
			Asked{Code: 401, Reason: "Unauthorized", Heard: true, Realm: "evil"}, 1, "carrier"},
		{"wrong", []func(string) (string, string){func(string) (string, string) { return "401 Unauthorized", challenge("c", "") }}, "",
			Asked{Code: 401, Reason: "Unauthorized", Heard: true}, 2, "c"},
		{"stale once", []func(string) (string, string){func(string) (string, string) { return "401 Unauthorized", challenge("c", "") },
			func(string) (string, string) { return "401 Unauthorized", challenge("c", ", stale=true") }, ok}, "",
			Asked{Code: 200, Reason: "OK", Heard: true, Granted: 600 * time.Second}, 3, "c"},
		{"stale for ever", []func(string) (string, string){func(string) (string, string) { return "401 Unauthorized", challenge("c", ", stale=true") }}, "",
			Asked{Code: 401, Reason: "Unauthorized", Heard: true}, 3, "c"},
		{"too brief", []func(string) (string, string){func(string) (string, string) { return "423 Too Brief", "Min-Expires: 7200\r\n" }}, "",
			Asked{Code: 423, Reason: "Too Brief", Heard: true, Least: 2 * time.Hour}, 1, ""},
		{"forbidden", []func(string) (string, string){func(string) (string, string) { return "403 Forbidden", "" }}, "", Asked{Code: 403, Reason: "Forbidden", Heard: true}, 1, ""},
		{"later", []func(string) (string, string){func(string) (string, string) {
			return "503 Service Unavailable", "Retry-After: 90 (maintenance);duration=60\r\n"
		}}, "",
			Asked{Code: 503, Reason: "Service Unavailable", Heard: true, RetryAfter: 90 * time.Second}, 1, ""},
		{"silence", []func(string) (string, string){func(string) (string, string) { return "", "" }}, "", Asked{Code: 408, Reason: "no answer in time"}, 11, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNet(time.Millisecond, 0)
				ctx, stop := context.WithCancel(t.Context())
				sent := 0
				var last string
				done := carrier(t, n, func(method, m string) (string, string) {
					sent++
					last = m
					return c.answers[min(sent, len(c.answers))-1](m)
				})
				a := startStream(t, ctx, n, peerAddr, 2, func(c *Config) { c.Listen = []string{"udp://" + peerAddr} })
				synctest.Wait()
				trunk := a.e.Trunk(TrunkConfig{Domain: "carrier.test", User: "u", Login: "auth", Password: "p", Realm: c.realm, Contact: "x7"})
				got := trunk.Register(ctx, carrierAt, time.Hour)
				synctest.Wait()
				if got != c.want || sent != c.sent || trunk.Realm() != c.learned {
					t.Errorf("got %+v after %d requests, realm %q; want %+v after %d, %q", got, sent, trunk.Realm(), c.want, c.sent, c.learned)
				}
				if !strings.HasPrefix(last, "REGISTER sip:carrier.test SIP/2.0\r\n") || headers(last, "To") != "<sip:u@carrier.test>" ||
					!strings.HasPrefix(headers(last, "Contact"), "<sip:x7@"+peerAddr+">;expires=3600") {
					t.Errorf("sent %s", last)
				}
				if c.sent > 1 && c.learned != "" && c.want.Realm == "" && !strings.Contains(last, `username="auth"`) {
					t.Errorf("sent without credentials: %s", last)
				}
				stop()
				done()
			})
		})
	}
}

// TestTrunkPing: any answer is a sign of life, and who asks for credentials gets
// none.
func TestTrunkPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet(time.Millisecond, 0)
		ctx, stop := context.WithCancel(t.Context())
		status, extra, sent := "200 OK", "", 0
		done := carrier(t, n, func(method, m string) (string, string) {
			sent++
			if method != "OPTIONS" || strings.Contains(m, "uthorization") {
				t.Errorf("sent %s", m)
			}
			return status, extra
		})
		a := startStream(t, ctx, n, peerAddr, 2, func(c *Config) { c.Listen = []string{"udp://" + peerAddr} })
		synctest.Wait()
		trunk := a.e.Trunk(TrunkConfig{Domain: "carrier.test", User: "u", Password: "p"})
		if got := trunk.Ping(ctx, carrierAt); got != (Asked{Code: 200, Reason: "OK", Heard: true}) {
			t.Errorf("got %+v", got)
		}
		status, extra = "401 Unauthorized", challenge("c", "")
		if got := trunk.Ping(ctx, carrierAt); got.Code != 401 || !got.Heard || trunk.Realm() != "" || sent != 2 {
			t.Errorf("got %+v after %d, realm %q", got, sent, trunk.Realm())
		}
		if got := trunk.Ping(ctx, Place{Transport: "tls", Addr: netip.MustParseAddrPort("[fd00::1]:5061")}); got.Heard || got.Code != 503 {
			t.Errorf("got %+v", got)
		}
		stop()
		done()
	})
}

// TestTrunkAtEndpoint: our own registrar takes our own trunk, and its contact is
// reached.
func TestTrunkAtEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet(time.Millisecond, 0)
		ctx, stop := context.WithCancel(t.Context())
		d := newDesk(t, ctx, n, nil)
		d.conn.Close()
		a := startStream(t, ctx, n, peerAddr, 2, func(c *Config) { c.Listen = append(c.Listen, "udp://"+peerAddr) })
		synctest.Wait()
		for i, transport := range []string{"udp", "tcp"} {
			trunk := a.e.Trunk(TrunkConfig{Domain: "pbx", User: "1001", Password: "right", Contact: "tok-" + transport})
			at := Place{Transport: transport, Addr: carrierAt.Addr}
			if got := trunk.Register(ctx, at, 10*time.Minute); got.Code != 200 || got.Granted != 10*time.Minute || trunk.Realm() != "pbx" {
				t.Fatalf("%s: got %+v", transport, got)
			}
			if at := d.e.Bindings("1001"); len(at) != i+1 || !strings.HasPrefix(at[0].Contact, "sip:tok-"+transport+"@") {
				t.Errorf("%s: bindings %+v", transport, at)
			}
		}
		trunk := a.e.Trunk(TrunkConfig{Domain: "pbx", User: "1001", Password: "right", Contact: "tok-udp"})
		if got := trunk.Register(ctx, carrierAt, 0); got.Code != 200 || len(d.e.Bindings("1001")) != 1 {
			t.Errorf("unregister: %+v, %d left", got, len(d.e.Bindings("1001")))
		}
		time.Sleep(time.Minute)
		stop()
	})
}

// TestPlaces: what an address of the operator's leads to.
func TestPlaces(t *testing.T) {
	z := &zone{hosts: map[string]string{"a.test": "10.0.0.7 10.0.0.8", "b.test": "10.0.0.9"}}
	n := newNet(time.Millisecond, 0)
	e := New(Config{Listen: []string{"udp://" + ourAddr}, ListenPacket: n.listen, Resolver: z, Rand: seeded(1), Log: testLog(t)}, &phones{})
	if err := e.Bind(); err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for _, c := range []struct{ address, transport, want string }{
		{"10.0.0.7", "udp", "[udp 10.0.0.7:5060]"},
		{"10.0.0.7:5070", "tcp", "[tcp 10.0.0.7:5070]"},
		{"[fd00::1]:5070", "udp", "[udp [fd00::1]:5070]"},
		{"10.0.0.7", "tls", "[tls 10.0.0.7:5061]"},
		{"a.test", "udp", "[udp 10.0.0.7:5060 udp 10.0.0.8:5060]"},
		{"a.test:5080", "tcp", "[tcp 10.0.0.7:5080 tcp 10.0.0.8:5080]"},
		{"gone.test", "udp", "no such host gone.test"},
		{"", "udp", `"" is no address of a host`},
	} {
		got, err := e.Places(t.Context(), c.address, c.transport)
		said := fmt.Sprint(got)
		if err != nil {
			said = err.Error()
		}
		if said != c.want {
			t.Errorf("%q by %s: %s, want %s", c.address, c.transport, said, c.want)
		}
	}
}
