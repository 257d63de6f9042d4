package notify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"ozswitch/ozml"
)

// hijack closes the connection without a byte.
func hijack(w http.ResponseWriter) {
	c, _, _ := w.(http.Hijacker).Hijack()
	c.Close()
}

func TestLadder(t *testing.T) {
	files := func(name string) ([]byte, error) {
		switch name {
		case "sorry.xml":
			return []byte(hello), nil
		case "broken.xml":
			return []byte("<Response><Speak>"), nil
		}
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	const errs = "http://10.0.0.1/error"
	for _, c := range []struct {
		name   string
		ask    string // the notification; "" = IncomingCall
		handle func(w http.ResponseWriter, r *http.Request, n int)
		cc     CallContext
		url    string // "" = /ivr
		doc    string // File.Name; "" = none
		after  time.Duration
		events string
		seen   string
	}{
		{"all is well", "", answer(hello), CallContext{}, "", "http://10.0.0.1/ivr", 0,
			"script.fetch IncomingCall", "IncomingCall@0s /ivr"},

		{"retried once when the connection fails before a byte", "", func(w http.ResponseWriter, r *http.Request, n int) {
			if n == 1 {
				hijack(w)
				return
			}
			io.WriteString(w, hello)
		}, CallContext{ErrorURL: errs}, "", "http://10.0.0.1/ivr", 0,
			"script.fetch IncomingCall OZ1311\nerror OZ1311 retry\nscript.fetch IncomingCall",
			"IncomingCall@0s /ivr\nIncomingCall@0s /ivr"},

		{"not retried after an answer; the built-in sentence and Error", "", func(w http.ResponseWriter, r *http.Request, n int) {
			if r.URL.Path == "/ivr" {
				w.WriteHeader(500)
			}
		}, CallContext{ErrorURL: errs}, "", builtInName, 0,
			"script.fetch IncomingCall OZ1304\nerror OZ1304 built-in\nnotify.sent Error",
			"IncomingCall@0s /ivr\nError@0s /error"},

		{"nobody listens: retried, then fallback_url", "", answer(hello),
			CallContext{FallbackURL: "http://10.0.0.1/fallback"}, "http://10.0.0.2/ivr", "http://10.0.0.1/fallback", 0,
			"script.fetch IncomingCall OZ1302\nerror OZ1302 retry\nscript.fetch IncomingCall OZ1302\nerror OZ1302 fallback_url\nscript.fetch IncomingCall",
			"IncomingCall@0s /fallback"},

		{"slow, and the fallback is slow too: a document within 2 s of the failure", "", func(w http.ResponseWriter, r *http.Request, n int) {
			<-r.Context().Done()
		}, CallContext{FallbackURL: "http://10.0.0.1/fallback", FallbackScript: "sorry.xml"}, "", "sorry.xml", 11500 * time.Millisecond,
			"script.fetch IncomingCall OZ1303\nerror OZ1303 fallback_url\nscript.fetch IncomingCall OZ1303\nerror OZ1303 fallback_script",
			"IncomingCall@0s /ivr\nIncomingCall@10s /fallback"},

		{"every rung breaks", "", answer("<html>"), CallContext{FallbackURL: "http://10.0.0.1/fallback", FallbackScript: "broken.xml"}, "", builtInName, 0,
			"script.fetch IncomingCall\nscript.refused OZ1004 Content-Type: text/html; charset=utf-8\nerror OZ1004 fallback_url\n" +
				"script.fetch IncomingCall\nscript.refused OZ1004 Content-Type: text/html; charset=utf-8\nerror OZ1004 fallback_script\n" +
				"script.refused OZ1020\nerror OZ1020 built-in",
			"IncomingCall@0s /ivr\nIncomingCall@0s /fallback"},

		{"CallConnected without a fallback hangs up", "CallConnected", answer(""), CallContext{ErrorURL: errs}, "", "", 0,
			"script.fetch CallConnected\nscript.refused OZ1305\nerror OZ1305 hang up\nnotify.sent Error",
			"CallConnected@0s /ivr\nError@0s /error"},

		{"CallConnected with a fallback", "CallConnected", answer(""), CallContext{FallbackScript: "none.xml"}, "", builtInName, 0,
			"script.fetch CallConnected\nscript.refused OZ1305\nerror OZ1305 fallback_script\nscript.refused OZ1315\nerror OZ1315 built-in",
			"CallConnected@0s /ivr"},

		{"a document without commands is a document", "", answer("<Response/>"), CallContext{}, "", "http://10.0.0.1/ivr", 0,
			"script.fetch IncomingCall", "IncomingCall@0s /ivr"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, Config{ReadScript: files}, c.handle, func(t *testing.T, cl *Client, a *app, ev *events) {
				c.cc.Info = info
				n := ozml.Notification{Name: "IncomingCall", URL: "http://10.0.0.1/ivr"}
				if c.ask != "" {
					n.Name = c.ask
				}
				if c.url != "" {
					n.URL = c.url
				}
				f, err := cl.ForCall(c.cc).First(t.Context(), n)
				doc := ""
				if err == nil {
					doc = f.Name
				} else if _, ok := errors.AsType[*ozml.FetchError](err); !ok {
					t.Errorf("First = %v, want a *FetchError", err)
				}
				if took := time.Since(a.start); doc != c.doc || took.Round(100*time.Millisecond) != c.after {
					t.Errorf("document %q after %v, want %q after %v", doc, took, c.doc, c.after)
				}
				elapse(time.Second) // for the report
				if got := strings.TrimSpace(ev.lines()); got != c.events {
					t.Errorf("events\n%s\nwant\n%s", got, c.events)
				}
				if got := a.got(); got != c.seen {
					t.Errorf("the app saw\n%s\nwant\n%s", got, c.seen)
				}
				for i, id := range a.ids { // one notification is one id, in retries and at the fallback
					if a.forms[i].Get("NotificationName") != "Error" && id != a.ids[0] {
						t.Errorf("event ids %q, want the same one", a.ids)
					}
				}
			})
		})
	}
}

