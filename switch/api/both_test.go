package api

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"ozswitch/ozml"
	"ozswitch/ozml/command"
	"ozswitch/ozml/ozmltest"
	"ozswitch/ozml/trace"
)

// onlyLegacy are cases that cannot be asked of /v1, and why.
var onlyLegacy = map[string]string{
	"no command":                     "the path names it",
	"broken escape":                  "there is none in JSON",
	"a form that is none":            "a body of /v1 is JSON",
	"receive message, a page":        "/v1 answers in JSON",
	"receive message, json":          "of a form of its own: the fields are those of /v1",
	"unknown parameters are ignored": "in /v1 they are refused",
	"the body wins":                  "there is no query",
	"history as XE had it, a form":   "there is no query",
	"no credentials":                 "TestRoutes",
	"bad password":                   "TestRoutes",
	"no password":                    "TestRoutes",
	"no rights":                      "TestRoutes",
	"address":                        "TestGuard",
	"history without credentials":    "TestRoutes",
	"history with a bad password":    "TestRoutes",
	"history without rights":         "TestRoutes",
	"token from a forbidden address": "TestGuard",
}

// someConfigs are a telephone and a queue.
func someConfigs() ozml.Configs {
	it := func(name, value string) ozml.ConfigItem { return ozml.ConfigItem{Name: name, Value: value} }
	return ozmltest.Configs(
		&ozml.ExtensionConfig{Type: "SIP", KnownType: "SIPExtensionInfo", ID: "1001", Items: []ozml.ConfigItem{
			it("AuthorizationName", "1001"), it("Password", "***"), it("LastIPAddress", ""), it("Enabled", "true"), it("ID", "1001"),
			{Name: "forward", Items: []ozml.ConfigItem{it("busy", "1002")}},
		}},
		&ozml.ExtensionConfig{Type: "Queue", KnownType: "QueueExtensionInfo", ID: "2300", Items: []ozml.ConfigItem{it("ID", "2300"), it("members", "1001"), it("members", "1002")}},
	)
}

// configCases are requests to the configuration; as an admin, for both APIs.
func configCases() []answerCase {
	xml := url.QueryEscape(`<Config knownType="SIPExtensionInfo"><ID>{}</ID><Password>a secret</Password></Config>`)
	of := func(id string) string { return strings.ReplaceAll(xml, "%7B%7D", id) }
	return []answerCase{
		{"add a configuration", get("command=AddConfig&ExtensionType=SIP&ConfigXML=" + of("1005")), 200},
		{"add one that is there", get("command=AddConfig&ExtensionType=SIP&ConfigXML=" + of("1001")), 703},
		{"add one that is none", get("command=AddConfig&ExtensionType=SIP&ConfigXML=%3CConfig"), 702},
		{"change a configuration", get("command=ModifyConfig&ExtensionType=SIP&ConfigXML=" + of("1001")), 200},
		{"change none", get("command=ModifyConfig&ExtensionType=SIP&ConfigXML=" + of("1005")), 702},
		{"show a configuration", get("command=GetConfig&ExtensionId=1001"), 200},
		{"show a queue", get("command=GetConfig&ExtensionId=2300"), 200},
		{"show none", get("command=GetConfig&ExtensionId=77"), 701},
		{"remove a configuration", get("command=RemoveConfig&ExtensionId=1001"), 200},
		{"remove none", get("command=RemoveConfig&ExtensionId=77"), 701},
		{"remove what", get("command=RemoveConfig"), 302},
	}
}

// freshCommands are those of a switch that nobody has asked yet, without passwords.
func freshCommands(a *Access) *Commands {
	x := &exchange{calls: map[string]*oneCall{"b81Qx": {id: "b81Qx"}, "Nt3uh": {id: "Nt3uh"}}}
	return NewCommands(a, CommandsConfig{
		Table: command.Table(),
		World: func(context.Context, User) ozml.World {
			return ozml.World{Calls: x, Messages: &mailroom{}, Lists: ozmltest.Lists(), Configs: someConfigs(), Trace: trace.SinkFunc(func(trace.Event) {})}
		},
		Log: slog.New(slog.DiscardHandler),
	})
}

