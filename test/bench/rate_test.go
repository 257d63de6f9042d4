//go:build bench && linux

package bench

import (
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A sippRun is what sipp's own caller (-sn uac: INVITE, ACK, BYE at once) says.
type sippRun struct {
	good, failed, resent int
	refused, later       int // 503 that it got, and those of them with Retry-After
	took                 time.Duration
	rate                 float64 // calls a second that it placed
}

// clean is no failed call, no retransmission, and a caller that kept its rate.
func (r sippRun) clean(rate int) bool {
	return r.failed == 0 && r.resent == 0 && r.rate > 0.93*float64(rate)
}

// sipp places calls at addr.
func (b *bench) sipp(addr, number string, rate, calls int) (r sippRun, err error) {
	dir, err := os.MkdirTemp(b.dir, "sipp-")
	if err != nil {
		return r, err
	}
	local, err := b.freePort()
	if err != nil {
		return r, err
	}
	limit := time.Duration(calls/rate)*time.Second + 15*time.Second
	ctx, cancel := context.WithTimeout(b.ctx, limit+5*time.Second)
	defer cancel()
	c := exec.CommandContext(ctx, "sipp", "-sn", "uac", "-s", number, "-i", "127.0.0.1", "-p", local[strings.LastIndex(local, ":")+1:], "-mp", "14000",
		"-r", fmt.Sprint(rate), "-m", fmt.Sprint(calls), "-l", "20000", "-nostdin", "-trace_stat", "-stf", "stat.csv", "-fd", "1", "-trace_err", "-error_file", "errors",
		"-timeout", fmt.Sprint(int(limit.Seconds())), addr)
	c.Dir, c.Env = dir, append(os.Environ(), "TERM=dumb")
	began := time.Now()
	_ = c.Run() // a failed call is status 1: the statistics tell
	r.took = time.Since(began)
	st, err := lastStat(filepath.Join(dir, "stat.csv"))
	if err != nil {
		return r, err
	}
	if log, err := os.ReadFile(filepath.Join(dir, "errors")); err == nil {
		for _, m := range strings.Split(string(log), "SIP/2.0 503")[1:] {
			r.refused++
			head, _, _ := strings.Cut(m, "\r\n\r\n")
			if strings.Contains(head, "\nRetry-After: ") {
				r.later++
			}
		}
	}
	n := func(name string) int { v, _ := strconv.Atoi(st[name]); return v }
	r.good, r.failed, r.resent = n("SuccessfulCall(C)"), n("FailedCall(C)"), n("Retransmissions(C)")
	r.failed = max(r.failed, calls-r.good)
	r.rate, _ = strconv.ParseFloat(st["CallRate(C)"], 64)
	// Its mean rate counts the time in which it only waits for the last calls.
	if d := time.Duration(calls) * time.Second / time.Duration(rate); r.took < d+1500*time.Millisecond {
		r.rate = float64(rate)
	}
	return r, nil
}

// lastStat is the last row of sipp's statistics, by the names of its columns.
func lastStat(file string) (map[string]string, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("sipp left no statistics: %w", err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma, r.FieldsPerRecord, r.LazyQuotes = ';', -1, true
	rows, err := r.ReadAll()
	if err != nil || len(rows) < 2 {
		return nil, fmt.Errorf("sipp's statistics: %d rows, %v", len(rows), err)
	}
	stat, last := map[string]string{}, rows[len(rows)-1]
	for i, name := range rows[0] {
		if i < len(last) {
			stat[name] = last[i]
		}
	}
	return stat, nil
}

// climb is the highest rate that was clean; one that was not gets a second try.
func (b *bench) climb(addr, number string) (best int, then string, err error) {
	for _, rate := range []int{100, 200, 300, 400, 600, 800, 1000, 1250, 1500} {
		var r sippRun
		for range 2 {
			if r, err = b.sipp(addr, number, rate, 3*rate); err != nil {
				return best, "", err
			}
			b.pause(500 * time.Millisecond)
			if r.clean(rate) {
				break
			}
		}
		if !r.clean(rate) {
			return best, fmt.Sprintf("at %d: %d failed, %d resent", rate, r.failed, r.resent), nil
		}
		best = rate
	}
	return best, "the highest tried", nil
}

// cleanRate is the rate of C without a fault, with sipp as the caller, beside
// that of sipp's own server; then set-up times at half of it and what happens
// at twice of it.
func cleanRate(b *bench) error {
	if _, err := exec.LookPath("sipp"); err != nil {
		return err
	}
	n, err := b.node()
	if err != nil {
		return err
	}
	best, then, err := b.climb(n.sip, "9002")
	if err != nil {
		return err
	}
	b.clean = float64(best)
	addr, err := b.freePort()
	if err != nil {
		return err
	}
	uas := exec.CommandContext(b.ctx, "sipp", "-sn", "uas", "-i", "127.0.0.1", "-p", addr[strings.LastIndex(addr, ":")+1:], "-mp", "13000", "-nostdin")
	uas.Dir, uas.Env = b.dir, append(os.Environ(), "TERM=dumb")
	if err := uas.Start(); err != nil {
		return err
	}
	b.pause(500 * time.Millisecond)
	theirs, thenTheirs, err := b.climb(addr, "9002")
	_ = uas.Process.Kill()
	_ = uas.Wait()
	if err != nil {
		return err
	}
	b.table.row(best >= 800, "C clean rate (caller: sipp)", fmt.Sprintf("%d/s, then %s", best, then), "≥ 800/s", "300/s busy, 400-1,000/s")
	b.table.note("   the same with sipp -sn uas as the server", "%d/s, then %s", theirs, thenTheirs)
	if best == 0 {
		return nil
	}

	half := b.clean / 2
	if err := n.idle(b); err != nil {
		return err
	}
	c := b.place(n, "9002", int(half*4), half, hangsUpAtOnce, nil)
	c.wait(b)
	c.note(b.table)
	times := c.setups()
	text := spread(times)
	b.table.row(quantile(times, .5) <= 2*time.Millisecond && quantile(times, .99) <= 10*time.Millisecond,
		fmt.Sprintf("set-up p50 / p99 / max at %g/s (half load)", half), text, "2 / 10 ms", "3-4 / 15 ms")
	b.table.note("   the caller's own starts were late by at most", "%s ms", ms(c.late))
	b.stop()

	limited, err := b.serve(fmt.Sprintf("limits: {calls_per_second: %d}", best))
	if err != nil {
		return err
	}
	defer limited.stop()
	if err := b.warm(limited); err != nil {
		return err
	}
	type outcome struct {
		r   sippRun
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		r, err := b.sipp(limited.sip, "9002", 2*best, 10*best)
		done <- outcome{r, err}
	}()
	// What counts is the time between the first burst and the last call placed, by
	// what the app was asked: sipp cannot always keep the rate it was told.
	rested := limited.app.count("IncomingCall")
	b.await(5*time.Second, func() bool { return limited.app.count("IncomingCall") >= rested+best+best/2 })
	first, from := limited.app.count("IncomingCall"), time.Now()
	b.pause(3 * time.Second)
	served := float64(limited.app.count("IncomingCall")-first) / time.Since(from).Seconds()
	o := <-done
	if o.err != nil {
		return o.err
	}
	b.table.row(served >= 0.95*b.clean, fmt.Sprintf("C at twice the clean rate (%d/s told)", 2*best),
		fmt.Sprintf("%.0f/s served; %d served, %d refused in %.1f s", served, o.r.good, o.r.failed, o.r.took.Seconds()), "the clean rate, rest 503", "collapses")
	b.table.note("   refusals seen; with Retry-After", "%d; %d", o.r.refused, o.r.later)
	return nil
}

// overload offers 500 calls a second where 50 are allowed. The codes are seen by
// a phone of ours beside sipp.
func overload(b *bench) error {
	if _, err := exec.LookPath("sipp"); err != nil {
		return err
	}
	n, err := b.serve("limits: {calls_per_second: 50}")
	if err != nil {
		return err
	}
	defer n.stop()
	if err := b.warm(n); err != nil {
		return err
	}
	const offered = 500
	seconds := pick(10, 6)
	type outcome struct {
		r   sippRun
		err error
	}
	done := make(chan outcome, 1)
	cpu := n.cpu()
	go func() {
		r, err := b.sipp(n.sip, "9002", offered, offered*seconds)
		done <- outcome{r, err}
	}()
	began := time.Now()
	// After a rest a second's worth comes in at once; what counts is the time after.
	rested := n.app.count("IncomingCall")
	b.await(5*time.Second, func() bool { return n.app.count("IncomingCall") >= rested+75 })
	before, from := n.app.count("IncomingCall"), time.Now()
	c := b.place(n, "9002", 20, 8, hangsUpAtOnce, nil)
	c.wait(b)
	b.pause(time.Until(began.Add(time.Duration(seconds) * time.Second)))
	served := float64(n.app.count("IncomingCall")-before) / time.Since(from).Seconds()
	o := <-done
	if o.err != nil {
		return o.err
	}
	if err := n.idle(b); err != nil {
		return err
	}
	used := n.cpu() - cpu
	codes := map[int]int{}
	for _, r := range c.results {
		codes[r.Code]++
	}
	good := o.r.good + codes[0]
	refused := offered*seconds + len(c.calls) - good
	b.table.row(served >= 47.5 && served <= 52.5, "500/s offered, 50/s allowed: served", fmt.Sprintf("%.1f/s; %d served, %d refused in all", served, good, refused), "50/s ± 5 %", "")
	b.table.row(codes[0]+codes[503] == len(c.calls), "   what our own 20 calls got meanwhile", fmt.Sprintf("%d × 200, %d × 503", codes[0], codes[503]), "200 or 503", "")
	each := (used.Seconds()*1e3 - float64(good)*b.perC) / float64(max(1, refused))
	b.table.row(o.r.refused > 0 && o.r.later == o.r.refused, "   503 seen by sipp; with Retry-After", fmt.Sprintf("%d; %d", o.r.refused, o.r.later), "all", "")
	b.table.row(each <= 0.2, "   CPU a refusal", fmt.Sprintf("%.3f ms", each), "≤ 0.2 ms", "")
	if b.perC == 0 {
		b.table.note("", "the calls that were served are in it: part c did not run")
	}
	return nil
}
