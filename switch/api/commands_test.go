package api

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ozswitch/ozml"
	"ozswitch/ozml/command"
	"ozswitch/ozml/trace"
)

func testAccess() *Access {
	return &Access{
		Users: []User{
			{Name: "HTTP_User_1", Password: "qwe123", API: true},
			{Name: "nobody", Password: "abc12345"},
			{Name: "empty", API: true},
		},
		Denied:  []netip.Prefix{netip.MustParsePrefix("10.9.0.0/16")},
		Origins: []string{"https://app.example"},
		Hosts:   []string{"pbx.example"},
	}
}

func testCommands(a *Access) (*Commands, *exchange) {
	x := &exchange{calls: map[string]*oneCall{"b81Qx": {id: "b81Qx"}, "Nt3uh": {id: "Nt3uh"}}}
	return NewCommands(a, CommandsConfig{
		Table: command.Table(),
		World: func(context.Context, User) ozml.World {
			return ozml.World{Calls: x, Messages: &mailroom{}, Trace: trace.SinkFunc(func(trace.Event) {})}
		},
		Log: slog.New(slog.DiscardHandler),
	}), x
}

// get asks with the credentials of the API user.
func get(query string) *http.Request {
	return httptest.NewRequest("GET", "/api?Username=HTTP_User_1&Password=qwe123&"+query, nil)
}

func post(target, body, contentType string) *http.Request {
	r := httptest.NewRequest("POST", target, strings.NewReader(body))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	return r
}

const form = "application/x-www-form-urlencoded"

func basic(r *http.Request, name, password string) *http.Request {
	r.SetBasicAuth(name, password)
	return r
}

func with(r *http.Request, name, value string) *http.Request {
	r.Header.Set(name, value)
	return r
}

func from(addr string, r *http.Request) *http.Request {
	r.RemoteAddr = addr
	return r
}

func bare(target string) *http.Request { return httptest.NewRequest("GET", target, nil) }

// code reads the code of an answer.
func code(t testing.TB, w *httptest.ResponseRecorder) int {
	t.Helper()
	var v struct {
		Code    int
		Message string
	}
	if err := xml.Unmarshal(w.Body.Bytes(), &v); err != nil || v.Message == "" {
		t.Fatalf("answer %q: %v", w.Body, err)
	}
	return v.Code
}

// The order of the checks (decisions 11): what is wrong first is told first.
func TestOrderOfChecks(t *testing.T) {
	// From all wrong to all right, one step at a time.
	request := func(right int) *http.Request {
		user, password, cmd, rest := "HTTP_User_1", "wrong", "Dance", ""
		addr := "10.9.0.1:1"
		switch {
		case right >= 1:
			addr = "10.1.0.1:1"
		}
		if right >= 2 {
			user, password = "nobody", "abc12345"
		}
		if right >= 3 {
			user, password = "HTTP_User_1", "qwe123"
		}
		if right >= 4 {
			cmd = "Delay"
		}
		if right >= 5 {
			cmd = "Hangup"
		}
		if right >= 6 {
			rest = "&CallId=none"
		}
		if right >= 7 {
			rest = "&CallId=b81Qx"
		}
		return from(addr, bare("/api?command="+cmd+"&Username="+user+"&Password="+password+rest))
	}
	for right, want := range []int{307, 305, 306, 301, 303, 302, 601, 200} {
		h, _ := testCommands(testAccess())
		w := httptest.NewRecorder()
		h.ServeHTTP(w, request(right))
		h.Close()
		if got := code(t, w); got != want {
			t.Errorf("with %d things right: %d, want %d", right, got, want)
		}
	}
}

// What a browser adds by itself is not enough for a page of another origin.
func TestForeignPages(t *testing.T) {
	ambient := func() *http.Request {
		r := basic(bare("/api?command=ListActiveCalls"), "HTTP_User_1", "qwe123")
		r.Host = "pbx.example:9509"
		return r
	}
	off := testAccess()
	off.Off = true
	anonymous := func(host string) *http.Request {
		r := bare("/api?command=ListActiveCalls")
		r.Host = host
		return r
	}
	for _, c := range []struct {
		name string
		a    *Access
		r    *http.Request
		want int
	}{
		{"no browser", testAccess(), ambient(), 200},
		{"the address bar", testAccess(), with(ambient(), "Sec-Fetch-Site", "none"), 200},
		{"our own page", testAccess(), with(ambient(), "Sec-Fetch-Site", "same-origin"), 200},
		{"another site", testAccess(), with(ambient(), "Sec-Fetch-Site", "cross-site"), 307},
		{"another port", testAccess(), with(ambient(), "Sec-Fetch-Site", "same-site"), 307},
		{"another site, older browser", testAccess(), with(ambient(), "Origin", "https://evil.example"), 307},
		{"a sandboxed page", testAccess(), with(ambient(), "Origin", "null"), 307},
		{"our own page, older browser", testAccess(), with(ambient(), "Origin", "http://pbx.example:9509"), 200},
		{"a known page", testAccess(), with(with(ambient(), "Origin", "https://app.example"), "Sec-Fetch-Site", "cross-site"), 200},
		{"another site with credentials of its own", testAccess(), with(get("command=ListActiveCalls"), "Sec-Fetch-Site", "cross-site"), 200},
		{"auth off", off, anonymous("127.0.0.1:9509"), 200},
		{"auth off, by name", off, anonymous("localhost:9509"), 200},
		{"auth off, own name", off, anonymous("pbx.example"), 200},
		{"auth off, another site", off, with(anonymous("127.0.0.1:9509"), "Sec-Fetch-Site", "cross-site"), 307},
		{"auth off, a name bent to us", off, with(anonymous("evil.example"), "Sec-Fetch-Site", "same-origin"), 307},
	} {
		h, _ := testCommands(c.a)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, c.r)
		h.Close()
		if got := code(t, w); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
		if allow := w.Header().Get("Access-Control-Allow-Origin"); (allow != "") != (c.name == "a known page") {
			t.Errorf("%s: Access-Control-Allow-Origin %q", c.name, allow)
		}
	}
}

