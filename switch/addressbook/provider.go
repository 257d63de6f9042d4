package addressbook

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"ozswitch/ozml"
)

// newClient makes what asks providers: no proxy of the environment, no cookies,
// no redirects, which could carry the password elsewhere.
func newClient(o Options) (*http.Client, error) {
	t := &http.Transport{DialContext: o.Dial, MaxIdleConnsPerHost: 1, IdleConnTimeout: 30 * time.Second, DisableKeepAlives: true}
	if len(o.CAs) > 0 {
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		if !pool.AppendCertsFromPEM(o.CAs) {
			return nil, errors.New("addressbook: the authorities hold no certificate")
		}
		t.TLSClientConfig = &tls.Config{RootCAs: pool}
	}
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, nil
}

// pageRows is how many entries a provider is asked for at once.
const pageRows = 1000

// ask gets all contacts of a provider, page after page, within the time of the
// book. It is asked with Action=GetEntriesPaged (pbx-concepts.md C13), and with
// PageNumber and RowsPerPage, which are ours; a provider that has no pages
// answers all at once.
func ask(ctx context.Context, client *http.Client, c Book) (all []ozml.Contact, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.Timeout, fmt.Errorf("no answer within %v", c.Timeout))
	defer cancel()
	var before []ozml.Contact
	for n := 0; len(all) <= maxContacts; n++ {
		page, entries, total, err := askPage(ctx, client, c, n)
		if err != nil {
			if ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			return nil, err
		}
		if n > 0 && reflect.DeepEqual(page, before) { // it does not know pages
			return all, nil
		}
		all, before = append(all, page...), page
		if entries != pageRows || total > 0 && (n+1)*pageRows >= total {
			return all, nil
		}
	}
	return all, nil
}

func askPage(ctx context.Context, client *http.Client, c Book, n int) (page []ozml.Contact, entries, total int, err error) {
	form := url.Values{"Action": {"GetEntriesPaged"}, "PageNumber": {strconv.Itoa(n)}, "RowsPerPage": {strconv.Itoa(pageRows)}}
	to, err := url.Parse(c.URL)
	if err != nil {
		return nil, 0, 0, errors.New("its url cannot be read")
	}
	var body io.Reader
	method := http.MethodGet
	if strings.EqualFold(c.Method, http.MethodPost) {
		method, body = http.MethodPost, strings.NewReader(form.Encode())
	} else {
		q := form.Encode()
		if to.RawQuery != "" {
			q = to.RawQuery + "&" + q
		}
		to.RawQuery = q
	}
	r, err := http.NewRequestWithContext(ctx, method, to.String(), body)
	if err != nil {
		return nil, 0, 0, errors.New("its url cannot be read")
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Accept", "application/json")
	if c.User != "" {
		r.SetBasicAuth(c.User, c.Password)
	}
	answer, err := client.Do(r)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err // without the address, which may have a key in it
		}
		return nil, 0, 0, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, 0, 0, fmt.Errorf("it answers %s", answer.Status)
	}
	src, err := io.ReadAll(io.LimitReader(answer.Body, maxFile+1))
	switch {
	case err != nil:
		return nil, 0, 0, fmt.Errorf("its answer broke off: %w", err)
	case len(src) > maxFile:
		return nil, 0, 0, fmt.Errorf("its answer is larger than %d MiB", maxFile>>20)
	}
	return parseJSON(src)
}

// lists are the names that a provider may give its list, totals that of how many
// there are.
var (
	lists  = []string{"contacts", "entries", "items", "data", "results", "addressbook", "getentriespagedresult"}
	totals = []string{"totalrecords", "total", "entrycount", "totalcount"}
)

// parseJSON reads an answer: an array of entries, or an object that has one.
// entries is how many there were, which is not how many contacts.
func parseJSON(src []byte) (all []ozml.Contact, entries, total int, err error) {
	src = bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))
	d := json.NewDecoder(bytes.NewReader(src))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, 0, 0, fmt.Errorf("its answer is no JSON: it begins %q", begin(src))
	}
	list, ok := v.([]any)
	if o, is := v.(map[string]any); is {
		for name, v := range o {
			switch key := strings.ToLower(strings.ReplaceAll(name, "_", "")); {
			case slices.Contains(lists, key):
				if l, is := v.([]any); is {
					list, ok = l, true
				}
			case slices.Contains(totals, key):
				total, _ = strconv.Atoi(text(v))
			}
		}
	}
	if !ok {
		return nil, 0, 0, errors.New(`its answer has no list: want [{"Name": "...", "PhoneNumber": "...", "Email": "..."}], or {"Contacts": [...]}`)
	}
	for _, v := range list {
		o, _ := v.(map[string]any)
		var e entry
		for _, name := range sorted(o) {
			several, is := o[name].([]any)
			if !is {
				several = []any{o[name]}
			}
			for _, v := range several {
				e.add(partOf(name), text(v))
			}
		}
		all = append(all, e.contacts()...)
	}
	if len(list) > 0 && len(all) == 0 {
		return nil, 0, 0, errors.New("its entries have no Name, PhoneNumber or Email")
	}
	return all, len(list), total, nil
}

// sorted gives the names of an object in an order that is always the same.
func sorted(o map[string]any) (names []string) {
	for name := range o {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// text gives a value as text; null, lists and objects are none.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}

// begin is enough of an answer to see what it is.
func begin(src []byte) string {
	s := strings.Join(strings.Fields(strings.ToValidUTF8(string(src[:min(len(src), 200)]), "?")), " ")
	return s[:min(len(s), 60)]
}

// ReadAuthorities reads a file for Options.CAs; "" = none.
func ReadAuthorities(name string) ([]byte, error) {
	if name == "" {
		return nil, nil
	}
	return os.ReadFile(name)
}
