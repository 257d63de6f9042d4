package pace

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"ozswitch/internal/simnet"
)

// TestWires holds every wire to one contract.
func TestWires(t *testing.T) {
	loop := addr("127.0.0.1:0")
	t.Run("own", func(t *testing.T) { testWire(t, runtime.Gosched, loop, Listen) })
	t.Run("own, IPv6", func(t *testing.T) {
		w, err := Listen(addr("[::1]:0"))
		if err != nil {
			t.Skip("no IPv6 on this machine: ", err)
		}
		w.Close()
		testWire(t, runtime.Gosched, addr("[::1]:0"), Listen)
	})
	t.Run("own, both families", func(t *testing.T) { testBothFamilies(t, Listen) })
	t.Run("portable", func(t *testing.T) { testWire(t, runtime.Gosched, loop, ListenPortable) })
	t.Run("simnet", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			n := simnet.New(1)
			testWire(t, func() { time.Sleep(ms) }, addr("10.0.0.1:0"), func(a netip.AddrPort) (Wire, error) { return n.Wire(a.String()) })
		})
	})
}

// inbox reads packets off a wire until want have come.
type inbox struct {
	t    *testing.T
	idle func() // lets the world go on: the kernel, a reader, or a bubble's time
	bufs [][]byte
	from []netip.AddrPort
}

func newInbox(t *testing.T, idle func()) *inbox {
	in := &inbox{t: t, idle: idle, from: make([]netip.AddrPort, 4)}
	for range 4 {
		in.bufs = append(in.bufs, make([]byte, 0, 1500)) // of no length: only the capacity counts
	}
	return in
}

func (in *inbox) take(w Wire, want int) (got []string) {
	in.t.Helper()
	for deadline := time.Now().Add(5 * time.Second); len(got) < want; {
		n := w.Recv(in.bufs, in.from)
		for i := range n {
			got = append(got, fmt.Sprintf("%s<%v", in.bufs[i], in.from[i].Port()))
		}
		if n == 0 {
			if time.Now().After(deadline) {
				in.t.Fatalf("got %q, want %d packets", got, want)
			}
			in.idle()
		}
	}
	return got
}

