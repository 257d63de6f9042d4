package switchtest

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"ozswitch/ozml"
	"ozswitch/ozml/trace"
	"ozswitch/switch/phone"
	"ozswitch/switch/server"
)

// An answer of the HTTP API, as a client reads it.
type listed struct {
	Code          int
	Message       string
	TotalRecords  int
	NumberOfCalls int
	CallHistory   struct{ Call []pastCall }
	Calls         struct{ Call []pastCall }
	ActiveCalls   struct {
		Call []struct{ CallId, CallState, Source, Destination string }
	}
	Extensions struct {
		ExtensionSummary []struct{ Id, PhoneNumber, Type, State string }
	}
	AddressbookNames struct{ Name []string }
	Contacts         struct {
		Contact []struct{ Name, PhoneNumber, Email string }
	}
	SecurityToken string
}

type pastCall struct{ StartTime, Direction, Source, Destination, State, Dialed, CallerId, Type, CallId string }

func (w *World) list(command string, params ...string) (l listed) {
	w.T.Helper()
	text := w.API(command, params...)
	if err := xml.Unmarshal([]byte(text), &l); err != nil {
		w.T.Fatalf("%s: %v\n%s", command, err, text)
	}
	return l
}

// TestListCallHistory: calls that were made come back page by page, by each
// filter, in both shapes; extensions are connected while they are registered.
func TestListCallHistory(t *testing.T) {
	company(t, func(w *World) {
		a, b := w.Phone("1001"), w.Phone("1002")
		started := time.Now()
		for i := range 5 {
			from, to := a, "1002"
			if i == 3 {
				from, to = b, "1001"
			}
			c := from.Dial(to)
			if i == 0 {
				if l := w.list("ListActiveCalls"); len(l.ActiveCalls.Call) != 1 || l.ActiveCalls.Call[0].CallState != "InCall" || l.ActiveCalls.Call[0].Destination != "1002" {
					t.Errorf("active calls: %+v", l)
				}
			}
			c.HangUp()
			w.Pass(time.Minute)
		}
		b.Reply = func() phone.Reply { return phone.Reply{Refuse: 486} }
		a.Refused("1002")
		w.Until("all calls are in the history", func() bool { return w.list("ListCallHistory").TotalRecords == 6 })

		all := w.list("ListCallHistory").CallHistory.Call
		var paged []pastCall
		for page := range 4 {
			l := w.list("ListCallHistory", "PageNumber", fmt.Sprint(page), "RowsPerPage", "2")
			if l.TotalRecords != 6 {
				t.Errorf("page %d: %d in all, want 6", page, l.TotalRecords)
			}
			paged = append(paged, l.CallHistory.Call...)
		}
		if fmt.Sprint(paged) != fmt.Sprint(all) || len(all) != 6 {
			t.Errorf("the pages are\n%v\nwant\n%v", paged, all)
		}
		first := all[5]
		want := pastCall{started.Local().Format(ozml.Stamp), "Internal", "1001", "1002", "CallerHungUp", "1002", "1001", "Audio", first.CallId}
		if first != want || len(first.CallId) < 5 {
			t.Errorf("the first call is %+v, want %+v", first, want)
		}
		for _, c := range []struct {
			params string
			want   int
		}{
			{"CallerId=1002", 1}, {"Source=1001", 5}, {"Destination=1001", 1}, {"Dialed=1002", 5}, {"Direction=Internal", 6}, {"Direction=Outbound", 0},
			{"State=busy", 1}, {"State=CallerHangUp", 5}, {"Type=Audio", 6}, {"Type=Video", 0}, {"CallId=" + first.CallId, 1}, {"CallId=nix", 0},
			{"General=busy", 1}, {"General=1002", 6}, {"From=" + started.Add(150*time.Second).Local().Format(ozml.Stamp), 3},
			{"From=" + started.Add(150*time.Second).UTC().Format(time.RFC3339), 3}, {"Source=1001&State=Busy", 1}, {"Source=1002&State=Busy", 0},
		} {
			var params []string
			for one := range strings.SplitSeq(c.params, "&") {
				name, value, _ := strings.Cut(one, "=")
				params = append(params, name, value)
			}
			l, xe := w.list("ListCallHistory", params...), w.list("GetCallHistory", params...)
			if l.TotalRecords != c.want || len(l.CallHistory.Call) != c.want || xe.NumberOfCalls != c.want || len(xe.Calls.Call) != c.want {
				t.Errorf("%s: %d of %d, as XE %d of %d; want %d", c.params, len(l.CallHistory.Call), l.TotalRecords, len(xe.Calls.Call), xe.NumberOfCalls, c.want)
			}
		}

		got := fmt.Sprint(w.list("ListExtensions", "Type", "SIP").Extensions)
		if want := "{[{1001@localhost 1001 Phone Connected} {1002@localhost 1002 Phone Connected} {1003@localhost 1003 Phone Disconnected}]}"; got != want {
			t.Errorf("phones\n%s\nwant\n%s", got, want)
		}
		if got := fmt.Sprint(w.list("ListExtensions", "Type", "API extension").Extensions); got != "{[{9000@localhost 9000 API extension Connected}]}" {
			t.Errorf("API extensions %s", got)
		}
	}, "1001", "1002", "1003")
}

