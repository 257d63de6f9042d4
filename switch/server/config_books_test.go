package server

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What can be wrong with an address book is told, and where.
func TestAddressBookProblems(t *testing.T) {
	dir := t.TempDir()
	for name, src := range map[string]string{"good.csv": "Name,PhoneNumber\nAnn,1\n", "bad.csv": "Ann,1\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(src), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ book, want string }{
		{`{name: a, contacts: []}`, ""},
		{`{name: a, contacts: [{name: Ann, phone: 0044}], caller_names: true}`, ""},
		{`{name: a, file: DIR/good.csv}`, ""},
		{`{name: a, url: "http://crm/", method: post, user: u, password: p, timeout: 9s, cache: 10m}`, ""},
		{`{contacts: []}`, "error: an address book needs a name"},
		{`{name: a, contacts: []}, {name: A, contacts: []}`, `error: the address book "A" stands here twice`},
		{`{name: a}`, "error: an address book needs one of contacts, file and url"},
		{`{name: a, contacts: [], url: "http://crm/"}`, "error: an address book needs one of contacts, file and url"},
		{`{name: a, file: DIR/good.xls}`, "error: want a file whose name ends with .csv or .vcf"},
		{`{name: a, file: DIR/none.vcf}`, "warning: the address book cannot be read now: open"},
		{`{name: a, file: DIR/bad.csv}`, "warning: the address book cannot be read now: the first line must name the columns"},
		{`{name: a, url: "crm"}`, "error:"},
		{`{name: a, url: "http://crm/", method: PUT}`, "error:"},
		{`{name: a, url: "http://crm/", timeout: 10s}`, "error: want at most 9s"},
		{`{name: a, contacts: [], cache: 1m}`, "warning: cache means nothing without url"},
		{`{name: a, contacts: [{}]}`, "error: a contact needs a name, a phone or an email"},
	} {
		src := "addressbooks: [" + strings.ReplaceAll(c.book, "DIR", dir) + "]\n"
		_, ps := Parse("x.yaml", []byte(src), nil)
		got := ""
		for _, p := range ps {
			got += p.Error() + "\n"
		}
		if c.want == "" && got != "" || !strings.Contains(got, c.want) || strings.Count(got, "x.yaml:1:") > 1 {
			t.Errorf("%s: %q, want %q", c.book, got, c.want)
		}
	}
}
