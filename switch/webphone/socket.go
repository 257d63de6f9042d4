package webphone

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"

	"ozswitch/switch/sip/flow"
)

// A socket is the flow of one WebSocket. One goroutine reads; one writes while
// there is something to be written. One that we make begins when something is
// sent by it. Which flow it is tells its pointer: behind a proxy several have
// the same Remote.
type socket struct {
	s         *Sockets
	transport string // "ws", "wss"
	remote    netip.AddrPort
	local     netip.AddrPort
	name      string // what the far end's certificate must say, and of the Host header
	dialled   bool   // we make it

	busy atomic.Int64 // nanoseconds since the reader last had to wait
	keep atomic.Int64 // Keep's; 0 = nobody registered or calls by it

	mu      sync.Mutex
	ws      *websocket.Conn // nil until it stands
	nc      net.Conn        // below ws
	started bool            // of one that we make
	gone    bool
	why     error
	out     [][]byte // not written yet
	unsent  int      // bytes of out
	writing bool     // a goroutine writes
}

func (k *socket) Transport() string      { return k.transport }
func (k *socket) Remote() netip.AddrPort { return k.remote }
func (k *socket) Local() netip.AddrPort  { return k.local }
func (k *socket) Reliable() bool         { return true }
func (k *socket) Behind() time.Duration  { return time.Duration(k.busy.Load()) }

// Back does nothing: a browser cannot be called back (RFC 7118 5).
func (k *socket) Back(*flow.Head) {}

// Open tells whether the socket stands, or may yet be made.
func (k *socket) Open() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return !k.gone
}

// Keep lets the socket be silent for d.
func (k *socket) Keep(d time.Duration) {
	for {
		old := k.keep.Load()
		if int64(d) <= old || k.keep.CompareAndSwap(old, int64(d)) {
			return
		}
	}
}

// Send lets msg be written. What is to go by a socket that has ended fails,
// unless we made it: then another is made.
func (k *socket) Send(msg []byte) error {
	k.mu.Lock()
	if k.gone {
		why := k.why
		k.mu.Unlock()
		if k.dialled && k.s.ctx.Err() == nil {
			return k.s.To(k.transport, k.remote, k.name).Send(msg) // never by k: it is gone
		}
		return k.wrap(why)
	}
	if k.dialled && !k.started {
		if err := k.s.admit(k); err != nil {
			k.gone, k.why = true, err
			k.mu.Unlock()
			if err == errTaken {
				return k.Send(msg) // by the one that is there
			}
			return k.wrap(err)
		}
		k.started = true
		k.s.wg.Go(k.live)
	}
	defer k.mu.Unlock()
	if k.unsent+len(msg) > maxUnsent {
		err := errors.New("the far end does not read")
		k.drop(err)
		return k.wrap(err)
	}
	k.out = append(k.out, bytes.Clone(msg))
	k.unsent += len(msg)
	k.flush()
	return nil
}

// flush starts the writer unless it runs. The lock is held.
func (k *socket) flush() {
	if k.ws != nil && !k.writing && len(k.out) > 0 {
		k.writing = true
		k.s.wg.Go(k.write)
	}
}

// write writes what waits; it is the writer's too to say goodbye when the
// socket ended meanwhile, after the last answer.
func (k *socket) write() {
	for {
		k.mu.Lock()
		if len(k.out) == 0 {
			k.writing = false
			if k.gone {
				k.hangUp()
			}
			k.mu.Unlock()
			return
		}
		b := k.out[0]
		k.out[0], k.out = nil, k.out[1:]
		k.unsent -= len(b)
		if len(k.out) == 0 {
			k.out = nil // an idle socket keeps nothing
		}
		if !k.gone {
			_ = k.nc.SetWriteDeadline(time.Now().Add(writeWithin))
		}
		k.mu.Unlock()
		kind := websocket.MessageText
		if !utf8.Valid(b) { // browsers close a socket whose text is none
			kind = websocket.MessageBinary
		}
		if err := k.ws.Write(context.Background(), kind, b); err != nil {
			k.mu.Lock()
			k.out = nil
			k.drop(err)
			k.mu.Unlock()
		}
	}
}

// start lets the socket live on ws, whose connection is nc.
func (k *socket) start(ws *websocket.Conn, nc net.Conn) {
	k.stands(ws, nc)
	k.s.wg.Go(k.live)
}

func (k *socket) stands(ws *websocket.Conn, nc net.Conn) {
	ws.SetReadLimit(-1) // read looks itself, and answers
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ws, k.nc = ws, nc
	if k.gone { // we are stopping
		_ = nc.SetDeadline(time.Now().Add(closeWithin))
		k.hangUp()
		return
	}
	k.flush()
}

