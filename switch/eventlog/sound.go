package eventlog

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"time"

	"ozswitch/ozml/trace"
)

// The packets of a call (log.sound) stand in a file beside its events, which the
// same writer appends to: for each packet 8 bytes, the moment in Unix
// nanoseconds; 1 byte, 0 for received or 1 for sent; 2 bytes, its length; the
// packet (RFC 3550). Numbers are big-endian.
const soundHead = 11

const (
	maxSound = 64 << 20 // bytes of packets that are kept of a call
	maxLoud  = 32 << 20 // bytes of packets of all calls that may wait for the disk
)

// A Packet is one that was kept. Data is valid until the next one is read.
type Packet struct {
	At     time.Time
	Sent   bool // by us
	Data   []byte
	Offset int64 // of its record, from where reading began
}

// Secret tells whether keys may not be kept: Sensitive was called.
func (c *CallLog) Secret() bool { return c.sensitive.Load() }

// Sound takes n packets in the form of the file; dropped were lost before they
// came here. It copies them and never blocks. What finds no room is counted in
// a log.dropped event; of a call that has 64 MiB nothing more is kept, which
// one such event tells.
func (c *CallLog) Sound(records []byte, n, dropped int) {
	l := c.log
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.root == nil || l.c.Level == Off || l.over {
		return
	}
	l.drop(c, dropped)
	switch {
	case len(records) == 0 || c.kept < 0:
		return
	case c.kept+int64(len(records)) > maxSound:
		c.kept = -1
		e := trace.Event{T: l.c.Now(), Call: c.id, Type: trace.LogDropped, Count: int64(n), Reason: "sound", Text: "64 MiB of sound are kept, nothing more of this call"}
		l.put(c, &e)
		return
	case l.loud+len(records) > maxLoud || len(l.pending) >= l.c.Queue: // sound is the first to go
		l.drop(c, n)
		return
	}
	if len(c.packets) == 0 {
		l.sounding = append(l.sounding, c)
		if len(l.sounding) == 1 {
			select {
			case l.wake <- struct{}{}:
			default:
			}
		}
	}
	c.packets = append(c.packets, records...)
	c.kept += int64(len(records))
	l.loud += len(records)
}

// handSound gives the writer what waits of c, for the buffer it has emptied.
// l.mu is held.
func (l *Log) handSound(c *CallLog) {
	c.packets, c.sound.buf = c.sound.buf[:0], c.packets
	l.heard = append(l.heard, &c.sound)
}

// OpenSound opens the packets of a call: of a live one what came until now. The
// error is fs.ErrNotExist when none were kept, or that of ctx.
func (l *Log) OpenSound(ctx context.Context, call string) (*os.File, error) {
	if l.running.Load() {
		if err := l.Flush(ctx); err != nil {
			return nil, err
		}
	}
	return l.open(call, ".rtp")
}

// Packets reads packets; one torn by a crash at the end is passed over. What is
// no record of a packet ends it with an error.
func Packets(r io.Reader) iter.Seq2[Packet, error] {
	return func(yield func(Packet, error) bool) {
		in := bufio.NewReaderSize(r, 64<<10)
		var head [soundHead]byte
		var buf []byte
		for at := int64(0); ; {
			_, err := io.ReadFull(in, head[:])
			if err == nil {
				n := int(binary.BigEndian.Uint16(head[9:]))
				if head[8] > 1 {
					yield(Packet{}, fmt.Errorf("eventlog: byte %d of the sound is no packet", at))
					return
				}
				if cap(buf) < n {
					buf = make([]byte, n, max(n, 2048))
				}
				buf = buf[:n]
				_, err = io.ReadFull(in, buf)
			}
			switch {
			case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
				return
			case err != nil:
				yield(Packet{}, fmt.Errorf("eventlog: sound: %w", err))
				return
			}
			p := Packet{At: time.Unix(0, int64(binary.BigEndian.Uint64(head[:]))), Sent: head[8] == 1, Data: buf, Offset: at}
			if !yield(p, nil) {
				return
			}
			at += int64(soundHead + len(buf))
		}
	}
}
