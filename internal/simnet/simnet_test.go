package simnet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

var a, b = netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")

// ends opens a packet socket at each of two hosts.
func ends(t *testing.T, n *Net) (from, to net.PacketConn) {
	t.Helper()
	from, err := n.PacketConn("10.0.0.1:5060")
	if err != nil {
		t.Fatal(err)
	}
	to, err = n.PacketConn("10.0.0.2:5060")
	if err != nil {
		t.Fatal(err)
	}
	return from, to
}

// pass sends count numbered packets 20 ms apart and returns what arrived when.
func pass(t *testing.T, n *Net, count int) (got []string) {
	t.Helper()
	from, to := ends(t, n)
	start := time.Now()
	go func() {
		for i := range count {
			fmt.Fprintf(writer{from, to.LocalAddr()}, "%d", i)
			time.Sleep(20 * time.Millisecond)
		}
		time.Sleep(time.Second)
		to.Close()
	}()
	buf := make([]byte, 100)
	for {
		k, who, err := to.ReadFrom(buf)
		if errors.Is(err, net.ErrClosed) {
			from.Close()
			return got
		}
		if err != nil || who.String() != "10.0.0.1:5060" {
			t.Fatalf("ReadFrom = %v from %v, want a packet from 10.0.0.1:5060", err, who)
		}
		got = append(got, fmt.Sprintf("%s@%v", buf[:k], time.Since(start).Milliseconds()))
	}
}

type writer struct {
	net.PacketConn
	to net.Addr
}

func (w writer) Write(p []byte) (int, error) { return w.WriteTo(p, w.to) }

func TestDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(1)
		n.SetLink(a, b, Link{Delay: 35 * time.Millisecond})
		if got, want := fmt.Sprint(pass(t, n, 3)), "[0@35 1@55 2@75]"; got != want {
			t.Errorf("arrived %v, want %v", got, want)
		}
	})
}

func TestAccidents(t *testing.T) {
	for _, c := range []struct {
		name string
		link Link
		ok   func(got []string) error
	}{
		{"loss", Link{Loss: 0.2}, func(got []string) error {
			if len(got) < 350 || len(got) > 450 {
				return fmt.Errorf("%d of 500 arrived, want about 400", len(got))
			}
			return nil
		}},
		{"duplicate", Link{Duplicate: 0.2}, func(got []string) error {
			if len(got) < 550 || len(got) > 650 {
				return fmt.Errorf("%d arrived, want about 600", len(got))
			}
			return nil
		}},
		{"jitter keeps order", Link{Jitter: 50 * time.Millisecond}, func(got []string) error {
			if len(got) != 500 || swaps(got) != 0 {
				return fmt.Errorf("%d arrived with %d out of order, want 500 and 0", len(got), swaps(got))
			}
			return nil
		}},
		{"reorder", Link{Reorder: 0.1}, func(got []string) error {
			if s := swaps(got); len(got) != 500 || s < 25 || s > 75 {
				return fmt.Errorf("%d arrived with %d out of order, want 500 and about 50", len(got), s)
			}
			return nil
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var runs []string
			for range 2 {
				synctest.Test(t, func(t *testing.T) {
					n := New(7)
					n.SetDefault(c.link)
					got := pass(t, n, 500)
					if err := c.ok(got); err != nil {
						t.Error(err)
					}
					runs = append(runs, strings.Join(got, " "))
				})
			}
			if runs[0] != runs[1] {
				t.Errorf("one seed gave two runs:\n%s\n%s", runs[0], runs[1])
			}
		})
	}
}

func swaps(got []string) (n int) {
	last := -1
	for _, g := range got {
		var i, at int
		fmt.Sscanf(g, "%d@%d", &i, &at)
		if i < last {
			n++
		}
		last = i
	}
	return n
}

// Packets sent at one instant arrive in the order they were sent.
func TestOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(1)
		from, to := ends(t, n)
		for i := range 1000 {
			fmt.Fprintf(writer{from, to.LocalAddr()}, "%d", i)
		}
		buf := make([]byte, 100)
		for i := range 1000 {
			k, _, err := to.ReadFrom(buf)
			if got, want := string(buf[:k]), fmt.Sprint(i); err != nil || got != want {
				t.Fatalf("packet %d is %q, %v, want %q", i, got, err, want)
			}
		}
	})
}

func TestSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(1)
		from, _ := ends(t, n)
		if _, err := n.PacketConn("10.0.0.1:5060"); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("a taken address is %v, want EADDRINUSE", err)
		}
		start := time.Now()
		from.SetReadDeadline(start.Add(3 * time.Second))
		_, _, err := from.ReadFrom(nil)
		if got := time.Since(start); !errors.Is(err, os.ErrDeadlineExceeded) || got != 3*time.Second {
			t.Errorf("ReadFrom = %v after %v, want the deadline after 3s", err, got)
		}
		from.Close()
		if _, _, err := from.ReadFrom(nil); !errors.Is(err, net.ErrClosed) {
			t.Errorf("ReadFrom on a closed socket = %v, want net.ErrClosed", err)
		}
		again, err := n.PacketConn("10.0.0.1:5060")
		if err != nil {
			t.Errorf("a freed address is %v, want it to be free", err)
		}
		again.Close()
	})
}

func TestHTTP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(1)
		n.SetDefault(Link{Delay: 10 * time.Millisecond})
		l, err := n.Listen("10.0.0.2:80")
		if err != nil {
			t.Fatal(err)
		}
		srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			got, _ := io.ReadAll(r.Body)
			fmt.Fprintf(w, "%s has %d bytes", r.URL.Path, len(got))
		})}
		go srv.Serve(l)
		tr := &http.Transport{DialContext: n.DialContext(a)}
		client := &http.Client{Transport: tr}

		// The body is larger than the window, so both sides have to wait.
		start := time.Now()
		res, err := client.Post("http://10.0.0.2/x", "text/plain", strings.NewReader(strings.Repeat("x", 1<<20)))
		if err != nil {
			t.Fatal(err)
		}
		got, _ := io.ReadAll(res.Body)
		if want := "/x has 1048576 bytes"; string(got) != want {
			t.Errorf("answer %q, want %q", got, want)
		}
		// A round trip to dial, one for the request; the window adds more.
		if d := time.Since(start); d < 40*time.Millisecond || d > 200*time.Millisecond {
			t.Errorf("the request took %v, want 40 ms and some", d)
		}

		if _, err := client.Get("http://10.0.0.2:81/"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("nobody listens: %v, want ECONNREFUSED", err)
		}
		tr.CloseIdleConnections()
		srv.Close()
	})
}

func TestStreamDeadlineAndEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(1)
		l, _ := n.Listen("10.0.0.2:80")
		near, err := n.Dial(context.Background(), a, "10.0.0.2:80")
		if err != nil {
			t.Fatal(err)
		}
		far, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		near.SetReadDeadline(time.Now().Add(time.Second))
		if _, err := near.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Read = %v, want the deadline", err)
		}
		near.SetReadDeadline(time.Time{})
		fmt.Fprint(far, "bye")
		far.Close()
		if got, err := io.ReadAll(near); string(got) != "bye" || err != nil {
			t.Errorf("ReadAll = %q, %v, want all that was sent before the end", got, err)
		}
		if _, err := near.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
			t.Errorf("Write to a closed end = %v, want EPIPE", err)
		}
		near.Close()
		l.Close()
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Accept on a closed listener = %v, want net.ErrClosed", err)
		}
	})
}
