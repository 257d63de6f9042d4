package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ozswitch/ozml"
	"ozswitch/ozml/command"
	"ozswitch/ozml/trace"
	"ozswitch/switch/eventlog"
	"ozswitch/switch/extension"
	"ozswitch/switch/store"
)

// shelf keeps scripts in memory.
type shelf map[string]string

func (s shelf) Read(name string) (Script, error) {
	text, ok := s[name]
	if !ok {
		return Script{}, fs.ErrNotExist
	}
	return Script{Name: name, Text: text, ETag: ETag(text), Editable: true, Source: "file", Numbers: []string{}}, nil
}

func (s shelf) List() (all []Script, err error) {
	for name := range s {
		one, _ := s.Read(name)
		one.Text = ""
		all = append(all, one)
	}
	return all, nil
}

func (s shelf) Write(name, text, was string) error {
	if old, ok := s[name]; ok && ETag(old) != was || !ok && was != "" {
		return ErrChanged
	}
	s[name] = text
	return nil
}

func (s shelf) Delete(name, was string) error {
	if ETag(s[name]) != was {
		return ErrChanged
	}
	delete(s, name)
	return nil
}

// A desk is a V1 with small true parts.
type desk struct {
	*V1
	mux     *http.ServeMux
	scripts shelf
	calls   *exchange
	pressed string
	console string // the call that a page hung up
	set     NumberChange

	settings extension.Change
}

func newDesk(t *testing.T) *desk {
	log, err := eventlog.New(eventlog.Config{})
	if err != nil {
		t.Fatal(err)
	}
	a := testAccess()
	a.Users = append(a.Users, User{Name: "Boss", Password: "boss12345", Admin: true}, User{Name: "Ann", Password: "ann12345", API: true, Phone: "1001"}, User{Name: "Hashed", Password: reference, API: true, Admin: true})
	a.Sessions = &Sessions{}
	commands, calls := testCommands(a)
	t.Cleanup(commands.Close)
	d := &desk{mux: http.NewServeMux(), scripts: shelf{"hello.xml": "<Response><Speak>Hi</Speak></Response>"}, calls: calls}
	d.V1 = &V1{
		Access: a, Sessions: a.Sessions, Log: log, Slog: slog.New(slog.DiscardHandler),
		Describe: func(u User) Session { return Session{Name: u.Name, Admin: u.Admin, API: u.API} },
		Calls:    &Calls{Live: calls.Active, History: store.NewMem()}, Events: &Events{Log: log},
		Line:      func(string) (store.Call, bool) { return store.Call{}, false },
		Sensitive: func(string) bool { return false },
		Console:   func(id string) { d.console = id },
		Press: func(_ context.Context, id, keys string) error {
			if id != "b81Qx" {
				return ozml.ErrNoCall
			}
			d.pressed += keys
			return nil
		},
		Tokens: &Tokens{Key: make([]byte, 32)}, Commands: commands, Table: command.Table(), Limits: ozml.Limits{Steps: 10000, Jumps: 100},
		Scripts: d.scripts,
		Fetch: func(_ context.Context, _ User, url, _ string) Fetched {
			return Fetched{Status: 200, Body: "<Response><Spaek/></Response>", Raw: []byte("<Response><Spaek/></Response>")}
		},
		Numbers: func() []Number {
			now := extension.Settings{CallWaiting: true}.With(d.settings)
			return []Number{{Number: "1001", Type: "phone", Settings: &now}, {Number: "9000", Type: "script", File: "hello.xml"}}
		},
		SetNumber: func(number string, to NumberChange) error {
			if number != "9000" {
				return &Refusal{Status: 404, Why: "there is no number " + number}
			}
			d.set = to
			return nil
		},
		ChangeSettings: func(number string, c extension.Change) error {
			if number != "1001" {
				return &Refusal{Status: 409, Why: "number " + number + " has no settings"}
			}
			d.settings = d.settings.Then(c)
			return nil
		},
		Status: func() Status { return Status{Calls: 1} },
		Checks: []Check{{"disk", func(context.Context) error { return nil }}, {"voice", func(context.Context) error { return errors.New("is hoarse") }}},
	}
	d.Mount(d.mux)
	return d
}

