package server

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"ozswitch/ozml"
	"ozswitch/switch/addressbook"
)

// An AddressBook is a list of people; one of Contacts, File and URL says where
// they are.
type AddressBook struct {
	Name     string    `yaml:"name"`
	Contacts []Contact `yaml:"contacts"` // the people themselves
	File     string    `yaml:"file"`     // .csv, whose first line names the columns (Name, PhoneNumber, Email), or .vcf; it is read again when it changes

	URL      string   `yaml:"url"`      // a provider: asked with Action=GetEntriesPaged, PageNumber, RowsPerPage, it answers JSON
	Method   string   `yaml:"method"`   // GET | POST; "" = GET
	User     string   `yaml:"user"`     // Basic credentials for the provider; "" = none
	Password Secret   `yaml:"password"` // of user
	Timeout  Duration `yaml:"timeout"`  // of the provider, for all its pages; 0 = 5 s
	Cache    Duration `yaml:"cache"`    // how long its answer is good; 0 = 1 min

	CallerNames bool `yaml:"caller_names"` // callers from lines who show no name get it from here
}

// A Contact is one of an AddressBook.
type Contact struct {
	Name  string `yaml:"name"`
	Phone string `yaml:"phone"` // number
	Email string `yaml:"email"`
}

// book is what package addressbook makes of it.
func (a *AddressBook) book() addressbook.Book {
	b := addressbook.Book{
		Name: a.Name, File: a.File, URL: a.URL, Method: a.Method, User: a.User, Password: string(a.Password),
		Timeout: time.Duration(a.Timeout), Cache: time.Duration(a.Cache), Names: a.CallerNames,
	}
	for _, c := range a.Contacts {
		b.Contacts = append(b.Contacts, ozml.Contact{Name: c.Name, Number: c.Phone, Email: c.Email})
	}
	return b
}

// longestBook is less than a client of the HTTP API waits.
const longestBook = 9 * time.Second

// addressBooks checks those of the configuration.
func (v *validator) addressBooks() {
	seen := map[string]bool{}
	for i, a := range v.c.AddressBooks {
		path := fmt.Sprintf("addressbooks[%d]", i)
		key := strings.ToLower(a.Name)
		switch {
		case a.Name == "":
			v.err(path, "an address book needs a name")
		case seen[key]:
			v.err(path+".name", "the address book %q stands here twice", a.Name)
		}
		seen[key] = true
		n := 0
		for _, given := range []bool{a.Contacts != nil, a.File != "", a.URL != ""} {
			if given {
				n++
			}
		}
		if n != 1 {
			v.err(path, "an address book needs one of contacts, file and url")
		}
		v.bookFile(path+".file", a.File)
		v.url(path+".url", a.URL)
		v.oneOf(path+".method", strings.ToUpper(a.Method), "GET", "POST")
		if time.Duration(a.Timeout) > longestBook {
			v.err(path+".timeout", "want at most %v: who asks by the HTTP API waits no longer than 10 s", longestBook)
		}
		for _, f := range []struct {
			key string
			set bool
		}{{"method", a.Method != ""}, {"user", a.User != ""}, {"password", a.Password != ""}, {"timeout", a.Timeout != 0}, {"cache", a.Cache != 0}} {
			if f.set && a.URL == "" {
				v.warn(path+"."+f.key, "%s means nothing without url", f.key)
			}
		}
		for j, c := range a.Contacts {
			if c.Name == "" && c.Phone == "" && c.Email == "" {
				v.err(fmt.Sprintf("%s.contacts[%d]", path, j), "a contact needs a name, a phone or an email")
			}
		}
	}
}

// bookFile tries a file; what is wrong with it is no reason not to start.
func (v *validator) bookFile(path, file string) {
	if file == "" {
		return
	}
	if e := strings.ToLower(filepath.Ext(file)); e != ".csv" && e != ".vcf" {
		v.err(path, "want a file whose name ends with .csv or .vcf")
		return
	}
	src, err := os.ReadFile(file)
	if err == nil {
		_, err = addressbook.ParseFile(file, src)
	}
	if err != nil {
		v.warn(path, "the address book cannot be read now: %v", err)
	}
}