func TestErrorNotification(t *testing.T) {
	bubble(t, Config{}, func(w http.ResponseWriter, r *http.Request, n int) {
		if r.URL.Path == "/ivr" {
			io.WriteString(w, "<Response>\n <Speak>a & b</Speak></Response>")
		}
	}, func(t *testing.T, c *Client, a *app, ev *events) {
		w := c.ForCall(CallContext{Info: info, ErrorURL: "http://10.0.0.1/error"})
		if _, err := w.First(t.Context(), ozml.Notification{Name: "IncomingCall", URL: "http://me:pw@10.0.0.1/ivr"}); err != nil {
			t.Fatal(err)
		}
		elapse(time.Second)
		f := a.forms[len(a.forms)-1]
		got := fmt.Sprintln(f.Get("NotificationName"), f.Get("CallID"), f.Get("ErrorCode"), f.Get("Document"), f.Get("Line"), f.Get("Column"), f.Get("Url"))
		if want := "Error q7Lx2 OZ1011 http://***@10.0.0.1/ivr 2 11 http://***@10.0.0.1/ivr\n"; got != want {
			t.Errorf("Error says %swant %s", got, want)
		}
	})
}

func TestScriptFile(t *testing.T) {
	read := func(name string) ([]byte, error) { return []byte("<Respons"), nil }
	bubble(t, Config{ReadScript: read}, answer(hello), func(t *testing.T, c *Client, a *app, ev *events) {
		f, err := c.ForCall(CallContext{Info: info, FallbackURL: "http://10.0.0.1/f"}).Script(t.Context(), "menu.xml", ozml.Notification{Name: "IncomingCall"})
		if err != nil || f.Name != "http://10.0.0.1/f" {
			t.Errorf("Script = %+v, %v, want the fallback", f, err)
		}
		if got, want := ev.lines(), "script.refused OZ1020\nerror OZ1020 fallback_url\nscript.fetch IncomingCall\n"; got != want {
			t.Errorf("events\n%s, want\n%s", got, want)
		}
	})
}