// asJSON makes the request of /v1 of one of the legacy API; ok is false where
// JSON cannot say it.
func asJSON(t *testing.T, r *http.Request, table ozml.Table) (c *ozml.Command, path string, body map[string]any, ok bool) {
	t.Helper()
	all := r.URL.Query()
	if r.Method == "POST" {
		b, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(b))
		form, err := url.ParseQuery(string(b))
		if err != nil {
			t.Fatal(err)
		}
		maps.Copy(all, form)
	}
	body = map[string]any{}
	for name, values := range all {
		switch v := values[0]; strings.ToLower(name) {
		case "command":
			if v != "" {
				path = v
			}
		case "username", "password":
		default:
			if !utf8.ValidString(v) {
				return nil, "", nil, false
			}
			body[name] = v
		}
	}
	if c = table.Lookup(path); c == nil || c.In&ozml.API == 0 {
		return nil, commandsPath + path, body, true
	}
	for _, p := range c.Params() { // numbers as numbers
		v, given := body[p.Name].(string)
		var literal any
		if given && json.Unmarshal([]byte(v), &literal) == nil && (p.Kind == "number" || p.Kind == "seconds" || p.Kind == "true or false") {
			body[p.Name] = literal
		}
	}
	return c, commandsPath + c.Name, body, true
}

// TestBothAPIs: what the legacy API says to a request, /v1 says to the same one:
// code, message and payload. Each command has at least one case that goes well.
func TestBothAPIs(t *testing.T) {
	well := map[string]bool{}
	table := command.Table()
	asked := map[string]bool{}
	access := &Access{Off: true}
	v := &V1{Access: access, Calls: &Calls{}, Events: &Events{}, Table: table, Slog: slog.New(slog.DiscardHandler)}
	mux := http.NewServeMux()
	v.Mount(mux)
	for _, one := range slices.Concat(answerCases(), listCases(), alarmCases(), configCases()) {
		asked[one.name] = true
		c, path, body, ok := asJSON(t, one.r, table)
		if onlyLegacy[one.name] != "" || !ok {
			continue
		}
		t.Run(one.name, func(t *testing.T) {
			legacy := freshCommands(access)
			defer legacy.Close()
			one.r.URL.RawQuery = strings.Replace(one.r.URL.RawQuery, "Username=HTTP_User_1&Password=qwe123&", "", 1)
			before := httptest.NewRecorder()
			one.r.Host = "localhost" // with auth off another name is none of ours
			legacy.ServeHTTP(before, one.r)
			v.Commands = freshCommands(access)
			defer v.Commands.Close()
			text, _ := json.Marshal(body)
			r := httptest.NewRequest("POST", path, bytes.NewReader(text))
			r.Host, r.Header = "localhost", http.Header{"Content-Type": {"application/json"}}
			now := httptest.NewRecorder()
			mux.ServeHTTP(now, r)
			same(t, before, now)
			if c != nil && now.Code < 300 {
				well[c.Name] = true
				described(t, v, path, text, now.Body.Bytes())
			}
		})
	}
	for name := range onlyLegacy {
		if !asked[name] {
			t.Errorf("there is no case %q to leave out", name)
		}
	}
	for _, c := range table.Commands() {
		if c.In&ozml.API != 0 && !well[c.Name] {
			t.Errorf("no case of %s that goes well: add one to answerCases", c.Name)
		}
	}
}

// same compares two answers.
func same(t *testing.T, legacy, modern *httptest.ResponseRecorder) {
	t.Helper()
	was := leavesOfXML(t, legacy)
	var is []string
	if modern.Code >= 300 {
		var p problem
		if err := json.Unmarshal(modern.Body.Bytes(), &p); err != nil || p.Code == 0 || p.Status != modern.Code || modern.Header().Get("Content-Type") != "application/problem+json" {
			t.Fatalf("/v1: %d %s: %v", modern.Code, modern.Body, err)
		}
		is = []string{fmt.Sprint("code=", p.Code), "message=" + p.Detail}
		if rest, ok := strings.CutPrefix(p.Detail, strings.TrimPrefix(was[1], "message=")); ok && strings.HasPrefix(rest, ": it is POST") {
			is[1] = was[1] // it helps on
		}
		for _, m := range p.Errors {
			if len(was) > 2 && was[2] == "detail="+m.Message {
				is = append(is, was[2])
			}
		}
	} else {
		is = leavesOfJSON(t, modern.Body.Bytes())
	}
	if !strings.HasPrefix(was[0], "code=") { // <Config> stands first, and JSON knows no order
		slices.Sort(was)
		slices.Sort(is)
	}
	// What the legacy answer has no place for.
	is = slices.DeleteFunc(is, func(s string) bool {
		name, _, _ := strings.Cut(s, "=")
		return slices.ContainsFunc(is, func(s string) bool { return strings.HasPrefix(s, "security_token=") }) && slices.Contains([]string{"id", "expire", "scope"}, name)
	})
	if !slices.Equal(was, is) {
		t.Errorf("the legacy API says\n  %s\nand /v1 says %d\n  %s", strings.Join(was, "\n  "), modern.Code, strings.Join(is, "\n  "))
	}
}

