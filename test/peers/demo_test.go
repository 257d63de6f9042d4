//go:build peers

package peers

import (
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

// TestDemo: `ozswitch demo --once` does the main job by itself in an empty
// folder, and the recording it names is there as long as it says.
func TestDemo(t *testing.T) {
	need(t, "sox")
	dir := t.TempDir()
	began := time.Now()
	out := run(t, dir, program(t), "demo", "--once")
	t.Logf("the demonstration took %v", time.Since(began).Round(time.Millisecond))
	lines := regexp.MustCompile(`(?s)call \d+ -> \d+\n.*fetch POST http://\S+ 200 .*Speak ".*Record started .*key 1\n.*Record ended: digit 1, .*notify RecordCompleted .* 200 .*Hangup\n.*call ended: script, `)
	if !lines.MatchString(out) {
		t.Errorf("the transcript lacks a line, or has another order:\n%s", out)
	}
	m := regexp.MustCompile(`Recording: (\S+\.wav), ([0-9.]+) s`).FindStringSubmatch(out)
	if m == nil {
		t.Fatalf("no recording was named:\n%s", out)
	}
	name := m[1]
	if !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	said, got := number(t, m[2]), seconds(t, name)[0]
	if got < 1 || got-said > 0.1 || said-got > 0.1 {
		t.Errorf("the recording lasts %.2f s, the demonstration says %.1f", got, said)
	}
	if rms, _ := hear(t, name, 0, got); rms < 0.01 {
		t.Errorf("the recording has loudness %.4f: nobody spoke", rms)
	}
}