func TestTheCallerLeavesWhileTheAppThinks(t *testing.T) {
	bubble(t, Config{}, func(w http.ResponseWriter, r *http.Request, n int) { <-r.Context().Done() }, func(t *testing.T, c *Client, a *app, ev *events) {
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(3*time.Second, func() { cancel(ozml.ErrGone) })
		_, err := c.ForCall(CallContext{Info: info, FallbackURL: "http://10.0.0.1/f", ErrorURL: "http://10.0.0.1/e"}).First(ctx, ozml.Notification{Name: "IncomingCall", URL: "http://10.0.0.1/ivr"})
		if err != ozml.ErrGone || time.Since(a.start) != 3*time.Second {
			t.Errorf("First = %v after %v, want ErrGone after 3s", err, time.Since(a.start))
		}
		elapse(time.Minute)
		if got := a.got(); got != "IncomingCall@0s /ivr" {
			t.Errorf("the app saw %s", got)
		}
	})
}

// With sensitive_input nothing of what the caller entered is in an event.
func TestSensitive(t *testing.T) {
	for _, reply := range []string{"<Response><Speak>4711</Speak></Response>", "4711 is wrong", "<Response>4711</Respons>", "500 4711"} {
		bubble(t, Config{}, func(w http.ResponseWriter, r *http.Request, n int) {
			if strings.HasPrefix(reply, "500") {
				w.WriteHeader(500)
			}
			io.WriteString(w, reply)
		}, func(t *testing.T, c *Client, a *app, ev *events) {
			_, err := c.ForCall(CallContext{Info: info, Sensitive: true}).Fetch(t.Context(), ozml.Notification{Name: "DtmfEntered", URL: "http://10.0.0.1/pin",
				Fields: map[string][]string{"DtmfDigits": {"4711"}}})
			if all := fmt.Sprint(ev.list, err); strings.Contains(all, "4711") {
				t.Errorf("%q: the digits are in %s", reply, all)
			}
			if a.forms[0].Get("DtmfDigits") != "4711" {
				t.Errorf("the app got %v", a.forms[0])
			}
		})
	}
}

// A kept connection that the server closes just then costs nobody a call: the
// request goes out again on a new one, as the same notification.
func TestStaleConnection(t *testing.T) {
	bubble(t, Config{}, func(w http.ResponseWriter, r *http.Request, n int) {
		if n == 2 {
			hijack(w)
			return
		}
		io.WriteString(w, hello)
	}, func(t *testing.T, c *Client, a *app, ev *events) {
		w := c.ForCall(CallContext{Info: info})
		for range 2 {
			if _, err := w.Fetch(t.Context(), ozml.Notification{Name: "GoTo", URL: "http://10.0.0.1/next"}); err != nil {
				t.Errorf("Fetch = %v, want the document", err)
			}
		}
		if len(a.ids) != 3 || a.ids[1] != a.ids[2] || a.ids[0] == a.ids[1] {
			t.Errorf("event ids %q, want a second notification sent twice", a.ids)
		}
	})
}

func BenchmarkFetch(b *testing.B) { // budget: the switch's part of asking a web app, under 500 µs
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, hello) }))
	defer srv.Close()
	c, err := New(Config{Allow: []string{"loopback"}})
	if err != nil {
		b.Fatal(err)
	}
	defer c.plain.CloseIdleConnections()
	w := c.ForCall(CallContext{Info: info})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.Fetch(b.Context(), ozml.Notification{Name: "GoTo", URL: srv.URL}); err != nil {
			b.Fatal(err)
		}
	}
}