// TestAddressBooks: books of the configuration, of a provider and the switch's
// own; what is wrong with a provider is a code and an event, in time.
func TestAddressBooks(t *testing.T) {
	company(t, func(w *World) {
		w.Config.AddressBooks = []server.AddressBook{
			{Name: "office", Contacts: []server.Contact{{Name: "Zoe", Phone: "+36 1 234"}, {Name: "ann", Email: "ann@example.org"}}},
			{Name: "crm", URL: "http://crm/book?key=1", Cache: server.Duration(time.Minute)},
			{Name: "down", URL: "http://down/"}, {Name: "slow", URL: "http://app/slow"}, {Name: "drops", URL: "http://app/drops"},
			{Name: "garbage", URL: "http://app/garbage"}, {Name: "broken", URL: "http://app/broken"}, {Name: "endless", URL: "http://app/endless"},
		}
		asked := 0
		w.Web.Handle("/book", func(Post) Answer {
			asked++
			return Answer{Body: fmt.Sprintf(`[{"name": "Bob %d", "phone": 1002}]`, asked)}
		})
		w.Web.Handle("/slow", func(Post) Answer { return Answer{After: time.Hour} })
		w.Web.Handle("/drops", func(Post) Answer { return Answer{Drop: true} })
		w.Web.Handle("/garbage", func(Post) Answer { return Answer{Body: "<b>Fatal error</b>"} })
		w.Web.Handle("/broken", func(Post) Answer { return Answer{Status: 500, Body: "[]"} })
		w.Web.Handle("/endless", func(Post) Answer { return Answer{Body: `["` + strings.Repeat("x", 9<<20) + `"]`} })
		w.Web.Down("down")

		if got := fmt.Sprint(w.list("ListAddressbookNames").AddressbookNames.Name); got != "[office crm down slow drops garbage broken endless Extensions]" {
			t.Errorf("books %s", got)
		}
		for _, c := range []struct{ book, param, value, want string }{
			{"OFFICE", "FullName", "", "{[{ann  ann@example.org} {Zoe +36 1 234 }]}"},
			{"office", "PhoneNumber", "361", "{[{Zoe +36 1 234 }]}"},
			{"crm", "Email", "", "{[{Bob 1 1002 }]}"},
			{"crm", "Email", "", "{[{Bob 1 1002 }]}"}, // kept for a minute
			{"extensions", "FullName", "phone 1001", "{[{Phone 1001 1001 }]}"},
		} {
			if got := fmt.Sprint(w.list("ListAddressbookContacts", "AddressbookName", c.book, c.param, c.value).Contacts); got != c.want {
				t.Errorf("%s with %s %q: %s, want %s", c.book, c.param, c.value, got, c.want)
			}
		}
		w.Pass(time.Minute)
		if got := fmt.Sprint(w.list("ListAddressbookContacts", "AddressbookName", "crm").Contacts); got != "{[{Bob 2 1002 }]}" {
			t.Errorf("after a minute: %s, want the provider asked again", got)
		}
		for _, c := range []struct {
			book, says string
			takes      time.Duration
		}{
			{"down", "connection refused", 0}, {"slow", "no answer within 5s", 5 * time.Second}, {"drops", "EOF", 0}, {"garbage", "no JSON: it begins", 0},
			{"broken", "it answers 500", 0}, {"endless", "larger than 8 MiB", 0},
		} {
			begun := time.Now()
			l := w.list("ListAddressbookContacts", "AddressbookName", c.book)
			if took := time.Since(begun); l.Code != 300 || !strings.Contains(l.Message, c.says) || took.Round(time.Second) != c.takes {
				t.Errorf("%s: %d %q after %v; want 300 %q after %v", c.book, l.Code, l.Message, took, c.says, c.takes)
			}
			w.Until("there is an event", func() bool {
				for _, e := range w.Events("") {
					if e.Type == trace.CommandFail && e.Code == ozml.CodeBook && strings.Contains(e.Text, c.book) {
						return true
					}
				}
				return false
			})
		}
		if l := w.list("ListAddressbookContacts", "AddressbookName", "nix"); l.Code != 302 {
			t.Errorf("no such book: %d", l.Code)
		}
	}, "1001")
}

