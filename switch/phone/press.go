package phone

import (
	"fmt"
	"strings"
	"time"
)

// ParsePresses reads "1@2s,#@5s": keys and when, after the answer, they are
// pressed. Keys without a time are pressed one second after those before.
func ParsePresses(s string) ([]Press, error) {
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	var all []Press
	var last time.Duration
	for part := range strings.SplitSeq(s, ",") {
		keys, when, timed := strings.Cut(strings.TrimSpace(part), "@")
		keys = strings.ToUpper(strings.TrimSpace(keys))
		if keys == "" || strings.Trim(keys, "0123456789*#ABCD") != "" {
			return nil, fmt.Errorf("phone: press %q: want keys out of 0-9 * # A-D, as in 1@2s", part)
		}
		at := last + time.Second
		if timed {
			d, err := time.ParseDuration(strings.TrimSpace(when))
			if err != nil || d < 0 {
				return nil, fmt.Errorf("phone: press %q: want a time after @, as in 1@2s or #@500ms", part)
			}
			at = d
		}
		last = at
		all = append(all, Press{At: at, Keys: keys})
	}
	return all, nil
}
