package sip

import (
	"log/slog"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"ozswitch/internal/simnet"
)

// A testNet is a simnet whose sockets can be listened in to.
type testNet struct {
	*simnet.Net
	saw func(from string, b []byte) // told what is sent, as it is sent; may be nil
}

func newNet(delay time.Duration, loss float64) *testNet {
	n := &testNet{Net: simnet.New(1)}
	n.SetDefault(simnet.Link{Delay: delay, Loss: loss})
	return n
}

func (n *testNet) listen(_, addr string) (net.PacketConn, error) {
	c, err := n.PacketConn(addr)
	return tapped{c, n}, err
}

type tapped struct {
	net.PacketConn
	n *testNet
}

func (c tapped) WriteTo(b []byte, to net.Addr) (int, error) {
	if c.n.saw != nil {
		c.n.saw(c.LocalAddr().String(), b)
	}
	return c.PacketConn.WriteTo(b, to)
}

// testLog shows what is logged only when the test fails.
func testLog(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
}

func seeded(n uint64) rand.Source { return rand.NewPCG(n, n) }
