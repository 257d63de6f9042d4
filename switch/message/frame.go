package message

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/linxGnu/gosmpp/pdu"
)

// A PDU of SMPP is at least its header, and we read none larger than this: it
// holds the largest message_payload (SMPP 3.4, 3.2 and 5.3.2.32).
const minPDU, maxPDU = 16, 64 << 10

// A frame is one PDU as it came, with its header; its length has been checked.
type frame []byte

// readFrame reads one PDU. An error that is not r's own says that the stream
// makes no sense any more: where the next PDU begins is unknown.
func readFrame(r io.Reader) (frame, error) {
	var h [minPDU]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(h[:])
	if n < minPDU || n > maxPDU {
		return nil, fmt.Errorf("a PDU of %d bytes is announced, allowed are %d to %d", n, minPDU, maxPDU)
	}
	f := make(frame, n)
	copy(f, h[:])
	_, err := io.ReadFull(r, f[minPDU:])
	return f, err
}

func (f frame) command() uint32 { return binary.BigEndian.Uint32(f[4:]) }
func (f frame) status() uint32  { return binary.BigEndian.Uint32(f[8:]) }
func (f frame) seq() uint32     { return binary.BigEndian.Uint32(f[12:]) }

// parse reads the fields. It is a recover boundary.
func (f frame) parse() (p pdu.PDU, err error) {
	defer func() {
		if v := recover(); v != nil {
			p, err = nil, fmt.Errorf("panic: %v", v)
		}
	}()
	return pdu.Parse(bytes.NewReader(f))
}

var errCutOff = errors.New("it ends in the middle")

// deliverCoding walks over the fields of a deliver_sm (SMPP 3.4, 4.6.1) and
// gives its data_coding, of which the library keeps only what it knows. It
// refuses what does not add up, so that the library is not asked.
func (f frame) deliverCoding() (byte, error) {
	b := []byte(f[minPDU:])
	skip := func(strings, bytesAfter int) bool {
		for range strings {
			i := bytes.IndexByte(b, 0)
			if i < 0 {
				return false
			}
			b = b[i+1:]
		}
		if len(b) < bytesAfter {
			return false
		}
		b = b[bytesAfter:]
		return true
	}
	// service_type, ton, npi; source, ton, npi; destination, esm_class,
	// protocol_id, priority; schedule, validity, registered, replace.
	for _, part := range [][2]int{{1, 2}, {1, 2}, {1, 3}, {2, 2}} {
		if !skip(part[0], part[1]) {
			return 0, errCutOff
		}
	}
	if len(b) < 3 {
		return 0, errCutOff
	}
	coding, n := b[0], int(b[2])
	if b = b[3:]; len(b) < n {
		return 0, errCutOff
	}
	for b = b[n:]; len(b) > 0; { // optional parameters (5.3.2)
		if len(b) < 4 {
			return 0, errCutOff
		}
		l := int(binary.BigEndian.Uint16(b[2:]))
		if len(b) < 4+l || l > 1<<15-1 {
			return 0, errCutOff
		}
		b = b[4+l:]
	}
	return coding, nil
}
