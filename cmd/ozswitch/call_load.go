package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"ozswitch/switch/phone"
)

// load places k.calls calls, each at its own moment counted from the first: one
// that starts late does not put off those after it.
func (k *caller) load(ctx context.Context, c *cobra.Command, l *line) error {
	t := newTally()
	bar := newBar(c, k.calls)
	var wg sync.WaitGroup
	free := make(chan struct{}, cmp.Or(k.most, k.calls))
	begin := time.Now()
	for i := range k.calls {
		due := begin.Add(time.Duration(float64(i) / k.rate * float64(time.Second)))
		if !until(ctx, due) {
			break
		}
		select {
		case free <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
		t.start(time.Since(due))
		o := k.options()
		trouble := ""
		o.Events = func(e phone.Event) {
			if e.Kind == phone.Trouble && trouble == "" {
				trouble = e.Text
			}
		}
		call, err := l.phone.Place(k.number, o)
		if err != nil {
			t.end(phone.Result{}, strings.TrimPrefix(err.Error(), "phone: call "+k.number+": "))
			bar.step()
			<-free
			continue
		}
		wg.Go(func() {
			r := l.wait(ctx, call)
			t.end(r, cmp.Or(l.why(ctx, r), trouble))
			bar.step()
			<-free
		})
	}
	wg.Wait()
	bar.clear()

	s := t.summary(k, l.host, time.Since(begin))
	var err error
	if k.json {
		err = jsonLine(c.OutOrStdout(), s)
	} else {
		err = s.print(c.OutOrStdout(), styleOf(c, c.OutOrStdout()))
	}
	if err != nil {
		return err
	}
	if !s.OK {
		if h := l.hint(ctx, t.code); h != "" && !k.json {
			talk(c, "%s", h)
		}
		return errNo
	}
	return nil
}

// until waits for a moment; false when ctx ended first.
func until(ctx context.Context, when time.Time) bool {
	d := time.Until(when)
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// A tally counts calls.
type tally struct {
	mu      sync.Mutex
	started int
	now     int // up at this moment
	peak    int
	late    time.Duration // of the latest start
	good    int
	answers int
	causes  map[string]int
	code    int // SIP status of the first call that failed
	setup   *hdrhistogram.Histogram
	jitter  *hdrhistogram.Histogram

	out, in, lost, tooLate int64
	lag                    time.Duration
}

// newTally makes histograms of microseconds, up to two minutes.
func newTally() *tally {
	h := func() *hdrhistogram.Histogram { return hdrhistogram.New(1, longestSetup.Microseconds(), 3) }
	return &tally{causes: map[string]int{}, setup: h(), jitter: h()}
}

const longestSetup = 2 * time.Minute

func (t *tally) start(late time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.started++
	t.now++
	t.peak = max(t.peak, t.now)
	t.late = max(t.late, late)
}

// end counts a call; why says why it failed.
func (t *tally) end(r phone.Result, why string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.now--
	if why == "" {
		t.good++
	} else {
		t.causes[why]++
		t.code = cmp.Or(t.code, r.Code)
	}
	if r.Setup > 0 {
		t.answers++
		record(t.setup, r.Setup)
	}
	if s := r.Stats; s.PacketsIn > 0 {
		record(t.jitter, s.Jitter)
	}
	t.out += r.Stats.PacketsOut
	t.in += r.Stats.PacketsIn
	t.lost += r.Stats.Lost
	t.tooLate += r.Stats.Late
	t.lag = max(t.lag, r.Stats.Lag)
}

func record(h *hdrhistogram.Histogram, d time.Duration) {
	_ = h.RecordValue(min(max(d, 0), longestSetup).Microseconds()) // within its bounds
}

// A loadSummary is how many calls went. Times are seconds.
type loadSummary struct {
	Type     string     `json:"type"` // load
	Number   string     `json:"number"`
	Server   string     `json:"server"`
	OK       bool       `json:"ok"`
	Wanted   int        `json:"wanted"` // less are placed when it is interrupted
	Calls    int        `json:"calls"`
	Good     int        `json:"good"` // answered, and ended well
	Answered int        `json:"answered"`
	Failed   int        `json:"failed"`
	Causes   []cause    `json:"causes,omitempty"`
	Rate     float64    `json:"rate"` // wanted
	Peak     int        `json:"peak"` // calls at once
	Duration float64    `json:"duration_seconds"`
	Late     float64    `json:"start_late_seconds"` // the latest start
	Setup    *quantiles `json:"setup_seconds,omitempty"`
	Out      int64      `json:"packets_out"`
	In       int64      `json:"packets_in"`
	Lost     int64      `json:"packets_lost"`
	TooLate  int64      `json:"packets_late"` // for the jitter buffer
	Jitter   *quantiles `json:"jitter_seconds,omitempty"`
	Lag      float64    `json:"lag_seconds"` // how late this caller itself was at worst
}

// A cause is why calls failed.
type cause struct {
	Cause string `json:"cause"`
	Calls int    `json:"calls"`
}

type quantiles struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

func newQuantiles(h *hdrhistogram.Histogram) *quantiles {
	if h.TotalCount() == 0 {
		return nil
	}
	at := func(q float64) float64 { return float64(h.ValueAtQuantile(q)) / 1e6 }
	return &quantiles{at(50), at(95), at(99), float64(h.Max()) / 1e6}
}

func (q *quantiles) String() string {
	ms := func(s float64) string { return millis(time.Duration(s * 1e9)) }
	return fmt.Sprintf("p50 %s · p95 %s · p99 %s · max %s", ms(q.P50), ms(q.P95), ms(q.P99), ms(q.Max))
}

// summary is called when all calls have ended.
func (t *tally) summary(k *caller, host string, took time.Duration) loadSummary {
	s := loadSummary{Type: "load", Number: k.number, Server: host, OK: t.good == k.calls, Wanted: k.calls, Calls: t.started,
		Good: t.good, Answered: t.answers, Failed: t.started - t.good, Rate: k.rate, Peak: t.peak, Duration: took.Seconds(), Late: t.late.Seconds(),
		Setup: newQuantiles(t.setup), Out: t.out, In: t.in, Lost: t.lost, TooLate: t.tooLate, Jitter: newQuantiles(t.jitter), Lag: t.lag.Seconds()}
	for why, n := range t.causes {
		s.Causes = append(s.Causes, cause{why, n})
	}
	slices.SortFunc(s.Causes, func(a, b cause) int {
		return cmp.Or(cmp.Compare(b.Calls, a.Calls), cmp.Compare(a.Cause, b.Cause))
	})
	return s
}

// tooLag is when the figures say more of this machine than of the switch.
const tooLag = 20 * time.Millisecond

func (s *loadSummary) print(w io.Writer, st style) error {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-9s "+format+"\n", append([]any{name}, args...)...)
	}
	line("calls", "%d in %.1f s, %g a second, up to %d at once", s.Calls, s.Duration, s.Rate, s.Peak)
	line("answered", "%d, failed %d", s.Answered, s.Failed)
	for _, c := range s.Causes {
		line("", "%d × %s", c.Calls, c.Cause)
	}
	if s.Setup != nil {
		line("set-up", "%v", s.Setup)
	}
	line("packets", "%d out, %d in, %d lost, %d late", s.Out, s.In, s.Lost, s.TooLate)
	if s.Jitter != nil {
		line("jitter", "%v", s.Jitter)
	}
	lag, late := time.Duration(s.Lag*1e9), time.Duration(s.Late*1e9)
	line("lateness", "sound %s, starts %s at worst, of this caller itself", millis(lag), millis(late))
	if max(lag, late) > tooLag {
		line("", "%s", st.yellow("this caller could not keep time, so the figures are partly its own"))
	}
	switch {
	case s.OK:
		fmt.Fprintf(&b, "%s  %d calls\n", st.green("ok"), s.Calls)
	case s.Calls < s.Wanted:
		fmt.Fprintf(&b, "%s  stopped after %d of %d calls, %d of them failed\n", st.red("failed"), s.Calls, s.Wanted, s.Failed)
	default:
		fmt.Fprintf(&b, "%s  %d of %d calls\n", st.red("failed"), s.Failed, s.Calls)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// A bar shows how many calls have ended, on a terminal.
type bar struct{ p *progressbar.ProgressBar }

func newBar(c *cobra.Command, calls int) bar {
	w := c.ErrOrStderr()
	if _, terminal := terminalWidth(w); !terminal {
		return bar{}
	}
	if quiet, err := c.Flags().GetBool("quiet"); err == nil && quiet {
		return bar{}
	}
	return bar{progressbar.NewOptions(calls, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription("calls"),
		progressbar.OptionShowCount(), progressbar.OptionSetWidth(30), progressbar.OptionThrottle(100*time.Millisecond))}
}

func (b bar) step() {
	if b.p != nil {
		_ = b.p.Add(1)
	}
}

func (b bar) clear() {
	if b.p != nil {
		_ = b.p.Clear()
	}
}
