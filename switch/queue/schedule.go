package queue

import "time"

// MaxAge is how long a report is kept (decisions 8).
const MaxAge = 24 * time.Hour

// Next tells when a report is tried again after so many attempts: 1, 2, 4, 8 …
// seconds after the last, up to 10 minutes (decisions 8).
func Next(now time.Time, attempts int) time.Time {
	const most = 10 * time.Minute
	wait := most
	if attempts <= 10 { // 512 s is the last below
		wait = time.Second << max(attempts-1, 0)
	}
	return now.Add(wait)
}
