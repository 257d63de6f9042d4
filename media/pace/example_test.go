package pace_test

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"ozswitch/media"
	"ozswitch/media/codec"
	"ozswitch/media/pace"
)

// A leg plays a beep to a far end that never answers.
func Example() {
	pacer := pace.New(pace.Config{})
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { pacer.Run(ctx) })
	defer running.Wait()
	defer stop()

	wire, err := pace.Listen(netip.MustParseAddrPort("127.0.0.1:0"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer wire.Close()
	c := codec.PCMU
	leg := pace.NewLeg(pace.LegConfig{
		Wire: wire, Remote: netip.MustParseAddrPort("127.0.0.1:9"),
		Format:  pace.Format{PT: c.PT, Ticks: c.Ticks(), Silence: c.Silence},
		Silence: true,
	})
	pacer.Add(leg)
	defer pacer.Remove(leg)

	frames, err := c.Frames(media.Tone(8000, 1000, -12, 60*time.Millisecond))
	if err != nil {
		fmt.Println(err)
		return
	}
	leg.Enqueue(1, &pace.Clip{Frames: frames})
	var begun time.Time
	for range leg.Bell() {
		for r, ok := leg.Next(); ok; r, ok = leg.Next() {
			switch r.Kind {
			case pace.Started:
				begun = r.At
			case pace.Ended:
				fmt.Println("the beep lasted", r.At.Sub(begun)+media.Frame)
				return
			}
		}
	}
	// Output: the beep lasted 60ms
}
