package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ozswitch/ozml/trace"
)

func topCalls() topState {
	return topState{
		status: topStatus{Version: "0.1.0", Up: 7300, PerSecond: 0.2, Registrations: 12, FetchP95: 40, LagP99: 0.3, Sentence: "All well"},
		calls: []topCall{
			{ID: "a", From: "1001", To: "9000", Script: "/home/ann/hello.xml", Doing: "3:3 UserInput", State: "InCall", Talk: 7},
			{ID: "b", From: "+36 1 234 5678 Ann", To: "9100", Script: "http://app/ivr.php", Doing: "", State: "Ringing", Ring: 61},
			{ID: "c", From: "evil\x1b[2J\r", To: "9000", Doing: "2:3 Speak", State: "InCall"},
		},
	}
}

func TestTopTable(t *testing.T) {
	m := &topScreen{}
	m.take(topCalls())
	got := m.render(80, 24)
	if len(got) != 24 {
		t.Fatalf("%d lines, want 24", len(got))
	}
	all := strings.Join(got, "\n")
	for _, want := range []string{
		" ozswitch 0.1.0  up 2h  calls 3  cps 0.2  reg 12  fetch p95 40ms  lag p99 0.3ms",
		" FROM       TO       SCRIPT           LINE    DOING              TIME  STATE",
		"\x1b[7m 1001       9000     hello.xml        3:3     UserInput         00:07  InCall",
		" +36 1 234… 9100     ivr.php                                    01:01  Ringing",
		" evil·[2J·  9000     ",
		" <enter> transcript  <h> hang up  <l> ladder  </> filter  <q> quit",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not in\n%s", want, all)
		}
	}
	for _, l := range got {
		if n := len([]rune(strings.NewReplacer("\x1b[7m", "", "\x1b[0m", "").Replace(l))); n != 80 {
			t.Errorf("%d columns: %q", n, l)
		}
	}
}

func TestTopKeys(t *testing.T) {
	m := &topScreen{}
	m.take(topCalls())
	m.render(80, 24)
	press := func(keys ...string) (id string) {
		m.want = wantNothing
		for _, k := range keys {
			id = m.key(k)
		}
		return id
	}
	if id := press("down", "h", "n"); m.want != wantNothing || id != "b" {
		t.Errorf("h and no: wants %v of %s", m.want, id)
	}
	if id := press("h", "y"); m.want != wantHangup || id != "b" {
		t.Errorf("h and yes: wants %v of %s, want the second call hung up", m.want, id)
	}
	m.take(topState{calls: topCalls().calls[:1]}) // it is gone, and the one after it
	if id := press("up"); id != "a" {
		t.Errorf("after the calls went %q is chosen", id)
	}
	m.take(topCalls())
	press("/", "H", "e", "l", "x", "backspace", "l", "enter")
	if got := m.shown(); len(got) != 1 || got[0].ID != "a" {
		t.Errorf("filter %q leaves %v", m.filter, got)
	}
	if press("enter"); m.want != wantEvents || m.open != "a" {
		t.Errorf("enter: wants %v, shows %q", m.want, m.open)
	}
	begun := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	m.state.events = []trace.Event{
		{T: begun, Type: trace.CallStarted, From: "1001", To: "9000"},
		{T: begun, Type: trace.SIPReceived, Text: "INVITE sip:9000@x SIP/2.0\r\n"},
		{T: begun.Add(2 * time.Second), Type: trace.Key, Key: "1"},
	}
	if got := strings.Join(m.render(80, 10), "\n"); !strings.Contains(got, "    0.00  call 1001 -> 9000") || !strings.Contains(got, "    2.00  key 1") || strings.Contains(got, "INVITE") {
		t.Errorf("transcript:\n%s", got)
	}
	press("l")
	if got := strings.Join(m.render(100, 10), "\n"); !strings.Contains(got, "phone ------> ozswitch") || !strings.Contains(got, "INVITE sip:9000@x SIP/2.0") {
		t.Errorf("ladder:\n%s", got)
	}
	if press("esc"); m.open != "" {
		t.Error("esc does not go back")
	}
	if press("q"); m.want != wantQuit {
		t.Error("q does not quit")
	}
	if got, want := splitKeys([]byte("a\x1b[A\x1b[B\r\x7f\x1b")), []string{"a", "up", "down", "enter", "backspace", "esc"}; !slices.Equal(got, want) {
		t.Errorf("keys %q, want %q", got, want)
	}
}

// TestTopOnce: top finds a switch by the file that dev leaves, which is nobody
// else's to read, and prints its calls.
func TestTopOnce(t *testing.T) {
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if u, p, _ := r.BasicAuth(); u != "dev" || p != "p:@/s" {
			w.WriteHeader(http.StatusUnauthorized)
			w.Write([]byte(`{"status":401,"code":"auth","detail":"bad user name or password"}`))
			return
		}
		s := topCalls()
		switch r.URL.Path {
		case "/v1/calls":
			json.NewEncoder(w).Encode(map[string]any{"live": s.calls[:1]})
		case "/v1/status":
			json.NewEncoder(w).Encode(s.status)
		default:
			http.NotFound(w, r)
		}
	}))
	defer app.Close()
	dir := t.TempDir()
	remove, err := leaveAddress(dir, strings.TrimPrefix(app.URL, "http://"), "dev", "p:@/s")
	if err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(filepath.Join(dir, consoleFile)); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v, %v", st.Mode(), err)
	}
	top := func(arg ...string) (status int, out, diag string) {
		var o, d strings.Builder
		status = execute(t.Context(), append([]string{"top"}, arg...), strings.NewReader(""), &o, &d)
		return status, o.String(), d.String()
	}
	if status, out, diag := top("--data", dir); status != 0 || !strings.Contains(out, "1001       9000     hello.xml ") || strings.Contains(out, "\x1b") {
		t.Errorf("status %d:\n%s%s", status, out, diag)
	}
	if status, out, _ := top("--data", dir, "--json"); status != 0 || !strings.Contains(out, `"doing":"3:3 UserInput"`) || !strings.Contains(out, `"registrations":12`) {
		t.Errorf("json: status %d: %s", status, out)
	}
	if status, _, diag := top("--server", app.URL, "--user", "dev", "--password", "wrong"); status != 1 || !strings.Contains(diag, "bad user name or password") {
		t.Errorf("wrong password: status %d: %s", status, diag)
	}
	t.Setenv("OZ_TOP", "p:@/s")
	if status, _, diag := top("--server", app.URL, "--user", "dev", "--password", "env:OZ_TOP"); status != 0 {
		t.Errorf("password in the environment: status %d: %s", status, diag)
	}
	if remove(); exists(filepath.Join(dir, consoleFile)) {
		t.Error("the file stays")
	}
	if status, _, diag := top("--server", "127.0.0.1"); status != 2 || !strings.Contains(diag, "--server") {
		t.Errorf("no URL: status %d: %s", status, diag)
	}
}
