package notify

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ozswitch/internal/simnet"
	"ozswitch/ozml"
	"ozswitch/ozml/trace"
)

const hello = `<Response><Speak>Hello</Speak></Response>`

// A log keeps events.
type events struct {
	mu   sync.Mutex
	list []trace.Event
}

func (e *events) Emit(ev trace.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = append(e.list, ev)
}

// lines prints what matters of each event: "type name code reason".
func (e *events) lines() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var b strings.Builder
	for _, ev := range e.list {
		fmt.Fprintln(&b, strings.Join(strings.Fields(fmt.Sprintf("%s %s %s %s", ev.Type, ev.Name, ev.Code, ev.Reason)), " "))
	}
	return b.String()
}

func (e *events) first(t trace.Type) trace.Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, ev := range e.list {
		if ev.Type == t {
			return ev
		}
	}
	return trace.Event{}
}

// An app is a web app in memory, at 10.0.0.1:80. It notes what comes.
type app struct {
	start   time.Time
	handle  func(w http.ResponseWriter, r *http.Request, n int) // n counts requests of the path from 1
	mu      sync.Mutex
	seen    []string // "name@time path"
	ids     []string
	signed  []string
	forms   []url.Values
	perPath map[string]int
}

func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	form, _ := url.ParseQuery(string(body))
	a.mu.Lock()
	a.seen = append(a.seen, fmt.Sprintf("%s@%v %s", form.Get("NotificationName"), time.Since(a.start).Truncate(100*time.Millisecond), r.URL.Path))
	a.ids = append(a.ids, r.Header.Get(eventIDHeader))
	a.signed = append(a.signed, r.Header.Get(signatureHeader)+" "+string(body))
	a.forms = append(a.forms, form)
	a.perPath[r.URL.Path]++
	n := a.perPath[r.URL.Path]
	a.mu.Unlock()
	a.handle(w, r, n)
}

func (a *app) got() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return strings.Join(a.seen, "\n")
}

var info = ozml.CallInfo{ID: "q7Lx2", Caller: "+3612", CallerName: "Ann", Dialed: "9000", Extension: "9000", Direction: "Inbound"}

// bubble runs f in virtual time with a client that runs and a web app.
func bubble(t *testing.T, cfg Config, handle func(w http.ResponseWriter, r *http.Request, n int), f func(t *testing.T, c *Client, a *app, ev *events)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		net := simnet.New(1)
		l, err := net.Listen("10.0.0.1:80")
		if err != nil {
			t.Fatal(err)
		}
		a := &app{start: time.Now(), handle: handle, perPath: map[string]int{}}
		srv := &http.Server{Handler: a, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
		ev := &events{}
		cfg.Allow = append(cfg.Allow, "10.0.0.0/8")
		cfg.Dial = net.DialContext(netip.MustParseAddr("10.0.0.9"))
		cfg.Log = slog.New(slog.DiscardHandler)
		cfg.Trace = ev
		n := 0
		var mu sync.Mutex
		cfg.NewID = func() string { mu.Lock(); defer mu.Unlock(); n++; return fmt.Sprint("id", n) }
		c, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { srv.Serve(l) })
		wg.Go(func() { c.Run(ctx) })
		f(t, c, a, ev)
		stop()
		srv.Close()
		wg.Wait()
	})
}

func answer(body string) func(w http.ResponseWriter, r *http.Request, n int) {
	return func(w http.ResponseWriter, r *http.Request, n int) { io.WriteString(w, body) }
}

