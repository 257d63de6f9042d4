package addressbook

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ozswitch/ozml"
)

func TestParseFile(t *testing.T) {
	for _, c := range []struct{ name, file, src, want string }{
		{"commas", "a.csv", "Name,PhoneNumber,Email\nAnn,1001,a@x\n\"Bob, Jr.\",1002,\n", "[{Ann 1001 a@x} {Bob, Jr. 1002 }]"},
		{"semicolons, a mark, other names", "a.CSV", "\xef\xbb\xbffirst name;Last_Name;E-Mail;mobile;Business Phone;Remarks\r\nÉva;Kovács;e@x;1;2;never mind\r\n", "[{Éva Kovács 1 e@x} {Éva Kovács 2 e@x}]"},
		{"tabs, and short lines", "a.csv", "phone\tname\n1\n2\tTwo\textra\n\n", "[{ 1 } {Two 2 }]"},
		{"nothing", "a.csv", "", "[]"},
		{"a head only", "a.csv", "name,phone", "[]"},
		{"no head", "a.csv", "Ann,1001\n", "the first line must name the columns: Name, PhoneNumber, Email"},
		{"a quote without end", "a.csv", "name\n\"Ann", "[{Ann  }]"},
		{"not UTF-8", "a.csv", "name\nK\xf6nig", "the file is not UTF-8"},
		{"no kind of ours", "a.txt", "name\nAnn", "want a file whose name ends with .csv or .vcf"},
		{"version 4", "a.vcf", "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Ann\\, Dr.\r\nTEL;VALUE=uri;TYPE=home:tel:+36-1\r\nitem1.TEL:2\r\nEMAIL;PREF=1:a@\r\n x.org\r\nEND:VCARD\r\n", "[{Ann, Dr. +36-1 a@x.org} {Ann, Dr. 2 a@x.org}]"},
		{"N where FN is missing", "a.vcf", "begin:vcard\nN:Kovács;Éva;;;\ntel:1\nend:vcard\nBEGIN:VCARD\nFN:Bob\nEND:VCARD", "[{Éva Kovács 1 } {Bob  }]"},
		{"version 2.1", "a.vcf", "BEGIN:VCARD\nFN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:J=C3=B6rg=\n =C3=B6\nTEL;CELL:1\nEND:VCARD", "[{Jörg ö 1 }]"},
		{"cut off", "a.vcf", "BEGIN:VCARD\nFN:Ann\n", "the last card has no END:VCARD"},
		{"no card", "a.vcf", "FN:Ann\n", "there is no BEGIN:VCARD"},
		{"an empty one", "a.vcf", "\n", "[]"},
	} {
		all, err := ParseFile(c.file, []byte(c.src))
		got := fmt.Sprint(all)
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	if _, err := ParseFile("a.csv", make([]byte, maxFile+1)); err == nil || !strings.Contains(err.Error(), "8 MiB") {
		t.Errorf("a huge file: %v", err)
	}
}

func TestParseJSON(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{"an array", `[{"Name":"Ann","PhoneNumber":"1","Email":"a@x"}]`, "[{Ann 1 a@x}] 1 0"},
		{"an object", `{"TotalRecords":7,"Contacts":[{"full_name":"Ann","phone":1001},{"display name":"Bob","Tel":["1","2"],"extra":{}}]}`, "[{Ann 1001 } {Bob 1 } {Bob 2 }] 2 7"},
		{"nothing", `{"entries":[]}`, "[] 0 0"},
		{"null", `[{"name":null,"phone":"1"}]`, "[{ 1 }] 1 0"},
		{"no list", `{"error":"no"}`, "its answer has no list"},
		{"a text", `"hello"`, "its answer has no list"},
		{"no JSON", " <html>\n  oh", `its answer is no JSON: it begins "<html> oh"`},
		{"cut off", `[{"name":"A`, "its answer is no JSON"},
		{"nothing of use", `[{"id":1}]`, "its entries have no Name"},
		{"no objects", `[1,2]`, "its entries have no Name"},
		{"empty", "", "its answer is no JSON"},
	} {
		all, n, total, err := parseJSON([]byte(c.src))
		got := fmt.Sprint(all, n, total)
		if err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// FuzzParse: no answer and no file breaks us, whatever it holds.
func FuzzParse(f *testing.F) {
	for _, s := range []string{`[{"Name":"A","phone":[1,{}]}]`, "name;phone\n\"a\n;;", "BEGIN:VCARD\nFN;QUOTED-PRINTABLE:=\n=C3\n TEL:\nEND:VCARD", "", "\xff"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, name := range []string{"a.csv", "a.vcf"} {
			all, _ := ParseFile(name, b)
			arrange(all).nameOf("1")
		}
		all, _, _, _ := parseJSON(b)
		arrange(all)
	})
}

func open(t *testing.T, list ...Book) *Books {
	t.Helper()
	b, err := New(list, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// TestProvider: how a provider is asked, and how many pages.
func TestProvider(t *testing.T) {
	for _, c := range []struct {
		name       string
		have       int  // entries
		paged      bool // it knows pages
		total      bool // and tells how many there are
		asks, want int
	}{
		{"a small one", 3, true, false, 1, 3},
		{"two pages", 1500, true, false, 2, 1500},
		{"a full page, then none", 1000, true, false, 2, 1000},
		{"a full page, and it tells", 1000, true, true, 1, 1000},
		{"all at once", 1500, false, false, 1, 1500},
		{"all at once, as many as a page", 1000, false, false, 2, 1000},
		{"too many", maxContacts + 1, true, false, maxContacts/pageRows + 1, -1},
	} {
		var asks atomic.Int32
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asks.Add(1)
			r.ParseForm()
			page, _ := strconv.Atoi(r.Form.Get("PageNumber"))
			if user, password, _ := r.BasicAuth(); r.Method != "POST" || r.Form.Get("Action") != "GetEntriesPaged" || r.Form.Get("RowsPerPage") != "1000" || r.URL.Query().Get("key") != "k" || user != "u" || password != "p" {
				t.Errorf("%s: asked %s %s %v", c.name, r.Method, r.URL, r.Form)
			}
			first, last := page*1000, min(page*1000+1000, c.have)
			if !c.paged {
				first, last = 0, c.have
			}
			var rows []string
			for i := first; i < last; i++ {
				rows = append(rows, fmt.Sprintf(`{"Name":"N%06d"}`, i))
			}
			if c.total {
				fmt.Fprintf(w, `{"TotalRecords":%d,"Contacts":[%s]}`, c.have, strings.Join(rows, ","))
			} else {
				fmt.Fprintf(w, "[%s]", strings.Join(rows, ","))
			}
		}))
		b := open(t, Book{Name: "b", URL: srv.URL + "/?key=k", Method: "post", User: "u", Password: "p", Timeout: time.Minute})
		got, err := b.Contacts(t.Context(), ozml.ContactQuery{Book: "B", Page: 1, Rows: 2})
		if c.want < 0 {
			if err == nil || !strings.Contains(err.Error(), "more than") {
				t.Errorf("%s: %v", c.name, err)
			}
		} else if err != nil || got.Total != c.want || int(asks.Load()) != c.asks {
			t.Errorf("%s: %d contacts by %d requests, %v; want %d by %d", c.name, got.Total, asks.Load(), err, c.want, c.asks)
		} else if c.want > 4 && fmt.Sprint(got.Contacts) != "[{N000002  } {N000003  }]" {
			t.Errorf("%s: the second page is %v", c.name, got.Contacts)
		}
		srv.Close()
	}
}

