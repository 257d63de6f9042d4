package switchtest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// v1 asks the JSON API and gives status and body.
func (w *World) v1(method, path, body string) (int, string) {
	w.T.Helper()
	w.Start()
	tr := &http.Transport{DialContext: w.Net.DialContext(netip.MustParseAddr(userHost)), DisableKeepAlives: true}
	r, err := http.NewRequestWithContext(w.ctx, method, "http://"+httpAddr+path, strings.NewReader(body))
	if err != nil {
		w.T.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth("api", "api")
	resp, err := tr.RoundTrip(r)
	if err != nil {
		w.T.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		w.T.Fatalf("%s %s: %v", method, path, err)
	}
	return resp.StatusCode, string(b)
}

// TestV1 follows one call through the JSON API: seen while it is up, keys
// pressed for its caller, hung up, and found afterwards with its script.
func TestV1(t *testing.T) {
	Run(t, func(w *World) {
		const script = `<Response><UserInput Timeout="60"><Inputs><Input Key="2"><Speak>two</Speak><Delay>60</Delay></Input></Inputs></UserInput></Response>`
		w.Web.Serve("/ivr", script)
		c := w.Phone("1001").Dial("9000")
		w.Pass(time.Second)
		id := w.Dialled("1001")[0]
		want := func(what, got string, parts ...string) {
			t.Helper()
			for _, p := range parts {
				if !strings.Contains(got, p) {
					t.Errorf("%s: %s, want %q in it", what, got, p)
				}
			}
		}
		_, calls := w.v1("GET", "/v1/calls", "")
		want("live", calls, `"doing":"1:11 UserInput"`, `"script":"http://app/ivr"`)
		_, one := w.v1("GET", "/v1/calls/"+id, "")
		want("one", one, `"live":true`, `"from":"1001"`, `"state":"InCall"`, `"codec":"PCMU"`)
		if status, body := w.v1("POST", "/v1/calls/"+id+"/keys", `{"keys":"2"}`); status != 204 {
			t.Errorf("keys: %d %s", status, body)
		}
		c.Hears("two")
		if status, body := w.v1("POST", "/v1/calls/"+id+"/hangup", ""); status != 204 {
			t.Errorf("hangup: %d %s", status, body)
		}
		w.Until("the call is over", func() bool { return w.Up() == 0 })
		w.Pass(time.Second)
		_, one = w.v1("GET", "/v1/calls/"+id, "")
		want("past", one, `"live":false`, `"result":"api"`, `"documents":[{"name":"http://app/ivr","url":"http://app/ivr"`)
		_, doc := w.v1("GET", "/v1/calls/"+id+"/documents?name=http://app/ivr", "")
		var got struct{ Text string }
		if err := json.Unmarshal([]byte(doc), &got); err != nil || got.Text != script {
			t.Errorf("document: %s, %v", doc, err)
		}
		_, log := w.v1("GET", "/v1/calls/"+id+"/log", "")
		want("log", log, `"type":"key"`, `"source":"info"`, `"type":"call.ended"`)
		_, status := w.v1("GET", "/v1/status", "")
		want("status", status, `"calls_peak":1`, `"sentence":"All well"`)
		if code, body := w.v1("POST", "/v1/fetch", `{"url":"http://app/ivr"}`); code != 200 {
			t.Errorf("fetch: %d %s", code, body)
		} else {
			want("fetch", body, `"status":200`, `"problems":[{`, `OZ1052`)
		}
		if code, body := w.v1("PUT", "/v1/extensions/9000", `{"type":"api","url":"http://app/x"}`); code != 422 || !strings.Contains(body, "users[0].password") {
			t.Errorf("a change that leaves a configuration which serve refuses: %d %s", code, body) // see TestNumberInFile for the others
		}
	})
}
