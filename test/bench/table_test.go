//go:build bench && linux

package bench

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// A table is written line by line, so that a long run shows where it is.
type table struct{ w io.Writer }

func newTable(w io.Writer) *table { return &table{w} }

const line = "%-4s %-44s %-34s %-20s %s\n"

func (t *table) head() {
	fmt.Fprintf(t.w, "\n"+line, "", "figure", "measured", "target", "bar (Asterisk 22)")
	fmt.Fprintln(t.w, strings.Repeat("-", 122))
}

// part heads the figures of one part with the load it found.
func (t *table) part(name, what string) {
	fmt.Fprintf(t.w, "\n%s: %s (load %s)\n", name, what, machineLoad())
}

// row is a figure that has a target and whether it is met.
func (t *table) row(met bool, figure, measured, target, bar string) {
	word := "ok"
	if !met {
		word = "MISS"
	}
	fmt.Fprint(t.w, trimmed(fmt.Sprintf(line, word, figure, measured, target, bar)))
}

// note is a figure without a target.
func (t *table) note(figure, format string, args ...any) {
	fmt.Fprint(t.w, trimmed(fmt.Sprintf(line, "", figure, fmt.Sprintf(format, args...), "", "")))
}

func (t *table) say(format string, args ...any) { fmt.Fprintf(t.w, format+"\n", args...) }

func trimmed(s string) string { return strings.TrimRight(s, " \n") + "\n" }

// machineLoad is the load average of the last minute, which is not the bench's
// alone.
func machineLoad() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	one, _, _ := strings.Cut(string(b), " ")
	return one
}

// quantile of sorted values, 0 without any.
func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

// spread is p50, p99 and the largest.
func spread(all []time.Duration) string {
	slices.Sort(all)
	return fmt.Sprintf("%s / %s / %s ms", ms(quantile(all, .5)), ms(quantile(all, .99)), ms(quantile(all, 1)))
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f", d.Seconds()*1e3) }
