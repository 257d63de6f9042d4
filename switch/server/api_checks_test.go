package server_test

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ozswitch/switch/server"
)

// checked is a switch with users of all rights, an app, and lists of addresses.
func checked(t *testing.T) *server.Server {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "ozswitch.yaml")
	err := os.WriteFile(file, []byte(fmt.Sprintf(`
data: %s
sip: {listen: ["udp://127.0.0.1:0"]}
rtp: {webrtc_port: -1}
http:
  listen: "127.0.0.1:0"
  proxies: ["127.0.0.1"]
  allowed: ["10.1.0.0/16", "127.0.0.0/8"]
  denied: ["10.1.7.0/24"]
  origins: ["https://app.example"]
users:
  - {name: HTTP_User_1, password: "of the user", api: true, urls: any}
  - {name: admin, password: "of the admin", api: true, admin: true}
  - {name: reader, password: "of the reader"}
extensions:
  - {number: "1001", type: phone, password: "one secret"}
  - {number: "9000", type: api, url: "http://127.0.0.1:1/"}
`, dir)), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	source := &server.Source{File: file}
	c, ps := source.Load()
	if c == nil {
		t.Fatal(ps)
	}
	s, _ := runBy(t, c, source)
	return s
}

// A call of the API: its parameters, and what else is about it.
type apiCall struct {
	params  string
	user    string // name:password as parameters; "" = none
	headers string // name: value, parted by |
}