// TestCallerNames: who calls by a line and shows no name gets the one that an
// address book has; a provider that is slow or down holds no call up.
func TestCallerNames(t *testing.T) {
	outside(t, func(w *World, _ *Phone) {
		w.Config.Dialplan = []server.Rule{{From: "carrier", Match: "*", To: server.Names{"9000"}}}
		w.Config.AddressBooks = []server.AddressBook{
			{Name: "slow", URL: "http://app/slow", CallerNames: true, Cache: server.Duration(time.Second)},
			{Name: "secret", Contacts: []server.Contact{{Name: "Not to be shown", Phone: "3612345678"}}},
			{Name: "office", Contacts: []server.Contact{{Name: "Éva Kovács", Phone: "+36 1 234-5678"}}, CallerNames: true},
		}
		w.Web.Serve("/ivr", `<Response><Speak>Hello $callername.</Speak></Response>`)
		w.Web.Handle("/slow", func(Post) Answer {
			return Answer{After: 2 * time.Second, Body: `[{"Name": "Slow Sue", "PhoneNumber": "3612345678"}]`}
		})
		w.Phone("1001") // the carrier is the second phone
		carrier := w.Phone("0612345678 nameless")
		names := func(n int) string {
			begun := time.Now()
			c := carrier.Dial("1234")
			if took := time.Since(begun); took > time.Second {
				t.Errorf("call %d was answered after %v", n, took)
			}
			c.HangUp()
			return w.Web.Wait("IncomingCall", n).Fields.Get("CallerDisplayName")
		}
		if got := names(1); got != "Éva Kovács" {
			t.Errorf("the first call is of %q, want the name of the book that is there", got)
		}
		w.Pass(3 * time.Second)
		if got := names(2); got != "Slow Sue" {
			t.Errorf("the second call is of %q, want the name of the first book, which has come", got)
		}
		w.Web.Down("app")
	})
}

