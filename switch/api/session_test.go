package api

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ozswitch/ozml/trace"
)

// signedIn gives the cookie header of a session.
func signedIn(t *testing.T, d *desk, name, password string) []string {
	t.Helper()
	w := d.ask("POST", "/v1/session", `{"name":"`+name+`","password":"`+password+`"}`)
	want(t, "sign in "+name, w, 200)
	c := w.Result().Cookies()
	if len(c) != 1 || c[0].Name != "ozswitch_session" || !c[0].HttpOnly || c[0].SameSite != http.SameSiteStrictMode || c[0].Path != "/" || c[0].Secure {
		t.Fatalf("sign in %s: cookies %v", name, c)
	}
	return []string{"Cookie", c[0].Name + "=" + c[0].Value}
}

func TestSession(t *testing.T) {
	d := newDesk(t)
	boss := signedIn(t, d, "boss", "boss12345")
	with := func(more ...string) []string { return append(slices.Clone(boss), more...) }
	want(t, "who", d.ask("GET", "/v1/session", "", boss...), 200, `"name":"Boss"`, `"admin":true`)
	want(t, "calls", d.ask("GET", "/v1/calls", "", boss...), 200)

	// What changes something needs our header; no page of another origin gets in.
	want(t, "without the header", d.ask("POST", "/v1/lint", `{"text":""}`, boss...), 403, ownHeader)
	want(t, "with it", d.ask("POST", "/v1/lint", `{"text":""}`, with(ownHeader, "1")...), 200)
	for _, foreign := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}} {
		want(t, "foreign "+foreign[1], d.ask("POST", "/v1/lint", `{"text":""}`, with(append(foreign, ownHeader, "1")...)...), 403, "another origin")
		want(t, "foreign read "+foreign[1], d.ask("GET", "/v1/calls", "", with(foreign...)...), 403)
		want(t, "foreign sign-in "+foreign[1], d.ask("POST", "/v1/session", `{"name":"boss","password":"boss12345"}`, foreign...), 403)
		want(t, "foreign sign-out "+foreign[1], d.ask("DELETE", "/v1/session", "", with(append(foreign, ownHeader, "1")...)...), 403)
	}
	// A form of another page cannot send JSON without asking first.
	want(t, "sign in by a form", d.ask("POST", "/v1/session", `{"name":"boss","password":"boss12345"}`, "Content-Type", "text/plain"), 415)

	want(t, "a user without rights", d.ask("POST", "/v1/session", `{"name":"nobody","password":"abc12345"}`), 403, `"code":306`)
	w := d.ask("POST", "/v1/session", `{"name":"boss","password":"wrong"}`)
	want(t, "wrong", w, 401, `"code":305`)
	if w.Header().Get("WWW-Authenticate") != "" || len(w.Result().Cookies()) != 0 {
		t.Errorf("wrong: %v", w.Header())
	}
	if other := d.ask("POST", "/v1/session", `{"name":"stranger","password":"wrong"}`); other.Body.String() != w.Body.String() {
		t.Errorf("an unknown name is told from a wrong password: %s and %s", other.Body, w.Body)
	}
	want(t, "an address that may not", askFrom(d, "10.9.1.1:1", "boss12345"), 403, `"code":307`)

	want(t, "sign out without the header", d.ask("DELETE", "/v1/session", "", boss...), 403)
	want(t, "sign out", d.ask("DELETE", "/v1/session", "", with(ownHeader, "1")...), 204)
	want(t, "after it", d.ask("GET", "/v1/session", "", boss...), 401, "sign in again")
	want(t, "sign out again", d.ask("DELETE", "/v1/session", "", with(ownHeader, "1")...), 204)
	want(t, "a made-up cookie", d.ask("GET", "/v1/session", "", "Cookie", "ozswitch_session=AAAA"), 401)
	if again := signedIn(t, d, "hashed", "password"); len(again) != 2 {
		t.Error("the hash of a configuration lets nobody in")
	}
}

func askFrom(d *desk, addr, password string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", "/v1/session", strings.NewReader(`{"name":"boss","password":"`+password+`"}`))
	r.Header.Set("Content-Type", "application/json")
	r.RemoteAddr = addr
	return ask(d.mux, r)
}

// TestSecure: over TLS the cookie is for TLS only.
func TestSecure(t *testing.T) {
	d := newDesk(t)
	r := httptest.NewRequest("POST", "https://pbx.example/v1/session", strings.NewReader(`{"name":"boss","password":"boss12345"}`))
	r.Header.Set("Content-Type", "application/json")
	if c := ask(d.mux, r).Result().Cookies(); len(c) != 1 || !c[0].Secure {
		t.Errorf("cookies %v", c)
	}
	// The same told by a proxy counts only if the proxy is believed.
	for _, believed := range []bool{true, false} {
		d := newDesk(t)
		if believed {
			d.Access.Proxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
		}
		r := httptest.NewRequest("POST", "/v1/session", strings.NewReader(`{"name":"boss","password":"boss12345"}`))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-Forwarded-Proto", "https")
		r.RemoteAddr = "192.0.2.1:4711"
		if c := ask(d.mux, r).Result().Cookies(); len(c) != 1 || c[0].Secure != believed {
			t.Errorf("behind a proxy that is believed (%v): cookies %v", believed, c)
		}
	}
}

