package server

import (
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ozswitch/media/pace"
	"ozswitch/ozml/trace"
	"ozswitch/switch/api"
)

// zeros makes passwords that are always the same.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// newDev makes a switch of `dev` on any ports; nothing runs.
func newDev(t *testing.T, dir, script string) (*Server, []string) {
	t.Helper()
	c, err := Dev(io.Reader(zeros{}), script)
	if err != nil {
		t.Fatal(err)
	}
	c.Data, c.Speech.Engine = dir, "http" // which starts nothing
	c.Speech.URL = "http://127.0.0.1:1/"
	told, err := c.Kept()
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(c, Options{Version: "test", Slog: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, told
}

func TestScriptFiles(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(t.TempDir(), "mine.xml")
	if err := os.WriteFile(outside, []byte("<Response/>"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, _ := newDev(t, dir, outside)
	f := s.files
	one, err := f.Read("hello.xml")
	if err != nil || one.Text != string(hello) || !one.Editable || one.Source != "file" || len(one.Numbers) != 0 {
		t.Errorf("hello.xml: %+v, %v", one, err)
	}
	mine, err := f.Read("mine.xml")
	if err != nil || mine.Text != "<Response/>" || len(mine.Numbers) != 1 || mine.Numbers[0] != "9000" {
		t.Errorf("the script of --script: %+v, %v", mine, err)
	}
	if err := f.Write("mine.xml", "<OzML/>", `"old"`); !errors.Is(err, api.ErrChanged) {
		t.Errorf("a stale write: %v", err)
	}
	if err := f.Write("mine.xml", "<OzML/>", mine.ETag); err != nil {
		t.Error(err)
	}
	if b, _ := os.ReadFile(outside); string(b) != "<OzML/>" {
		t.Errorf("the file holds %s", b)
	}
	if err := f.Delete("mine.xml", api.ETag("<OzML/>")); !errors.Is(err, api.ErrFixed) {
		t.Errorf("a file that is not ours is deleted: %v", err)
	}
	if err := f.Write("new.xml", "<Response/>", ""); err != nil {
		t.Error(err)
	}
	if b, err := s.readScript("new.xml"); err != nil || string(b) != "<Response/>" {
		t.Errorf("a call reads %s, %v", b, err)
	}
	// Nothing leads out of the folder.
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "scripts", "link.xml")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"link.xml", "../secret.key", "/etc/passwd", "a/../../secret.key", "", ".", ".."} {
		if one, err := f.Read(name); err == nil {
			t.Errorf("%q gives %q", name, one.Text)
		}
	}
	if b, err := s.readScript("../secret.key"); err == nil {
		t.Errorf("a call reads %q out of the folder", b)
	}
	all, err := f.List()
	if err != nil || len(all) != 3 {
		t.Errorf("list: %v, %v", all, err)
	}
	if err := f.Delete("hello.xml", api.ETag(string(hello))); err != nil {
		t.Error(err)
	}
	if one, err := f.Read("hello.xml"); err != nil || one.Source != "builtin" || one.Editable {
		t.Errorf("without the file: %+v, %v", one, err)
	}
}

// TestNumber: what the console sets counts from the next call on, and after a
// restart; passwords of telephones stay.
func TestNumber(t *testing.T) {
	dir := t.TempDir()
	s, told := newDev(t, dir, "")
	if len(told) != 0 {
		t.Errorf("a first start tells %q", told)
	}
	before := s.state.Load()
	if err := s.setNumber("9000", api.NumberChange{Type: "api", URL: "http://127.0.0.1:8000/ivr.php"}); err != nil {
		t.Fatal(err)
	}
	after := s.state.Load()
	if e, _ := after.exts.Find("9000"); string(e.Type) != "api" || e.URL != "http://127.0.0.1:8000/ivr.php" {
		t.Errorf("9000 is %+v", e)
	}
	if len(after.accounts) != len(before.accounts) || after.phones["1001"] == "" || after.phones["1001"] != before.phones["1001"] {
		t.Error("the telephones have changed")
	}
	if e, _ := before.exts.Find("9000"); e.URL != "" {
		t.Error("the state of before was changed, not replaced")
	}
	for number, status := range map[string]int{"7": http.StatusNotFound, "1001": http.StatusConflict} {
		err := s.setNumber(number, api.NumberChange{Type: "script", File: "hello.xml"})
		if r, ok := errors.AsType[*api.Refusal](err); !ok || r.Status != status {
			t.Errorf("%s: %v, want %d", number, err, status)
		}
	}
	s.Close()
	s, told = newDev(t, dir, "")
	if e, _ := s.state.Load().exts.Find("9000"); e.URL != "http://127.0.0.1:8000/ivr.php" || len(told) != 1 || !strings.Contains(told[0], "9000 runs http://127.0.0.1:8000/ivr.php") {
		t.Errorf("after a restart: %+v, told %q", e, told)
	}
	s.Close()
	if _, told = newDev(t, dir, "other.xml"); len(told) != 0 {
		t.Errorf("--script does not win: %q", told)
	}
	if _, err := os.Stat(filepath.Join(dir, numbersFile+".new")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something is left over: %v", err)
	}
}

func TestDescribe(t *testing.T) {
	s, _ := newDev(t, t.TempDir(), "")
	d := s.describe(api.User{Name: "dev", Phone: "1001"})
	if d.Phone == nil || d.Phone.URI != "sip:1001@localhost" || d.Phone.Password == "" || d.Phone.Password == stars || d.Script != "9000" || !d.Dev {
		t.Errorf("got %+v, phone %+v", d, d.Phone)
	}
	if d := s.describe(api.User{Name: "other"}); d.Phone != nil {
		t.Errorf("a user without a phone is told %+v", d.Phone)
	}
	if st := s.state.Load(); st.cfg.Users[0].Password != "" || !strings.HasPrefix(st.users[0].Password, "$argon2id$") {
		t.Error("a user's password is kept as it was")
	}
}

func TestFigures(t *testing.T) {
	var f figures
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 30 {
		f.call(now.Add(time.Duration(i) * time.Second))
	}
	f.ended()
	f.call(now.Add(40 * time.Second))
	for i := range 100 {
		f.fetch(float64(i + 1))
	}
	if peak, rate, p95 := f.read(now.Add(50 * time.Second)); peak != 30 || rate != 31.0/60 || p95 != 95 {
		t.Errorf("peak %d, %v a second, p95 %v", peak, rate, p95)
	}
	if _, rate, _ := f.read(now.Add(80 * time.Second)); rate != 10.0/60 {
		t.Errorf("%v a second, want the 10 of the last minute", rate*60)
	}
	if _, rate, _ := f.read(now.Add(time.Hour)); rate != 0 {
		t.Errorf("%v a second an hour later", rate)
	}
	l := pace.Lag{Bounds: []time.Duration{time.Millisecond, 5 * time.Millisecond}, Counts: []uint64{990, 8, 2}, Max: 9 * time.Millisecond}
	if got := p99(l); got != 1 {
		t.Errorf("p99 %v, want 1 ms", got)
	}
	l.Counts = []uint64{900, 80, 20}
	if got := p99(l); got != 9 {
		t.Errorf("p99 %v, want 9 ms", got)
	}
	var d doing
	for _, e := range []trace.Event{
		{Type: trace.ScriptParsed, Doc: "a"}, {Type: trace.CommandStart, Name: "Speak", Line: 2, Col: 3}, {Type: trace.ScriptParsed, Doc: "b"},
		{Type: trace.ScriptFetch, Reason: trace.GivenUp, Code: "OZ1303"}, {Type: trace.Error, Code: "OZ1003", Text: "text before the XML\nmore"}, {Type: trace.Error, Code: "OZ9"},
	} {
		d.see(e)
	}
	script, at, _ := d.now()
	if first, problem := d.past(); script != "b" || first != "a" || at != "2:3 Speak" || problem != "OZ1003 text before the XML" {
		t.Errorf("%q %q %q %q", script, first, at, problem)
	}
}

// TestDoing: what runs innermost, and what is recorded meanwhile; who hung up.
func TestDoing(t *testing.T) {
	var d doing
	at := func(typ trace.Type, name string, line int) trace.Event {
		return trace.Event{Type: typ, Name: name, Line: line, Col: 3}
	}
	for _, c := range []struct {
		e    trace.Event
		want string
	}{
		{at(trace.CommandStart, "UserInput", 2), "2:3 UserInput"},
		{at(trace.CommandStart, "Speak", 4), "4:3 Speak"},
		{at(trace.CommandEnd, "Speak", 4), "2:3 UserInput"},
		{at(trace.CommandStart, "Record", 5), "5:3 Record"},
		{at(trace.RecordStart, "Record", 5), "5:3 Record, 5:3 recording"},
		{at(trace.CommandEnd, "Record", 5), "2:3 UserInput, 5:3 recording"},
		{at(trace.CommandFail, "UserInput", 2), "5:3 recording"},
		{at(trace.RecordEnd, "Record", 5), ""},
		{at(trace.RecordFail, "Record", 5), ""},
	} {
		d.see(c.e)
		if _, got, _ := d.now(); got != c.want {
			t.Errorf("after %s %s: %q, want %q", c.e.Type, c.e.Name, got, c.want)
		}
	}
	if got := d.reason("api"); got != "" {
		t.Errorf("ended by a program: %q", got)
	}
	d.byConsole()
	if api, caller := d.reason("api"), d.reason("caller"); api != fromConsole || caller != "" {
		t.Errorf("ended by a page: %q; by the caller before that: %q", api, caller)
	}
}
