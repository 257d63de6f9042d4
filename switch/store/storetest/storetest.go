// Package storetest states what every store.Store must do.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"ozswitch/switch/store"
)

// Test runs the contract. open gives an empty store that takes writes; it
// registers what must be undone with t.Cleanup.
func Test(t *testing.T, open func(t *testing.T) store.Store) {
	for _, c := range []struct {
		name string
		f    func(t *testing.T, s store.Store)
	}{
		{"a call comes back as it was put", callRoundTrip},
		{"a later record replaces the earlier", callReplaced},
		{"queries filter, sort and page", queries},
		{"a sweep removes what is old", sweep},
		{"reports come back in order, without payload in lists", reports},
		{"registrations come back until they are dropped", registrations},
		{"texts come back in order, for one number, until they are dropped or too old", texts},
		{"settings come back by name", settings},
		{"messages come back in order, of one owner and folder, until they are dropped or too old", messages},
		{"many writers at once lose nothing", manyWriters},
	} {
		t.Run(c.name, func(t *testing.T) { c.f(t, open(t)) })
	}
}

var day = time.Date(2026, 3, 2, 9, 15, 40, 123456789, time.UTC)

func aCall(i int) store.Call {
	return store.Call{
		ID: fmt.Sprintf("c%03d", i), Type: "Audio", Direction: "Inbound", From: fmt.Sprintf("+36%d", i%3), FromName: "Ånn",
		Source: "carrier", Dialed: "9000", To: "9000", Extension: "9000", State: "CallerHungUp", Result: "caller",
		Reason: "the caller hung up", SIPCallID: "x@y", Peer: "192.0.2.1:5060", UserAgent: "phone/1",
		Started: day.Add(time.Duration(i) * time.Second), Answered: day.Add(time.Hour), Ended: day.Add(2 * time.Hour),
		Ring: 1500 * time.Millisecond, Talk: time.Minute,
		Recordings: []store.File{{Path: "a.mp3", Format: "mp3", Duration: time.Second, Size: 4000, Reason: "digit"}},
		Quality:    store.Quality{Codec: "PCMA", Sent: 3000, Received: 2999, Lost: 1, JitterMS: 0.5, LateMS: 3, RoundTripMS: 12, TheirLost: 2, TheirJitterMS: 1.5, HoldSeconds: 4},
	}
}

func put(t *testing.T, s store.Store, calls ...store.Call) {
	t.Helper()
	for _, c := range calls {
		if err := s.PutCall(c); err != nil {
			t.Fatalf("PutCall(%s) = %v, want nil", c.ID, err)
		}
	}
}

func callRoundTrip(t *testing.T, s store.Store) {
	want := aCall(1)
	put(t, s, want)
	if got, err := s.Call(t.Context(), want.ID); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Call = %+v, %v\nwant %+v, nil", got, err, want)
	}
	if _, err := s.Call(t.Context(), "C001"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Call(an id in other letters) = %v, want ErrNotFound", err)
	}
}

func callReplaced(t *testing.T, s store.Store) {
	put(t, s, aCall(1))
	c := aCall(1)
	c.State = "TransferCompleted"
	put(t, s, c)
	got, total, err := s.Calls(t.Context(), store.CallQuery{})
	if err != nil || total != 1 || len(got) != 1 || got[0].State != "TransferCompleted" {
		t.Errorf("Calls = %+v, %d, %v, want the second record only", got, total, err)
	}
}