// How the parameters of a request come together: the body goes before the query,
// of several with one name the first that is not empty counts, and a body that is
// no form is told after the credentials were looked at.
func TestBodies(t *testing.T) {
	creds := "Username=HTTP_User_1&Password=qwe123"
	const multipart = "multipart/form-data; boundary=x"
	for _, c := range []struct {
		name string
		r    *http.Request
		want int
		says string
	}{
		{"query and body", post("/?"+creds+"&CallId=b81Qx", "command=Hangup", form), 200, "successfully"},
		{"the body wins, in other letters", post("/api?"+creds+"&command=Hangup&CALLID=nix", "callid=b81Qx", form), 200, "successfully"},
		{"an empty value of the body does not win", post("/api?"+creds+"&command=Hangup&CallId=b81Qx", "CallId=", form), 200, "successfully"},
		{"repeated", get("command=Hangup&CallId=&CallId=b81Qx&CallId=nix"), 200, "successfully"},
		{"repeated in other letters", get("command=Hangup&CallId=b81Qx&CALLID="), 200, "successfully"},
		{"no type", post("/api", "command=Hangup&CallId=b81Qx&"+creds, ""), 200, "successfully"},
		{"a type with a charset", post("/api", "command=Hangup&CallId=b81Qx&"+creds, form+"; charset=ISO-8859-1"), 200, "successfully"},
		{"multipart", post("/api?"+creds, "--x--", multipart), 300, "is not application/x-www-form-urlencoded"},
		{"multipart of nobody", post("/api", "--x--", multipart), 304, "Authentication required"},
		{"no type that can be read", post("/api?"+creds, "x", "///"), 300, "is not application/x-www-form-urlencoded"},
		{"too large", post("/api?"+creds, "command=Hangup&CallId="+strings.Repeat("x", 1<<20), form), 300, "larger than 1048576 bytes"},
		{"too large, of nobody", post("/api", "command=Hangup&CallId="+strings.Repeat("x", 1<<20), form), 304, "Authentication required"},
		{"too many", get("command=Hangup&" + manyParams(300)), 304, "Authentication required"},
		{"too many, with Basic", basic(bare("/api?command=Hangup&"+manyParams(300)), "HTTP_User_1", "qwe123"), 300, "more than 200 parameters"},
	} {
		h, _ := testCommands(testAccess())
		w := httptest.NewRecorder()
		h.ServeHTTP(w, c.r)
		h.Close()
		if got := code(t, w); got != c.want || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%s: %d, want %d and %q in\n%s", c.name, got, c.want, c.says, w.Body)
		}
	}
}

func manyParams(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("p%d=x", i))
	}
	return strings.Join(all, "&")
}

func TestAddresses(t *testing.T) {
	a := &Access{
		Allowed: []netip.Prefix{netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("::1/128")},
		Denied:  []netip.Prefix{netip.MustParsePrefix("192.168.7.0/24")},
		Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
	}
	for _, c := range []struct {
		remote, forwarded string
		want              bool
	}{
		{"192.168.1.1:5", "", true},
		{"192.168.7.1:5", "", false},
		{"[::ffff:192.168.1.1]:5", "", true},
		{"[::1]:5", "", true},
		{"1.2.3.4:5", "", false},
		{"1.2.3.4:5", "192.168.1.1", false}, // not our proxy
		{"10.0.0.1:5", "192.168.1.1", true},
		{"10.0.0.1:5", "192.168.1.1, 1.2.3.4", false}, // the nearest counts
		{"10.0.0.1:5", "192.168.1.1, 10.0.0.2", true},
		{"10.0.0.1:5", "[::1]:9999", true},
		{"10.0.0.1:5", "rubbish", false},
		{"10.0.0.1:5", "", false},
		{"", "", false},
	} {
		r := from(c.remote, bare("/api"))
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if got := a.admits(a.address(r)); got != c.want {
			t.Errorf("%s forwarded %q: %v, want %v", c.remote, c.forwarded, got, c.want)
		}
	}
}

