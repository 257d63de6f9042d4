package ozml

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Lists is what the HTTP API can ask of the switch: the history, extensions,
// address books, and tokens for web pages. The live one is the server's, for the
// rights of one user; the one on paper is ozmltest's.
type Lists interface {
	// History gives one page of the calls that are over, newest first.
	History(ctx context.Context, q HistoryQuery) (CallHistory, error)
	// Extensions gives those of a type, as ListExtensions or ListExtensionTypes
	// calls it, in the order of the configuration; "" = all.
	Extensions(ctx context.Context, kind string) (ExtensionList, error)
	// ExtensionTypes gives the words that AddConfig takes for ExtensionType.
	ExtensionTypes() ExtensionTypes
	// Books gives the names of the address books.
	Books() BookNames
	// Contacts gives one page of an address book, by name. The error is ErrNoBook
	// where there is no such book.
	Contacts(ctx context.Context, q ContactQuery) (ContactList, error)
	// Token makes a token by which a web page comes in without a password. The
	// error is a *TokenError where it asks for something that is not to be had.
	Token(ctx context.Context, r TokenRequest) (SecurityToken, error)
}

// A HistoryQuery says which calls are wanted; zero values do not filter. Texts are
// compared whole and in any letter case.
type HistoryQuery struct {
	CallID, CallerID, Source, Destination, Dialed string
	Direction, State, Type                        string
	General                                       string // a part of any column
	From                                          time.Time
	Page                                          int // from 0
	Rows                                          int // of a page; 0 = 20
}

// A CallHistory is the answer of ListCallHistory and GetCallHistory.
type CallHistory struct {
	Total int        `json:"total_records" doc:"how many calls there are in all, on this page and others"`
	Calls []PastCall `json:"calls"`
	XE    bool       `json:"-"` // GetCallHistory: elements as that generation named them
}

// A PastCall is one row of the history (http-api.md A5).
type PastCall struct {
	Started     time.Time `json:"start_time"`
	Direction   string    `json:"direction" enum:"Internal,External,Inbound,Outbound"`
	Source      string    `json:"source"`
	Destination string    `json:"destination"`
	State       string    `json:"state" doc:"how it ended: CallerHungUp, CalleeHungUp, TransferCompleted, Busy ..."`
	Dialed      string    `json:"dialed"`
	CallerID    string    `json:"caller_id"`
	Type        string    `json:"type"`
	ID          string    `json:"call_id"`
}

// Stamp is how the HTTP API writes an instant; its zone is the switch's.
const Stamp = "2006-01-02 15:04:05"

// String gives a line for transcripts.
func (h CallHistory) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d in all", h.Total)
	for _, c := range h.Calls {
		fmt.Fprintf(&b, "; %s %s %s %s>%s %s %s %s %s", c.ID, c.Started.Format(Stamp), c.Direction, c.Source, c.Destination, c.State, c.Dialed, c.CallerID, c.Type)
	}
	if h.XE {
		b.WriteString(" (XE)")
	}
	return b.String()
}

// An ExtensionList is the answer of ListExtensions.
type ExtensionList struct {
	Extensions []ExtensionSummary `json:"extensions"`
}

// An ExtensionSummary is one extension.
type ExtensionSummary struct {
	ID     string `json:"id" doc:"number@domain"`
	Number string `json:"phone_number"`
	Type   string `json:"type" doc:"Phone, API extension, IVR extension, Echo test ..."`
	State  string `json:"state" enum:"Connected,Disconnected"`
}

// ExtensionTypes is the answer of ListExtensionTypes.
type ExtensionTypes struct {
	Types []string `json:"extension_types" doc:"what AddConfig takes for ExtensionType"`
}

// BookNames is the answer of ListAddressbookNames.
type BookNames struct {
	Names []string `json:"names"`
}

// A ContactQuery says which contacts of a book are wanted. Name and Email are a
// part in any letter case; of Number only digits count, and letters where it has
// no digits.
type ContactQuery struct {
	Book                string
	Name, Email, Number string
	Page                int // from 0
	Rows                int // of a page; 0 = 20
}

// A ContactList is the answer of ListAddressbookContacts.
type ContactList struct {
	Total    int       `json:"total_records" doc:"how many contacts there are in all, on this page and others"`
	Contacts []Contact `json:"contacts"`
}

// A Contact is an entry of an address book.
type Contact struct {
	Name   string `json:"name"`
	Number string `json:"phone_number"`
	Email  string `json:"email"`
}

// A TokenRequest is what AuthXml of GenerateSecurityToken says.
type TokenRequest struct {
	ReadCalls     bool          // see calls and the history
	MakeCalls     bool          // be a telephone in the page, where the user has one
	MustCall      bool          // it was asked for: without a telephone there is no token
	ModifySession bool          // act on calls: hang up, transfer, hold ...
	SendMessages  bool          // text messages and mail
	ReadContacts  bool          // see extensions and address books
	Extension     string        // whose telephone the page is; "" = the user's
	Valid         time.Duration // from now; 0 = a day
	Name          string        // what it is for
}

// A SecurityToken is the answer of GenerateSecurityToken.
type SecurityToken struct {
	Token   string    `json:"security_token" doc:"22 characters: the bearer token of /v1, and the SIP password of the telephone in a page"`
	ID      string    `json:"id" doc:"by which it is revoked"`
	Expires time.Time `json:"expires"`
	Scopes  []string  `json:"scopes" doc:"what it allows"`
}

// ErrNoBook says that there is no address book of that name.
var ErrNoBook = fmt.Errorf("ozml: there is no such address book")

// A TokenError says what of a TokenRequest is not to be had, in words.
type TokenError struct{ Why string }

func (e *TokenError) Error() string { return e.Why }

// PickContacts gives the page of all that q asks for. all is sorted by name.
func PickContacts(all []Contact, q ContactQuery) ContactList {
	name, email := strings.ToLower(q.Name), strings.ToLower(q.Email)
	list := ContactList{Contacts: []Contact{}}
	first, rows := q.Page*rowsOr(q.Rows), rowsOr(q.Rows)
	for _, c := range all {
		if !strings.Contains(strings.ToLower(c.Name), name) || !strings.Contains(strings.ToLower(c.Email), email) || !hasNumber(c.Number, q.Number) {
			continue
		}
		if list.Total >= first && len(list.Contacts) < rows {
			list.Contacts = append(list.Contacts, c)
		}
		list.Total++
	}
	return list
}

func rowsOr(rows int) int {
	if rows <= 0 {
		return 20
	}
	return rows
}

// hasNumber tells whether part is a part of number: of digits where there are
// any.
func hasNumber(number, part string) bool {
	if d := digits(part); d != "" {
		return strings.Contains(digits(number), d)
	}
	return strings.Contains(strings.ToLower(number), strings.ToLower(part))
}

func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}
