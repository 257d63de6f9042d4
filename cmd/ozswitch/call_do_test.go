package main

import (
	"fmt"
	"testing"
)

// TestParseActions: what --do takes, in the order of time, and what it refuses.
func TestParseActions(t *testing.T) {
	got, err := parseActions([]string{"hold@2s, resume", "transfer:1003@1500ms"})
	if want := "[transfer:1003 hold resume] 1.5s 2s 3s"; err != nil || fmt.Sprint(got, got[0].at, got[1].at, got[2].at) != want {
		t.Errorf("%v, %v, want %s", got, err, want)
	}
	for _, bad := range []string{"", "hang", "hold:1", "transfer", "consult:", "hold@x", "join@-1s"} {
		if a, err := parseActions([]string{bad}); err == nil {
			t.Errorf("--do %q was taken: %v", bad, a)
		}
	}
}
