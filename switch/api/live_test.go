package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ozswitch/ozml"
	"ozswitch/ozml/trace"
	"ozswitch/switch/eventlog"
	"ozswitch/switch/store"
)

func v1(log *eventlog.Log, a *Access) http.Handler {
	events := &Events{Log: log}
	mux := http.NewServeMux()
	mux.Handle("/v1/events", a.Guard(events))
	mux.Handle("/v1/calls/{id}/events", a.Guard(events))
	mux.HandleFunc("/v1/", NotFound)
	return mux
}

func ask(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// A client is one that listens to a stream, line by line, without a socket.
type client struct {
	lines chan string
	done  chan struct{}
	w     *httptest.ResponseRecorder
}

func (c *client) Header() http.Header { return c.w.Header() }
func (c *client) WriteHeader(n int)   { c.w.WriteHeader(n) }
func (c *client) Flush()              {}
func (c *client) Write(b []byte) (int, error) {
	s := bufio.NewScanner(bytes.NewReader(b))
	for s.Scan() {
		if s.Text() != "" {
			c.lines <- s.Text()
		}
	}
	return len(b), nil
}

func listen(ctx context.Context, h http.Handler, target, last string) *client {
	c := &client{lines: make(chan string, 1000), done: make(chan struct{}), w: httptest.NewRecorder()}
	r := basic(bare(target), "HTTP_User_1", "qwe123").WithContext(ctx)
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	go func() {
		defer close(c.done)
		h.ServeHTTP(c, r)
	}()
	return c
}

// said gives what came since, data shortened to seq and type.
func (c *client) said() string {
	synctest.Wait()
	var out []string
	for {
		select {
		case l := <-c.lines:
			if data, ok := strings.CutPrefix(l, "data: "); ok {
				var e trace.Event
				if err := json.Unmarshal([]byte(data), &e); err != nil {
					l = err.Error()
				} else {
					l = fmt.Sprintf("%s/%d", e.Call, e.Seq)
				}
			}
			if strings.HasPrefix(l, "id: ") {
				continue
			}
			out = append(out, strings.TrimPrefix(l, "event: "))
		default:
			return strings.Join(out, " ")
		}
	}
}

func TestStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, _ := eventlog.New(eventlog.Config{})
		h := v1(log, testAccess())
		ctx, cancel := context.WithCancel(t.Context())
		a, b := log.ForCall("a1", time.Now()), log.ForCall("b1", time.Now())
		a.Emit(trace.Event{Type: trace.CallStarted})
		all, one := listen(ctx, h, "/v1/events", ""), listen(ctx, h, "/v1/calls/a1/events", "")
		time.Sleep(time.Second)
		if got, want := one.said(), "retry: 2000 call.started a1/1"; got != want {
			t.Errorf("the call: %q, want %q", got, want)
		}
		if got, want := all.said(), "retry: 2000 : still here"; got != want {
			t.Errorf("all: %q, want %q: nothing that was before", got, want)
		}
		if ct := all.Header().Get("Content-Type"); ct != "text/event-stream" {
			t.Errorf("Content-Type %q", ct)
		}
		b.Emit(trace.Event{Type: trace.CallStarted})
		a.Emit(trace.Event{Type: trace.Key, Text: "line\nfeed"})
		if got, want := all.said(), "call.started b1/1 key a1/2"; got != want {
			t.Errorf("all: %q, want %q", got, want)
		}
		if got, want := one.said(), "key a1/2"; got != want {
			t.Errorf("the call: %q, want %q", got, want)
		}
		time.Sleep(31 * time.Second)
		if got, want := all.said(), ": still here : still here"; got != want {
			t.Errorf("after 31 quiet seconds: %q, want %q", got, want)
		}
		a.Emit(trace.Event{Type: trace.CallEnded})
		a.Close()
		<-one.done // the stream of a call ends with it
		if got := one.said(); !strings.HasSuffix(got, "call.ended a1/3") {
			t.Errorf("the call's end: %q", got)
		}
		cancel()
		<-all.done
	})
}

func TestResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, _ := eventlog.New(eventlog.Config{})
		h := v1(log, testAccess())
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		c := log.ForCall("a1", time.Now())
		sub := log.Subscribe("", 0)
		defer sub.Close()
		var ids []int64
		for range 5 {
			c.Emit(trace.Event{Type: trace.Key})
			e, _ := sub.Next(ctx)
			ids = append(ids, e.ID)
		}
		for name, target := range map[string]string{"all": "/v1/events", "call": "/v1/calls/a1/events"} {
			s := listen(ctx, h, target, fmt.Sprint(ids[2]))
			if got, want := s.said(), "retry: 2000 key a1/4 key a1/5"; got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		s := listen(ctx, h, fmt.Sprintf("/v1/events?last_event_id=%d", ids[3]), "")
		if got, want := s.said(), "retry: 2000 key a1/5"; got != want {
			t.Errorf("by the query: %q, want %q", got, want)
		}
		// The call is over and all of it known: 204 tells a browser to stay away.
		c.Close()
		s = listen(ctx, h, "/v1/calls/a1/events", fmt.Sprint(ids[4]))
		<-s.done
		if s.w.Code != http.StatusNoContent || s.said() != "" {
			t.Errorf("after the end: %d", s.w.Code)
		}
	})
}

// A client that takes nothing is cut, and holds up nobody.
func TestSlowClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, _ := eventlog.New(eventlog.Config{Recent: 100})
		h := v1(log, testAccess())
		c := log.ForCall("a1", time.Now())
		s := listen(t.Context(), h, "/v1/events", "")
		time.Sleep(time.Second)
		for range cap(s.lines) { // its buffer is full of them, then the ring is
			c.Emit(trace.Event{Type: trace.Key})
			if len(s.lines) < cap(s.lines)-10 {
				synctest.Wait()
			}
		}
		go func() {
			for range s.lines {
			}
		}()
		<-s.done
		close(s.lines)
	})
}

func TestGuard(t *testing.T) {
	log, _ := eventlog.New(eventlog.Config{})
	h := v1(log, testAccess())
	for _, c := range []struct {
		name   string
		r      *http.Request
		status int
		code   int
	}{
		{"no credentials", bare("/v1/events"), 401, 304},
		{"bad ones", basic(bare("/v1/events"), "HTTP_User_1", "x"), 401, 305},
		{"credentials in the query do not count", bare("/v1/events?Username=HTTP_User_1&Password=qwe123"), 401, 304},
		{"no rights", basic(bare("/v1/events"), "nobody", "abc12345"), 403, 306},
		{"address", from("10.9.0.1:1", basic(bare("/v1/events"), "HTTP_User_1", "qwe123")), 403, 307},
		{"another site", with(basic(bare("/v1/events"), "HTTP_User_1", "qwe123"), "Sec-Fetch-Site", "cross-site"), 403, 307},
		{"no such call", basic(bare("/v1/calls/none/events"), "HTTP_User_1", "qwe123"), 404, 601},
		{"a bad id", with(basic(bare("/v1/events"), "HTTP_User_1", "qwe123"), "Last-Event-ID", "x"), 400, 0},
		{"no such path", bare("/v1/nothing"), 404, 0},
	} {
		w := ask(h, c.r)
		var p problem
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
			t.Errorf("%s: %s: %v", c.name, w.Body, err)
		}
		if w.Code != c.status || p.Status != c.status || p.Code != c.code || p.Title == "" || w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: HTTP %d, %+v, want %d with code %d", c.name, w.Code, p, c.status, c.code)
		}
		if got, want := w.Header().Get("WWW-Authenticate") != "", c.status == 401; got != want {
			t.Errorf("%s: WWW-Authenticate %v, want %v", c.name, got, want)
		}
	}
	pre := httptest.NewRequest("OPTIONS", "/v1/events", nil)
	pre.Header.Set("Origin", "https://app.example")
	pre.Header.Set("Access-Control-Request-Method", "GET")
	if w := ask(h, pre); w.Code != http.StatusNoContent {
		t.Errorf("the question of a known page: %d, want 204", w.Code)
	}
}

