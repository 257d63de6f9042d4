package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"ozswitch/internal/golden"
	"ozswitch/ozml"
	"ozswitch/ozml/command"
	"ozswitch/ozml/ozmltest"
	"ozswitch/ozml/trace"
)

// sick is a switch whose database does not answer.
type sick struct{ ozml.Lists }

func (sick) History(ctx context.Context, _ ozml.HistoryQuery) (ozml.CallHistory, error) {
	return ozml.CallHistory{}, errors.New("sqlite: disk I/O error")
}

func listCommands(a *Access, l ozml.Lists) *Commands {
	return NewCommands(a, CommandsConfig{
		Table: command.Table(),
		World: func(context.Context, User) ozml.World {
			return ozml.World{Lists: l, Trace: trace.SinkFunc(func(trace.Event) {})}
		},
		Log: slog.New(slog.DiscardHandler),
	})
}

func listCases() []answerCase {
	creds := "&Username=HTTP_User_1&Password=qwe123"
	token := url.QueryEscape("<?xml version=\"1.0\"?>\r\n<SecurityToken>\r\n\t<AllowSessionModification>True</AllowSessionModification>\r\n</SecurityToken>\r\n")
	return []answerCase{
		{"history", get("command=ListCallHistory"), 200},
		{"history, filtered and empty", get("command=ListCallHistory&From=&General=&Direction=&CallerId=nobody&State=&Type="), 200},
		{"history, all filters", get("command=ListCallHistory&CallerId=%2b4912345&CallId=p1&Destination=9000&Dialed=9001&Source=carrier&Direction=Inbound&From=2000-01-01+08:00:00&PageNumber=0&RowsPerPage=20&State=TransferCompleted&Type=Video"), 200},
		{"history, a page", get("command=ListCallHistory&PageNumber=1&RowsPerPage=1"), 200},
		{"history, any letter case, a form", post("/", "COMMAND=listcallhistory&rowsperpage=1"+strings.ToUpper("&username=")+"HTTP_User_1&pAssWord=qwe123", form), 200},
		{"history as XE had it", get("Command=GetCallHistory&From=&General=&Direction=&Source=&Destination=&State=&Dialed=&CallerId=&Type=&CallId=&PageNumber=0&RowsPerPage=2"), 200},
		{"history as XE had it, a form", post("/api?command=Dance", "command=getcallhistory&general=VIDEO"+creds, ""), 200},
		{"extensions", get("command=ListExtensions"), 200},
		{"extensions of a type", post("/api", "command=listextensions&type=PHONE"+creds, form), 200},
		{"extensions of no type", get("command=ListExtensions&Type=Fax"), 200},
		{"extension types", get("command=ListExtensionTypes"), 200},
		{"address books", get("command=ListAddressbookNames"), 200},
		{"contacts", get("command=ListAddressbookContacts&AddressbookName=office"), 200},
		{"contacts, filtered", post("/api", "command=LISTADDRESSBOOKCONTACTS&addressbookname=OFFICE&fullname=smith&email=ORG&phonenumber=1003&pagenumber=0&rowsperpage=1"+creds, form), 200},
		{"contacts, no more", get("command=ListAddressbookContacts&AddressbookName=office&PageNumber=3"), 200},
		{"token", get("Command=GenerateSecurityToken&AuthXml=" + token), 200},
		{"token, a form", post("/", "command=generatesecuritytoken&authxml="+token+creds, form), 200},
		{"token by default", get("command=GenerateSecurityToken"), 200},

		{"history from when", get("command=ListCallHistory&From=yesterday"), 302},
		{"history of what direction", get("command=ListCallHistory&Direction=up"), 302},
		{"history, what page", get("command=GetCallHistory&PageNumber=-1"), 302},
		{"history, how many rows", get("command=ListCallHistory&RowsPerPage=many"), 302},
		{"contacts of what book", get("command=ListAddressbookContacts&FullName=x"), 302},
		{"contacts of a book that is not there", get("command=ListAddressbookContacts&AddressbookName=%3Cnone%3E"), 302},
		{"contacts of a provider that is down", get("command=ListAddressbookContacts&AddressbookName=broken"), 300},
		{"token for what", get("command=GenerateSecurityToken&AuthXml=yes"), 302},
		{"token of another", get("command=GenerateSecurityToken&AuthXml=" + url.QueryEscape("<SecurityToken><Extension>1002</Extension></SecurityToken>")), 302},
		{"history without credentials", bare("/api?command=ListCallHistory&Direction=up"), 304},
		{"history with a bad password", bare("/api?command=ListCallHistory&Username=HTTP_User_1&Password=wrong"), 305},
		{"history without rights", bare("/api?command=ListCallHistory&Username=nobody&Password=abc12345"), 306},
		{"token from a forbidden address", from("10.9.8.7:1", get("command=GenerateSecurityToken")), 307},
	}
}

// The lists to the letter; the whole answers stand in testdata/answers_list.txt.
func TestListAnswers(t *testing.T) {
	var got strings.Builder
	for _, c := range listCases() {
		c.ask(t, listCommands(testAccess(), ozmltest.Lists()), &got)
	}
	golden.File(t, "testdata/answers_list.txt", []byte(got.String()))
}

// The order of the checks of each list: what is wrong first is told first.
func TestListOrderOfChecks(t *testing.T) {
	for _, c := range []struct{ name, bad string }{
		{"ListCallHistory", "From=never"}, {"GetCallHistory", "Direction=up"}, {"ListAddressbookContacts", "PageNumber=x"}, {"GenerateSecurityToken", "AuthXml=x"},
		{"ListExtensions", ""}, {"ListExtensionTypes", ""}, {"ListAddressbookNames", ""},
	} {
		for right, want := range []int{307, 304, 305, 306, 302} {
			addr, who := "10.9.0.1:1", "" // forbidden, and nobody
			if right > 0 {
				addr = "10.1.0.1:1"
			}
			who = []string{"", "", "&Username=HTTP_User_1&Password=x", "&Username=nobody&Password=abc12345", "&Username=HTTP_User_1&Password=qwe123"}[right]
			if want == 302 && c.bad == "" {
				want = 200
			}
			h := listCommands(testAccess(), ozmltest.Lists())
			w := httptest.NewRecorder()
			h.ServeHTTP(w, from(addr, bare("/api?command="+c.name+who+"&"+c.bad)))
			h.Close()
			if got := code(t, w); got != want {
				t.Errorf("%s with %d things right: %d, want %d", c.name, right, got, want)
			}
		}
	}
}

// A database that fails, and a world without lists, give a code.
func TestListFaults(t *testing.T) {
	for _, c := range []struct {
		lists ozml.Lists
		says  string
	}{{sick{}, "disk I/O error"}, {nil, "nothing can be listed from here"}} {
		h := listCommands(testAccess(), c.lists)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, get("command=ListCallHistory"))
		h.Close()
		if got := code(t, w); got != 300 || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("code %d, %s; want 300 with %q", got, w.Body, c.says)
		}
	}
}