// bearer asks /v1 with a token and gives the status.
func (w *World) bearer(token, path string) int {
	w.T.Helper()
	tr := &http.Transport{DialContext: w.Net.DialContext(netip.MustParseAddr(userHost)), DisableKeepAlives: true}
	r, err := http.NewRequestWithContext(w.ctx, http.MethodGet, "http://"+httpAddr+path, nil)
	if err != nil {
		w.T.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	resp, err := tr.RoundTrip(r)
	if err != nil {
		w.T.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// TestSecurityToken: a token of GenerateSecurityToken opens of /v1 what it allows,
// and is the password of one telephone; both until it is over.
func TestSecurityToken(t *testing.T) {
	company(t, func(w *World) {
		w.Config.Dialplan = []server.Rule{{From: "extension", Match: "*", To: server.Names{"9000"}}}
		w.Web.Serve("/ivr", `<Response><Speak>Welcome.</Speak></Response>`)
		w.Start()
		l := w.list("GenerateSecurityToken", "AuthXml", "<SecurityToken><Extension>1001</Extension><ValidFor>3600</ValidFor></SecurityToken>")
		if l.Code != 200 || len(l.SecurityToken) != 22 {
			t.Fatalf("%+v", l)
		}
		for path, want := range map[string]int{"/v1/calls": 200, "/v1/session": 200, "/v1/extensions": 403} {
			if got := w.bearer(l.SecurityToken, path); got != want {
				t.Errorf("%s with the token: %d, want %d", path, got, want)
			}
		}
		for i := range w.Config.Extensions {
			w.Config.Extensions[i].Password = server.Secret(l.SecurityToken) // what phones try
		}
		page := w.Phone("1001")
		c := page.Dial("9000")
		c.Hears("Welcome")
		c.Over()
		if code := w.Phone("1001 liar").Refused("9000"); code != 401 {
			t.Errorf("without the token: %d, want 401", code)
		}
		w.Pass(time.Hour)
		if code := page.Refused("9000"); code != 401 {
			t.Errorf("when the token is over: %d, want 401", code)
		}
		if got := w.bearer(l.SecurityToken, "/v1/calls"); got != 401 {
			t.Errorf("/v1/calls when the token is over: %d, want 401", got)
		}
		for _, bad := range []string{"<SecurityToken><Extension>9000</Extension></SecurityToken>", "<SecurityToken><AllowCalls>true</AllowCalls></SecurityToken>",
			"<SecurityToken><AllowCallInformation>false</AllowCallInformation></SecurityToken>"} {
			if l := w.list("GenerateSecurityToken", "AuthXml", bad); l.Code != 302 {
				t.Errorf("%s: %d, want 302", bad, l.Code)
			}
		}
		w.Until("all calls are over", func() bool { return w.Up() == 0 })
	}, "1001")
}

// TestReloadBooks: a reload brings other books, and the old ones are asked no more.
func TestReloadBooks(t *testing.T) {
	company(t, func(w *World) {
		w.Config.Users = []server.User{{Name: "reloader", Password: "long enough", API: true}} // it is checked anew
		w.Config.Extensions[1].Password = "long enough"
		who := []string{"Username", "reloader", "Password", "long enough"}
		w.Config.AddressBooks = []server.AddressBook{{Name: "old", URL: "http://app/book", CallerNames: true}}
		w.Web.Handle("/book", func(Post) Answer { return Answer{After: 3 * time.Second, Body: "[]"} })
		w.Start()
		next := *w.Config
		next.AddressBooks = []server.AddressBook{{Name: "new", Contacts: []server.Contact{{Name: "Ann", Phone: "1"}}}}
		if restart, err := w.Server.Reload(&next); err != nil || len(restart) > 0 {
			t.Fatalf("Reload = %v, %v", restart, err)
		}
		if got := fmt.Sprint(w.list("ListAddressbookNames", who...).AddressbookNames.Name); got != "[new Extensions]" {
			t.Errorf("books %s", got)
		}
		if got := w.list("ListAddressbookContacts", append(who, "AddressbookName", "new")...); got.TotalRecords != 1 {
			t.Errorf("contacts %+v", got)
		}
		if got := w.list("ListAddressbookContacts", append(who, "AddressbookName", "old")...); got.Code != 302 {
			t.Errorf("the old book: %+v", got)
		}
	}, "1001")
}