// TestTogether: many who want a book at once cause one request.
func TestTogether(t *testing.T) {
	var asks atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asks.Add(1)
		if r.Header.Get("Authorization") != "" || r.Method != "GET" || r.URL.RawQuery != "Action=GetEntriesPaged&PageNumber=0&RowsPerPage=1000" {
			t.Errorf("asked %s %s", r.Method, r.URL)
		}
		fmt.Fprint(w, `[{"name":"Ann"}]`)
	}))
	defer srv.Close()
	b := open(t, Book{Name: "b", URL: srv.URL})
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if l, err := b.Contacts(t.Context(), ozml.ContactQuery{Book: "b"}); err != nil || l.Total != 1 {
				t.Errorf("%v, %v", l, err)
			}
		})
	}
	wg.Wait()
	if asks.Load() != 1 {
		t.Errorf("%d requests", asks.Load())
	}
}

// TestRedirect: the password goes nowhere else.
func TestRedirect(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") }))
	defer other.Close()
	srv := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusFound))
	defer srv.Close()
	b := open(t, Book{Name: "b", URL: srv.URL, User: "u", Password: "p"})
	_, err := b.Contacts(t.Context(), ozml.ContactQuery{Book: "b"})
	f, ok := errors.AsType[*ozml.Fault](err)
	if !ok || f.Code != ozml.CodeBook || !strings.Contains(f.Msg, "302 Found") {
		t.Errorf("%v", err)
	}
}

// TestFile: a book that is a file is read again; one that is gone is a fault.
func TestFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.csv")
	b := open(t, Book{Name: "b", File: name, Names: true})
	b.all[0].c.Cache = 1 // nanosecond: old at once
	ask := func() string {
		l, err := b.Contacts(t.Context(), ozml.ContactQuery{Book: "b"})
		if err != nil {
			return err.Error()
		}
		return fmt.Sprint(l.Contacts)
	}
	if got := ask(); !strings.Contains(got, "the address book b cannot be read: open ") {
		t.Errorf("no file: %s", got)
	}
	for _, who := range []string{"Ann", "Bob"} {
		if err := os.WriteFile(name, []byte("name,phone\n"+who+",1001"), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := ask(); got != "[{"+who+" 1001 }]" {
			t.Errorf("%s's file: %s", who, got)
		}
		if got := b.NameOf("1001"); got != who {
			t.Errorf("1001 is %q, want %s", got, who)
		}
	}
	if _, err := b.Contacts(t.Context(), ozml.ContactQuery{Book: "c"}); err != ozml.ErrNoBook {
		t.Errorf("another book: %v", err)
	}
}

// TestNames: who has a number, however it is written.
func TestNames(t *testing.T) {
	b := open(t,
		Book{Name: "hidden", Contacts: []ozml.Contact{{Name: "Hidden", Number: "777"}}},
		Book{Name: "a", Names: true, Contacts: []ozml.Contact{{Name: "Ann", Number: "+36 (1) 234-5678"}, {Name: "Short", Number: "112"}, {Name: "One", Number: "+49 30 5555555"}, {Name: "Other", Number: "+43 30 5555555"}, {Number: "999"}}},
		Book{Name: "b", Names: true, Contacts: []ozml.Contact{{Name: "Second", Number: "112"}, {Name: "Bob", Number: "0049221000"}}})
	for number, want := range map[string]string{
		"+3612345678": "Ann", "0612345678": "Ann", "003612345678": "Ann", "12345678": "Ann", "2345678": "", "9912345679": "",
		"112": "Short", "1112": "", "777": "", "": "", "anonymous": "", "+49221000": "Bob", "49305555555": "One", "0305555555": "", "999": "",
	} {
		if got := b.NameOf(number); got != want {
			t.Errorf("%s is %q, want %q", number, got, want)
		}
	}
}
