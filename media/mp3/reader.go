package mp3

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	gomp3 "github.com/hajimehoshi/go-mp3"

	"ozswitch/media"
)

// ErrFormat: the bytes are no mp3 file, or one of a kind that is not played.
var ErrFormat = errors.New("mp3: cannot be played")

const (
	maxBytes  = 64 << 20      // of a file; what is beyond is not played
	maxLength = 4 * time.Hour // of its sound
	maxJunk   = 64 << 10      // before the first frame, after tags
	maxTag    = 16 << 20      // an ID3v2 tag, with its pictures
)

// A Reader is the sound of an mp3 file, its channels mixed to one. It reads its input as it is asked and may block as
// long as that does.
type Reader struct {
	rate media.Rate
	dec  *gomp3.Decoder
	skip int64 // samples still to be left out at the beginning
	left int64 // samples still to come, at most
	long int64 // what the file says, 0: nothing
	buf  []byte
	err  error
}

// NewReader looks for the first frame. An error wraps ErrFormat unless the input itself failed.
func NewReader(r io.Reader) (*Reader, error) {
	in := bufio.NewReaderSize(io.LimitReader(r, maxBytes), maxJunk)
	if err := skipTags(in); err != nil {
		return nil, err
	}
	h, err := first(in)
	if err != nil {
		return nil, err
	}
	m := &Reader{rate: media.Rate(h.rate)}
	m.left = int64(m.rate.N(maxLength))
	frame, _ := in.Peek(h.size)
	if skip, length, ok := h.info(frame); ok {
		in.Discard(len(frame))
		if length > 0 {
			m.skip, m.long, m.left = skip, length, min(m.left, length)
		}
	}
	m.guard(func() { m.dec, err = gomp3.NewDecoder(struct{ io.Reader }{in}) }) // not a Seeker: it would read it all
	if err == nil {
		err = m.err
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: %v", ErrFormat, err)
	}
	if err != nil || m.dec == nil {
		return nil, fmt.Errorf("%w: no whole frame in it", ErrFormat)
	}
	return m, nil
}

// skipTags leaves out ID3v2 tags (id3.org, ID3v2.4.0, 3.1).
func skipTags(in *bufio.Reader) error {
	for {
		b, err := in.Peek(10)
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("mp3: read: %w", err)
		}
		if len(b) < 10 || string(b[:3]) != "ID3" {
			return nil
		}
		n := 10 + (int(b[6]&127)<<21 | int(b[7]&127)<<14 | int(b[8]&127)<<7 | int(b[9]&127))
		if b[5]&0x10 != 0 {
			n += 10
		}
		if n > maxTag {
			return fmt.Errorf("%w: a tag of %d bytes", ErrFormat, n)
		}
		if _, err := in.Discard(n); err != nil {
			return fmt.Errorf("%w: nothing but a tag", ErrFormat)
		}
	}
}

// first finds the first frame that is followed by another of its kind, or by the end, and leaves in at its beginning.
func first(in *bufio.Reader) (header, error) {
	b, err := in.Peek(maxJunk)
	if err != nil && !errors.Is(err, io.EOF) {
		return header{}, fmt.Errorf("mp3: read: %w", err)
	}
	var refused error
	for i := range b {
		h, ok, err := parseHeader(b[i:])
		if !ok {
			continue
		}
		if err != nil {
			if refused == nil && i == 0 { // deeper in it may be chance
				refused = err
			}
			continue
		}
		next := i + h.size
		if next+4 <= len(b) {
			h2, ok, err := parseHeader(b[next:])
			if !ok || err != nil || h2.rate != h.rate || h2.mpeg1 != h.mpeg1 {
				continue
			}
		} else if next > len(b) {
			continue
		}
		in.Discard(i)
		return h, nil
	}
	if refused != nil {
		return header{}, refused
	}
	return header{}, fmt.Errorf("%w: no mp3 frame in its first %d bytes", ErrFormat, len(b))
}

// Rate is the file's.
func (m *Reader) Rate() media.Rate { return m.rate }

// Duration is what the file says of itself; 0 when it does not.
func (m *Reader) Duration() time.Duration { return m.rate.D(int(m.long)) }

func (m *Reader) String() string { return fmt.Sprintf("mp3(%d Hz)", m.rate) }

// Read implements media.Source. A file that is broken further on ends there, without an error: what came before has
// been heard.
func (m *Reader) Read(pcm []int16) (int, error) {
	n := 0
	for n < len(pcm) && m.err == nil {
		n += m.some(pcm[n:])
	}
	if n == len(pcm) {
		return n, nil
	}
	return n, m.err
}

// some decodes at least a sample, or sets err.
func (m *Reader) some(pcm []int16) int {
	if m.left <= 0 {
		m.err = io.EOF
		return 0
	}
	want := int(min(int64(len(pcm)), 4096, m.left))
	if m.skip > 0 {
		want = int(min(4096, m.skip))
	}
	if len(m.buf) < 4*want {
		m.buf = make([]byte, 4*want)
	}
	got := 0
	m.guard(func() {
		var err error
		if got, err = io.ReadFull(m.dec, m.buf[:4*want]); err != nil {
			m.err = io.EOF
		}
	})
	n := got / 4
	if m.skip > 0 {
		m.skip -= int64(n)
		return 0
	}
	for i := range n { // always two channels of 16 bits
		l, r := int16(binary.LittleEndian.Uint16(m.buf[4*i:])), int16(binary.LittleEndian.Uint16(m.buf[4*i+2:]))
		pcm[i] = int16((int(l) + int(r)) / 2)
	}
	m.left -= int64(n)
	return n
}

// guard is the recover boundary around foreign code on outside bytes.
func (m *Reader) guard(f func()) {
	defer func() {
		if p := recover(); p != nil {
			m.err = fmt.Errorf("%w: the decoder failed: %v", ErrFormat, p)
		}
	}()
	f()
}
