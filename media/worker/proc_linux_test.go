package worker

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestNice: every thread of a worker runs at lower priority than the switch.
func TestNice(t *testing.T) {
	p := pool(t, Config{Nice: 7})
	pid := do(t, p, "pid")
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%s/task/*/stat", pid))
	if err != nil || len(tasks) == 0 {
		t.Fatalf("no threads of %s: %v", pid, err)
	}
	for _, name := range tasks {
		b, err := os.ReadFile(name)
		if err != nil {
			continue // the thread has ended
		}
		_, rest, _ := strings.Cut(string(b), ") ")
		if nice := strings.Fields(rest)[16]; nice != "7" { // field 19 of proc(5)
			t.Errorf("%s: nice %s, want 7", name, nice)
		}
	}
}