// ask makes a request with the given headers (name, value, ...).
func (d *desk) ask(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	var r *http.Request
	if body == "" {
		r = httptest.NewRequest(method, path, nil)
	} else {
		r = httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return ask(d.mux, r)
}

// as are the headers of a user.
func as(name, password string) []string {
	r := httptest.NewRequest("GET", "/", nil)
	r.SetBasicAuth(name, password)
	return []string{"Authorization", r.Header.Get("Authorization")}
}

var (
	user = as("HTTP_User_1", "qwe123")
	boss = as("boss", "boss12345")
)

// want checks a status and parts of the body.
func want(t *testing.T, what string, w *httptest.ResponseRecorder, code int, parts ...string) {
	t.Helper()
	if w.Code != code {
		t.Errorf("%s: %d %s, want %d", what, w.Code, w.Body, code)
	}
	for _, p := range parts {
		if !strings.Contains(w.Body.String(), p) {
			t.Errorf("%s: %s, want %q in it", what, w.Body, p)
		}
	}
	if kind := w.Header().Get("Content-Type"); w.Code >= 400 && kind != "application/problem+json" {
		t.Errorf("%s: an error of type %q", what, kind)
	}
}

// TestRoutes: who may use each operation.
func TestRoutes(t *testing.T) {
	d := newDesk(t)
	for _, one := range d.operations() {
		path := strings.NewReplacer("{id}", "b81Qx", "{name}", "hello.xml", "{number}", "9000", "{command}", "Hangup").Replace(one.path)
		if one.who != anybody {
			want(t, "nobody: "+one.method+" "+path, d.ask(one.method, path, ""), 401, `"code":304`)
			want(t, "no right: "+one.method+" "+path, d.ask(one.method, path, "", as("nobody", "abc12345")...), 403, `"code":306`)
		}
		if one.who == admin {
			want(t, "no admin: "+one.method+" "+path, d.ask(one.method, path, "", user...), 403, "admin")
		}
		w := d.ask("OPTIONS", path, "", boss...)
		want(t, "OPTIONS "+path, w, 405)
		if !strings.Contains(w.Header().Get("Allow"), one.method) {
			t.Errorf("OPTIONS %s: Allow %q, want %s in it", path, w.Header().Get("Allow"), one.method)
		}
	}
	want(t, "nothing", d.ask("GET", "/v1/nothing", "", boss...), 404)
}

func TestScripts(t *testing.T) {
	d := newDesk(t)
	want(t, "list", d.ask("GET", "/v1/scripts", "", user...), 200, `"name":"hello.xml"`, `"problems":0`)
	w := d.ask("GET", "/v1/scripts/hello.xml", "", user...)
	want(t, "read", w, 200, `<Speak>Hi`)
	tag := w.Header().Get("ETag")
	with := func(more ...string) []string { return append(slices.Clone(boss), more...) }
	want(t, "blindly", d.ask("PUT", "/v1/scripts/hello.xml", `{"text":"x"}`, boss...), 428)
	want(t, "stale", d.ask("PUT", "/v1/scripts/hello.xml", `{"text":"x"}`, with("If-Match", `"old"`)...), 412)
	want(t, "not new", d.ask("PUT", "/v1/scripts/hello.xml", `{"text":"x"}`, with("If-None-Match", "*")...), 412)
	w = d.ask("PUT", "/v1/scripts/hello.xml", `{"text":"<Response><Spaek/></Response>"}`, with("If-Match", tag)...)
	want(t, "saved with a mistake", w, 200, "OZ1101", `"fix":{"text":"Speak"`)
	if d.scripts["hello.xml"] != "<Response><Spaek/></Response>" || w.Header().Get("ETag") == tag {
		t.Errorf("saved %q, tag %s", d.scripts["hello.xml"], w.Header().Get("ETag"))
	}
	want(t, "the tag of before", d.ask("DELETE", "/v1/scripts/hello.xml", "", with("If-Match", tag)...), 412)
	want(t, "removed", d.ask("DELETE", "/v1/scripts/hello.xml", "", with("If-Match", w.Header().Get("ETag"))...), 204)
	want(t, "gone", d.ask("GET", "/v1/scripts/hello.xml", "", user...), 404)
	want(t, "not there any more", d.ask("PUT", "/v1/scripts/hello.xml", `{"text":"x"}`, with("If-Match", tag)...), 412)
	want(t, "new", d.ask("PUT", "/v1/scripts/new.xml", `{"text":"<Response/>"}`, boss...), 200)
	for _, name := range []string{"..%2Fx.xml", "%2Fetc%2Fpasswd", "a%5Cb.xml", ".hidden.xml", "x.sh", "x.xml%00", "x", "..", strings.Repeat("a", 200) + ".xml"} {
		if w := d.ask("PUT", "/v1/scripts/"+name, `{"text":"x"}`, boss...); w.Code < 300 || len(d.scripts) != 1 {
			t.Errorf("the name %s: %d, %d scripts", name, w.Code, len(d.scripts))
		}
	}
	big := `{"text":"` + strings.Repeat("a", 2<<20) + `"}`
	want(t, "large", d.ask("PUT", "/v1/scripts/big.xml", big, boss...), 413)
	want(t, "endless", d.ask("POST", "/v1/lint", `{"text":"`+strings.Repeat("a", 8<<20)+`"}`, user...), 413)
	want(t, "unknown field", d.ask("POST", "/v1/lint", `{"txt":""}`, user...), 400, "txt")
	want(t, "two values", d.ask("POST", "/v1/lint", `{"text":""} {}`, user...), 400)
	want(t, "a form", d.ask("POST", "/v1/lint", `{"text":""}`, append(slices.Clone(user), "Content-Type", "text/plain")...), 415)
}

func TestLintAndRun(t *testing.T) {
	d := newDesk(t)
	want(t, "lint", d.ask("POST", "/v1/lint", `{"text":"<Response>\n <Spaek>a</Spaek>\n</Response>"}`, user...), 200,
		`"line":2,"col":3,"end_line":2,"end_col":8,"code":"OZ1101","severity":"error"`, `did you mean <Speak>?`, `"fix":{"text":"Speak>a</Speak>","line":2,"col":3,"end_line":2,"end_col":18}`)
	want(t, "no XML", d.ask("POST", "/v1/lint", `{"text":"Warning: x <Response/>"}`, user...), 200, "OZ1003")
	want(t, "run", d.ask("POST", "/v1/run", `{"text":"<Response><Delay>30</Delay><Hangup/></Response>","caller":"at 2s press 1"}`, user...), 200,
		"2.00  key 1", "call ended", `"seconds":30`)
	want(t, "by name", d.ask("POST", "/v1/run", `{"name":"hello.xml"}`, user...), 200, `Speak \"Hi\"`)
	want(t, "no such", d.ask("POST", "/v1/run", `{"name":"none.xml"}`, user...), 404)
	want(t, "refused", d.ask("POST", "/v1/run", `{"text":"<Response>"}`, user...), 200, `"events":[]`, "OZ10")
	want(t, "a file of ours", d.ask("POST", "/v1/run", `{"text":"<Response/>","caller":"when POST /x reply /etc/passwd"}`, user...), 400)
	w := d.ask("POST", "/v1/run", `{"text":"<Response><UserInput Repeat=\"true\" Timeout=\"1\"><InitialCommands><Beep/></InitialCommands><Inputs><Input Key=\"1\"><Hangup/></Input></Inputs></UserInput></Response>","caller":"leaves 9000h\nlimit steps 99999999"}`, user...)
	want(t, "for ever", w, 200, "the run was cut")
	var got RunAnswer
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || len(got.Events) > runEvents {
		t.Errorf("for ever: %d events, %v", len(got.Events), err)
	}
	want(t, "words", d.ask("GET", "/v1/commands", "", user...), 200, `"name":"Speak"`, `"name":"Inputs"`, `"parents":["UserInput"]`, `"name":"Response"`)
	if strings.Contains(d.ask("GET", "/v1/commands", "", user...).Body.String(), `"ListActiveCalls"`) {
		t.Error("ListActiveCalls is no word of a script")
	}
}

func TestActs(t *testing.T) {
	d := newDesk(t)
	want(t, "call", d.ask("POST", "/v1/calls", `{"to":"100"}`, user...), 201, `{"id":"q7Lx2"}`)
	if c := d.calls.dialed; c.Extension != "9000" || c.Script != d.scripts["hello.xml"] {
		t.Errorf("dialled %+v, want the script of 9000", c)
	}
	want(t, "call with a URL", d.ask("POST", "/v1/calls", `{"to":"100","from":"9000","script":"http://app/x"}`, user...), 201)
	if c := d.calls.dialed; c.URL != "http://app/x" || c.Script != "" {
		t.Errorf("dialled %+v, want the URL", c)
	}
	want(t, "busy", d.ask("POST", "/v1/calls", `{"to":"busy"}`, user...), 409, `"code":402`)
	want(t, "nobody", d.ask("POST", "/v1/calls", `{}`, user...), 400)
	want(t, "by a phone", d.ask("POST", "/v1/calls", `{"to":"100","from":"1001"}`, user...), 409, `"code":401`)
	want(t, "keys", d.ask("POST", "/v1/calls/b81Qx/keys", `{"keys":"12#"}`, user...), 204)
	want(t, "letters", d.ask("POST", "/v1/calls/b81Qx/keys", `{"keys":"x"}`, user...), 400)
	want(t, "keys of no call", d.ask("POST", "/v1/calls/none/keys", `{"keys":"1"}`, user...), 404, `"code":601`)
	if d.pressed != "12#" {
		t.Errorf("pressed %q", d.pressed)
	}
	want(t, "hangup", d.ask("POST", "/v1/calls/b81Qx/hangup", "", user...), 204)
	if d.console != "" {
		t.Errorf("a program hung %s up, not a page", d.console)
	}
	page := signedIn(t, d, "boss", "boss12345")
	d.ask("POST", "/v1/calls/b81Qx/hangup", "", append(page, "X-Ozswitch", "1")...)
	if d.console != "b81Qx" {
		t.Errorf("the page hung up, not noted")
	}
	want(t, "hangup again", d.ask("POST", "/v1/calls/b81Qx/hangup", "", user...), 404, `"code":601`)
	want(t, "fetch", d.ask("POST", "/v1/fetch", `{"url":"http://app/x"}`, boss...), 200, "OZ1101", `"status":200`)
	want(t, "fetch a file", d.ask("POST", "/v1/fetch", `{"url":"file:///etc/passwd"}`, boss...), 400)
	want(t, "number", d.ask("PUT", "/v1/extensions/9000", `{"type":"api","url":"http://app/x"}`, boss...), 200)
	if d.set.URL != "http://app/x" {
		t.Errorf("set %+v", d.set)
	}
	want(t, "no number", d.ask("PUT", "/v1/extensions/7", `{"type":"api","url":"http://app/x"}`, boss...), 404)
	want(t, "no script", d.ask("PUT", "/v1/extensions/9000", `{"type":"script","file":"../x.xml"}`, boss...), 404)
	want(t, "both", d.ask("PUT", "/v1/extensions/9000", `{"type":"api","url":"http://a/","file":"hello.xml"}`, boss...), 400)
	want(t, "settings", d.ask("GET", "/v1/extensions/1001", "", user...), 200, `"settings":{"forward":{"always":"",`, `"dnd":false,"call_waiting":true}`)
	want(t, "change", d.ask("PATCH", "/v1/extensions/1001", `{"settings":{"forward":{"busy":"9300"},"dnd":true}}`, boss...), 200, `"busy":"9300"`, `"dnd":true`)
	want(t, "one's own", d.ask("PATCH", "/v1/extensions/1001", `{"settings":{"dnd":false}}`, as("Ann", "ann12345")...), 200, `"busy":"9300"`, `"dnd":false`)
	want(t, "another's", d.ask("PATCH", "/v1/extensions/9000", `{"settings":{"dnd":true}}`, as("Ann", "ann12345")...), 403, "whose phone 9000 is")
	want(t, "nobody's", d.ask("PATCH", "/v1/extensions/1001", `{"settings":{"dnd":true}}`, user...), 403)
	want(t, "no settings", d.ask("PATCH", "/v1/extensions/9000", `{"settings":{"dnd":true}}`, boss...), 409, "has no settings")
	want(t, "nothing", d.ask("PATCH", "/v1/extensions/1001", `{}`, boss...), 400, "want {")
	want(t, "unknown", d.ask("PATCH", "/v1/extensions/1001", `{"settings":{"dnb":true}}`, boss...), 400, "dnb")
	want(t, "no such number", d.ask("GET", "/v1/extensions/7", "", user...), 404, "no number 7")
	want(t, "status", d.ask("GET", "/v1/status", "", user...), 200, `"ok":false`, "Not well: voice: is hoarse", `{"name":"disk","ok":true`)
	want(t, "samples", d.ask("GET", "/v1/samples?url=http://127.0.0.1:8123", "", user...), 200, "php -S 127.0.0.1:8123")
	if body := d.ask("GET", "/v1/samples?url=http://127.0.0.1:8123", "", user...).Body.String(); strings.Contains(body, "8000") {
		t.Errorf("a sample still has port 8000: %s", body)
	}
	want(t, "sample elsewhere", d.ask("GET", "/v1/samples?url=http://x%3Brm:1", "", user...), 400)
}

func TestOneCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		c := d.Log.ForCall("a1", time.Now())
		for _, e := range []trace.Event{
			{Type: trace.CallStarted, From: "1001", To: "9000"}, {Type: trace.ScriptParsed, Doc: "a.xml", Body: "<Response/>"},
			{Type: trace.ScriptParsed, Doc: "http://app/b", Body: "<OzML/>"}, {Type: trace.ScriptParsed, Doc: "http://app/b", Body: "<OzML>2</OzML>"},
			{Type: trace.ScriptParsed, Doc: "quiet"},
		} {
			c.Emit(e)
		}
		want(t, "log of a call that is up", d.ask("GET", "/v1/calls/a1/log", "", user...), 200, `"seq":1`, `"seq":5`)
		c.Emit(trace.Event{Type: trace.CallEnded, Reason: "script"})
		c.Close()
		want(t, "without a row", d.ask("GET", "/v1/calls/a1", "", user...), 200, `"from":"1001"`, `"result":"script"`, `{"name":"http://app/b","url":"http://app/b","seq":3}`)
		row := store.Call{ID: "a1", From: "1001", Dialed: "9000", Result: "script", Script: "a.xml", Problem: "OZ1003 text before the XML",
			Recordings: []store.File{{Path: "x.wav", Format: "wav", Duration: 1500 * time.Millisecond}}}
		if err := d.Calls.History.(*store.Mem).PutCall(row); err != nil {
			t.Fatal(err)
		}
		want(t, "with a row", d.ask("GET", "/v1/calls/a1", "", user...), 200, `"file":"x.wav","url":"/recordings/x.wav?token=`, `"seconds":1.5`)
		want(t, "list", d.ask("GET", "/v1/calls", "", user...), 200, `"problem":"OZ1003 text before the XML"`, `"script":"a.xml"`, `"recordings":1`, `"doing":""`)
		want(t, "document", d.ask("GET", "/v1/calls/a1/documents?name=a.xml", "", user...), 200, `"text":"<Response/>"`)
		want(t, "the last of a name", d.ask("GET", "/v1/calls/a1/documents?name=http://app/b", "", user...), 200, `<OzML>2`)
		want(t, "by its event", d.ask("GET", "/v1/calls/a1/documents?name=http://app/b&seq=3", "", user...), 200, `"<OzML/>"`)
		want(t, "not kept", d.ask("GET", "/v1/calls/a1/documents?name=quiet", "", user...), 404)
		want(t, "none of that name", d.ask("GET", "/v1/calls/a1/documents?name=x", "", user...), 404)
		for _, path := range []string{"", "/log", "/documents?name=a", "/peaks", "/sound.wav", "/export.json", "/export.zip"} {
			want(t, "no call"+path, d.ask("GET", "/v1/calls/none"+path, "", user...), 404)
		}
		want(t, "no sound", d.ask("GET", "/v1/calls/a1/peaks", "", user...), 404)
		want(t, "width", d.ask("GET", "/v1/calls/a1/peaks?width=0", "", user...), 400)
		want(t, "no wav", d.ask("GET", "/v1/calls/a1/sound.wav", "", user...), 404)
		want(t, "export", d.ask("GET", "/v1/calls/a1/export.json", "", user...), 200, "call.started")
		if w := d.ask("GET", "/v1/calls/a1/export.zip", "", user...); w.Code != 200 || !strings.HasPrefix(w.Body.String(), "PK") {
			t.Errorf("zip: %d", w.Code)
		}
	})
}