// called are the few names that differ.
var called = map[string]string{"number_of_call": "total_record", "name": "name"}

func leaf(name, value string) string {
	name = strings.TrimSuffix(snake(name), "s")
	if n, ok := called[name]; ok {
		name = n
	}
	if f, err := strconv.ParseFloat(value, 64); err == nil && strings.Contains(name, "duration") {
		value = strconv.FormatFloat(f, 'f', -1, 64)
	}
	return name + "=" + value
}

// leavesOfXML gives name=value of all elements without others inside, in order.
func leavesOfXML(t *testing.T, w *httptest.ResponseRecorder) (all []string) {
	t.Helper()
	if !strings.HasPrefix(w.Header().Get("Content-Type"), "application/xml") { // another form was asked for
		return leavesOfJSON(t, w.Body.Bytes())
	}
	d := xml.NewDecoder(w.Body)
	var names []string
	text, inside := "", false
	for {
		tok, err := d.Token()
		if err == io.EOF {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			names, text, inside = append(names, tok.Name.Local), "", false
		case xml.CharData:
			text += string(tok)
		case xml.EndElement:
			if !inside && (strings.TrimSpace(text) != "" || !slices.Contains(lists, tok.Name.Local)) {
				all = append(all, leaf(names[len(names)-1], text))
			}
			names, inside = names[:len(names)-1], true
		}
	}
}

// lists may be empty, and are no texts then.
var lists = []string{"CallHistory", "Calls", "ActiveCalls", "Extensions", "Contacts", "data"}

// leavesOfJSON gives name=value of all values that are no object or list, in order.
func leavesOfJSON(t *testing.T, body []byte) (all []string) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var walk func(name string)
	walk = func(name string) {
		tok, err := d.Token()
		if err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		switch v := tok.(type) {
		case json.Delim:
			for d.More() {
				key := name
				if v == '{' {
					k, _ := d.Token()
					key = k.(string)
				}
				walk(key)
			}
			d.Token()
		case nil:
			all = append(all, leaf(name, ""))
		default:
			s := fmt.Sprint(v)
			if at, err := time.Parse(time.RFC3339Nano, s); err == nil {
				s = at.Format(time.DateTime)
			}
			all = append(all, leaf(name, legible(s)))
		}
	}
	walk("")
	return all
}

// described checks a request and its answer by the document.
func described(t *testing.T, v *V1, path string, request, answer []byte) {
	t.Helper()
	reg, o := v.openapi.Components.Schemas, v.openapi.Paths[path].Post
	check := func(what string, s *huma.Schema, mode huma.ValidateMode, text []byte) {
		var value any
		if err := json.Unmarshal(text, &value); err != nil {
			t.Fatal(err)
		}
		if fields, ok := value.(map[string]any); ok && mode == huma.ModeWriteToServer {
			for name, v := range fields { // other spellings are taken, but not described
				p := s.Properties[name]
				if p == nil && s.AdditionalProperties == false || v == "" {
					delete(fields, name)
				} else if p != nil {
					for _, word := range p.Enum {
						if text, ok := v.(string); ok && strings.EqualFold(text, word.(string)) {
							fields[name] = word
						}
					}
				}
			}
			for _, name := range s.Required {
				if fields[name] == nil {
					return
				}
			}
		}
		var res huma.ValidateResult
		huma.Validate(reg, s, huma.NewPathBuffer([]byte{}, 0), mode, value, &res)
		for _, err := range res.Errors {
			t.Errorf("the document does not describe this %s: %v\n%s", what, err, text)
		}
	}
	check("request", o.RequestBody.Content["application/json"].Schema, huma.ModeWriteToServer, request)
	check("answer", o.Responses["200"].Content["application/json"].Schema, huma.ModeReadFromServer, answer)
}