// TestReload: another configuration keeps the sessions of users that it still
// has, and ends the others.
func TestReload(t *testing.T) {
	d := newDesk(t)
	boss, user := signedIn(t, d, "boss", "boss12345"), signedIn(t, d, "http_user_1", "qwe123")
	link := d.Sessions.Link("boss", time.Now())
	next := &Access{Users: []User{{Name: "HTTP_User_1", Password: "another", API: true}}, Sessions: d.Sessions}
	next.Prepare()
	for _, tt := range []struct {
		cookie []string
		ok     bool
	}{{boss, false}, {user, true}} {
		r := httptest.NewRequest("GET", "/v1/session", nil)
		r.Header.Set(tt.cookie[0], tt.cookie[1])
		if _, p := next.enter(r, ""); (p == nil) != tt.ok {
			t.Errorf("%v: %v, want let in: %v", tt.cookie, p, tt.ok)
		}
	}
	if _, ok := d.Sessions.redeem(link, time.Now()); ok {
		t.Error("the link of a user that is gone is good")
	}
	r := basic(httptest.NewRequest("GET", "/v1/calls", nil), "HTTP_User_1", "qwe123")
	if _, p := next.enter(r, ""); p == nil {
		t.Error("the password of before is good after a reload")
	}
}

// TestLink: a one-time link signs in once.
func TestLink(t *testing.T) {
	d := newDesk(t)
	token := d.Sessions.Link("Boss", time.Now())
	open := func(token string, headers ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", "/?login="+token, nil)
		for i := 0; i+1 < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		w := httptest.NewRecorder()
		if !d.Login(w, r) {
			t.Fatal("the link was not answered")
		}
		return w
	}
	w := open(token)
	c := w.Result().Cookies()
	if w.Code != 303 || w.Header().Get("Location") != "/" || len(c) != 1 || w.Header().Get("Referrer-Policy") != "no-referrer" {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	want(t, "signed in", d.ask("GET", "/v1/session", "", "Cookie", c[0].Name+"="+c[0].Value), 200, "Boss")
	if w := open(token); w.Header().Get("Location") != "/login?link=used" || len(w.Result().Cookies()) != 0 {
		t.Errorf("a second time: %v", w.Header())
	}
	if w := open(token, "Cookie", c[0].Name+"="+c[0].Value); w.Header().Get("Location") != "/" {
		t.Errorf("a second time, signed in: %v", w.Header())
	}
	if w := open("made-up"); w.Header().Get("Location") != "/login?link=used" {
		t.Errorf("made up: %v", w.Header())
	}
	if _, ok := d.Sessions.redeem(d.Sessions.Link("Boss", time.Now().Add(-25*time.Hour)), time.Now()); ok {
		t.Error("a link of yesterday is good")
	}
	if d.Login(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)) {
		t.Error("/ is taken for a link")
	}
}

func TestIdle(t *testing.T) {
	s, now := &Sessions{}, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	a, b := s.begin("ann", now), s.begin("bob", now)
	now = now.Add(11 * time.Hour)
	if name, ok := s.user(a, now); !ok || name != "ann" {
		t.Errorf("after 11 h: %q %v", name, ok)
	}
	now = now.Add(2 * time.Hour)
	if _, ok := s.user(a, now); !ok {
		t.Error("Ann's session, used 2 h ago, is over")
	}
	if _, ok := s.user(b, now); ok {
		t.Error("Bob's session, unused for 13 h, goes on")
	}
	for range maxSessions + 10 {
		s.begin("many", now)
	}
	if len(s.open) > maxSessions {
		t.Errorf("%d sessions", len(s.open))
	}
}

// reference is from the tests of the reference program (version 20190702): the
// password "password", salt "somesalt".
const reference = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"

func TestPassword(t *testing.T) {
	text := HashPassword("correct horse")
	if !strings.HasPrefix(text, "$argon2id$v=19$m=65536,t=3,p=4$") || CheckPassword(text) != nil {
		t.Errorf("got %s: %v", text, CheckPassword(text))
	}
	h, err := parseHash(reference)
	if err != nil || !h.is("password") || h.is("passwort") {
		t.Errorf("the reference's hash: %v", err)
	}
	for _, bad := range []string{
		"$argon2id$", "$argon2id$v=16$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=19$m=65536,t=2$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=19$m=99999999,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$!!", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$AAAA",
	} {
		if CheckPassword(bad) == nil {
			t.Errorf("%s is taken", bad)
		}
		a := &Access{Users: []User{{Name: "x", Password: bad, API: true}}}
		if _, err := a.user(t.Context(), netip.MustParseAddr("10.0.0.1"), "x", bad); err == nil {
			t.Errorf("%s lets somebody in", bad)
		}
	}
}

