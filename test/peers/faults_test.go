//go:build peers

package peers

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
)

// A faulty is a number whose call goes wrong, and what must be told of it.
type faulty struct {
	Number string   `json:"number"`
	What   string   `json:"what"`
	Says   []string `json:"says"`  // on the call's page
	Place  string   `json:"place"` // as well, "" when there is none
	List   string   `json:"list"`  // in the list of calls
	goes   string   // the rest of the extension in the configuration
}

// TestFaultPages: what is wrong with a call is named by its page and by the list
// of calls, in words, with its line and column where there is one.
func TestFaultPages(t *testing.T) {
	need(t, "chromium", "node", "php")
	dir := t.TempDir()
	write(t, filepath.Join(dir, "broken.xml"), "<Response>\n  <Speak>Hello</Speak>\n  <Speak>Good bye</Speek>\n</Response>\n")
	write(t, filepath.Join(dir, "warning.php"), "<?php // the name comes from the form, but not from this one\n$greeting = 'Hello ' . $name;\nheader('Content-Type: application/xml');\n"+
		"echo \"<Response>\\n  <Speak>$greeting</Speak>\\n</Response>\\n\";\n")
	php := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	start(t, dir, nil, "php", "-d", "display_errors=1", "-d", "html_errors=0", "-S", php, "warning.php")
	eventually(t, "php listens", func() bool {
		answer, err := http.Get("http://" + php + "/")
		if err == nil {
			answer.Body.Close()
		}
		return err == nil
	})
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm() // with the body read, the end of the connection is noticed
		<-r.Context().Done()
	}))
	t.Cleanup(slow.Close)
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprint(w, "<html><body><h1>Oops, an error occurred</h1></body></html>")
	}))
	t.Cleanup(broken.Close)
	down := fmt.Sprintf("127.0.0.1:%d", freePort(t))

	cases := []faulty{
		{"9101", "a script with a fault", []string{"OZ1", "Speek"}, "line 3, column", "OZ1", fmt.Sprintf("type: script, file: %q", filepath.Join(dir, "broken.xml"))},
		{"9102", "an app that prints a PHP warning", []string{"OZ1003", "Undefined variable", "$name"}, "line 2, column 1", "OZ1003", "type: api, url: \"http://" + php + "/\""},
		{"9103", "an app that is down", []string{"refused", down}, "", "refused", "type: api, url: \"http://" + down + "/\""},
		{"9104", "an app that is slow", []string{"no answer within 1s"}, "", "OZ13", "type: api, url: \"" + slow.URL + "\""},
		{"9105", "an app that answers 500 with HTML", []string{"500", "Oops"}, "", "500", "type: api, url: \"" + broken.URL + "\""},
	}
	n := &node{http: fmt.Sprintf("127.0.0.1:%d", freePort(t)), data: filepath.Join(dir, "data")}
	config := fmt.Sprintf(`data: %s
sip: {listen: ["udp://127.0.0.1:%d"], domain: localhost, guests: none}
rtp: {address: 127.0.0.1, webrtc_port: %d}
web: {timeout: 1s}
http: {listen: %q}
users:
  - {name: ann, password: orange-lantern, api: true, phone: "1001"}
extensions:
  - {number: "1001", type: phone, name: Ann, password: violet-cedar}
`, n.data, freePort(t), freePort(t), n.http)
	list := filepath.Join(dir, "cases.json")
	text, err := json.Marshal(cases)
	if err != nil {
		t.Fatal(err)
	}
	write(t, list, string(text))
	write(t, filepath.Join(dir, "ozswitch.yaml"), config+extensions(cases))
	n.boot(t, filepath.Join(dir, "ozswitch.yaml"))
	inBrowser(t, nil, "faults.mjs", "--http", "http://"+n.http, "--cases", list, "--folder", keptScreens(t))
	n.close(t)
}

// extensions writes the numbers of cases for a configuration.
func extensions(cases []faulty) (out string) {
	for _, c := range cases {
		out += fmt.Sprintf("  - {number: %q, %s}\n", c.Number, c.goes)
	}
	return out
}
