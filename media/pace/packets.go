package pace

import (
	"encoding/binary"
	"time"
)

// PacketHead is what stands before each packet in a PacketBlock: 8 bytes, the
// moment in Unix nanoseconds; 1 byte, 0 for received or 1 for sent; 2 bytes, the
// packet's length. Big-endian, as the packet itself (contract.md "Data on disk").
const PacketHead = 11

// packetBlock holds about 220 ms of a call in G.711, and any packet.
const (
	packetBlock  = 4 << 10
	packetBlocks = 8
)

// Packets copies the whole packets of a leg, both ways, as they were received
// and sent: a Tap has what was heard of them, one frame for each 20 ms. The
// memory is made beforehand; a reader that is too slow loses packets and is told
// how many, and the leg never waits. One goroutine reads; it serves one leg once.
type Packets struct {
	bell       chan struct{}
	skip       [128]bool // payload types that are left out
	full, free ring[*PacketBlock]
	cur        *PacketBlock
	last       *PacketBlock // kept back, so that the end is always told
	dropped    int
}

// A PacketBlock is some packets, each behind its PacketHead.
type PacketBlock struct {
	Data    []byte
	N       int  // packets in Data
	Dropped int  // packets lost just before this block
	Last    bool // nothing comes after it
}

// NewPackets makes a LegConfig.Packets. Its bell, with room for one, is rung for
// each full block. skip is a payload type that is left out: that of keys which
// are secrets; 0 = none.
func NewPackets(bell chan struct{}, skip uint8) *Packets {
	p := &Packets{bell: bell, last: &PacketBlock{}}
	p.skip[skip&0x7f] = skip != 0
	p.full.buf, p.free.buf = make([]*PacketBlock, 2*packetBlocks), make([]*PacketBlock, packetBlocks)
	for range packetBlocks {
		p.free.put(&PacketBlock{Data: make([]byte, 0, packetBlock)})
	}
	return p
}

// Next takes the oldest full block, if there is one. Give it back with Release.
func (p *Packets) Next() (*PacketBlock, bool) { return p.full.take() }

// Release gives a block back for reuse; it may not be looked at any more.
func (p *Packets) Release(b *PacketBlock) {
	if b.Data != nil { // not the kept-back one, which serves once
		p.free.put(b)
	}
}

// put copies a packet. Time is that of day.
func (p *Packets) put(at time.Time, sent bool, b []byte) {
	if len(b) > 1 && p.skip[b[1]&0x7f] {
		return
	}
	if p.cur != nil && len(p.cur.Data)+PacketHead+len(b) > cap(p.cur.Data) {
		p.hand()
	}
	if p.cur == nil {
		c, ok := p.free.take()
		if !ok {
			p.dropped++
			return
		}
		c.Data, c.N, c.Last = c.Data[:0], 0, false
		c.Dropped, p.dropped = p.dropped, 0
		p.cur = c
	}
	var way byte
	if sent {
		way = 1
	}
	c := p.cur
	c.Data = binary.BigEndian.AppendUint64(c.Data, uint64(at.UnixNano()))
	c.Data = append(c.Data, way)
	c.Data = binary.BigEndian.AppendUint16(c.Data, uint16(len(b)))
	c.Data = append(c.Data, b...)
	c.N++
}

// end hands out what there is, marked as the last.
func (p *Packets) end() {
	if p.cur == nil {
		p.cur = p.last
		p.cur.Dropped = p.dropped
	}
	p.cur.Last = true
	p.hand()
}

func (p *Packets) hand() {
	c := p.cur
	p.cur = nil
	p.full.put(c) // has room for all blocks there are
	ding(p.bell)
}