func queries(t *testing.T, s store.Store) {
	for i := range 25 {
		put(t, s, aCall(i))
	}
	odd := aCall(100)
	odd.From, odd.Direction, odd.State, odd.To = "201", "Internal", "NotFound", "100%_'x"
	odd.Script = "Shop.xml"
	put(t, s, odd)
	lost, faulty := aCall(101), aCall(102)
	lost.Result, faulty.Problem = "Not Found", "OZ1003 text before the XML"
	lost.Started, faulty.Started = day.Add(-2*time.Hour), day.Add(-time.Hour)
	put(t, s, lost, faulty)
	for _, c := range []struct {
		name  string
		q     store.CallQuery
		first string
		n     int
		total int
	}{
		{"all, first page", store.CallQuery{}, "c100", 20, 28},
		{"all, second page", store.CallQuery{Page: 1}, "c005", 8, 28},
		{"beyond the last page", store.CallQuery{Page: 7}, "", 0, 28},
		{"negative page", store.CallQuery{Page: -1, Rows: 3}, "c100", 3, 28},
		{"caller", store.CallQuery{From: "+361"}, "c022", 8, 8},
		{"caller, second page", store.CallQuery{From: "+361", Rows: 3, Page: 1}, "c013", 3, 8},
		{"caller, last page", store.CallQuery{From: "+361", Rows: 3, Page: 2}, "c004", 2, 8},
		{"caller and state and general", store.CallQuery{From: "201", State: "notfound", General: "internal"}, "c100", 1, 1},
		{"state, second page", store.CallQuery{State: "CallerHungUp", Rows: 20, Page: 1}, "c004", 7, 27},
		{"filters of two calls", store.CallQuery{From: "201", State: "CallerHungUp"}, "", 0, 0},
		{"failed, of a caller", store.CallQuery{Failed: true, From: "+360"}, "c102", 1, 1},
		{"letter case", store.CallQuery{Direction: "internal", State: "NOTFOUND"}, "c100", 1, 1},
		{"no wildcards", store.CallQuery{To: "100%"}, "", 0, 0},
		{"quotes", store.CallQuery{To: "100%_'x"}, "c100", 1, 1},
		{"general", store.CallQuery{General: "ÅNN", Rows: 2}, "c100", 2, 28},
		{"general takes % as it stands", store.CallQuery{General: "%_'"}, "c100", 1, 1},
		{"general: the script", store.CallQuery{General: "shop"}, "c100", 1, 1},
		{"failed", store.CallQuery{Failed: true}, "c102", 2, 2},
		{"failed, of a result", store.CallQuery{Failed: true, Result: "not found"}, "c101", 1, 1},
		{"since", store.CallQuery{Since: day.Add(23 * time.Second)}, "c100", 3, 3},
		{"after one", store.CallQuery{After: store.CallPlace{Started: aCall(3).Started, ID: "c003"}}, "c002", 5, 28},
		{"after one that is gone", store.CallQuery{After: store.CallPlace{Started: aCall(3).Started, ID: "c003x"}}, "c003", 6, 28},
		{"after the last", store.CallQuery{After: store.CallPlace{Started: lost.Started, ID: lost.ID}}, "", 0, 28},
		{"until", store.CallQuery{Until: day.Add(2 * time.Second)}, "c001", 4, 4},
		{"id", store.CallQuery{ID: "c007"}, "c007", 1, 1},
		{"source, extension, type, result, dialed", store.CallQuery{Source: "carrier", Extension: "9000", Type: "audio", Result: "caller", Dialed: "9000", Rows: 1}, "c100", 1, 27},
	} {
		got, total, err := s.Calls(t.Context(), c.q)
		first := ""
		if len(got) > 0 {
			first = got[0].ID
		}
		if err != nil || first != c.first || len(got) != c.n || total != c.total {
			t.Errorf("%s: %d rows from %q of %d, %v; want %d from %q of %d", c.name, len(got), first, total, err, c.n, c.first, c.total)
		}
	}
}

func sweep(t *testing.T, s store.Store) {
	put(t, s, aCall(1), aCall(2), aCall(3))
	if err := s.SweepCalls(aCall(3).Started); err != nil {
		t.Fatal(err)
	}
	if got, total, err := s.Calls(t.Context(), store.CallQuery{}); err != nil || total != 1 || got[0].ID != "c003" {
		t.Errorf("after the sweep: %v, %d, %v, want c003 alone", got, total, err)
	}
}

