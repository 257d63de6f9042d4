// Package simnet is a network in memory, for tests in synctest bubbles: packets
// that are delayed, lost, doubled and overtaken as a seeded die says, and streams.
//
// Everything waits by sync.Cond and timers, so virtual time moves; nothing is
// started by New and no goroutine outlives the sockets. There are no names, only
// addresses, and any address may be listened at. Packets between two addresses
// arrive in the order they were sent unless their Link says otherwise.
//
// It is not: a model of bandwidth or of congestion. Start at Link, below.
package simnet

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"
)

// Link says what the way from one host to another does. Streams know only Delay.
type Link struct {
	Delay     time.Duration // one way; New gives every link 1 ms
	Jitter    time.Duration // up to so much more, evenly, without overtaking
	Loss      float64       // part of the packets that never arrive
	Duplicate float64       // part that arrive twice
	Reorder   float64       // part that are held up by ReorderBy and so overtaken
	ReorderBy time.Duration // 0 = 30 ms
}

// A Net is a network. Its methods may be called from any goroutine.
type Net struct {
	mu      sync.Mutex
	rand    *rand.Rand
	links   map[[2]netip.Addr]Link
	deflt   Link
	latest  map[[2]netip.AddrPort]time.Time // arrival of the last packet in order
	enough  int                             // so many of latest are looked through
	packets map[netip.AddrPort]*endpoint
	streams map[netip.AddrPort]*listener
	port    uint16 // the next free one to try
	due     arrivals
	order   uint64
	timer   *time.Timer
	lost    int
}

// New makes a network whose accidents are a function of seed.
func New(seed uint64) *Net {
	return &Net{
		rand:    rand.New(rand.NewPCG(seed, 0)),
		links:   map[[2]netip.Addr]Link{},
		deflt:   Link{Delay: time.Millisecond},
		latest:  map[[2]netip.AddrPort]time.Time{},
		enough:  1024,
		packets: map[netip.AddrPort]*endpoint{},
		streams: map[netip.AddrPort]*listener{},
		port:    40000,
	}
}

// SetDefault says what links do that SetLink does not name.
func (n *Net) SetDefault(l Link) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.deflt = l
}

// SetLink says what the way from one host to another does; the way back is
// another link. It counts for what is sent from now on.
func (n *Net) SetLink(from, to netip.Addr, l Link) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.links[[2]netip.Addr{from, to}] = l
}

// Lost is how many packets the links have swallowed.
func (n *Net) Lost() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.lost
}

func (n *Net) link(from, to netip.Addr) Link {
	if l, ok := n.links[[2]netip.Addr{from, to}]; ok {
		return l
	}
	return n.deflt
}

// arrival is something that happens at the far end of a link.
type arrival struct {
	at    time.Time
	order uint64 // of equal times, the first sent comes first
	do    func() // called with the lock: it only appends and wakes
}

type arrivals []arrival

func (a arrivals) Len() int { return len(a) }
func (a arrivals) Less(i, j int) bool {
	return a[i].at.Before(a[j].at) || a[i].at.Equal(a[j].at) && a[i].order < a[j].order
}
func (a arrivals) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *arrivals) Push(x any)   { *a = append(*a, x.(arrival)) }
func (a *arrivals) Pop() any {
	last := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return last
}

// prune forgets ways whose last packet has arrived: nothing can overtake it any
// more. Calls without end would fill latest otherwise. Called with the lock.
func (n *Net) prune(now time.Time) {
	if len(n.latest) < n.enough {
		return
	}
	for way, at := range n.latest {
		if at.Before(now) {
			delete(n.latest, way)
		}
	}
	n.enough = max(1024, 2*len(n.latest))
}

// schedule lets something happen at a moment. All arrivals share one timer:
// timers that are due together may fire in any order. Called with the lock.
func (n *Net) schedule(at time.Time, do func()) {
	n.order++
	heap.Push(&n.due, arrival{at, n.order, do})
	if n.due[0].order != n.order {
		return
	}
	if n.timer == nil {
		n.timer = time.AfterFunc(time.Until(at), n.deliver)
	} else {
		n.timer.Reset(time.Until(at))
	}
}

// deliver does what is due, in order.
func (n *Net) deliver() {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	for len(n.due) > 0 && !n.due[0].at.After(now) {
		heap.Pop(&n.due).(arrival).do()
	}
	if len(n.due) > 0 {
		n.timer.Reset(time.Until(n.due[0].at))
	}
}

// send puts a packet on its way. The bytes are copied.
func (n *Net) send(from, to netip.AddrPort, b []byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	l := n.link(from.Addr(), to.Addr())
	if n.rand.Float64() < l.Loss {
		n.lost++
		return
	}
	now := time.Now()
	at := now.Add(l.Delay)
	if l.Jitter > 0 {
		at = at.Add(time.Duration(n.rand.Int64N(int64(l.Jitter))))
	}
	way := [2]netip.AddrPort{from, to}
	if l.Reorder > 0 && n.rand.Float64() < l.Reorder {
		by := l.ReorderBy
		if by == 0 {
			by = 30 * time.Millisecond
		}
		at = at.Add(by)
	} else {
		if at.Before(n.latest[way]) {
			at = n.latest[way]
		}
		n.latest[way] = at
		n.prune(now)
	}
	p := packet{from: from, b: append([]byte(nil), b...)}
	arrive := func() {
		if e := n.packets[to]; e != nil {
			e.arrive(p)
		}
	}
	n.schedule(at, arrive)
	if l.Duplicate > 0 && n.rand.Float64() < l.Duplicate {
		n.schedule(at.Add(time.Millisecond), arrive)
	}
}

// free finds a port at addr that taken does not have. Called with the lock.
func (n *Net) free(addr netip.Addr, taken func(netip.AddrPort) bool) netip.AddrPort {
	for {
		if n.port++; n.port < 40000 {
			n.port = 40000
		}
		if a := netip.AddrPortFrom(addr, n.port); !taken(a) {
			return a
		}
	}
}

// claim is the address that a socket gets: what it asks for, or any port for 0.
func (n *Net) claim(at string, taken func(netip.AddrPort) bool) (netip.AddrPort, error) {
	a, err := netip.ParseAddrPort(at)
	if err != nil {
		return a, fmt.Errorf("simnet: listen at %q: %w", at, err)
	}
	a = netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
	if a.Port() == 0 {
		return n.free(a.Addr(), taken), nil
	}
	if taken(a) {
		return a, fmt.Errorf("simnet: listen at %v: %w", a, errInUse)
	}
	return a, nil
}
