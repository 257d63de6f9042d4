package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"ozswitch/ozml"
	"ozswitch/ozml/trace"
	"ozswitch/switch/store"
)

// withTokens lets tokens into a desk.
func (d *desk) withTokens(t *testing.T) *TokenStore {
	t.Helper()
	s, err := OpenTokenStore(store.NewMem())
	if err != nil {
		t.Fatal(err)
	}
	d.Access.Tokens = s
	return s
}

// bearer are the headers of a new token.
func bearer(t *testing.T, s *TokenStore, user string, scopes ...Scope) []string {
	t.Helper()
	text, _, err := s.Issue(user, "test", scopes, time.Now().Add(time.Hour), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return []string{"Authorization", "Bearer " + text}
}

// samplePath fills the path of an operation.
func samplePath(path string) string {
	return strings.NewReplacer("{id}", "b81Qx", "{name}", "hello.xml", "{number}", "9000").Replace(path)
}

// TestScopes: each operation can be used by a token of its scope, and of no other.
func TestScopes(t *testing.T) {
	d := newDesk(t)
	tokens := d.withTokens(t)
	over, cancel := context.WithCancel(t.Context())
	cancel() // streams end at once
	for _, s := range scopes {
		token := bearer(t, tokens, "hashed", s.Scope) // who may all
		for _, o := range d.operations() {
			if o.who == anybody {
				continue
			}
			r := httptest.NewRequest(o.method, samplePath(o.path), nil).WithContext(over)
			r.Header.Set(token[0], token[1])
			w := ask(d.mux, r)
			challenge := w.Header().Get("WWW-Authenticate")
			short := w.Code == http.StatusForbidden && strings.Contains(challenge, "insufficient_scope")
			if want := o.scope != s.Scope; short != want {
				t.Errorf("%s with a token for %s: %d %s, refused for its scope: %v, want %v", o.id, s.Scope, w.Code, w.Body, short, want)
			}
			if short && o.scope != "" && !strings.Contains(challenge, fmt.Sprintf(`scope="%s"`, o.scope)) {
				t.Errorf("%s does not say which scope it needs: %s", o.id, challenge)
			}
		}
	}
	for _, c := range d.Table.Commands() {
		if c.In&ozml.API != 0 && commandScope(c.Name) == "" && !slices.Contains(commandScopes[""], c.Name) {
			t.Errorf("no scope is named for the command %s: see commandScopes", c.Name)
		}
	}
}

// TestDocument: the document has each operation, with its scope, and each scope
// says what it allows.
func TestDocument(t *testing.T) {
	d := newDesk(t)
	w := d.ask("GET", "/v1/openapi.json", "")
	want(t, "to anybody", w, 200)
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			OperationID, Summary string
			Security             []map[string][]string
			Responses            map[string]any
		}
		Components struct {
			Schemas         map[string]any
			SecuritySchemes map[string]struct{ Description string }
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil || doc.OpenAPI != "3.1.0" {
		t.Fatalf("%q, %v", doc.OpenAPI, err)
	}
	ids := map[string]bool{}
	n := 0
	for _, at := range doc.Paths {
		n += len(at)
	}
	for _, o := range d.operations() {
		is, ok := doc.Paths[o.path][strings.ToLower(o.method)]
		if !ok || is.OperationID != o.id || is.Summary == "" || ids[o.id] || len(is.Responses) < 3 {
			t.Errorf("%s %s is not told as %s: %+v", o.method, o.path, o.id, is)
		}
		ids[o.id] = true
		var needs []string
		for _, way := range is.Security {
			needs = append(needs, way[byToken]...)
		}
		if got := strings.Join(needs, ""); got != string(o.scope) {
			t.Errorf("%s says that it needs %q of a token, want %q", o.id, got, o.scope)
		}
	}
	if n != len(ids) {
		t.Errorf("the document has %d operations, there are %d", n, len(ids))
	}
	page, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range scopes {
		if row := fmt.Sprintf("| `%s` | %s |\n", s.Scope, s.Says); !strings.Contains(string(page), row) {
			t.Errorf("docs/api.md lacks the row %s", row)
		}
		if !strings.Contains(doc.Components.SecuritySchemes[byToken].Description, "`"+string(s.Scope)+"`: "+s.Says) {
			t.Errorf("the scope %s is not explained", s.Scope)
		}
	}
	for line := range strings.SplitSeq(w.Body.String(), `"$ref":"`) {
		if ref, _, ok := strings.Cut(line, `"`); ok && strings.HasPrefix(ref, "#/components/schemas/") && doc.Components.Schemas[strings.TrimPrefix(ref, "#/components/schemas/")] == nil {
			t.Errorf("%s leads nowhere", ref)
		}
	}
	for _, part := range []string{`"$schema"`, "patternDescription", "Huma"} {
		if strings.Contains(w.Body.String(), part) {
			t.Errorf("the document has %s", part)
		}
	}
	want(t, "from a denied address", ask(d.mux, from("10.9.0.1:1", bare("/v1/openapi.json"))), 403)
}

// TestForms: what is wrong with a request is told with its place, and what was
// sent is not sent back.
func TestForms(t *testing.T) {
	d := newDesk(t)
	for _, c := range []struct{ what, method, path, body, place string }{
		{"missing", "POST", "/v1/calls", `{}`, `{"location":"body","message":"expected required property to to be present"}`},
		{"unknown", "POST", "/v1/calls", `{"to":"1","secret":"geheim1"}`, `{"location":"body.secret","message":"unexpected property"}`},
		{"of another kind", "POST", "/v1/calls", `{"to":7}`, `{"location":"body.to","message":"expected string"}`},
		{"of no word", "PUT", "/v1/extensions/9000", `{"type":"geheim1"}`, `"location":"body.type"`},
		{"keys", "POST", "/v1/calls/b81Qx/keys", `{"keys":"geheim1"}`, `"location":"body.keys","message":"expected string to be 1 to 64 out of 0-9 * # A-D"`},
		{"no JSON", "POST", "/v1/calls", `{"to":"geheim1"`, `"location":"body"`},
		{"query", "GET", "/v1/calls?rows=geheim1", ``, `"location":"query.rows"`},
		{"two things", "POST", "/v1/calls", `{"from":1,"x":2}`, `"location":"body.x"`},
		{"of a command", "POST", "/v1/commands/Call", `{"Dialed":"1","Url":"geheim1"}`, `"location":"body.Url"`},
		{"of a command, unknown", "POST", "/v1/commands/Hangup", `{"CallId":"1","CalId":"geheim1"}`, `did you mean CallId`},
		{"of a command, a list", "POST", "/v1/commands/Hangup", `{"CallId":["geheim1"]}`, `want a text, a number, or true or false`},
		{"of a command, twice", "POST", "/v1/commands/Hangup", `{"CallId":"geheim1","callid":"b81Qx"}`, `it is the same as`},
	} {
		who := boss
		if strings.Contains(c.path, "commands") {
			who = user
		}
		w := d.ask(c.method, c.path, c.body, who...)
		want(t, c.what, w, 400, c.place, `"status":400`, `"title":"Bad Request"`)
		// The table quotes what it complains of, in scripts as here.
		if !strings.Contains(c.path, "commands") && strings.Contains(w.Body.String(), "geheim1") {
			t.Errorf("%s: what was sent is sent back: %s", c.what, w.Body)
		}
	}
	want(t, "no such command", d.ask("POST", "/v1/commands/Dance", `{}`, user...), 404, `"code":301`)
	want(t, "no command of the API", d.ask("POST", "/v1/commands/Delay", `{}`, user...), 404, `"code":303`)
	want(t, "no right to the API", d.ask("POST", "/v1/commands/ListActiveCalls", "", boss...), 403, `"code":306`)
	want(t, "no body is one without parameters", d.ask("POST", "/v1/commands/ListActiveCalls", "", user...), 200, `"active_calls":[{"call_id":"b81Qx"`, `"ring_duration":1.204`)
}

func TestTokensOfUsers(t *testing.T) {
	d := newDesk(t)
	want(t, "none are kept", d.ask("GET", "/v1/calls", "", "Authorization", "Bearer x"), 401, `"code":305`)
	tokens := d.withTokens(t)
	w := d.ask("POST", "/v1/tokens", `{"name":"board","scopes":["calls:read"]}`, user...)
	want(t, "one's own", w, 201, `"user":"HTTP_User_1"`, `"scopes":["calls:read"]`, `"token":"`)
	var made tokenIssued
	if err := json.Unmarshal(w.Body.Bytes(), &made); err != nil || made.Expires.Sub(made.Made) < 80*24*time.Hour {
		t.Fatalf("%s: %v", w.Body, err)
	}
	token := []string{"Authorization", "bearer " + made.Token}
	want(t, "calls", d.ask("GET", "/v1/calls", "", token...), 200, `"live":[{"id":"b81Qx"`)
	want(t, "no events", d.ask("GET", "/v1/events", "", token...), 403, "events:read", `"code":306`)
	want(t, "no tokens by tokens", d.ask("POST", "/v1/tokens", `{"name":"x","scopes":["calls:write"]}`, token...), 403)
	want(t, "not in the address", d.ask("GET", "/v1/calls?access_token="+made.Token, ""), 401)
	want(t, "its id is no secret", d.ask("GET", "/v1/calls", "", "Authorization", "Bearer "+made.ID), 401)
	if h := d.ask("GET", "/v1/calls", "", "Authorization", "Bearer x").Header().Get("WWW-Authenticate"); !strings.Contains(h, `error="invalid_token"`) {
		t.Errorf("a bad token: %s", h)
	}
	w = d.ask("GET", "/v1/tokens", "", user...)
	want(t, "list", w, 200, made.ID, `"used":"`)
	if strings.Contains(w.Body.String(), made.Token) {
		t.Errorf("the list tells the secret: %s", w.Body)
	}
	want(t, "another's are not told", d.ask("GET", "/v1/tokens", "", as("Ann", "ann12345")...), 200, "[]")
	want(t, "another's is not ended", d.ask("DELETE", "/v1/tokens/"+made.ID, "", as("Ann", "ann12345")...), 404)
	want(t, "for another", d.ask("POST", "/v1/tokens", `{"name":"x","scopes":["calls:read"],"user":"Ann"}`, user...), 403)
	want(t, "for another, by an admin", d.ask("POST", "/v1/tokens", `{"name":"x","scopes":["phone"],"user":"ann"}`, boss...), 201, `"user":"Ann"`)
	want(t, "for nobody", d.ask("POST", "/v1/tokens", `{"name":"x","scopes":["phone"],"user":"none"}`, boss...), 409)
	for _, body := range []string{`{"name":"x","scopes":[]}`, `{"name":"x","scopes":["all"]}`, `{"name":"","scopes":["phone"]}`,
		`{"name":"x","scopes":["phone"],"expires":"2020-01-01T00:00:00Z"}`, `{"name":"x","scopes":["phone"],"expires":"2999-01-01T00:00:00Z"}`} {
		want(t, body, d.ask("POST", "/v1/tokens", body, user...), 400)
	}
	want(t, "ended by an admin", d.ask("DELETE", "/v1/tokens/"+made.ID, "", boss...), 204)
	want(t, "is over", d.ask("GET", "/v1/calls", "", token...), 401)
	want(t, "never more than its user", d.ask("DELETE", "/v1/scripts/hello.xml", "", bearer(t, tokens, "HTTP_User_1", ScriptsWrite)...), 403, "admin")

	next := &Access{Users: []User{{Name: "HTTP_User_1", Password: "x", API: true}}, Tokens: tokens}
	next.Prepare()
	if left := tokens.List("", time.Now()); len(left) != 1 || left[0].User != "HTTP_User_1" {
		t.Errorf("after a reload without Ann: %+v", left)
	}
}

// TestTokenElsewhere: recordings and streams take tokens, and a stream ends with
// its token.
func TestTokenElsewhere(t *testing.T) {
	d := newDesk(t)
	tokens := d.withTokens(t)
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/a.wav", []byte("RIFF"), 0o600); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	files := http.NewServeMux()
	files.Handle("GET /recordings/{file...}", &Recordings{Root: root, Tokens: d.Tokens, Access: d.Access})
	get := func(who []string) int { return ask(files, with(bare("/recordings/a.wav"), who[0], who[1])).Code }
	if hear, see := get(bearer(t, tokens, "Ann", RecordingsRead)), get(bearer(t, tokens, "Ann", CallsRead)); hear != 200 || see != 403 {
		t.Errorf("a recording: %d and %d, want 200 and 403", hear, see)
	}

	who := bearer(t, tokens, "Ann", EventsRead)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		ask(d.mux, with(bare("/v1/events"), who[0], who[1]).WithContext(ctx))
	}()
	for _, g := range tokens.List("Ann", time.Now()) {
		if g.Has(EventsRead) {
			if err := tokens.Revoke("Ann", g.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	c := d.Log.ForCall("a9", time.Now())
	defer c.Close()
	c.Emit(trace.Event{Type: trace.Key})
	<-ended
	if ctx.Err() != nil {
		t.Error("the stream goes on after its token was revoked")
	}
}

// TestAnswersAreDescribed: what the operations answer is what the document says.
func TestAnswersAreDescribed(t *testing.T) {
	d := newDesk(t)
	d.withTokens(t)
	d.Lines = func() []Line { return []Line{{Name: "a"}} }
	if err := d.Calls.History.(*store.Mem).PutCall(store.Call{ID: "b81Qx", Recordings: []store.File{{Path: "x.wav"}}, Legs: []store.Leg{{}}}); err != nil {
		t.Fatal(err)
	}
	c := d.Log.ForCall("b81Qx", time.Now())
	c.Emit(trace.Event{Type: trace.ScriptParsed, Doc: "a.xml", Body: "<Response/>"})
	c.Emit(trace.Event{Type: trace.CallEnded})
	c.Close()
	bodies := map[string]string{
		"signIn": `{"name":"boss","password":"boss12345"}`, "createCall": `{"to":"100"}`, "lintScript": `{"text":"<Response><Spaek/></Response>"}`,
		"runScript": `{"text":"<Response><Beep/></Response>"}`, "fetchSample": `{"url":"http://app/x"}`,
		"putExtension": `{"type":"api","url":"http://app/x"}`, "createToken": `{"name":"x","scopes":["phone"]}`, "putScript": `{"text":"<Response/>"}`,
	}
	seen := 0
	for _, o := range d.operations() {
		is := d.openapi.Paths[o.path]
		op := map[string]*huma.Operation{"GET": is.Get, "POST": is.Post, "PUT": is.Put, "PATCH": is.Patch, "DELETE": is.Delete}[o.method]
		good := op.Responses[fmt.Sprint(max(o.status, 200))]
		if good == nil || len(o.gives) > 0 || strings.HasPrefix(o.path, commandsPath) || o.method != "GET" && bodies[o.id] == "" {
			continue
		}
		w := d.ask(o.method, samplePath(o.path), bodies[o.id], append([]string{"If-Match", "*"}, boss...)...)
		if w.Code >= 300 {
			if o.id != "getCallPeaks" { // there is no sound
				t.Errorf("%s: %d %s", o.id, w.Code, w.Body)
			}
			continue
		}
		var value any
		decode(t, w, &value)
		var res huma.ValidateResult
		huma.Validate(d.openapi.Components.Schemas, good.Content["application/json"].Schema, huma.NewPathBuffer([]byte{}, 0), huma.ModeReadFromServer, value, &res)
		for _, err := range res.Errors {
			t.Errorf("%s: the document says otherwise: %v\n%s", o.id, err, w.Body)
		}
		seen++
	}
	if seen < 20 {
		t.Errorf("only %d answers were compared", seen)
	}
}