func reports(t *testing.T, s store.Store) {
	ctx := t.Context()
	a := store.Report{ID: "a", Lane: "q7\nhttp://x", Group: "http://x", Seq: 2, Created: day, Due: day.Add(time.Second), Attempts: 1,
		Last: "refused", Payload: []byte("A\x00\xff")}
	b := store.Report{ID: "b", Lane: "q7\nhttp://x", Seq: 1, Created: day, Due: day, Payload: []byte("B")}
	for _, r := range []store.Report{a, b, {ID: "gone", Seq: 3, Created: day, Due: day}} {
		if err := s.PutReport(r); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []string{"gone", "never was"} {
		if err := s.DropReport(id); err != nil {
			t.Errorf("DropReport(%q) = %v, want nil", id, err)
		}
	}
	if got, err := s.Report(ctx, "a"); err != nil || !reflect.DeepEqual(got, a) {
		t.Errorf("Report = %+v, %v\nwant %+v", got, err, a)
	}
	if _, err := s.Report(ctx, "gone"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Report(gone) = %v, want ErrNotFound", err)
	}
	a.Attempts = 2
	if err := s.PutReport(a); err != nil {
		t.Fatal(err)
	}
	var got []string
	for r, err := range s.Reports(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(r.ID, r.Attempts, len(r.Payload)))
	}
	if want := []string{"b0 0", "a2 0"}; !reflect.DeepEqual(got, want) {
		t.Errorf("Reports = %q, want %q (id, attempts, length of payload)", got, want)
	}
	for range s.Reports(ctx) {
		break // leaving early must not block what follows
	}
	if _, err := s.Report(ctx, "a"); err != nil {
		t.Errorf("Report after a list left early = %v, want nil", err)
	}
}

func registrations(t *testing.T, s store.Store) {
	for _, r := range []struct{ id, doc string }{{"1\na", "old"}, {"1\nb", "b\x00"}, {"2\na", "gone"}, {"1\na", "new"}} {
		if err := s.PutRegistration(r.id, r.id[:1], day, []byte(r.doc)); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []string{"2\na", "never was"} {
		if err := s.DropRegistration(id); err != nil {
			t.Errorf("DropRegistration(%q) = %v, want nil", id, err)
		}
	}
	var got []string
	for doc, err := range s.Registrations(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(doc))
	}
	slices.Sort(got)
	if want := []string{"b\x00", "new"}; !slices.Equal(got, want) {
		t.Errorf("Registrations = %q, want %q", got, want)
	}
	for range s.Registrations(t.Context()) {
		break // leaving early must not block what follows
	}
	if err := s.PutRegistration("x", "x", day, nil); err != nil {
		t.Errorf("PutRegistration after a list left early = %v, want nil", err)
	}
}