// send sends it to a path, by GET or POST, with the names of its parameters as
// they are or in capitals.
func (a apiCall) send(t *testing.T, s *server.Server, path, method string, shout bool) (code int, message string) {
	t.Helper()
	query := a.params
	if name, password, ok := strings.Cut(a.user, ":"); ok {
		query += "&Username=" + url.QueryEscape(name) + "&Password=" + url.QueryEscape(password)
	}
	if shout {
		var parts []string
		for p := range strings.SplitSeq(query, "&") {
			name, value, _ := strings.Cut(p, "=")
			parts = append(parts, strings.ToUpper(name)+"="+value)
		}
		query = strings.Join(parts, "&")
	}
	target, body := "http://"+s.HTTPAddr()+path, io.Reader(nil)
	if method == http.MethodPost {
		body = strings.NewReader(query)
	} else {
		target += "?" + query
	}
	r, err := http.NewRequestWithContext(t.Context(), method, target, body)
	if err != nil {
		t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for h := range strings.SplitSeq(a.headers, "|") {
		if name, value, ok := strings.Cut(h, ": "); ok {
			r.Header.Set(name, value)
		}
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		XMLName xml.Name `xml:"Response"`
		Code    int
		Message string
	}
	if err := xml.NewDecoder(resp.Body).Decode(&answer); err != nil || resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "application/xml" {
		t.Fatalf("%s %s %q: HTTP %d, %v", method, path, query, resp.StatusCode, err)
	}
	return answer.Code, answer.Message
}

const (
	asUser  = "HTTP_User_1:of the user"
	asAdmin = "admin:of the admin"
	sipXML  = "&ConfigXML=%3CConfig%3E%3CID%3E{id}%3C%2FID%3E%3CPassword%3Elong+enough%3C%2FPassword%3E%3C%2FConfig%3E"
)

// TestChecks: each code of the API with its message to the letter, at both paths,
// by both methods, with names in any letter case; and what is wrong first is told
// first.
func TestChecks(t *testing.T) {
	s := checked(t)
	basic := "Authorization: Basic SFRUUF9Vc2VyXzE6b2YgdGhlIHVzZXI="
	for _, c := range []struct {
		name string
		call apiCall
		code int
		says string
	}{
		{"all is right", apiCall{params: "command=ListActiveCalls", user: asUser}, 200, "Command successfully executed"},
		{"in other letters", apiCall{params: "command=LISTactivecalls", user: "http_user_1:of the user"}, 200, "Command successfully executed"},
		{"Basic", apiCall{params: "command=ListActiveCalls", headers: basic}, 200, "Command successfully executed"},
		{"no command", apiCall{params: "Command=&CallId=1", user: asUser}, 300, "Error occured during parsing message: 'the parameter command is missing'"},
		{"unknown command", apiCall{params: "command=Dance", user: asUser}, 301, "Not implemented command: 'Dance'"},
		{"missing parameter", apiCall{params: "command=Hangup&CallId=", user: asUser}, 302, "Missing or invalid parameter 'CallId' for command 'Hangup'"},
		{"invalid parameter", apiCall{params: "command=AddConfig&ExtensionType=fax" + sipXML, user: asAdmin}, 302, "Missing or invalid parameter 'ExtensionType' for command 'AddConfig'"},
		{"OzML only", apiCall{params: "command=delay&Time=1", user: asUser}, 303, "Command 'Delay' cannot be used here"},
		{"nobody", apiCall{params: "command=ListActiveCalls"}, 304, "Authentication required"},
		{"a wrong password", apiCall{params: "command=ListActiveCalls", user: "HTTP_User_1:wrong"}, 305, "Authentication failed, bad username or password"},
		{"no rights", apiCall{params: "command=ListActiveCalls", user: "reader:of the reader"}, 306, "User is not allowed to use API in ACL"},
		{"not an admin", apiCall{params: "command=RemoveConfig&ExtensionId=1001", user: asUser}, 306, "User is not allowed to use API in ACL"},
		{"denied", apiCall{params: "command=ListActiveCalls", user: asUser, headers: "X-Forwarded-For: 10.1.7.9"}, 307, "Use API from this address is forbidden"},
		{"not allowed", apiCall{params: "command=ListActiveCalls", user: asUser, headers: "X-Forwarded-For: 192.0.2.1"}, 307, "Use API from this address is forbidden"},
		{"allowed", apiCall{params: "command=ListActiveCalls", user: asUser, headers: "X-Forwarded-For: 10.1.8.9"}, 200, "Command successfully executed"},
		{"no such app", apiCall{params: "command=Call&Dialed=1001&ApiExtension=77&Url=http%3A%2F%2F127.0.0.1%3A1%2F", user: asUser}, 401, "API extension '77' unavailable, please check configuration or permissions"},
		{"a telephone is no app", apiCall{params: "command=Call&Dialed=1001&ApiExtension=1001&Url=http%3A%2F%2F127.0.0.1%3A1%2F", user: asUser}, 401, "API extension '1001' unavailable, please check configuration or permissions"},
		{"nobody has the number", apiCall{params: "command=Call&Dialed=4444&ApiExtension=9000&Url=http%3A%2F%2F127.0.0.1%3A1%2F", user: asUser}, 402, "Call connect to '4444' failed with result state 'NotFound'"},
		{"not registered", apiCall{params: "command=CallSetup&Caller=1001&Callee=9000", user: asUser}, 402, "Call connect to '1001' failed with result state 'NoAnswer'"},
		{"no SMS service", apiCall{params: "command=SendSms&Recipient=123&Message=x&PhoneNumber=123&Text=x", user: asUser}, 501, "Destination of the SMS is not found"},
		{"no such call", apiCall{params: "command=Hangup&CallId=q7Lx2", user: asUser}, 601, "Call not found with ID 'q7Lx2'"},
		{"no such extension", apiCall{params: "command=GetConfig&ExtensionId=77", user: asAdmin}, 701, "Configuration for type '77' not found"},
		{"no configuration", apiCall{params: "command=AddConfig&ExtensionType=SIP&ConfigXML=x", user: asAdmin}, 702, "Invalid configuration for type 'SIP'"},
		{"there is one already", apiCall{params: "command=AddConfig&ExtensionType=SIP" + strings.ReplaceAll(sipXML, "{id}", "1001"), user: asAdmin}, 703, "Extension configuration already exists"},

		// Two faults at once: address, credentials, rights, command, parameters.
		{"address before credentials", apiCall{params: "command=Dance", headers: "X-Forwarded-For: 10.1.7.9"}, 307, "Use API from this address is forbidden"},
		{"credentials before rights", apiCall{params: "command=Dance", user: "reader:wrong one"}, 305, "Authentication failed, bad username or password"},
		{"rights before the command", apiCall{params: "command=Dance", user: "reader:of the reader"}, 306, "User is not allowed to use API in ACL"},
		{"rights of a command before its parameters", apiCall{params: "command=AddConfig", user: asUser}, 306, "User is not allowed to use API in ACL"},
		{"the command before its parameters", apiCall{params: "command=Delay", user: asUser}, 303, "Command 'Delay' cannot be used here"},
		{"parameters before the call", apiCall{params: "command=Speak&CallId=q7Lx2", user: asUser}, 302, "Missing or invalid parameter 'Text' for command 'Speak'"},

		// A page of another origin, with what the browser adds by itself.
		{"cross-site", apiCall{params: "command=ListActiveCalls", headers: basic + "|Sec-Fetch-Site: cross-site"}, 307, "Use API from this address is forbidden"},
		{"another port of the machine", apiCall{params: "command=ListActiveCalls", headers: basic + "|Sec-Fetch-Site: same-site"}, 307, "Use API from this address is forbidden"},
		{"by its Origin", apiCall{params: "command=ListActiveCalls", headers: basic + "|Origin: http://evil.example"}, 307, "Use API from this address is forbidden"},
		{"by its Referer", apiCall{params: "command=ListActiveCalls", headers: basic + "|Referer: http://evil.example/page"}, 307, "Use API from this address is forbidden"},
		{"a known page by its Referer", apiCall{params: "command=ListActiveCalls", headers: basic + "|Referer: https://app.example/page"}, 200, "Command successfully executed"},
		{"a browser that does not say", apiCall{params: "command=Hangup&CallId=1", headers: basic + "|User-Agent: Mozilla/5.0 (X11) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0"}, 307, "Use API from this address is forbidden"},
		{"it may look", apiCall{params: "command=ListActiveCalls", headers: basic + "|User-Agent: Mozilla/5.0 (X11) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0"}, 200, "Command successfully executed"},
		{"PowerShell", apiCall{params: "command=Hangup&CallId=1", headers: basic + "|User-Agent: Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.17763"}, 601, "Call not found with ID '1'"},
		{"the address bar", apiCall{params: "command=Hangup&CallId=1", headers: basic + "|Sec-Fetch-Site: none"}, 601, "Call not found with ID '1'"},
		{"a page with credentials of its own", apiCall{params: "command=Hangup&CallId=1", user: asUser, headers: "Sec-Fetch-Site: cross-site"}, 601, "Call not found with ID '1'"},
		{"a cookie is no way in", apiCall{params: "command=ListActiveCalls", headers: "Cookie: ozswitch=x; ozswitch_session=x"}, 304, "Authentication required"},
	} {
		for _, path := range []string{"/api", "/"} {
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				for _, shout := range []bool{false, true} {
					if strings.Contains(c.call.user, "wrong") && (path == "/" || shout) {
						continue // who guesses is slowed down
					}
					if code, says := c.call.send(t, s, path, method, shout); code != c.code || says != c.says {
						t.Errorf("%s: %s %s (capitals %t): %d %q, want %d %q", c.name, method, path, shout, code, says, c.code, c.says)
					}
				}
			}
		}
	}
}
