package notify

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ozswitch/ozml"
	"ozswitch/ozml/syntax"
	"ozswitch/switch/store"
)

// answers notes what came to Config.Answered.
type answers struct {
	mu   sync.Mutex
	list []string
}

func (a *answers) take(call string, n ozml.Notification, f *syntax.File) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.list = append(a.list, fmt.Sprint(call, " ", n.Name, " ", commands(f)))
}

func (a *answers) got() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return strings.Join(a.list, ", ")
}

func record(url string) ozml.Notification {
	return ozml.Notification{Name: "RecordCompleted", URL: url, Fields: ozml.Recorded{Path: "a.mp3"}.Fields()}
}

const rec = "http://10.0.0.1/rec"

func TestReportIsRetriedInOrder(t *testing.T) {
	var got answers
	bubble(t, Config{Answered: got.take, SecretFor: func(string) string { return "s" }}, func(w http.ResponseWriter, r *http.Request, n int) {
		if r.URL.Path == "/rec" && n <= 4 {
			w.WriteHeader(503)
			return
		}
		io.WriteString(w, hello)
	}, func(t *testing.T, c *Client, a *app, ev *events) {
		w := c.ForCall(CallContext{Info: info})
		w.Report(record(rec))
		w.Report(ozml.Notification{Name: "SMSDeliveryReport", URL: rec})
		w.Report(ozml.Notification{Name: "SMSDeliveryReport", URL: "http://10.0.0.1/other"})
		w.Report(ozml.Notification{Name: "SMSDeliveryReport"}) // no URL: nobody wants it
		elapse(time.Hour)
		if c.Waiting() != 0 {
			t.Errorf("Waiting = %d, want 0", c.Waiting())
		}
		rest := strings.Replace(a.got(), "SMSDeliveryReport@0s /other\n", "", 1)
		if want := "RecordCompleted@0s /rec\nRecordCompleted@1s /rec\nRecordCompleted@3s /rec\nRecordCompleted@7s /rec\nRecordCompleted@15s /rec\nSMSDeliveryReport@15s /rec"; rest != want {
			t.Errorf("the app saw\n%s, want\n%s", rest, want)
		}
		for i, f := range a.forms {
			if f.Get("RecordPath") == "a.mp3" && (a.ids[i] != "id1" || f.Encode() != a.forms[0].Encode() && i > 1 && f.Get("Timestamp") != a.start.Format(time.RFC3339)) {
				t.Errorf("attempt %d: id %s, %v, want the same in each", i, a.ids[i], f)
			}
		}
		// 15 s are too late for the first; the second was answered at once.
		if got, want := got.got(), "q7Lx2 SMSDeliveryReport 1, q7Lx2 SMSDeliveryReport 1"; got != want {
			t.Errorf("answered: %s, want %s", got, want)
		}
		if !strings.Contains(ev.lines(), "script.warning RecordCompleted "+ozml.CodeIgnored) || strings.Count(ev.lines(), "notify.failed RecordCompleted OZ1304 retry") != 4 {
			t.Errorf("events\n%s", ev.lines())
		}
	})
}

// What an answer to a report leads to.
func TestAnswersToReports(t *testing.T) {
	for _, c := range []struct {
		name, body string
		status     int
		tries      int // in 2 s
		answered   bool
		warning    string
	}{
		{"commands", hello, 200, 1, true, ""},
		{"no commands", "<Response/>", 200, 1, false, ""},
		{"nothing", "", 204, 1, false, ""},
		{"ok", "OK", 200, 1, false, ozml.CodeNoScript},
		{"json", `{"ok":true}`, 200, 1, false, ozml.CodeNoScript},
		{"a web page", "<html><body>", 200, 2, false, ""},
		{"a broken script", "<Response><Speak>", 200, 2, false, ""},
		{"an error", hello, 500, 2, false, ""},
	} {
		var got answers
		bubble(t, Config{Answered: got.take}, func(w http.ResponseWriter, r *http.Request, n int) {
			w.WriteHeader(c.status)
			io.WriteString(w, c.body)
		}, func(t *testing.T, cl *Client, a *app, ev *events) {
			cl.ForCall(CallContext{Info: info}).Report(record(rec))
			elapse(2 * time.Second)
			warning := ""
			for _, e := range ev.list {
				if e.Type == "script.warning" {
					warning = e.Code
				}
			}
			if len(a.seen) != c.tries || (got.got() != "") != c.answered || warning != c.warning {
				t.Errorf("%s: %d tries, answered %q, warning %q; want %d, %v, %q", c.name, len(a.seen), got.got(), warning, c.tries, c.answered, c.warning)
			}
		})
	}
}

