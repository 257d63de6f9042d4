package server

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"ozswitch/media/pace"
	"ozswitch/ozml/trace"
	"ozswitch/switch/api"
	"ozswitch/switch/call"
)

// figures are what /v1/status tells and /metrics does not: they are about the
// last minutes. The zero figures are ready.
type figures struct {
	mu      sync.Mutex
	up      int
	peak    int
	begun   [64]int32 // calls that began in each second of the last minute
	second  int64     // Unix: the last second that begun knows
	fetches [256]float64
	fetched int
	refused map[string]refusal // why a telephone was not let in last, by extension as claimed
}

// call counts a call that begins.
func (f *figures) call(now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.up++
	f.peak = max(f.peak, f.up)
	f.advance(now)
	f.begun[f.second%int64(len(f.begun))]++
}

// ended counts a call that has ended.
func (f *figures) ended() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.up--
}

// advance empties the seconds since the last call. f.mu is held.
func (f *figures) advance(now time.Time) {
	to := now.Unix()
	f.second = max(f.second, to-int64(len(f.begun)))
	for f.second < to {
		f.second++
		f.begun[f.second%int64(len(f.begun))] = 0
	}
}

// fetch notes how long a web app took.
func (f *figures) fetch(ms float64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fetches[f.fetched%len(f.fetches)] = ms
	f.fetched++
}

// read gives the peak, new calls a second over the last minute, and the 95th
// percentile of the last fetches in milliseconds.
func (f *figures) read(now time.Time) (peak int, rate, p95 float64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.advance(now)
	var n int32
	for i := range int64(60) {
		n += f.begun[(f.second-i)%int64(len(f.begun))]
	}
	if some := slices.Clone(f.fetches[:min(f.fetched, len(f.fetches))]); len(some) > 0 {
		slices.Sort(some)
		p95 = some[(len(some)*95+99)/100-1]
	}
	return f.peak, float64(n) / 60, p95
}

// p99 gives the bound below which 99 of 100 ticks were late, in milliseconds.
func p99(l pace.Lag) float64 {
	left := l.Count() / 100
	if l.Count() == 0 {
		return 0
	}
	for i := len(l.Counts) - 1; i >= 0; i-- {
		if l.Counts[i] > left {
			at := l.Max
			if i < len(l.Bounds) {
				at = min(at, l.Bounds[i])
			}
			return float64(at.Microseconds()) / 1000
		}
		left -= l.Counts[i]
	}
	return 0
}

// status is api.V1.Status.
func (s *Server) status() api.Status {
	now := time.Now()
	peak, rate, p95 := s.figures.read(now)
	return api.Status{
		Version: s.opt.Version, Up: now.Sub(s.begun).Seconds(), Calls: s.calls.Len(), Peak: peak, CallsPerSecond: rate,
		Registrations: len(s.sip.Registrations()), Refused: s.figures.failures(20), FetchP95: p95, LagP99: p99(s.pacer.Lag()), DiskFree: freeBytes(s.data.dir),
	}
}

// doing follows what a call does: it is the part of its event log that lists
// show.
type doing struct {
	mu      sync.Mutex
	first   string   // document that ran first, or was refused
	script  string   // that runs now
	at      []string // "3:3 UserInput" and what runs within it
	problem string   // the first error
	codec   string
	records []string // "10:9 Record", of what is recorded now
	console bool     // a page asked for its end
}

func (d *doing) see(e trace.Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch e.Type {
	case trace.ScriptParsed:
		if d.script = e.Doc; d.first == "" {
			d.first = e.Doc
		}
	case trace.CommandStart:
		d.at = append(d.at, commandPlace(e))
	case trace.ScriptFetch:
		if !e.Succeeded && e.Reason != trace.GivenUp {
			if d.first == "" {
				d.first = e.URL
			}
			d.fault(e)
		}
	case trace.CommandEnd:
		d.at = without(d.at, commandPlace(e))
	case trace.CommandFail:
		d.at = without(d.at, commandPlace(e))
		d.fault(e)
	case trace.RecordStart:
		d.records = append(d.records, recordPlace(e))
	case trace.RecordEnd:
		d.records = without(d.records, recordPlace(e))
	case trace.RecordFail: // may be before its end
		d.records = without(d.records, recordPlace(e))
		d.fault(e)
	case trace.ScriptRefused:
		if d.first == "" {
			d.first = e.Doc
		}
		d.fault(e)
	case trace.Error, trace.NotifyFail:
		d.fault(e)
	case trace.MediaStarted:
		d.codec = e.Name
	}
}

// fromConsole is the reason of a call that a page of ours hung up; its result
// is "api", as that of other requests over HTTP.
const fromConsole = "hung up from the console"

// byConsole notes that a page asked for the call's end.
func (d *doing) byConsole() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.console = true
}

// reason gives the words for an end, "" = those of its result.
func (d *doing) reason(result string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.console && result == call.ByAPI.String() {
		return fromConsole
	}
	return ""
}

// past gives what the history keeps: the first script, the first error.
func (d *doing) past() (script, problem string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.first, d.problem
}

// now gives what runs, where, and the codec. Recordings go on beside what runs.
func (d *doing) now() (script, at, codec string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []string
	if n := len(d.at); n > 0 {
		all = d.at[n-1:]
	}
	return d.script, strings.Join(slices.Concat(all, d.records), ", "), d.codec
}

// commandPlace writes a command as lists show it: "3:3 UserInput".
func commandPlace(e trace.Event) string { return fmt.Sprintf("%d:%d %s", e.Line, e.Col, e.Name) }

// recordPlace is commandPlace of what goes on recording after its command.
func recordPlace(e trace.Event) string { return fmt.Sprintf("%d:%d recording", e.Line, e.Col) }

// without takes the last of its kind off a list.
func without(list []string, one string) []string {
	for i, s := range slices.Backward(list) {
		if s == one {
			return slices.Delete(list, i, i+1)
		}
	}
	return list
}

// fault keeps the first. d.mu is held.
func (d *doing) fault(e trace.Event) {
	if d.problem == "" {
		text, _, _ := strings.Cut(e.Text, "\n")
		d.problem = strings.TrimSpace(e.Code + " " + text)
	}
}
