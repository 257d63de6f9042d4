//go:build bench && linux

package bench

import (
	"fmt"
	"path/filepath"
	"time"

	"ozswitch/media/pace"
	"ozswitch/switch/phone"
)

// scenario places calls at a rate, waits for their end and for what follows it,
// and gives the CPU of the switch and of its workers for one call.
func (b *bench) scenario(n *node, number string, calls int, rate float64, o phone.Options) (c *crowd, own, all time.Duration, err error) {
	if err := n.idle(b); err != nil {
		return nil, 0, 0, err
	}
	cpu, family := n.cpu(), n.family()
	c = b.place(n, number, calls, rate, o, nil)
	c.wait(b)
	if err := n.idle(b); err != nil {
		return c, 0, 0, err
	}
	good := time.Duration(max(1, c.good()))
	own, all = (n.cpu()-cpu)/good, (n.family()-family)/good
	c.note(b.table)
	return c, own, all, c.failedIn(number)
}

// perCall writes the row of a scenario.
func (b *bench) perCall(name string, c *crowd, own time.Duration, target float64, bar string) {
	v := own.Seconds() * 1e3
	b.table.row(v <= target, name+", CPU", fmt.Sprintf("%.2f ms/call (%d of %d good)", v, c.good(), len(c.calls)),
		fmt.Sprintf("≤ %g", target), bar)
}

// hangsUpAtOnce is the caller of C.
var hangsUpAtOnce = phone.Options{HangupAfter: 1}

// signalling is scenario C: cost, memory after a burst, and set-up times.
func signalling(b *bench) error {
	n, err := b.node()
	if err != nil {
		return err
	}
	c, own, _, err := b.scenario(n, "9002", pick(1000, 400), 100, hangsUpAtOnce)
	if err != nil {
		return err
	}
	b.perC = own.Seconds() * 1e3
	b.perCall("C with script fetch, 100/s", c, own, 1.0, "2.9")
	b.table.note("   set-up p50 / p99 / max at 100/s", "%s", spread(c.setups()))
	if *short {
		return nil
	}
	c, own, _, err = b.scenario(n, "9002", 3000, 300, hangsUpAtOnce)
	if err != nil {
		return err
	}
	mb := n.rss() / 1e6
	b.perCall("C with script fetch, 300/s", c, own, 1.0, "2.9")
	b.table.row(mb <= 150, "RSS after 10 s of C at 300/s", fmt.Sprintf("%.0f MB", mb), "≤ 150 MB", "800 MB")
	return nil
}

// prompts is scenario B.
func prompts(b *bench) error {
	n, err := b.node()
	if err != nil {
		return err
	}
	c, own, _, err := b.scenario(n, "9002", pick(120, 60), 20, phone.Options{})
	if err != nil {
		return err
	}
	s := c.sound()
	b.table.note("B, CPU", "%.2f ms/call (%d of %d good); %d packets lost", own.Seconds()*1e3, c.good(), len(c.calls), s.Lost)
	return nil
}

// talker is the caller of A.
func talker() phone.Options {
	return phone.Options{
		Say:         []phone.Say{{At: 2 * time.Second, Clip: &pace.Clip{Frames: tone(5 * time.Second)}}},
		Keys:        []phone.Press{{At: 7100 * time.Millisecond, Keys: "1"}},
		HangupAfter: 7900 * time.Millisecond,
	}
}

// recordings is scenario A: as wav, then, beside it, as mp3.
func recordings(b *bench) error {
	n, err := b.node()
	if err != nil {
		return err
	}
	for _, x := range []struct{ number, format string }{{"9001", "wav"}, {"9005", "mp3"}} {
		if *short && x.format == "mp3" {
			break
		}
		before := n.app.count("RecordCompleted")
		calls := pick(120, 60)
		c, own, all, err := b.scenario(n, x.number, calls, 20, talker())
		if err != nil {
			return err
		}
		saved := func() int { return n.app.count("RecordCompleted") - before }
		b.await(30*time.Second, func() bool { return saved() >= calls })
		if x.format == "wav" {
			b.perCall("A, wav", c, own, 7, "20-25")
		} else {
			b.table.note("A, mp3, CPU: switch; with its workers", "%.2f; %.2f ms/call", own.Seconds()*1e3, all.Seconds()*1e3)
		}
		files, _ := filepath.Glob(filepath.Join(n.data, "recordings", "*."+x.format))
		b.table.note("   saved and told", "%d of %d; %d files of %s in all", saved(), calls, len(files), x.format)
	}
	return freshA(b, n)
}

// freshA is scenario A with a sentence in place of the prompt that nobody has
// spoken before.
func freshA(b *bench, n *node) error {
	before := n.app.count("RecordCompleted")
	calls := pick(40, 20)
	c, own, all, err := b.scenario(n, "9008", calls, 4, talker())
	if err != nil {
		return err
	}
	saved := func() int { return n.app.count("RecordCompleted") - before }
	b.await(30*time.Second, func() bool { return saved() >= calls })
	b.table.note("A with a fresh sentence, CPU: switch; with its workers", "%.2f; %.2f ms/call (%d of %d good, %d saved)", own.Seconds()*1e3, all.Seconds()*1e3, c.good(), calls, saved())
	return nil
}

// manyRecordings is 500 recordings at once.
func manyRecordings(b *bench) error {
	b.stop()
	n, err := b.node()
	if err != nil {
		return err
	}
	const calls, rate = 500, 50
	before, err := n.metrics()
	if err != nil {
		return err
	}
	cpu := n.cpu()
	c := b.place(n, "9007", calls, rate, phone.Options{Say: []phone.Say{{Clip: &pace.Clip{Frames: tone(20 * time.Second)}}}}, nil)
	c.up(b)
	b.pause(5 * time.Second)
	active, err := n.metrics()
	if err != nil {
		return err
	}
	c.hangup()
	c.wait(b)
	c.note(b.table)
	if err := n.idle(b); err != nil {
		return err
	}
	b.await(30*time.Second, func() bool { return n.app.count("RecordCompleted") >= calls })
	m, err := n.metrics()
	if err != nil {
		return err
	}
	var talked time.Duration
	for _, r := range c.results {
		talked += r.Length
	}
	files, _ := filepath.Glob(filepath.Join(n.data, "recordings", "*.wav"))
	b.table.note("recordings at once; saved; told", "%.0f; %d; %d of %d", active.sum("ozswitch_recordings_active"), len(files), n.app.count("RecordCompleted"), calls)
	b.table.note("   CPU s a call-minute; packets lost by the switch", "%.3f; %.0f", (n.cpu()-cpu).Seconds()/talked.Minutes(),
		m.sum("ozswitch_rtp_packets_lost_total")-before.sum("ozswitch_rtp_packets_lost_total"))
	b.table.note("   ticks late p99.9", "%s", m.late(before, .999))
	return c.failedIn("500 recordings")
}
