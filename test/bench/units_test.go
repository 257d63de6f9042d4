//go:build bench && linux

package bench

import (
	"fmt"
	"os/exec"
	"strings"
)

// pieces are the packages whose benchmarks are printed.
var pieces = []string{
	"./media/codec", "./media", "./media/rtp", "./media/dtmf", "./media/mp3", "./media/tts", "./media/recorder",
	"./switch/sip/...", "./switch/notify", "./switch/eventlog", "./switch/store/sqlite", "./ozml/...",
}

// units runs the benchmarks that the packages themselves have; each has its
// budget in its comment.
func units(b *bench) error {
	var failed []string
	for _, p := range pieces {
		out, err := exec.CommandContext(b.ctx, "go", "test", "-run", "^$", "-bench", ".", "-benchmem", "-benchtime", "100ms", p).CombinedOutput()
		if err != nil {
			failed = append(failed, fmt.Sprintf("%s: %v\n%s", p, err, out[max(0, len(out)-1000):]))
			continue
		}
		for line := range strings.Lines(string(out)) {
			// Name, times, then pairs of value and unit.
			f := strings.Fields(line)
			if len(f) < 4 || !strings.HasPrefix(f[0], "Benchmark") {
				continue
			}
			name, _, _ := strings.Cut(strings.TrimPrefix(f[0], "Benchmark"), "-")
			var said []string
			for i := 2; i+1 < len(f); i += 2 {
				said = append(said, f[i]+" "+f[i+1])
			}
			b.table.note(strings.TrimPrefix(strings.TrimSuffix(p, "/..."), "./")+" "+name, "%s", strings.Join(said, ", "))
		}
	}
	if len(failed) > 0 {
		return fmt.Errorf("%s", strings.Join(failed, "\n"))
	}
	return nil
}
