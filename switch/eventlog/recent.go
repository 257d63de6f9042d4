package eventlog

import (
	"iter"
	"strings"
	"time"
)

// Recent gives the ids of calls that have a file and began at most d before the
// newest of them, to the hour, newest hours first: after a crash those that may
// have been up are among them.
func (l *Log) Recent(d time.Duration) iter.Seq[string] {
	return func(yield func(string) bool) {
		if l.root == nil {
			return
		}
		var oldest time.Time
		for _, day := range l.folders(".") {
			for _, hour := range l.folders(day) {
				t, err := time.Parse("2006-01-02/15", day+"/"+hour)
				if err != nil {
					continue
				}
				if oldest.IsZero() {
					oldest = t.Add(-d)
				}
				if t.Add(time.Hour).Before(oldest) {
					return
				}
				for _, name := range l.folders(day + "/" + hour) {
					if id, ok := strings.CutSuffix(name, ".jsonl"); ok && plain(id) && !yield(id) {
						return
					}
				}
			}
		}
	}
}
