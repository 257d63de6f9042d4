package ozmltest

import (
	"context"
	"slices"
	"strings"
	"time"

	"ozswitch/ozml"
)

// lists is a switch on paper: three calls that are over, three extensions, one
// address book, and a token that is always the same.
type lists struct{}

// Lists is that switch, for tests of what asks it.
func Lists() ozml.Lists { return lists{} }

// paperZone is where clients and the switch on paper are.
var paperZone = time.Local

func paperHistory() []ozml.PastCall {
	at := func(day, hour int) time.Time { return time.Date(2000, 1, day, hour, 0, 0, 0, paperZone) }
	return []ozml.PastCall{
		{Started: at(3, 12), Direction: "Internal", Source: "1001", Destination: "1002", State: "CallerHungUp", Dialed: "1002", CallerID: "1001", Type: "Audio", ID: "p3"},
		{Started: at(2, 9), Direction: "Outbound", Source: "1001", Destination: "carrier", State: "CalleeHungUp", Dialed: "00361234", CallerID: "+3612000", Type: "Audio", ID: "p2"},
		{Started: at(1, 8), Direction: "Inbound", Source: "carrier", Destination: "9000", State: "TransferCompleted", Dialed: "9001", CallerID: "+4912345", Type: "Video", ID: "p1"},
	}
}

// History filters as the switch does.
func (lists) History(_ context.Context, q ozml.HistoryQuery) (ozml.CallHistory, error) {
	fit := slices.DeleteFunc(paperHistory(), func(c ozml.PastCall) bool {
		for _, f := range [][2]string{{q.CallID, c.ID}, {q.CallerID, c.CallerID}, {q.Source, c.Source}, {q.Destination, c.Destination},
			{q.Dialed, c.Dialed}, {q.Direction, c.Direction}, {q.State, c.State}, {q.Type, c.Type}} {
			if f[0] != "" && !strings.EqualFold(f[0], f[1]) {
				return true
			}
		}
		all := strings.ToLower(strings.Join([]string{c.ID, c.CallerID, c.Source, c.Destination, c.Dialed, c.Direction, c.State, c.Type}, "\n"))
		return !strings.Contains(all, strings.ToLower(q.General)) || c.Started.Before(q.From)
	})
	return ozml.CallHistory{Total: len(fit), Calls: page(fit, q.Page, q.Rows)}, nil
}

func page[T any](all []T, page, rows int) []T {
	if rows <= 0 {
		rows = 20
	}
	first := min(page*rows, len(all))
	return all[first:min(first+rows, len(all))]
}

// Extensions knows a phone, an IVR extension and an echo test.
func (lists) Extensions(_ context.Context, kind string) (ozml.ExtensionList, error) {
	all := []ozml.ExtensionSummary{
		{ID: "1001@localhost", Number: "1001", Type: "Phone", State: "Disconnected"},
		{ID: "9100@localhost", Number: "9100", Type: "IVR extension", State: "Connected"},
		{ID: "9900@localhost", Number: "9900", Type: "Echo test", State: "Connected"},
	}
	return ozml.ExtensionList{Extensions: slices.DeleteFunc(all, func(e ozml.ExtensionSummary) bool {
		return kind != "" && !strings.EqualFold(kind, e.Type)
	})}, nil
}

// ExtensionTypes are those of Extensions.
func (lists) ExtensionTypes() ozml.ExtensionTypes {
	return ozml.ExtensionTypes{Types: []string{"SIP", "IVR", "EchoTest"}}
}

// Books has one that is good and one whose provider is down.
func (lists) Books() ozml.BookNames { return ozml.BookNames{Names: []string{"office", "broken"}} }

// Contacts are those of the book "office".
func (lists) Contacts(_ context.Context, q ozml.ContactQuery) (ozml.ContactList, error) {
	switch strings.ToLower(q.Book) {
	case "office":
	case "broken":
		return ozml.ContactList{}, &ozml.Fault{Code: ozml.CodeBook, Msg: "the address book broken cannot be read: no answer within 5 s"}
	default:
		return ozml.ContactList{}, ozml.ErrNoBook
	}
	all := []ozml.Contact{
		{Name: "Ann Smith", Number: "+36 1 234 5678", Email: "ann@example.org"},
		{Name: "Bob Jones", Number: "1002", Email: "bob@example.net"},
		{Name: "Carl Smith", Number: "1003", Email: "carl@example.org"},
	}
	return ozml.PickContacts(all, q), nil
}

// Token tells what was asked for by the words of its scopes.
func (lists) Token(_ context.Context, r ozml.TokenRequest) (ozml.SecurityToken, error) {
	if r.Extension != "" && r.Extension != "1001" {
		return ozml.SecurityToken{}, &ozml.TokenError{Why: "extension " + r.Extension + " is not yours"}
	}
	t := ozml.SecurityToken{Token: "AAAAAAAAAAAAAAAAAAAAAA", ID: "paper-" + r.Name + r.Extension, Expires: epoch.Add(r.Valid)}
	for _, s := range []struct {
		on   bool
		word string
	}{{r.ReadCalls, "see-calls"}, {r.MakeCalls, "make-calls"}, {r.ModifySession, "change-calls"}, {r.SendMessages, "messages"}, {r.ReadContacts, "contacts"}} {
		if s.on {
			t.Scopes = append(t.Scopes, s.word)
		}
	}
	return t, nil
}