func texts(t *testing.T, s store.Store) {
	for i, id := range []string{"c", "a", "b", "other", "gone"} {
		to := "1001"
		if id == "other" {
			to = "1002"
		}
		err := s.PutText(store.Text{ID: id, From: "1002", To: to, FromName: "Bøb", Type: "text/plain;charset=utf-8", Body: []byte("text\x00" + id), Came: day.Add(time.Duration(i/2) * time.Second)})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []string{"gone", "never was"} {
		if err := s.DropText(id); err != nil {
			t.Errorf("DropText(%q) = %v, want nil", id, err)
		}
	}
	look := func(to string, n int, want ...string) {
		t.Helper()
		all, err := s.Texts(t.Context(), to, n)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, one := range all {
			got = append(got, one.ID)
			if one.ID == "b" && !reflect.DeepEqual(one, store.Text{ID: "b", From: "1002", To: "1001", FromName: "Bøb", Type: "text/plain;charset=utf-8", Body: []byte("text\x00b"), Came: day.Add(time.Second)}) {
				t.Errorf("a text comes back as %+v", one)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("Texts(%q, %d) = %q, want %q", to, n, got, want)
		}
	}
	look("1001", 10, "a", "c", "b")
	look("1001", 2, "a", "c")
	look("1003", 10)
	look("", 10, "a", "c", "b", "other")
	if err := s.SweepTexts(day.Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	look("", 10, "b", "other")
}

func settings(t *testing.T, s store.Store) {
	for _, one := range []string{"extension/1002", "extension/1001", "extension_/x", "Extension/9", "other/1", "extension/gone"} {
		if err := s.PutSetting(one, []byte("old")); err != nil {
			t.Fatal(err)
		}
		if err := s.PutSetting(one, []byte(one)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"extension/gone", "never was"} {
		if err := s.DropSetting(name); err != nil {
			t.Errorf("DropSetting(%q) = %v, want nil", name, err)
		}
	}
	var got []string
	for one, err := range s.Settings(t.Context(), "extension/") {
		if err != nil || one.Name != string(one.Doc) {
			t.Fatalf("%q is %q, %v", one.Name, one.Doc, err)
		}
		got = append(got, one.Name)
	}
	if want := []string{"extension/1001", "extension/1002"}; !slices.Equal(got, want) {
		t.Errorf("Settings = %q, want %q", got, want)
	}
}

func messages(t *testing.T, s store.Store) {
	put := func(owner, id, folder, remote string, after time.Duration) {
		t.Helper()
		m := store.Message{Owner: owner, ID: id, Folder: folder, Remote: remote, From: "+3620", To: "9000", Type: "SMS:TEXT", Text: "Szép\n" + id,
			Connection: "sms", Sent: day, Came: day.Add(after), Call: "q7Lx2", Extension: "9000", ReportURL: "http://app/dlr", Operator: true}
		if err := s.PutMessage(m); err != nil {
			t.Fatal(err)
		}
	}
	put("ann", "2", store.Inbox, "", time.Second)
	put("ann", "1", store.Inbox, "", time.Second)
	put("ann", "3", store.Inbox, "", 0)
	put("bob", "3", store.Inbox, "", 0)
	put("ann", "4", store.Inbox, "", 0)
	put("ann", "4", store.Downloaded, "", 3*time.Second) // it moves
	put("", "5", store.Unreported, "r5", 0)
	put("", "6", store.Unreported, "r6", 2*time.Second)
	put("ann", "gone", store.Inbox, "", 0)
	for _, id := range []string{"gone", "never was", "5"} {
		if err := s.DropMessage("ann", id); err != nil {
			t.Errorf("DropMessage(%q) = %v, want nil", id, err)
		}
	}
	look := func(q store.MessageQuery, want ...string) {
		t.Helper()
		all, err := s.Messages(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range all {
			got = append(got, m.ID)
			if m.Owner != q.Owner || m.Folder != q.Folder || m.Text != "Szép\n"+m.ID || m.From != "+3620" || m.To != "9000" || !m.Operator || m.ReportURL == "" || m.Call != "q7Lx2" || !m.Sent.Equal(day) {
				t.Errorf("a message comes back as %+v", m)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("Messages(%+v) = %q, want %q", q, got, want)
		}
	}
	ann := store.MessageQuery{Owner: "ann", Folder: store.Inbox}
	look(ann, "3", "1", "2")
	ann.Rows = 2
	look(ann, "3", "1")
	look(store.MessageQuery{Owner: "bob", Folder: store.Inbox}, "3")
	look(store.MessageQuery{Owner: "ann", Folder: store.Downloaded}, "4")
	look(store.MessageQuery{Owner: "Ann", Folder: store.Inbox})
	look(store.MessageQuery{Folder: store.Unreported, Remote: "r6"}, "6")
	look(store.MessageQuery{Folder: store.Unreported}, "5", "6")
	if err := s.SweepMessages(store.Unreported, day.Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	look(store.MessageQuery{Folder: store.Unreported}, "6")
	look(ann, "3", "1")
	if err := s.SweepMessages("", day.Add(2*time.Second)); err != nil {
		t.Fatal(err)
	}
	look(ann)
	look(store.MessageQuery{Owner: "ann", Folder: store.Downloaded}, "4")
	look(store.MessageQuery{Folder: store.Unreported}, "6")
}

func manyWriters(t *testing.T, s store.Store) {
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 100 {
				if err := s.PutCall(aCall(w*100 + i)); err != nil {
					t.Errorf("PutCall = %v, want nil", err)
				}
			}
		})
	}
	wg.Wait()
	if _, total, err := s.Calls(context.WithoutCancel(t.Context()), store.CallQuery{}); err != nil || total != 800 {
		t.Errorf("total = %d, %v, want 800", total, err)
	}
}
