package pace

import (
	"context"
	"fmt"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ozswitch/internal/simnet"
	"ozswitch/media/rtp"
)

// reporting runs two legs with RTCP between hosts 40 ms apart. The sound's ports
// are 20000; with mux the reports share them.
func reporting(t *testing.T, mux bool, link simnet.Link, change func(a, b *LegConfig), f func(n *simnet.Net, p *Pacer, a, b *Leg)) {
	synctest.Test(t, func(t *testing.T) {
		n := simnet.New(1)
		n.SetDefault(link)
		p := New(Config{Portable: true})
		ctx, cancel := context.WithCancel(context.Background())
		var wg sync.WaitGroup
		wg.Go(func() { p.Run(ctx) })
		var wires []*simnet.Wire
		wire := func(at string) *simnet.Wire {
			w, err := n.Wire(at)
			if err != nil {
				t.Fatal(err)
			}
			wires = append(wires, w)
			return w
		}
		config := func(i int) LegConfig {
			c := LegConfig{Wire: wire(fmt.Sprintf("10.0.0.%d:20000", i)), Remote: addr(fmt.Sprintf("10.0.0.%d:20000", 3-i)), Format: pcmu(),
				SSRC: uint32(i), Seq: 65500, TS: 1<<32 - 9999, Silence: true, Mux: mux, Name: fmt.Sprint(i)}
			if !mux {
				c.Control = wire(fmt.Sprintf("10.0.0.%d:20001", i))
			}
			return c
		}
		ca, cb := config(1), config(2)
		if change != nil {
			change(&ca, &cb)
		}
		a, b := NewLeg(ca), NewLeg(cb)
		for _, l := range []*Leg{a, b} {
			if err := p.Add(l); err != nil {
				t.Fatal(err)
			}
		}
		f(n, p, a, b)
		p.Remove(a)
		p.Remove(b)
		for _, w := range wires {
			w.Close()
		}
		cancel()
		wg.Wait()
	})
}

func TestReports(t *testing.T) {
	for _, mux := range []bool{false, true} {
		link := simnet.Link{Delay: 40 * ms, Jitter: 10 * ms, Loss: 0.1}
		reporting(t, mux, link, nil, func(n *simnet.Net, p *Pacer, a, b *Leg) {
			time.Sleep(2 * time.Minute)
			p.Remove(a)
			time.Sleep(2 * time.Second)
			p.Remove(b)
			for i, l := range []*Leg{a, b} {
				st := l.Stats()
				if st.ReportsOut < 18 || st.ReportsOut > 34 || st.ReportsIn < 12 || st.Invalid > 0 || st.Refused > 0 {
					t.Errorf("mux %v, leg %d: %+v, want about 24 reports both ways", mux, i, st)
				}
				if st.RoundTrip < 80*ms || st.RoundTrip > 101*ms {
					t.Errorf("mux %v, leg %d: round trip %v, want 80 to 100 ms", mux, i, st.RoundTrip)
				}
				other := []*Leg{b, a}[i].Stats()
				if st.TheirLost < 400 || st.TheirLost > other.Lost {
					t.Errorf("mux %v, leg %d is told that %d are lost, the other end says %d, want about a tenth of 6000", mux, i, st.TheirLost, other.Lost)
				}
				if st.Jitter < ms || st.Jitter > 8*ms || st.TheirJitter < ms || st.TheirJitter > 8*ms {
					t.Errorf("mux %v, leg %d: jitter %v, theirs %v, want about 3 ms", mux, i, st.Jitter, st.TheirJitter)
				}
			}
		})
	}
}

// Who only reports is alive; who leaves says so, and is gone.
func TestReportsKeepAlive(t *testing.T) {
	quiet := func(a, b *LegConfig) {
		a.Timeout = 20 * time.Second
		b.Silence = false // a phone that is muted and sends nothing
	}
	reporting(t, false, simnet.Link{Delay: 5 * ms}, quiet, func(n *simnet.Net, p *Pacer, a, b *Leg) {
		time.Sleep(10 * time.Minute)
		for r, ok := a.Next(); ok; r, ok = a.Next() {
			t.Errorf("a reported %v, want nothing: reports came all the time", r.Kind)
		}
		p.Remove(b)
		gone := time.Now()
		if r := waitFor(t, a, MediaLost); r.At.Sub(gone) > 21*time.Second {
			t.Errorf("lost %v after the other left, want 20 s", r.At.Sub(gone))
		}
	})
}