// elapse lets virtual time go by, and then everything settle.
func elapse(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestAfter(t *testing.T) {
	for _, c := range []struct {
		names         string
		fallbacks     bool
		refused, empt Step
	}{
		{"IncomingCall", false, Fallback, Fallback},
		{"CallConnected", true, Fallback, Fallback},
		{"CallConnected", false, HangUp, HangUp},
		{"DtmfEntered GoTo", false, GoOn, GoOn},
		{"RoutingInterception", false, DialPlan, DialPlan},
		{"RecordCompleted CallChanged CallCompleted IncomingSMS SMSDeliveryReport Error TransferCompleted AlarmNotificationResult", true, Retry, Ignore},
	} {
		for _, name := range strings.Fields(c.names) {
			if got := []Step{After(name, Document, c.fallbacks), After(name, Refused, c.fallbacks), After(name, Plain, c.fallbacks)}; !slices.Equal(got, []Step{Run, c.refused, c.empt}) {
				t.Errorf("After(%s): document, refused, plain = %v, want [run %v %v]", name, got, c.refused, c.empt)
			}
		}
	}
	for _, n := range ozml.Notifications() {
		ask := n.Class == ozml.Ask
		if s := After(n.Name, Refused, false); ask == (s == Retry) {
			t.Errorf("%s is of class %s, but a refusal leads to %v", n.Name, n.Class, s)
		}
	}
}

func TestWhatIsPosted(t *testing.T) {
	cfg := Config{UserAgent: "ozswitch/1.2", Secret: "global", SecretFor: func(x string) string { return "of " + x }}
	bubble(t, cfg, func(w http.ResponseWriter, r *http.Request, n int) {
		user, pw, _ := r.BasicAuth()
		h := fmt.Sprintf("%s %s %s %s %s|%s %s", r.Method, r.URL, r.Header.Get("Content-Type"), r.Header.Get("Cache-Control"), r.Header.Get("Pragma"), user, pw)
		if want := "POST /ivr?site=2 application/x-www-form-urlencoded no-store,no-cache no-cache|me p/w"; h != want {
			t.Errorf("request %s, want %s", h, want)
		}
		if got := r.UserAgent(); got != "ozswitch/1.2" {
			t.Errorf("User-Agent %q", got)
		}
		if len(r.Header["Idempotency-Key"])+len(r.Header["Cookie"]) > 0 {
			t.Errorf("unwanted headers in %v", r.Header)
		}
		w.Header().Set("Set-Cookie", "a=b")
		io.WriteString(w, hello)
	}, func(t *testing.T, c *Client, a *app, ev *events) {
		w := c.ForCall(CallContext{Info: info})
		u := "http://me:p%2Fw@10.0.0.1/ivr?site=2"
		for range 2 {
			f, err := w.Fetch(t.Context(), ozml.Notification{Name: "DtmfEntered", URL: u, Fields: url.Values{"DtmfDigits": {"47+11 ü"}}})
			if err != nil || commands(f) != 1 || f.Name != "http://***@10.0.0.1/ivr?site=2" {
				t.Fatalf("Fetch = %+v, %v", f, err)
			}
		}
		body := "NotificationName=DtmfEntered&ApiExtension=9000&CallID=q7Lx2&CallId=q7Lx2&CallerID=%2B3612&CallerId=%2B3612&DialedNumber=9000&Direction=Inbound&DtmfDigits=47%2B11+%C3%BC&Timestamp=" + url.QueryEscape(a.start.Format(time.RFC3339))
		if want := Sign("of 9000", body, a.start) + " " + body; a.signed[0] != want {
			t.Errorf("signature and body\n%s, want\n%s", a.signed[0], want)
		}
		if a.ids[0] == a.ids[1] || a.ids[0] == "" {
			t.Errorf("event ids %q, want two different ones", a.ids)
		}
		if c.secret("CallChanged", "9000") != "global" || c.secret("RoutingInterception", "") != "global" {
			t.Error("global URLs are not signed with web.secret")
		}
		if got, want := ev.lines(), "script.fetch DtmfEntered\n"; got[:len(got)/2] != want {
			t.Errorf("events\n%s, want twice\n%s", got, want)
		}
		e := ev.first(trace.ScriptFetch)
		if e.Method != "POST" || e.URL != "http://***@10.0.0.1/ivr?site=2" || e.Status != 200 || e.Size != int64(len(hello)) || e.Body != hello || !e.Succeeded || e.MS <= 0 || e.Call != "q7Lx2" {
			t.Errorf("script.fetch = %+v", e)
		}
	})
}

const openssl = "65e2939150c9a8c32406a4d18dcce1cb5abf8152f7cabeb639e9e83f51323f97"

// The words of openssl: printf '1700000000.a=b' | openssl dgst -sha256 -hmac secret
func TestSign(t *testing.T) {
	got := Sign("secret", "a=b", time.Unix(1700000000, 0))
	if want := "t=1700000000,v1=" + openssl; got != want {
		t.Errorf("Sign = %s, want %s", got, want)
	}
}

func TestCut(t *testing.T) {
	long := strings.Repeat("a", 16<<10-1) + "üü"
	if got := cut([]byte(long)); got != strings.Repeat("a", 16<<10-1) {
		t.Errorf("cut ends with %q, want no half character", got[len(got)-4:])
	}
	if got := cut([]byte("a\xffb")); got != "a\uFFFDb" {
		t.Errorf("cut = %q", got)
	}
}