func TestReportWait(t *testing.T) {
	var got answers
	bubble(t, Config{Answered: got.take}, func(w http.ResponseWriter, r *http.Request, n int) {
		switch {
		case r.URL.Path == "/slow" && n == 1:
			pause(r.Context(), 5*time.Second)
		case r.URL.Path == "/down" && n <= 2:
			w.WriteHeader(500)
			return
		case r.URL.Path == "/empty":
			return
		}
		io.WriteString(w, hello)
	}, func(t *testing.T, c *Client, a *app, ev *events) {
		w := c.ForCall(CallContext{Info: info})
		if f, err := w.ReportWait(t.Context(), record(rec)); err != nil || commands(f) != 1 {
			t.Errorf("ReportWait = %v, %v, want the document", f, err)
		}
		if f, err := w.ReportWait(t.Context(), record("http://10.0.0.1/empty")); err != nil || f != nil {
			t.Errorf("ReportWait of an empty answer = %v, %v, want nil, nil", f, err)
		}
		if f, err := w.ReportWait(t.Context(), record("")); err != nil || f != nil {
			t.Errorf("ReportWait without a URL = %v, %v, want nil, nil", f, err)
		}
		if _, err := w.ReportWait(t.Context(), record("nonsense")); err == nil {
			t.Error("ReportWait of a bad URL = nil, want the fault")
		}
		if got.got() != "" {
			t.Errorf("answered %q though somebody waited", got.got())
		}
		// The first attempt fails: the waiter hears of it, the third answer (at 3 s)
		// goes to Answered.
		if f, err := w.ReportWait(t.Context(), record("http://10.0.0.1/down")); err == nil || f != nil {
			t.Errorf("ReportWait of a failure = %v, %v, want the fault", f, err)
		}
		elapse(4 * time.Second)
		if got.got() != "q7Lx2 RecordCompleted 1" {
			t.Errorf("answered %q, want the later answer", got.got())
		}
		// The waiter leaves: the answer to the first attempt goes to Answered.
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := w.ReportWait(ctx, record("http://10.0.0.1/slow")); err != context.DeadlineExceeded {
			t.Errorf("ReportWait = %v, want the deadline", err)
		}
		elapse(6 * time.Second)
		if want := "q7Lx2 RecordCompleted 1, q7Lx2 RecordCompleted 1"; got.got() != want {
			t.Errorf("answered %q, want %q", got.got(), want)
		}
		if len(c.reports.byID) != 0 {
			t.Errorf("%d reports are still known", len(c.reports.byID))
		}
	})
}

// A fault in the handler ends nothing but the handling.
func TestHandlerPanics(t *testing.T) {
	var caught []any
	bubble(t, Config{Answered: func(string, ozml.Notification, *syntax.File) { panic("a bug") }, Panicked: func(v any) { caught = append(caught, v) }},
		answer(hello), func(t *testing.T, c *Client, a *app, ev *events) {
			c.ForCall(CallContext{Info: info}).Report(record(rec))
			elapse(time.Minute)
			if len(a.seen) != 1 || len(caught) != 1 || c.Waiting() != 0 {
				t.Errorf("%d requests, caught %v, waiting %d; want one, one, none", len(a.seen), caught, c.Waiting())
			}
		})
}