func testWire(t *testing.T, idle func(), at netip.AddrPort, listen func(netip.AddrPort) (Wire, error)) {
	open := func() Wire {
		t.Helper()
		w, err := listen(at)
		if err != nil {
			t.Fatal(err)
		}
		if got := w.LocalAddr(); got.Addr() != at.Addr() || got.Port() == 0 {
			t.Fatalf("LocalAddr = %v, want a port of %v", got, at.Addr())
		}
		return w
	}
	w, a, b := open(), open(), open()
	in := newInbox(t, idle)
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	want := func(what string, got []string, want ...any) {
		t.Helper()
		for i := range want {
			if wire, ok := want[i].(Wire); ok {
				want[i] = wire.LocalAddr().Port()
			}
		}
		var all []string
		for i := 0; i < len(want); i += 2 {
			all = append(all, fmt.Sprintf("%v<%v", want[i], want[i+1]))
		}
		if fmt.Sprint(got) != fmt.Sprint(all) {
			t.Errorf("%s: got %q, want %q", what, got, all)
		}
	}

	if _, err := listen(w.LocalAddr()); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("listening twice: %v, want EADDRINUSE", err)
	}
	if err := w.Send([]byte("x")); err == nil {
		t.Error("Send before Aim went well")
	}
	if n := w.Recv(in.bufs, in.from); n != 0 {
		t.Errorf("Recv of nothing = %d, want 0", n)
	}
	if w.Aim(netip.AddrPort{}) == nil || w.Rebind(netip.AddrPort{}) == nil {
		t.Error("Aim and Rebind took no address for one")
	}

	// Aimed: sends to one, hears all.
	ok(a.Aim(w.LocalAddr()))
	ok(b.Aim(w.LocalAddr()))
	ok(w.Aim(a.LocalAddr()))
	ok(a.Send([]byte("one")))
	ok(a.Send(nil))
	want("aimed", in.take(w, 2), "one", a, "", a)
	ok(b.Send([]byte("two")))
	want("aimed", in.take(w, 1), "two", b)
	ok(w.Send([]byte("three")))
	want("what was sent", in.take(a, 1), "three", w)

	// More packets than buffers, and the largest that fits.
	for i := range 10 {
		ok(a.Send(bytes.Repeat([]byte{byte('0' + i)}, i+1)))
	}
	var all []any
	for i := range 10 {
		all = append(all, string(bytes.Repeat([]byte{byte('0' + i)}, i+1)), a)
	}
	want("ten", in.take(w, 10), all...)
	ok(a.Send(make([]byte, 1400)))
	in.take(w, 1)

	// One that does not fit is dropped, and only that.
	small := &inbox{t: t, idle: idle, from: make([]netip.AddrPort, 2), bufs: [][]byte{make([]byte, 5), make([]byte, 5)}}
	ok(a.Send([]byte("short")))
	ok(a.Send([]byte("too long")))
	ok(a.Send([]byte("again")))
	want("too long", small.take(w, 2), "short", a, "again", a)

	// Bound: hears only its peer, also of what lay there before.
	ok(b.Send([]byte("before")))
	ok(w.Rebind(a.LocalAddr()))
	ok(b.Send([]byte("stranger")))
	ok(a.Send([]byte("peer")))
	want("bound", in.take(w, 1), "peer", a)
	ok(w.Send([]byte("to peer")))
	want("sent while bound", in.take(a, 1), "to peer", w)

	// Bound to another, and aimed again.
	ok(w.Rebind(b.LocalAddr()))
	ok(a.Send([]byte("left")))
	ok(b.Send([]byte("right")))
	want("bound anew", in.take(w, 1), "right", b)
	ok(w.Aim(b.LocalAddr()))
	ok(a.Send([]byte("back")))
	want("aimed again", in.take(w, 1), "back", a)
	ok(w.Send([]byte("still here")))
	want("sent after that", in.take(b, 1), "still here", w)

	// A peer that is gone does not stop the wire from hearing.
	ok(w.Rebind(a.LocalAddr()))
	ok(b.Close())
	ok(w.Aim(b.LocalAddr()))
	w.Send([]byte("nobody there"))
	w.Send([]byte("nobody there"))
	ok(w.Rebind(a.LocalAddr()))
	ok(a.Send([]byte("hello")))
	want("after a refusal", in.take(w, 1), "hello", a)

	// Nor does a refusal cost the packet that comes after it.
	c := open()
	gone := c.LocalAddr()
	ok(w.Rebind(gone))
	ok(c.Close())
	w.Send([]byte("refused"))
	idle()
	idle() // it has met its end
	c, err := listen(gone)
	ok(err)
	ok(w.Send([]byte("taken")))
	want("from the address of one that was gone", in.take(c, 1), "taken", w)
	ok(c.Close())

	// A closed wire's port is free.
	ok(w.Close())
	again, err := listen(w.LocalAddr())
	ok(err)
	ok(again.Close())
	ok(a.Close())
}

// A wire at the address "any" of IPv6 serves IPv4 peers, under their own names.
func testBothFamilies(t *testing.T, listen func(netip.AddrPort) (Wire, error)) {
	w, err := listen(addr("[::]:0"))
	if err != nil {
		t.Skip("no IPv6 on this machine: ", err)
	}
	defer w.Close()
	a, err := listen(addr("127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	to := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), w.LocalAddr().Port())
	in := newInbox(t, runtime.Gosched)
	for _, err := range []error{a.Aim(to), a.Send([]byte("four")), w.Rebind(a.LocalAddr()), a.Send([]byte("more")), w.Send([]byte("back"))} {
		if err != nil {
			t.Fatal(err)
		}
	}
	in.take(w, 2)
	if in.from[0] != a.LocalAddr() {
		t.Errorf("an IPv4 peer is called %v, want %v", in.from[0], a.LocalAddr())
	}
	in.take(a, 1)
	if err := a.Aim(addr("[::1]:9")); err == nil {
		t.Error("an IPv4 wire took an IPv6 address")
	}
}