// A slow is a client's connection whose deadlines are written down.
type slow struct {
	*httptest.ResponseRecorder
	read, write time.Time
}

func (s *slow) SetReadDeadline(t time.Time) error  { s.read = t; return nil }
func (s *slow) SetWriteDeadline(t time.Time) error { s.write = t; return nil }

// TestSlowRequest: who sends or takes nothing does not hold a request for ever.
func TestSlowRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		r := httptest.NewRequest("POST", "/v1/lint", stuck{})
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set(user[0], user[1])
		s := &slow{ResponseRecorder: httptest.NewRecorder()}
		d.mux.ServeHTTP(s, r)
		if left := time.Until(s.read); left <= 0 || left > time.Minute {
			t.Errorf("the body may take %v", left)
		}
		want(t, "cut short", s.ResponseRecorder, 400)
		r = httptest.NewRequest("GET", "/v1/commands", nil)
		r.Header.Set(user[0], user[1])
		s = &slow{ResponseRecorder: httptest.NewRecorder()}
		d.mux.ServeHTTP(s, r)
		if left := time.Until(s.write); left <= 0 || left > time.Minute {
			t.Errorf("the answer may take %v", left)
		}
	})
}

// stuck is a body that comes to its deadline.
type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, fmt.Errorf("stuck: %w", os.ErrDeadlineExceeded) }
