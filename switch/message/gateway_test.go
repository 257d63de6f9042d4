package message

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// service is an HTTP service that answers as told and notes what it got.
type service struct {
	status   int
	answer   string
	got      *http.Request
	body     string
	hang     chan struct{} // not nil: no answer before it is closed
	location string
}

func (s *service) start(t *testing.T) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		s.got, s.body = r, string(b)
		if s.hang != nil {
			<-s.hang
			return
		}
		if s.location != "" {
			w.Header().Set("Location", s.location)
		}
		w.WriteHeader(s.status)
		io.WriteString(w, s.answer)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

func newGateway(t *testing.T, cfg GatewayConfig, ev Events) *Gateway {
	t.Helper()
	cfg.Log = quiet()
	g, err := NewGateway(cfg, ev)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.client.CloseIdleConnections)
	return g
}

const evil = `a"b&to=1<x>{id}` + "\n"

func TestGatewaySends(t *testing.T) {
	m := SMS{ID: "msg-1", To: "+3620", Text: evil, Report: true}
	for _, c := range []struct {
		name, kind, body, id string
		answer, want         string
		check                func(body string) bool
	}{
		{"form", "", "", "", `{"id": 17}`, "17", func(b string) bool {
			v, err := url.ParseQuery(b)
			return err == nil && v.Get("to") == "+3620" && v.Get("text") == evil && v.Get("from") == "Oz" && v.Get("id") == "msg-1" && v.Get("report") == "true" && len(v["to"]) == 1
		}},
		{"json", "application/json", `{"messages":[{"to":"{to}","text":"{text}","n":1}]}`, "messages.0.id", `{"messages":[{"id":"abc"}]}`, "abc", func(b string) bool {
			var v struct{ Messages []struct{ To, Text string } }
			return json.Unmarshal([]byte(b), &v) == nil && v.Messages[0].To == "+3620" && v.Messages[0].Text == evil
		}},
		{"xml", "text/xml", `<sms to="{to}">{text}</sms>`, "", "OK-4711\n", "OK-4711", func(b string) bool {
			return b == `<sms to="+3620">a&#34;b&amp;to=1&lt;x&gt;{id}&#xA;</sms>`
		}},
		{"no id", "", "", "x.y", "<html>thank you</html>", "", func(string) bool { return true }},
	} {
		s := &service{status: 202, answer: c.answer}
		g := newGateway(t, GatewayConfig{Address: s.start(t) + "/send?key=1", User: "u", Password: "p", From: "Oz", Type: c.kind, Body: c.body, ID: c.id}, Events{})
		id, err := g.Send(t.Context(), m)
		if id != c.want || err != nil {
			t.Errorf("%s: Send = %q, %v, want %q", c.name, id, err, c.want)
		}
		if !c.check(s.body) {
			t.Errorf("%s: posted %s", c.name, s.body)
		}
		user, password, _ := s.got.BasicAuth()
		if s.got.Method != "POST" || s.got.URL.RawQuery != "key=1" || user != "u" || password != "p" || s.got.Header.Get("Idempotency-Key") != "msg-1" {
			t.Errorf("%s: %s %s as %s", c.name, s.got.Method, s.got.URL, user)
		}
	}
}

func TestGatewayFaults(t *testing.T) {
	for _, c := range []struct {
		status int
		final  bool
		want   string
	}{
		{400, true, "400 no"}, {401, true, "correct sms.user"}, {403, true, "correct sms.user"}, {404, true, "404"}, {408, false, "408"},
		{429, false, "429"}, {302, true, "correct sms.address"}, {500, false, "500"}, {503, false, "503"},
	} {
		s := &service{status: c.status, answer: "no", location: "http://127.0.0.1:1/"}
		_, err := newGateway(t, GatewayConfig{Address: s.start(t)}, Events{}).Send(t.Context(), hello)
		if f, ok := errors.AsType[*Fault](err); !ok || f.Final != c.final || f.Code != c.status || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%d: %v, want final %v with %q", c.status, err, c.final, c.want)
		}
	}
	g := newGateway(t, GatewayConfig{Address: "http://127.0.0.1:1/?key=geheim"}, Events{})
	if _, err := g.Send(t.Context(), hello); IsFinal(err) || !strings.Contains(err.Error(), "nobody listens there") || strings.Contains(err.Error(), "geheim") {
		t.Errorf("down: %v", err)
	}
	s := &service{hang: make(chan struct{})}
	g = newGateway(t, GatewayConfig{Address: s.start(t), Timeout: 50 * time.Millisecond}, Events{})
	if _, err := g.Send(t.Context(), hello); IsFinal(err) || err == nil || !strings.Contains(err.Error(), "no answer in time") {
		t.Errorf("slow: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := g.Send(ctx, hello); !errors.Is(err, context.Canceled) {
		t.Errorf("ctx ended: %v", err)
	}
	close(s.hang)
	for _, cfg := range []GatewayConfig{{}, {Address: "ftp://x"}, {Address: "http://u:p@x/"}, {Address: "http://x", Type: "text/plain", Body: "{to}{text}"},
		{Address: "http://x", Body: "{to}"}, {Address: "http://x", Type: "application/json"}, {Address: "http://x", From: "a very long sender"}} {
		_, err := NewGateway(cfg, Events{})
		if f, ok := errors.AsType[*Fault](err); !ok || !strings.HasPrefix(f.Place, "sms.") || f.Cure == "" {
			t.Errorf("NewGateway(%+v): %v", cfg.Address, err)
		}
	}
}