// end ends the socket.
func (k *socket) end(why error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.drop(why)
}

// drop is end under the lock. What waits is still written, as long as a
// goodbye may take; live does the rest.
func (k *socket) drop(why error) {
	if k.gone {
		return
	}
	k.gone, k.why = true, why
	if k.ws == nil {
		return
	}
	_ = k.nc.SetDeadline(time.Now().Add(closeWithin))
	if !k.writing {
		k.hangUp()
	}
}

// hangUp says goodbye. The lock is held.
func (k *socket) hangUp() {
	code, text := goodbye(k.why)
	k.s.wg.Go(func() { _ = k.ws.Close(code, text) }) // it has ended, whatever that says
}

// errLong is why a socket ends that sent too much at once.
var errLong = errors.New("a message longer than 64 KiB")

// goodbye is what a far end is told (RFC 6455 7.4.1).
func goodbye(why error) (websocket.StatusCode, string) {
	switch {
	case errors.Is(why, errLeaving):
		return websocket.StatusGoingAway, errLeaving.Error()
	case errors.Is(why, errLong):
		return websocket.StatusMessageTooBig, errLong.Error()
	case errors.Is(why, errIdle), errors.Is(why, errSlow):
		return websocket.StatusPolicyViolation, why.Error()
	case errors.Is(why, errBug):
		return websocket.StatusInternalError, errBug.Error()
	}
	return websocket.StatusNormalClosure, ""
}

var (
	errIdle = errors.New("idle for too long")
	errSlow = errors.New("a message was not finished in time")
	errBug  = errors.New("a fault of the switch")
)

// live is the life of a socket: made or taken, read, ended.
func (k *socket) live() {
	k.end(k.run())
	k.s.dismiss(k)
	if k.s.c.Lost != nil {
		k.mu.Lock()
		why := k.why
		k.mu.Unlock()
		k.s.c.Lost(k, k.wrap(why))
	}
}

// run is the recover boundary of what comes.
func (k *socket) run() (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", errBug, r)
			if k.s.c.Panicked != nil {
				k.s.c.Panicked(k.remote, r)
			}
		}
	}()
	if k.dialled {
		if err := k.dial(); err != nil {
			return err
		}
	}
	return k.read()
}

// read hands on message after message until the socket ends. Pings are answered
// below, whole messages made of fragments there too.
func (k *socket) read() error {
	rested := time.Now()
	spoke := rested // when SIP came last
	for {
		asked := time.Now()
		if err := k.patience(spoke); err != nil {
			return err
		}
		_, r, err := k.ws.Reader(context.Background())
		now := time.Now()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return errIdle
		}
		if err != nil {
			return err
		}
		if now.Sub(asked) > waited {
			rested = now
		}
		k.busy.Store(int64(now.Sub(rested)))
		sip, err := k.message(r)
		if err != nil {
			return err
		}
		if sip || k.keep.Load() > 0 {
			spoke = now
		}
	}
}

// waited is how long a read takes at least when nothing was there to be read.
const waited = 50 * time.Microsecond

// patience sets until when something must come.
func (k *socket) patience(spoke time.Time) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.gone {
		return k.why // drop has set a deadline of its own
	}
	if k.dialled {
		return k.nc.SetReadDeadline(time.Time{}) // who was called may be silent
	}
	return k.nc.SetReadDeadline(spoke.Add(max(idleFor, time.Duration(k.keep.Load()))))
}

// message reads one message and hands it on; sip tells that it was more than a
// sign of life.
func (k *socket) message(r io.Reader) (sip bool, err error) {
	k.mu.Lock()
	if !k.gone {
		_ = k.nc.SetReadDeadline(time.Now().Add(finishWithin))
	}
	k.mu.Unlock()
	buf := k.s.buffers.Get().(*[flow.MaxMessage + 1]byte)
	defer k.s.buffers.Put(buf)
	n, err := io.ReadFull(r, buf[:])
	b := buf[:n]
	switch {
	case err == nil: // it goes on
		k.s.c.Receive(k, b, &flow.Fault{Code: 513, Why: "Message Too Large"})
		return true, errLong
	case errors.Is(err, os.ErrDeadlineExceeded):
		return false, errSlow
	case !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return false, err
	}
	if rest := bytes.Trim(b, "\r\n"); len(rest) == 0 {
		if len(b) >= 4 { // a ping of RFC 5626 4.4.1; one line alone is a pong
			return false, k.Send([]byte("\r\n"))
		}
		return false, nil
	}
	k.s.c.Receive(k, b, nil)
	return true, nil
}

func (k *socket) wrap(err error) error {
	return fmt.Errorf("sip: %s %s: %w", k.transport, k.remote, err)
}
