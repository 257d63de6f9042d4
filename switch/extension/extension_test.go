package extension

import (
	"slices"
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	phone := Extension{Number: "1001", Type: Phone, Password: "p"}
	with := func(f func(e *Extension)) Extension { e := phone; f(&e); return e }
	for _, c := range []struct {
		name string
		e    Extension
		want string // parts, in order; "" = no fault
	}{
		{"phone", phone, ""},
		{"phone that does not register", Extension{Number: "1", Type: Phone, Contact: "sip:a@b"}, ""},
		{"api", Extension{Number: "9000", Type: API, URL: "http://127.0.0.1:8080/ivr.php"}, ""},
		{"script", Extension{Number: "9100", Type: Script, File: "hello.xml", RecordChannels: 2, Digest: "both"}, ""},
		{"nothing", Extension{}, "number is missing; type is missing"},
		{"number", with(func(e *Extension) { e.Number = "10 01" }), "number: want"},
		{"unknown type", Extension{Number: "9200", Type: "fax"}, `"fax" is unknown`},
		{"phone without password", with(func(e *Extension) { e.Password = "" }), "wants a password"},
		{"api without url", Extension{Number: "9", Type: API}, "wants a url"},
		{"script without file", Extension{Number: "9", Type: Script}, "wants a file"},
		{"digest", with(func(e *Extension) { e.Digest = "sha1" }), "digest"},
		{"channels", with(func(e *Extension) { e.RecordChannels = 3 }), "record_channels"},
		{"bad URLs", with(func(e *Extension) { e.ErrorURL, e.SMSURL = "ftp://x/", "app.php" }), "error_url: want; sms_url: want"},
	} {
		got := ""
		if err := c.e.Check(); err != nil {
			got = strings.ReplaceAll(err.Error(), "\n", "; ")
		}
		rest := got
		for _, part := range strings.Split(c.want, "; ") {
			i := strings.Index(rest, part)
			if i < 0 || c.want == "" && got != "" {
				t.Errorf("%s: Check = %q, want %q", c.name, got, c.want)
				break
			}
			rest = rest[i:]
		}
	}
	secret := Extension{Number: "9", Type: API, URL: "http://u:hunter2@/x"}
	if err := secret.Check(); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("Check = %v, want a fault that keeps the password to itself", err)
	}
}

func TestSet(t *testing.T) {
	list := []Extension{{Number: "1001", Type: Phone, Password: "p", Name: "Ann"}, {Number: "9000", Type: API, URL: "http://a/", FallbackURL: "http://b/"}}
	s, err := NewSet(list)
	if err != nil {
		t.Fatal(err)
	}
	list[0].Name = "changed"
	if e, ok := s.Find("1001"); !ok || e.Name != "Ann" {
		t.Errorf("Find(1001) = %+v, %v, want Ann", e, ok)
	}
	if _, ok := s.Find("1002"); ok || s.Has("1002") || !s.Has("9000") {
		t.Error("the set knows 1002, or not 9000")
	}
	if e, _ := s.Find("9000"); !slices.Equal(e.URLs(), []string{"http://a/", "http://b/"}) || !e.RunsScript() {
		t.Errorf("9000: URLs = %q, RunsScript = %v", e.URLs(), e.RunsScript())
	}
	_, err = NewSet([]Extension{{Number: "1", Type: API}, {Type: Phone, Password: "p"}, {Number: "1", Type: Script, File: "x"}})
	want := "extension 1: an api extension wants a url\nextension number 2 of the list: number is missing\nextension 1: stands twice"
	if err == nil || err.Error() != want {
		t.Errorf("NewSet = %v\nwant %s", err, want)
	}
}

func TestWeak(t *testing.T) {
	for _, c := range []struct {
		password, number string
		weak             bool
	}{{"short", "", true}, {"secret1", "", true}, {"Password1", "", true}, {"1001-1001", "1001", true}, {"correct horse", "1001", false}} {
		if got := Weak(c.password, c.number); got != "" != c.weak {
			t.Errorf("Weak(%q, %q) = %q, want weak %v", c.password, c.number, got, c.weak)
		}
	}
}

func TestSeal(t *testing.T) {
	s, err := NewSet([]Extension{{Number: "1", Type: Phone, Password: "secret"}, {Number: "2", Type: Phone, Contact: "sip:x"}})
	if err != nil {
		t.Fatal(err)
	}
	shown := ""
	s.Seal(func(e Extension) { shown += e.Number + e.Password })
	if e, _ := s.Find("1"); shown != "1secret" || e.Password != "" {
		t.Errorf("Seal showed %q and left %q, want 1secret and nothing", shown, e.Password)
	}
}
