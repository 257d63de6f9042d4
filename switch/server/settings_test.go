package server_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"ozswitch/switch/server"
)

// TestSettings: what the owner of a phone changes counts at once and after a
// restart; the rest stays as configured.
func TestSettings(t *testing.T) {
	c := server.Default()
	c.Data = t.TempDir()
	c.SIP.Listen, c.HTTP.Listen, c.RTP.WebRTCPort = []server.Listen{{Transport: "udp", Address: "127.0.0.1:0"}}, "127.0.0.1:0", -1
	off := false
	c.Extensions = []server.Extension{
		{Number: "1001", Type: "phone", Password: "of 1001", Forward: server.Forward{Busy: "9300", NoAnswer: "9300"}, CallWaiting: &off},
		{Number: "1002", Type: "phone", Password: "of 1002"},
		{Number: "9900", Type: "echo"},
	}
	c.Users = []server.User{{Name: "ann", Password: "of ann", API: true, Phone: "1001"}}
	s, stop := run(t, c)
	ask := func(method, number, body string, code int) string {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.HTTPAddr()+"/v1/extensions/"+number, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth("ann", "of ann")
		r.Header.Set("Content-Type", "application/json")
		a, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Body.Close()
		b, err := io.ReadAll(a.Body)
		if err != nil || a.StatusCode != code {
			t.Fatalf("%s %s: %d %s, %v; want %d", method, number, a.StatusCode, b, err, code)
		}
		var n struct {
			Settings json.RawMessage
			Detail   string
		}
		if err := json.Unmarshal(b, &n); err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		return string(n.Settings) + n.Detail
	}
	want := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	const form = `{"forward":{"always":"%s","busy":"%s","no_answer":"9300","unavailable":"","after_seconds":%d},"dnd":%v,"call_waiting":%v}`
	want(ask("GET", "1001", "", 200), fmt.Sprintf(form, "", "9300", 20, false, false))
	want(ask("PATCH", "1001", `{"settings":{"forward":{"always":"1002","after_seconds":7},"call_waiting":true}}`, 200), fmt.Sprintf(form, "1002", "9300", 7, false, true))
	want(ask("PATCH", "1001", `{"settings":{"forward":{"always":"","busy":""},"dnd":true}}`, 200), fmt.Sprintf(form, "", "", 7, true, true))
	if why := ask("PATCH", "1001", `{"settings":{"forward":{"always":"1001"}}}`, 422); !strings.Contains(why, "1001 would call itself") {
		t.Errorf("refused with %q", why)
	}
	ask("PATCH", "1002", `{"settings":{"dnd":true}}`, 403)
	want(ask("GET", "9900", "", 200), "")
	stop()
	s, _ = run(t, c)
	want(ask("GET", "1001", "", 200), fmt.Sprintf(form, "", "", 7, true, true))
	want(ask("GET", "1002", "", 200), strings.Replace(fmt.Sprintf(form, "", "", 20, false, true), "9300", "", 1))
}