func TestGatewayReceives(t *testing.T) {
	s := &service{status: 200, answer: `{"id":"r1"}`}
	e, ev := newEar()
	g := newGateway(t, GatewayConfig{Address: s.start(t), Token: "t0k"}, ev)
	if _, err := g.Send(t.Context(), SMS{ID: "msg-9", To: "+361", Text: "x", Report: true, ReportURL: "http://app/dlr"}); err != nil {
		t.Fatal(err)
	}
	post := func(kind, auth, body string) int {
		r := httptest.NewRequest("POST", "/sms", strings.NewReader(body))
		r.Header.Set("Content-Type", kind)
		if auth != "" {
			r.Header.Set("Authorization", auth)
		}
		w := httptest.NewRecorder()
		g.ServeHTTP(w, r)
		return w.Code
	}
	const form, js = "application/x-www-form-urlencoded", "application/json"
	for _, c := range []struct {
		kind, auth, body string
		want             int
	}{
		{form, "", "from=1&text=x", 403},
		{form, "Bearer wrong", "from=1&text=x&token=t0k", 403},
		{form, "Bearer t0k", "from=%2B1&to=2&text=sz%C3%A9p", 204},
		{form, "", "From=%2B1&to=2&text=second&token=t0k", 204},
		{js, "Bearer t0k", `{"from":3620,"to":"2","text":"third"}`, 204},
		{js, "Bearer t0k", `{"from":{}}`, 400},
		{js, "Bearer t0k", `[]`, 400},
		{form, "Bearer t0k", "from=%ff&text=x", 400},
		{form, "Bearer t0k", "text=x", 400},
		{form, "Bearer t0k", "id=r1&status=perhaps", 400},
		{form, "Bearer t0k", "status=delivered", 400},
		{form, "Bearer t0k", "id=r1&status=Delivered", 204},
		{form, "Bearer t0k", "id=r7&status=failed&ref=msg-7&from=a&to=b", 204},
		{form, "Bearer t0k", "from=1&text=" + strings.Repeat("x", 70<<10), 413},
	} {
		if got := post(c.kind, c.auth, c.body); got != c.want {
			t.Errorf("%.60s: %d, want %d", c.body, got, c.want)
		}
	}
	for _, want := range []SMS{{From: "+1", To: "2", Text: "szép"}, {From: "+1", To: "2", Text: "second"}, {From: "3620", To: "2", Text: "third"}} {
		m := <-e.received
		if m.At = (time.Time{}); m != want {
			t.Errorf("received %+v, want %+v", m, want)
		}
	}
	if r := <-e.delivered; r.ID != "msg-9" || r.SMS.ReportURL != "http://app/dlr" || r.State != Delivered {
		t.Errorf("receipt %+v", r)
	}
	if r := <-e.delivered; r.ID != "msg-7" || r.Remote != "r7" || r.State != Undelivered || r.SMS.To != "b" {
		t.Errorf("receipt %+v", r)
	}
	if len(e.received)+len(e.delivered) != 0 {
		t.Error("more came than was posted")
	}
	g.cfg.Token = "" // none configured: nobody may
	if got := post(form, "Bearer ", "from=1&text=x"); got != 403 {
		t.Errorf("without a token: %d, want 403", got)
	}
}