func TestTokens(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	a := &Tokens{Key: bytes.Repeat([]byte("k"), 32), Base: "http://127.0.0.1:9509"}
	other := &Tokens{Key: bytes.Repeat([]byte("l"), 32)}
	token := a.Mint("x/a.wav", now)
	week := 7 * 24 * time.Hour
	for _, c := range []struct {
		name string
		t    *Tokens
		file string
		tok  string
		now  time.Time
		want bool
	}{
		{"good", a, "x/a.wav", token, now, true},
		{"after a restart", &Tokens{Key: a.Key}, "x/a.wav", token, now, true},
		{"to the last second", a, "x/a.wav", token, now.Add(week - time.Second), true},
		{"over", a, "x/a.wav", token, now.Add(week), false},
		{"another file", a, "x/b.wav", token, now, false},
		{"another key", other, "x/a.wav", token, now, false},
		{"no key", &Tokens{}, "x/a.wav", (&Tokens{}).Mint("x/a.wav", now), now, false},
		{"none", a, "x/a.wav", "", now, false},
		{"half", a, "x/a.wav", token[:len(token)-1], now, false},
		{"a later expiry", a, "x/a.wav", "7" + token, now, false},
		{"a longer one", a, "x/a.wav", token + "A", now, false},
	} {
		if got := c.t.Good(c.file, c.tok, c.now); got != c.want {
			t.Errorf("%s: Good = %v, want %v", c.name, got, c.want)
		}
	}
	short := &Tokens{Key: a.Key, Valid: time.Minute}
	if short.Good("f", short.Mint("f", now), now.Add(time.Hour)) {
		t.Error("a token for a minute is good after an hour")
	}
	u := a.URL("x y/ä.wav", now)
	if file, ok := a.File(u, now); file != "x y/ä.wav" || !ok {
		t.Errorf("File(%s) = %q, %v", u, file, ok)
	}
	for _, u := range []string{"http://127.0.0.1:9509/recordings/a.wav?token=x", "http://other/recordings/a.wav", "http://127.0.0.1:9509/api", ""} {
		if _, ok := a.File(u, now); ok {
			t.Errorf("File(%q) is good", u)
		}
	}
}

