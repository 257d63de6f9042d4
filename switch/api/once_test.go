package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"ozswitch/ozml"
	"ozswitch/switch/store"
)

func TestOnce(t *testing.T) {
	d := newDesk(t)
	mem := store.NewMem()
	once, err := OpenOnce(mem, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	*d.Once = Once{keep: once.keep, all: once.all}
	call := func(body, key string, who []string) *httptest.ResponseRecorder {
		d.calls.dialed = ozml.Dial{}
		return d.ask("POST", "/v1/calls", body, append([]string{"Idempotency-Key", key}, who...)...)
	}
	dialed := func() bool { return d.calls.dialed.To != "" }
	const one, other = `{"to":"100"}`, `{"to":"100","from":"9000"}`

	first := call(one, "k1", user)
	want(t, "the first", first, 201, `{"id":"q7Lx2"}`)
	if !dialed() || first.Header().Get(onceAgain) != "" {
		t.Errorf("the first did not dial, or is told as one of before: %v", first.Header())
	}
	again := call(one, "k1", user)
	want(t, "again", again, 201, `{"id":"q7Lx2"}`)
	if dialed() || again.Header().Get(onceAgain) != "true" || again.Body.String() != first.Body.String() || again.Header().Get("Content-Type") != "application/json" {
		t.Errorf("again: dialled %v, %v %s", dialed(), again.Header(), again.Body)
	}
	want(t, "another request", call(other, "k1", user), 422, "another request")
	if dialed() {
		t.Error("another request of the same key dialled")
	}
	if call(one, "k1", as("Ann", "ann12345")); !dialed() {
		t.Error("another user's key is his own")
	}
	if call(one, "k2", user); !dialed() {
		t.Error("another key does nothing")
	}
	want(t, "a bad form", call(`{}`, "k3", user), 400)
	if w := call(one, "k3", user); w.Code != 201 || !dialed() {
		t.Errorf("what was refused by its form counts: %d", w.Code)
	}
	want(t, "busy", call(`{"to":"busy"}`, "k4", user), 409, `"code":402`)
	w := call(`{"to":"busy"}`, "k4", user)
	want(t, "busy, again", w, 409, `"code":402`)
	if dialed() || w.Header().Get(onceAgain) == "" {
		t.Error("a call that was busy is made again")
	}
	want(t, "a long key", call(one, strings.Repeat("k", 256), user), 400)
	want(t, "a large body", call(`{"to":"`+strings.Repeat("1", 70_000)+`"}`, "k5", user), 413)
	for _, path := range []string{"/v1/commands/Hangup", "/v1/calls/b81Qx/hangup"} {
		for range 2 { // the second would be 601
			w := d.ask("POST", path, map[bool]string{true: `{"CallId":"Nt3uh"}`, false: ""}[strings.Contains(path, "commands")], append([]string{"Idempotency-Key", path}, user...)...)
			if w.Code >= 300 {
				t.Errorf("%s: %d %s", path, w.Code, w.Body)
			}
		}
	}

	for range 2 { // which makes two: no answer that is a secret is kept
		w := d.ask("POST", "/v1/commands/GenerateSecurityToken", "", append([]string{"Idempotency-Key", "t"}, user...)...)
		if w.Header().Get(onceAgain) != "" {
			t.Errorf("a token is kept: %s", w.Body)
		}
	}
	for row, err := range mem.Settings(t.Context(), oncePrefix) {
		if err != nil || strings.Contains(string(row.Doc), "security_token") {
			t.Errorf("%s %v", row.Doc, err)
		}
	}

	after, err := OpenOnce(mem, time.Now()) // a restart
	if err != nil || len(after.all) == 0 {
		t.Fatalf("a restart keeps %d, %v", len(after.all), err)
	}
	*d.Once = Once{keep: after.keep, all: after.all}
	if w := call(one, "k1", user); dialed() || w.Code != 201 {
		t.Errorf("after a restart it dials again: %d", w.Code)
	}
	if late, err := OpenOnce(mem, time.Now().Add(onceLife)); err != nil || len(late.all) != 0 {
		t.Errorf("after a day %d are kept, %v", len(late.all), err)
	}
}

func TestOnceWhileItRuns(t *testing.T) {
	o := &Once{}
	now := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	mine, _, p := o.begin("a", []byte("x"), now)
	if mine == nil || p != nil {
		t.Fatal(p)
	}
	if _, _, p := o.begin("a", []byte("x"), now); p == nil || p.Status != http.StatusConflict {
		t.Errorf("the same at the same time: %v, want 409", p)
	}
	o.end("a", mine, &taken{ResponseWriter: httptest.NewRecorder()}, false) // it was not begun
	mine, _, p = o.begin("a", []byte("x"), now)
	if mine == nil || p != nil {
		t.Errorf("after one that did nothing: %v", p)
	}
	o.end("a", mine, &taken{ResponseWriter: httptest.NewRecorder(), status: 201}, true)
	if _, before, _ := o.begin("a", []byte("x"), now.Add(onceLife-1)); before == nil || before.Status != 201 {
		t.Errorf("within a day: %+v", before)
	}
	if mine, _, _ := o.begin("a", []byte("y"), now.Add(onceLife)); mine == nil {
		t.Error("after a day the key is not free")
	}
	for i := range maxOnce + 10 { // bounded
		name := fmt.Sprint(i)
		one, _, _ := o.begin(name, nil, now.Add(time.Duration(i)))
		o.end(name, one, &taken{ResponseWriter: httptest.NewRecorder(), status: 200}, true)
	}
	if len(o.all) > maxOnce {
		t.Errorf("%d are kept, want at most %d", len(o.all), maxOnce)
	}
	if o.all["0"] != nil || o.all[fmt.Sprint(maxOnce)] == nil {
		t.Error("it is not the oldest that goes")
	}
}

func TestCursors(t *testing.T) {
	d := newDesk(t)
	mem := d.Calls.History.(*store.Mem)
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	put := func(id string, after time.Duration) {
		if err := mem.PutCall(store.Call{ID: id, From: "1001", Started: at.Add(after)}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 7 {
		put(fmt.Sprint("c", i), time.Duration(i/2)*time.Second) // two of each start
	}
	var seen []string
	next := ""
	for page := range 4 { // the last has one
		w := d.ask("GET", "/v1/calls?limit=2&cursor="+next, "", user...)
		want(t, "page", w, 200, `"past_total":`)
		var list struct {
			Past []struct{ ID string }
			Next string `json:"next_cursor"`
		}
		decode(t, w, &list)
		for _, c := range list.Past {
			seen = append(seen, c.ID)
		}
		put(fmt.Sprint("new", page), time.Hour+time.Duration(page)) // new ones come first, and move nothing
		if next = list.Next; next == "" {
			break
		}
	}
	if got := strings.Join(seen, " "); got != "c6 c5 c4 c3 c2 c1 c0" || next != "" {
		t.Errorf("the pages are %s", got)
	}
	for _, bad := range []string{"x", "eA", "MTIz"} {
		want(t, "cursor "+bad, d.ask("GET", "/v1/calls?cursor="+bad, "", user...), 400, "cursor")
	}

	w := d.ask("GET", "/v1/extensions?limit=1", "", user...)
	want(t, "extensions", w, 200, `"number":"1001"`)
	link, _, ok := strings.Cut(strings.TrimPrefix(w.Header().Get("Link"), "<"), `>; rel="next"`)
	if !ok || strings.Contains(w.Body.String(), "9000") {
		t.Fatalf("the first page: %q %s", w.Header().Get("Link"), w.Body)
	}
	w = d.ask("GET", link, "", user...)
	want(t, "the second", w, 200, `"number":"9000"`)
	if w.Header().Get("Link") != "" || strings.Contains(w.Body.String(), `"1001"`) {
		t.Errorf("the last page: %q %s", w.Header().Get("Link"), w.Body)
	}
	want(t, "one that is gone", d.ask("GET", "/v1/scripts?cursor=eA", "", user...), 410)
	want(t, "no cursor", d.ask("GET", "/v1/scripts?cursor=*", "", user...), 400)
	if w := d.ask("GET", "/v1/scripts", "", user...); w.Header().Get("Link") != "" {
		t.Error("all of it has a next page")
	}
}

func decode(t *testing.T, w *httptest.ResponseRecorder, v any) {
	t.Helper()
	if err := json.Unmarshal(w.Body.Bytes(), v); err != nil {
		t.Fatalf("%s: %v", w.Body, err)
	}
}
