package notify

import (
	"net/url"
	"strings"
	"testing"
)

func TestBlank(t *testing.T) {
	for in, want := range map[string]string{
		"http://app/ivr.php?a=1&b=2":                 "http://app/ivr.php?a=1&b=2",
		"https://user:pass@app:8080/x":               "https://***@app:8080/x",
		"https://user@app":                           "https://***@app",
		"http://app/mail@example":                    "http://app/mail@example",
		"http://app/?Password=x&Token=y&z=1#token=q": "http://app/?Password=***&Token=***&z=1#token=***",
		"http://app/?pass%77ord=x":                   "http://app/?pass%77ord=***",
		"http://user:pa/ss@app/x":                    "http://***@app/...",
		"http://user:pa?ss@app/x":                    "http://***@app/...",
		"http://user:pa ss@app":                      "http://***@app",
		"http:user:secret@app/":                      "***",
		"user:secret@app/":                           "***",
		"":                                           "",
		"not a URL":                                  "not a URL",
		"https://u:p@a@b/":                           "https://***@b/",
		"http://[::1%25eth0]:80/x":                   "http://[::1%25eth0]:80/x",
	} {
		if got := Blank(in); got != want {
			t.Errorf("Blank(%q) = %q, want %q", in, got, want)
		}
	}
}

// FuzzBlank: no credentials are left, whoever reads the result, and what has
// none stays a URL.
func FuzzBlank(f *testing.F) {
	f.Add("https://user:pass@app:8080/x?token=1#f", "hunter2")
	f.Add("http://app/a@b", "p@/?#&=%")
	f.Add("http:user:secret@app/", ":")
	f.Fuzz(func(t *testing.T, s, password string) {
		got := Blank(s)
		if u, err := url.Parse(got); err == nil && u.User != nil && u.User.String() != "%2A%2A%2A" && u.User.String() != blanked {
			t.Fatalf("Blank(%q) = %q, which has the credentials %q", s, got, u.User)
		}
		if again := Blank(got); strings.Contains(got, "@") && again != got && !strings.Contains(again, blanked) {
			t.Fatalf("Blank(%q) = %q, and of that %q", s, got, again)
		}
		// A password that is properly escaped is gone, wherever it is.
		if len(password) < 4 || strings.Contains("http://***@app/x?token=***&a=1", url.QueryEscape(password)) {
			return
		}
		u := url.URL{Scheme: "http", User: url.UserPassword("me", password), Host: "app", Path: "/x", RawQuery: "token=" + url.QueryEscape(password) + "&a=1"}
		if got, want := Blank(u.String()), "http://***@app/x?token=***&a=1"; got != want {
			t.Fatalf("Blank(%q) = %q, want %q", u.String(), got, want)
		}
	})
}
