package api

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
)

// TestLines: what is told of lines, and that the status names one that is down.
func TestLines(t *testing.T) {
	until := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var lines []Line
	var broken error
	v := &V1{Lines: func() []Line { return lines }, Status: func() Status { return Status{} },
		Checks: []Check{{Name: "store", Err: func(context.Context) error { return broken }}}}
	status := func() Status {
		t.Helper()
		s, err := v.getStatus(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		return s.Body
	}
	written := func() string {
		all, err := v.getLines(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(all.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if got := written(); got != "[]" {
		t.Errorf("no lines: %s", got)
	}
	lines = []Line{{Name: "a", Address: "a.test", State: "up", Register: true, Registered: true, Expires: &until, Places: []LinePlace{{"udp", "192.0.2.1:5060", "up"}}}, {Name: "b", State: "unknown"}}
	if got := written(); !strings.Contains(got, `"expires":"2026-01-02T03:04:05Z"`) || !strings.Contains(got, `"name":"b","address":"","state":"unknown","register":false,"registered":false,"expires":null,"last_error":""`) {
		t.Errorf("lines %s", got)
	}
	if s := status(); !s.OK || s.Sentence != "All well" || len(s.Checks) != 3 {
		t.Errorf("status %+v", s)
	}
	lines[1].State, lines[1].LastError = "down", "no answer"
	if s := status(); s.OK || s.Sentence != "Not well: line b is down: no answer" || s.Checks[2] != (CheckResult{"line b", false, "no answer"}) {
		t.Errorf("status %+v", s)
	}
	broken = errors.New("is full")
	if s := status(); s.Sentence != "Not well: store: is full" {
		t.Errorf("status %+v", s)
	}
}
