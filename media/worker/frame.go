package worker

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// MaxFrame is the most bytes one frame may carry: some eight minutes of 16 kHz sound.
const MaxFrame = 16 << 20

// kind is the fourth byte of a frame.
type kind byte

const (
	hello  kind = 'h' // child to parent, once, when it is ready; the payload is version
	job    kind = 'j' // parent to child
	done   kind = 'd' // child to parent: the job's result
	failed kind = 'f' // child to parent: the job's error text; the child is well and goes on
)

// version names the protocol. A child of another version (the program was replaced on disk) is refused.
const version = "ozswitch worker 1"

// errGarbage: what came is no frame. Nothing after it can be trusted.
var errGarbage = errors.New("worker: not a frame")

const headerSize = 8 // 'o' 'z' 'w' kind, then the payload's length, big endian

// writeFrame writes one frame with one call of Write.
func writeFrame(w io.Writer, k kind, payload []byte) error {
	if len(payload) > MaxFrame {
		return fmt.Errorf("worker: frame of %d bytes, at most %d", len(payload), MaxFrame)
	}
	b := make([]byte, headerSize, headerSize+len(payload))
	copy(b, "ozw")
	b[3] = byte(k)
	binary.BigEndian.PutUint32(b[4:], uint32(len(payload)))
	_, err := w.Write(append(b, payload...))
	return err
}

// readFrame reads one frame. io.EOF means that the other side has closed between two frames.
func readFrame(r io.Reader) (kind, []byte, error) {
	var h [headerSize]byte
	if _, err := io.ReadFull(r, h[:1]); err != nil {
		return 0, nil, err
	}
	if h[0] != 'o' { // said at once: garbage may be shorter than a header
		return 0, nil, fmt.Errorf("%w: first byte %q", errGarbage, h[0])
	}
	if _, err := io.ReadFull(r, h[1:]); err != nil {
		return 0, nil, fmt.Errorf("worker: cut-off frame: %w", noEOF(err))
	}
	n := binary.BigEndian.Uint32(h[4:])
	if string(h[:3]) != "ozw" || n > MaxFrame {
		return 0, nil, fmt.Errorf("%w: header %q", errGarbage, h)
	}
	// The length is the sender's word: memory grows with what really comes.
	p, err := io.ReadAll(io.LimitReader(r, int64(n)))
	if err == nil && len(p) < int(n) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return 0, nil, fmt.Errorf("worker: cut-off frame: %w", noEOF(err))
	}
	return kind(h[3]), p, nil
}

// noEOF keeps a cut-off frame from looking like a proper end.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