// Another process takes up what the last one could not deliver, signs it and
// gives it to the app as it was.
func TestReportSurvivesARestart(t *testing.T) {
	mem := store.NewMem()
	var first string
	bubble(t, Config{Store: mem}, func(w http.ResponseWriter, r *http.Request, n int) { w.WriteHeader(500) }, func(t *testing.T, c *Client, a *app, ev *events) {
		c.ForCall(CallContext{Info: info, Operator: []string{rec}}).Report(record(rec))
		elapse(2 * time.Second)
		first = a.forms[0].Encode()
	})
	bubble(t, Config{Store: mem, SecretFor: func(x string) string { return "new secret of " + x }}, answer(""), func(t *testing.T, c *Client, a *app, ev *events) {
		elapse(time.Hour) // the clock of a bubble starts anew
		if len(a.forms) != 1 || a.forms[0].Encode() != first || a.ids[0] != "id1" {
			t.Fatalf("the next process sent %v with ids %v, want %s once", a.forms, a.ids, first)
		}
		if !strings.HasPrefix(a.signed[0], "t=") {
			t.Errorf("not signed: %s", a.signed[0])
		}
		if e := ev.first("notify.sent"); e.Call != "q7Lx2" || e.Count != 3 {
			t.Errorf("event %+v, want attempt 3 of q7Lx2", e)
		}
	})
}

func changed(state string) ozml.Notification {
	return ozml.Notification{Name: "CallChanged", URL: "http://10.0.0.1/state", Fields: map[string][]string{"CallState": {state}}}
}

func TestStates(t *testing.T) {
	for _, c := range []struct {
		name     string
		handle   func(w http.ResponseWriter, r *http.Request, n int)
		seen     string // state@time
		answered string
		dropped  int
	}{
		{"in order, one at a time; an older answer is not run", func(w http.ResponseWriter, r *http.Request, n int) {
			pause(r.Context(), time.Second)
			io.WriteString(w, hello)
		}, "Ringing@0s InCall@1s Completed@2s", "q7Lx2 CallChanged 1", 0},
		{"tried three times, then dropped", func(w http.ResponseWriter, r *http.Request, n int) { w.WriteHeader(500) },
			"Ringing@0s Ringing@1s Ringing@3s InCall@3s InCall@4s InCall@6s Completed@6s Completed@7s Completed@9s", "", 3},
		{"ten seconds in all", func(w http.ResponseWriter, r *http.Request, n int) { <-r.Context().Done() }, "Ringing@0s", "", 3},
		{"no answer is an answer", answer(""), "Ringing@0s InCall@0s Completed@0s", "", 0},
	} {
		var got answers
		bubble(t, Config{Answered: got.take}, c.handle, func(t *testing.T, cl *Client, a *app, ev *events) {
			w := cl.ForCall(CallContext{Info: info})
			for _, s := range []string{"Ringing", "InCall", "Completed"} {
				w.State(changed(s))
			}
			elapse(time.Minute)
			var seen []string
			for i, f := range a.forms {
				at, _, _ := strings.Cut(strings.TrimPrefix(a.seen[i], "CallChanged@"), " ")
				seen = append(seen, f.Get("CallState")+"@"+at)
			}
			if s := strings.Join(seen, " "); s != c.seen || got.got() != c.answered {
				t.Errorf("%s: the app saw %s, answered %q; want %s, %q", c.name, s, got.got(), c.seen, c.answered)
			}
			if n := strings.Count(ev.lines(), "dropped"); n != c.dropped {
				t.Errorf("%s: %d dropped, want %d:\n%s", c.name, n, c.dropped, ev.lines())
			}
			if len(cl.states.byCall) != 0 {
				t.Errorf("%s: %d lanes are left", c.name, len(cl.states.byCall))
			}
			// A lane that ended begins again.
			before := a.got()
			w.State(changed("Later"))
			if elapse(100 * time.Millisecond); a.got() == before {
				t.Errorf("%s: a later state was not sent", c.name)
			}
			elapse(time.Minute)
		})
	}
}

func TestTooManyStates(t *testing.T) {
	bubble(t, Config{}, func(w http.ResponseWriter, r *http.Request, n int) { <-r.Context().Done() }, func(t *testing.T, c *Client, a *app, ev *events) {
		c.ForCall(CallContext{Info: info}).State(changed("Ringing"))
		synctest.Wait() // it is under way
		for range maxStates + 10 {
			c.ForCall(CallContext{Info: info}).State(changed("InCall"))
		}
		if n := strings.Count(ev.lines(), "notify.failed CallChanged dropped"); n != 10 {
			t.Errorf("%d dropped at once, want 10", n)
		}
		elapse(time.Minute)
	})
}