// TestGuessing: who guesses waits longer and longer, alone; good credentials
// that were proven before do not.
func TestGuessing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := testAccess()
		at, other := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
		if _, err := a.user(t.Context(), at, "HTTP_User_1", "qwe123"); err != nil {
			t.Fatal(err)
		}
		begun, refused := time.Now(), 0
		for range 20 {
			if _, err := a.user(t.Context(), at, "HTTP_User_1", "wrong"); err == nil {
				t.Fatal("wrong is right")
			} else if _, busy := err.(*busyError); busy {
				refused++
			}
		}
		if took := time.Since(begun); took < 30*time.Second {
			t.Errorf("20 guesses took %v", took)
		}
		begun = time.Now()
		if _, err := a.user(t.Context(), at, "HTTP_User_1", "qwe123"); err != nil || time.Since(begun) > 0 {
			t.Errorf("proven credentials: %v after %v", err, time.Since(begun))
		}
		if _, err := a.user(t.Context(), other, "HTTP_User_1", "wrong"); err != errPassword || time.Since(begun) > 0 {
			t.Errorf("another address: %v after %v", err, time.Since(begun))
		}
		// Many at once are no way around.
		var g gate
		n := 0
		for range 100 {
			if _, ok := g.enter(at, time.Now()); ok {
				n++
			}
		}
		if n > 12 {
			t.Errorf("%d guesses at once", n)
		}
		if _, ok := g.enter(at, time.Now().Add(time.Hour)); !ok {
			t.Error("an hour later the place is still refused")
		}
	})
}

// TestMany: a program that begins with many requests at once is not taken for
// one that guesses, and its password is looked at once; each other one counts.
func TestMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := testAccess()
		begun := time.Now()
		var wg sync.WaitGroup
		for range 40 {
			wg.Go(func() {
				if u, err := a.user(t.Context(), netip.MustParseAddr("10.0.0.1"), "HTTP_User_1", "qwe123"); err != nil || u.Name != "HTTP_User_1" {
					t.Errorf("%v, %v", u, err)
				}
			})
		}
		wg.Wait()
		if took := time.Since(begun); took > 0 {
			t.Errorf("40 requests with the right password took %v", took)
		}
		var refused atomic.Int32
		for i := range 40 {
			wg.Go(func() {
				if _, err := a.user(t.Context(), netip.MustParseAddr("10.0.0.1"), "HTTP_User_1", fmt.Sprint(i)); err == nil {
					t.Error("a wrong one is right")
				} else if err != errPassword {
					refused.Add(1)
				}
			})
		}
		wg.Wait()
		if took := time.Since(begun); took < 7*time.Second || refused.Load() < 20 {
			t.Errorf("40 guesses took %v, %d were refused", took, refused.Load())
		}
		// Who waits for a look that was given up looks again.
		gone, leave := context.WithCancel(t.Context())
		wg.Go(func() { _, _ = a.user(gone, netip.MustParseAddr("10.0.0.1"), "HTTP_User_1", "guess") })
		wg.Go(func() {
			if _, err := a.user(t.Context(), netip.MustParseAddr("10.0.0.1"), "HTTP_User_1", "guess"); err == nil || err == context.Canceled {
				t.Errorf("left alone: %v", err)
			}
		})
		synctest.Wait()
		leave()
		wg.Wait()
	})
}

// TestPlace: who has a network of IPv6 to himself is one source.
func TestPlace(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		same bool
	}{{"10.0.0.1", "10.0.0.2", false}, {"2001:db8::1", "2001:db8::2", true}, {"2001:db8::1", "2001:db8:0:1::1", false}} {
		if same := place(netip.MustParseAddr(tt.a)) == place(netip.MustParseAddr(tt.b)); same != tt.same {
			t.Errorf("%s and %s are one place: %v", tt.a, tt.b, same)
		}
	}
}

// TestStreamEnds: a stream of events ends with the session that asked for it.
func TestStreamEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		boss := signedIn(t, d, "boss", "boss12345")
		r := httptest.NewRequest("GET", "/v1/events", nil)
		r.Header.Set(boss[0], boss[1])
		w, done := httptest.NewRecorder(), make(chan struct{})
		go func() {
			defer close(done)
			d.mux.ServeHTTP(w, r)
		}()
		time.Sleep(time.Minute)
		want(t, "sign out", d.ask("DELETE", "/v1/session", "", append(boss, ownHeader, "1")...), 204)
		d.Log.Emit(trace.Event{Type: trace.Registration, From: "secret"})
		<-done
		if strings.Contains(w.Body.String(), "secret") || !strings.Contains(w.Body.String(), "still here") {
			t.Errorf("the stream said %q", w.Body)
		}
	})
}