func TestRecordings(t *testing.T) {
	dir := t.TempDir()
	sound := strings.Repeat("RIFFdata", 100)
	for name, content := range map[string]string{"a b.wav": sound, "b.mp3": sound, "c.html": "<script>", "d.wav.part": sound, "sub/e.wav": sound} {
		os.MkdirAll(dir+"/sub", 0o700)
		if err := os.WriteFile(dir+"/"+name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(dir+"/../outside.wav", []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	os.Symlink("../outside.wav", dir+"/link.wav")
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	tokens := &Tokens{Key: bytes.Repeat([]byte("k"), 32)}
	mux := http.NewServeMux()
	mux.Handle("GET /recordings/{file...}", &Recordings{Root: root, Tokens: tokens, Access: testAccess(), Now: func() time.Time { return now }})

	good := func(file string) *http.Request { return bare(tokens.URL(file, now)) }
	api := func(file string) *http.Request { return basic(bare("/recordings/"+file), "HTTP_User_1", "qwe123") }
	for _, c := range []struct {
		name   string
		r      *http.Request
		status int
		body   string
		typ    string
	}{
		{"token", good("a b.wav"), 200, sound, "audio/wav"},
		{"token, in a folder", good("sub/e.wav"), 200, sound, "audio/wav"},
		{"basic", api("b.mp3"), 200, sound, "audio/mpeg"},
		{"basic mends a bad token", basic(bare("/recordings/b.mp3?token=x"), "HTTP_User_1", "qwe123"), 200, sound, "audio/mpeg"},
		{"a range", with(good("a b.wav"), "Range", "bytes=4-7"), 206, "data", "audio/wav"},
		{"no sound", good("c.html"), 200, "<script>", "application/octet-stream"},
		{"bad token", bare("/recordings/b.mp3?token=x"), 404, "", ""},
		{"token of another", bare("/recordings/b.mp3?token=" + tokens.Mint("a b.wav", now)), 404, "", ""},
		{"token that is over", bare(tokens.URL("b.mp3", now.Add(-200*time.Hour))), 404, "", ""},
		{"nothing", bare("/recordings/b.mp3"), 401, "", ""},
		{"wrong password", basic(bare("/recordings/b.mp3"), "HTTP_User_1", "x"), 401, "", ""},
		{"missing", good("none.wav"), 404, "", ""},
		{"still written", good("d.wav.part"), 404, "", ""},
		{"a folder", good("sub"), 404, "", ""},
		{"the root", api(""), 404, "", ""},
		{"out by a link", good("link.wav"), 404, "", ""},
		{"out by dots", api("%2e%2e%2foutside.wav"), 404, "", ""},
		{"another method", httptest.NewRequest("POST", tokens.URL("b.mp3", now), nil), 405, "", ""},
	} {
		w := ask(mux, c.r)
		if w.Code != c.status || c.status < 300 && w.Body.String() != c.body {
			t.Errorf("%s: HTTP %d %.40q, want %d", c.name, w.Code, w.Body, c.status)
		}
		if c.status < 300 {
			h := w.Header()
			if h.Get("Content-Type") != c.typ || h.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s: headers %v, want type %s", c.name, h, c.typ)
			}
			if got, want := strings.HasPrefix(h.Get("Content-Disposition"), "attachment"), c.typ == "application/octet-stream"; got != want {
				t.Errorf("%s: attachment %v, want %v", c.name, got, want)
			}
		} else if strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%s: %s", c.name, w.Body)
		}
	}
}

func TestCalls(t *testing.T) {
	mem := store.NewMem()
	start := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for i := range 3 {
		if err := mem.PutCall(store.Call{ID: fmt.Sprintf("c%d", i), From: "1001", Dialed: "9000", Result: "script", Started: start.Add(time.Duration(i) * time.Minute), Talk: 63100 * time.Millisecond}); err != nil {
			t.Fatal(err)
		}
	}
	mounted := func(c *Calls) http.Handler {
		mux := http.NewServeMux()
		(&V1{Access: testAccess(), Calls: c, Events: &Events{}, Table: ozml.Table{}}).Mount(mux)
		return mux
	}
	h := mounted(&Calls{Live: (&exchange{}).Active, History: mem})
	w := ask(h, basic(bare("/v1/calls?rows=2&page=0"), "HTTP_User_1", "qwe123"))
	var got struct {
		Live  []map[string]any
		Past  []map[string]any
		Total int `json:"past_total"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 200 {
		t.Fatalf("HTTP %d %s: %v", w.Code, w.Body, err)
	}
	if len(got.Live) != 1 || got.Live[0]["id"] != "b81Qx" || got.Live[0]["ring_seconds"] != 1.204 || got.Live[0]["state"] != "Ringing" {
		t.Errorf("live: %v", got.Live)
	}
	if got.Total != 3 || len(got.Past) != 2 || got.Past[0]["id"] != "c2" || got.Past[0]["talk_seconds"] != 63.1 || got.Past[0]["talk"] != nil ||
		got.Past[0]["events"] != "/v1/calls/c2/events" {
		t.Errorf("past: %d of %v", got.Total, got.Past)
	}
	w = ask(h, basic(bare("/v1/calls?since=2026-11-22T12:01:30Z"), "HTTP_User_1", "qwe123"))
	if s := w.Body.String(); strings.Contains(s, `"c1"`) || !strings.Contains(s, `"c2"`) {
		t.Errorf("since: %s", s)
	}
	for _, q := range []string{"rows=0", "rows=201", "page=-1", "page=x", "since=yesterday", "failed=perhaps"} {
		if w := ask(h, basic(bare("/v1/calls?"+q), "HTTP_User_1", "qwe123")); w.Code != 400 {
			t.Errorf("%s: HTTP %d, want 400", q, w.Code)
		}
	}
	empty := mounted(&Calls{})
	if w := ask(empty, basic(bare("/v1/calls"), "HTTP_User_1", "qwe123")); strings.TrimSpace(w.Body.String()) != `{"live":[],"past":[],"past_total":0,"page":0,"rows":20}` {
		t.Errorf("nothing: %s", w.Body)
	}
}

func TestProbes(t *testing.T) {
	if w := ask(http.HandlerFunc(Healthz), bare("/healthz")); w.Code != 200 || w.Body.String() != "ok\n" {
		t.Errorf("healthz: %d %q", w.Code, w.Body)
	}
	var err error
	h := Readyz(Check{"store", func(context.Context) error { return nil }}, Check{"voice", func(context.Context) error { return err }})
	if w := ask(h, bare("/readyz")); w.Code != 200 || w.Body.String() != "store: ok\nvoice: ok\n" {
		t.Errorf("ready: %d %q", w.Code, w.Body)
	}
	err = errors.New("is warming up")
	if w := ask(h, bare("/readyz")); w.Code != 503 || w.Body.String() != "store: ok\nvoice: is warming up\n" {
		t.Errorf("not ready: %d %q", w.Code, w.Body)
	}
}