// Reports are heard from the host of the sound alone, and go to where they come
// from: a NAT gives them a port of its own choice.
func TestReportsSource(t *testing.T) {
	reporting(t, false, simnet.Link{Delay: 5 * ms}, nil, func(n *simnet.Net, p *Pacer, a, b *Leg) {
		send := func(from string, ssrc uint32) *simnet.Wire {
			w, err := n.Wire(from)
			if err != nil {
				t.Fatal(err)
			}
			w.Aim(addr("10.0.0.1:20001"))
			buf := make([]byte, rtp.MaxControl)
			w.Send(buf[:rtp.PutControl(buf, rtp.Control{SSRC: ssrc}, "x")])
			return w
		}
		time.Sleep(time.Second)
		stranger := send("10.0.0.9:20001", 2)
		p.Remove(b) // it would win the reports back
		time.Sleep(4 * time.Second)
		moved := send("10.0.0.2:40001", 2)
		time.Sleep(20 * time.Second)
		bufs, from := [][]byte{make([]byte, 1500)}, make([]netip.AddrPort, 1)
		if stranger.Recv(bufs, from) > 0 {
			t.Error("a stranger got a report")
		}
		if moved.Recv(bufs, from) == 0 || from[0] != addr("10.0.0.1:20001") {
			t.Errorf("no report came to where the far end's came from (from %v)", from[0])
		} else if c, err := rtp.ParseControl(bufs[0], 2); err != nil || c.SSRC != 1 || !c.About {
			t.Errorf("the report is %+v, %v, want one of 1 about 2", c, err)
		}
		p.Remove(a)
		if st := a.Stats(); st.Refused != 1 {
			t.Errorf("%d refused, want the stranger's one", st.Refused)
		}
		stranger.Close()
		moved.Close()
	})
}

// A wire knows when a packet came, not only when it was asked.
func TestStamps(t *testing.T) {
	for name, listen := range map[string]func(netip.AddrPort) (Wire, error){"own": Listen, "portable": ListenPortable} {
		a, err := listen(addr("127.0.0.1:0"))
		if err != nil {
			t.Fatal(err)
		}
		b, err := listen(addr("127.0.0.1:0"))
		if err != nil {
			t.Fatal(err)
		}
		a.Aim(b.LocalAddr())
		before := time.Now().Round(0) // by the wall clock
		a.Send([]byte("hello"))
		bufs, from := [][]byte{make([]byte, 100)}, make([]netip.AddrPort, 1)
		for b.Recv(bufs, from) == 0 {
			runtime.Gosched()
		}
		came := stamps(b).Came(0)
		if after := time.Now().Round(0); came.Before(before.Add(-ms)) || came.After(after.Add(ms)) {
			t.Errorf("%s: came at %v, sent at %v and read by %v", name, came, before, after)
		}
		up, err := ListenAbove(a)
		if err != nil {
			t.Logf("%s: the port above is taken: %v", name, err)
		} else {
			if got, want := up.LocalAddr().Port(), a.LocalAddr().Port()+1; got != want {
				t.Errorf("%s: above %d is %d, want %d", name, want-1, got, want)
			}
			up.Close()
		}
		a.Close()
		b.Close()
	}
	if _, err := ListenAbove(&fakeWire{}); err == nil {
		t.Error("ListenAbove of a wire of another kind gave no error")
	}
}

// One packet of another SSRC is no other stream, nor is a second stream beside the
// first.
func TestForeignStream(t *testing.T) {
	r := newRig(t, nil)
	for i := range 20 {
		r.w.comes(far, speech(i))
		p := event(i, 500+i, byte(i%10), false)
		p.SSRC = 99
		r.w.comes(far, p)
		r.frames(1)
	}
	r.want("results", r.results(), "FirstPacket@0=192.0.2.1:4000")
	r.s.close(r.now)
	if st := r.l.Stats(); st.Foreign != 20 || st.Lost != 0 {
		t.Errorf("%d foreign, %d lost, want 20 and 0", st.Foreign, st.Lost)
	}
}
