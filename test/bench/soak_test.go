//go:build bench && linux

package bench

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"

	"ozswitch/media/codec"
	"ozswitch/media/pace"
	"ozswitch/switch/phone"
)

// oneIn is the part of the packets that get lost, each way.
const oneIn = 20

// lossyWire loses sound.
type lossyWire struct{ pace.Wire }

func (w lossyWire) Send(b []byte) error {
	if rand.IntN(oneIn) == 0 {
		return nil
	}
	return w.Wire.Send(b)
}

func (w lossyWire) Recv(bufs [][]byte, from []netip.AddrPort) int {
	n := w.Wire.Recv(bufs, from)
	kept := 0
	for i := range n {
		if rand.IntN(oneIn) != 0 {
			bufs[kept], bufs[i], from[kept] = bufs[i], bufs[kept], from[i]
			kept++
		}
	}
	return kept
}

// lossyConn loses signalling.
type lossyConn struct{ net.PacketConn }

func (c lossyConn) WriteTo(b []byte, to net.Addr) (int, error) {
	if rand.IntN(oneIn) == 0 {
		return len(b), nil
	}
	return c.PacketConn.WriteTo(b, to)
}

func (c lossyConn) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := c.PacketConn.ReadFrom(b)
		if err != nil || rand.IntN(oneIn) != 0 {
			return n, from, err
		}
	}
}

// holdings are what a switch without calls has. Of the heap the least of many
// looks counts, since nothing from outside makes it collect: each look makes
// garbage, and with GOGC=20 some of them come just after a collection.
type holdings struct{ goroutines, descriptors, heap float64 }

func (n *node) holdings(b *bench) (h holdings, err error) {
	b.pause(40 * time.Second) // transactions, idle connections
	h.heap = math.MaxFloat64
	for range 200 {
		m, err := n.metrics()
		if err != nil {
			return h, err
		}
		h.goroutines, h.descriptors = m["go_goroutines"], m["process_open_fds"]
		h.heap = min(h.heap, m["go_memstats_heap_alloc_bytes"])
	}
	return h, nil
}

// soak is ten minutes of a hundred calls at once through a network that loses
// packets, the SIP ones too; when one ends another begins.
func soak(b *bench) error {
	b.stop()
	n, err := b.serve("", "GOGC=20")
	if err != nil {
		return err
	}
	defer n.stop()
	if err := b.warm(n); err != nil {
		return err
	}
	p := phone.New(phone.Config{
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		ListenPacket: func(network, addr string) (net.PacketConn, error) {
			c, err := net.ListenPacket(network, addr)
			return lossyConn{c}, err
		},
		ListenRTP: func() (pace.Wire, error) {
			w, err := pace.Listen(netip.MustParseAddrPort("127.0.0.1:0"))
			return lossyWire{w}, err
		},
	})
	if err := p.Bind(); err != nil {
		return err
	}
	var phoning sync.WaitGroup
	defer phoning.Wait()
	ctx, stop := context.WithCancel(b.ctx)
	defer stop()
	phoning.Go(func() { _ = p.Run(ctx) })

	var mu sync.Mutex
	var calls, failed int
	why := map[string]int{}
	one := func(i int) {
		o := phone.Options{Server: n.sip, Codecs: []*codec.Codec{codec.PCMU}, HangupAfter: time.Minute,
			Say: []phone.Say{{At: time.Second, Clip: &pace.Clip{Frames: tone(3 * time.Second)}}}}
		switch i % 4 {
		case 0:
			o.HangupAfter = 2500 * time.Millisecond
		case 1:
			o.Keys = []phone.Press{{At: 3 * time.Second, Keys: "1"}}
		}
		c, err := p.Place("9009", o)
		if err != nil {
			return
		}
		r := c.Wait(ctx)
		mu.Lock()
		defer mu.Unlock()
		if calls++; r.Code != 0 || r.Cause != phone.HungUp && r.Cause != phone.TheyHungUp {
			failed++
			why[r.String()]++
		}
	}
	run := func(d time.Duration) {
		end := time.Now().Add(d)
		var wg sync.WaitGroup
		for seat := range 100 {
			wg.Go(func() {
				b.pause(time.Duration(seat) * 37 * time.Millisecond)
				for i := seat; time.Now().Before(end) && ctx.Err() == nil; i += 101 {
					one(i)
				}
			})
		}
		wg.Wait()
	}
	run(time.Minute) // caches and pools have their size, and the event log its latest 8,192 events: 30 and more a call
	before, err := n.holdings(b)
	if err != nil {
		return err
	}
	calls, failed = 0, 0
	long := pick(10*time.Minute, 3*time.Minute)
	run(long)
	after, err := n.holdings(b)
	if err != nil {
		return err
	}
	b.table.note(fmt.Sprintf("calls in %v; failed", long), "%d; %d %v", calls, failed, why)
	row := func(what string, was, is float64, ok bool, target string) {
		b.table.row(ok, "   "+what+" before; after", fmt.Sprintf("%.0f; %.0f", was, is), target, "")
	}
	row("goroutines", before.goroutines, after.goroutines, math.Abs(after.goroutines-before.goroutines) <= 5, "± 5")
	row("descriptors", before.descriptors, after.descriptors, math.Abs(after.descriptors-before.descriptors) <= 5, "± 5")
	row("heap, kB", before.heap/1e3, after.heap/1e3, math.Abs(after.heap-before.heap) <= 0.05*before.heap, "± 5 %")
	return nil
}
