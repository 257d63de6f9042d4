package rtp

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"
)

// A line sends a frame each 20 ms of the sender's clock and has them arrive as
// delay says, which gets a frame's number and may say that it is lost (negative).
// The receiver takes one each 20 ms of its own.
type line struct {
	ppm   float64 // by which the sender's clock is fast
	delay func(i int) time.Duration
	order bool // no overtaking

	heard, gaps int // frames taken, and times without one once it began
	longest     time.Duration
	final       time.Duration // of Hold
	jumps       int           // frames heard out of turn
}

func (l *line) run(t *testing.T, j *Jitter, frames int) {
	t.Helper()
	start := time.Unix(1000, 0)
	type arrival struct {
		at time.Time
		i  int
	}
	var due []arrival // ordered by at
	sent, latest := 0, start
	period := float64(frame) / (1 + l.ppm/1e6)
	sentAt := map[int]time.Time{}
	last := -1
	for tick := range frames {
		now := start.Add(time.Duration(tick) * frame)
		for ; ; sent++ {
			at := start.Add(time.Duration(float64(sent)*period) + 3*time.Millisecond)
			if at.After(now) {
				break
			}
			d := l.delay(sent)
			if d < 0 {
				continue
			}
			a := arrival{at.Add(d), sent}
			if l.order && a.at.Before(latest) {
				a.at = latest
			}
			latest = a.at
			n := len(due)
			for n > 0 && due[n-1].at.After(a.at) {
				n--
			}
			due = append(due, arrival{})
			copy(due[n+1:], due[n:])
			due[n] = a
			sentAt[sent] = at
		}
		for len(due) > 0 && !due[0].at.After(now) {
			i := due[0].i
			due = due[1:]
			j.Put(now, 0xfffff000+uint32(i)*160, []byte{byte(i), byte(i >> 8), byte(i >> 16), 1})
		}
		var buf [4]byte
		if n := j.Get(now, buf[:]); n == 0 {
			if l.heard > 0 {
				l.gaps++
			}
			continue
		}
		i := int(buf[0]) | int(buf[1])<<8 | int(buf[2])<<16
		if i <= last {
			l.jumps++
		}
		last = i
		l.heard++
		l.longest = max(l.longest, now.Sub(sentAt[i]))
		l.final = now.Sub(sentAt[i])
		delete(sentAt, i)
	}
}

func TestJitterAdapts(t *testing.T) {
	const ms = time.Millisecond
	dice := rand.New(rand.NewPCG(1, 2))
	upTo := func(d time.Duration) time.Duration { return time.Duration(dice.Int64N(int64(d))) }
	const minute = 50 * 60
	for _, c := range []struct {
		name    string
		l       line
		frames  int
		gaps    int           // at most
		longest time.Duration // end to end
		final   time.Duration // at the end
	}{
		{"even", line{delay: func(int) time.Duration { return 30 * ms }}, minute, 0, 90 * ms, 90 * ms},
		{"200 ppm fast for an hour", line{ppm: 200, delay: func(int) time.Duration { return 10*ms + upTo(15*ms) }}, 60 * minute, 40, 130 * ms, 130 * ms},
		{"200 ppm slow for an hour", line{ppm: -200, delay: func(int) time.Duration { return 10*ms + upTo(15*ms) }}, 60 * minute, 80, 130 * ms, 130 * ms},
		{"200 ppm fast, 60 ms of jitter", line{ppm: 200, order: true, delay: func(int) time.Duration { return upTo(60 * ms) }}, 60 * minute, 900, 200 * ms, 200 * ms},
		{"200 ppm slow, 60 ms of jitter", line{ppm: -200, order: true, delay: func(int) time.Duration { return upTo(60 * ms) }}, 60 * minute, 900, 200 * ms, 200 * ms},
		{"60 ms of jitter, overtaking", line{delay: func(int) time.Duration { return upTo(60 * ms) }}, 10 * minute, 60, 160 * ms, 160 * ms},
		{"a bad minute, then a good one", line{order: true, delay: func(i int) time.Duration {
			if i < minute {
				return upTo(120 * ms)
			}
			return 10 * ms
		}}, 2 * minute, 60, 260 * ms, 110 * ms},
		{"worse than can be held", line{delay: func(int) time.Duration { return upTo(500 * ms) }}, minute, 900, 530 * ms, 450 * ms},
	} {
		j := newJitter()
		c.l.run(t, j, c.frames)
		t.Logf("%s: %d heard, %d gaps, %d late, %d left out, %d waits, longest %v, at the end %v", c.name,
			c.l.heard, c.l.gaps, j.Late(), j.LeftOut(), j.Waits(), c.l.longest, c.l.final)
		if c.l.gaps > c.gaps || c.l.longest > c.longest || c.l.final > c.final || c.l.jumps > 0 && c.longest < 500*ms {
			t.Errorf("%s: %d gaps, delay %v, at the end %v, %d out of turn, want at most %d, %v, %v and 0", c.name,
				c.l.gaps, c.l.longest, c.l.final, c.l.jumps, c.gaps, c.longest, c.final)
		}
		if c.l.heard < c.frames/4 {
			t.Errorf("%s: %d of %d frames heard", c.name, c.l.heard, c.frames)
		}
	}
}

// A gap is where the hold changes, when there is one: no sound is lost by it.
func TestJitterUsesGaps(t *testing.T) {
	for _, ppm := range []float64{5000, -5000} {
		j := newJitter()
		l := line{ppm: ppm, delay: func(i int) time.Duration {
			if i%20 == 0 {
				return -1
			}
			return 20 * time.Millisecond
		}}
		l.run(t, j, 5000)
		if whole := l.heard; whole < 5000*95/100-60 || j.Late() > 0 {
			t.Errorf("%g ppm: %d frames heard, %d late: want all that came", ppm, whole, j.Late())
		}
		if j.LeftOut()+j.Waits() < 15 {
			t.Errorf("%g ppm: %d left out, %d waits, want 20 or so", ppm, j.LeftOut(), j.Waits())
		}
	}
}

// The hold is not for ever: what the buffer may hold is bounded, whatever comes.
func TestJitterHold(t *testing.T) {
	j := newJitter()
	now := time.Unix(0, 0)
	for i := range 2000 { // bursts of a second
		if i%50 == 49 {
			for k := range 50 {
				j.Put(now, uint32(i-49+k)*160, bytes.Repeat([]byte{'x'}, 4))
			}
		}
		j.Get(now, make([]byte, 4))
		if depth := j.high + 1 - j.play; depth > cells {
			t.Fatalf("%d frames in a buffer of %d", depth, cells)
		}
		now = now.Add(frame)
	}
}