// A call that does not ring within 10 s is given up: 402.
func TestNoRing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := testCommands(testAccess())
		defer h.Close()
		start := time.Now()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, get("command=Call&Dialed=void&Url=http://app.example/"))
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("answered after %v, want 10 s", took)
		}
		if got, want := w.Body.String(), "Call connect to 'void' failed with result state 'NoAnswer'"; !strings.Contains(got, want) {
			t.Errorf("answer %s, want %s", got, want)
		}
	})
}

// Close ends a command that waits.
func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := testCommands(testAccess())
		w := httptest.NewRecorder()
		done := make(chan struct{})
		go func() {
			h.ServeHTTP(w, get("command=Call&Dialed=void&Url=http://app.example/"))
			close(done)
		}()
		synctest.Wait()
		h.Close()
		h.Close()
		<-done
		if got := code(t, w); got != 402 {
			t.Errorf("code %d, want 402", got)
		}
	})
}

func TestDialed(t *testing.T) {
	h, x := testCommands(testAccess())
	defer h.Close()
	h.ServeHTTP(httptest.NewRecorder(), get("command=Call&Dialed=100&apiextension=9000&CallerDisplayName=$caller+%26+Co&RingTime=20"+
		"&ResponseOzML="+url.QueryEscape(`<Response><Speak>$caller pays $5</Speak></Response>`)))
	want := ozml.Dial{To: "100", Extension: "9000", FromName: "$caller & Co", RingTime: 20 * time.Second, Wait: true,
		Script: `<Response><Speak>$caller pays $5</Speak></Response>`}
	if !reflect.DeepEqual(x.dialed, want) {
		t.Errorf("dialled %+v, want %+v", x.dialed, want)
	}
}

func TestMethods(t *testing.T) {
	h, _ := testCommands(testAccess())
	defer h.Close()
	for _, method := range []string{"HEAD", "PUT", "DELETE", "OPTIONS"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, "/api?command=ListActiveCalls", nil))
		if w.Code != http.StatusMethodNotAllowed {
			t.Errorf("%s: %d, want 405", method, w.Code)
		}
	}
	r := with(httptest.NewRequest("OPTIONS", "/api", nil), "Origin", "https://app.example")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, with(r, "Access-Control-Request-Method", "POST"))
	if w.Code != http.StatusNoContent || w.Header().Get("Access-Control-Allow-Origin") != "https://app.example" {
		t.Errorf("the question of a known page: %d %v", w.Code, w.Header())
	}
	big := post("/api?Username=HTTP_User_1&Password=qwe123", "command=Hangup&CallId="+strings.Repeat("x", 1<<20), form)
	w = httptest.NewRecorder()
	if h.ServeHTTP(w, big); code(t, w) != 300 {
		t.Errorf("a form of more than 1 MiB: %d, want 300", code(t, w))
	}
	many := "command=Hangup"
	for i := range 300 {
		many += fmt.Sprintf("&p%d=1", i)
	}
	w = httptest.NewRecorder()
	if h.ServeHTTP(w, basic(bare("/api?"+many), "HTTP_User_1", "qwe123")); code(t, w) != 300 {
		t.Errorf("300 parameters: %d, want 300", code(t, w))
	}
}

func TestIsCommand(t *testing.T) {
	for target, want := range map[string]bool{"/": false, "/?a=1": false, "/?command=x": true, "/?COMMAND=": true, "/?x=1&Command=y": true} {
		if got := IsCommand(bare(target)); got != want {
			t.Errorf("IsCommand(GET %s) = %v, want %v", target, got, want)
		}
	}
	if !IsCommand(post("/", "", "")) {
		t.Error("IsCommand(POST /) = false")
	}
}

// FuzzParams: whatever is asked, the answer is HTTP 200 and well-formed XML
// with a code of the table, and nothing is done without credentials.
func FuzzParams(f *testing.F) {
	f.Add("command=Hangup&CallId=b81Qx&Username=HTTP_User_1&Password=qwe123", "")
	f.Add("command=Call&Dialed=100&Url=http://a/&Username=HTTP_User_1&Password=qwe123", "Dialed=$x&RingTime=1e9")
	f.Add("command=%00&Username=HTTP_User_1&Password=qwe123", "a;b=%zz&&==&=x")
	f.Add("Command=\xff&command=Call", "ResponseOzML=<&Username=HTTP_User_1&Password=qwe123&Dialed=busy")
	f.Fuzz(func(t *testing.T, query, body string) {
		r := post("/api", body, form)
		r.URL.RawQuery = query
		if strings.Contains(strings.ToLower(query+body), "void") {
			return // rings for 10 s
		}
		h, x := testCommands(testAccess())
		h.c.Patient = time.Millisecond
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		h.Close()
		if w.Code != 200 || w.Header().Get("Content-Type") != "application/xml" {
			t.Fatalf("HTTP %d %v", w.Code, w.Header())
		}
		c := code(t, w)
		if messages[c] == "" {
			t.Errorf("code %d is not in the table", c)
		}
		if (c == 304 || c == 305 || c == 306) && (x.dialed.To != "" || x.calls["b81Qx"].hung.Load()) {
			t.Error("something was done without credentials")
		}
		io.Copy(io.Discard, w.Body)
	})
}
