package wav

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"ozswitch/media"
)

// Format tags (RFC 2361).
const (
	tagPCM        = 1
	tagALaw       = 6
	tagMuLaw      = 7
	tagExtensible = 0xFFFE
)

const (
	maxChannels = 8
	minRate     = 1000
	maxRate     = 192000
	maxChunks   = 1000 // before the sound; a real file has a dozen
)

// ErrFormat: the bytes are no WAV file, or one of a kind that is not read.
var ErrFormat = errors.New("wav: cannot be played")

// A Reader is the sound of a WAV file, all its channels mixed to one. It reads its input as it is asked and may
// therefore block as long as the input does. A file that is cut off plays as far as it goes; one with an open-ended
// length (still being written) plays to the end of the input.
type Reader struct {
	r        io.Reader
	rate     media.Rate
	tag      int
	bits     int
	channels int
	left     int64 // bytes of sound not yet read; negative: to the end of the input
	total    int64
	buf      []byte
	err      error
}

// NewReader reads up to the first sample. An error wraps ErrFormat unless the input itself failed.
func NewReader(input io.Reader) (*Reader, error) {
	r := bufio.NewReaderSize(input, 16<<10) // asked for a frame at a time
	var h [12]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return nil, bad(err, "shorter than a header")
	}
	if id := string(h[:4]); id != "RIFF" || string(h[8:]) != "WAVE" {
		return nil, fmt.Errorf("%w: starts with %q, not RIFF ... WAVE", ErrFormat, h[:4])
	}
	w := &Reader{r: r}
	var early []byte // the data of a file whose "data" comes before its "fmt "
	for range maxChunks {
		id, n, err := chunk(r)
		if errors.Is(err, io.EOF) && early != nil && w.rate != 0 {
			break
		}
		if err != nil {
			return nil, bad(err, "no sound in it")
		}
		switch {
		case id == "fmt ":
			if err := w.format(r, n); err != nil {
				return nil, err
			}
			if early != nil {
				w.r, w.left, w.total = bytes.NewReader(early), int64(len(early)), int64(len(early))
				return w, nil
			}
		case id == "data" && w.rate != 0:
			w.left, w.total = n, n
			if n >= openData { // a size that says "not known yet", ours or another program's
				w.left, w.total = -1, -1
			}
			return w, nil
		case id == "data":
			early, err = io.ReadAll(io.LimitReader(r, min(n+n&1, maxEarly+1)))
			if err != nil {
				return nil, bad(err, "no sound in it")
			}
			if len(early) > maxEarly {
				return nil, fmt.Errorf("%w: its format stands behind more than %d bytes of sound", ErrFormat, maxEarly)
			}
			early = early[:min(int64(len(early)), n)]
		default:
			if _, err := io.CopyN(io.Discard, r, n+n&1); err != nil {
				return nil, bad(err, "no sound in it")
			}
		}
	}
	return nil, fmt.Errorf("%w: no sound in it", ErrFormat)
}

// maxEarly bounds what is kept in memory of a file whose chunks are in odd order.
const maxEarly = 64 << 20

// chunk reads a chunk's name and size.
func chunk(r io.Reader) (id string, n int64, err error) {
	var h [8]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return "", 0, err
	}
	return string(h[:4]), int64(binary.LittleEndian.Uint32(h[4:])), nil
}

// bad tells a file that is too short from an input that fails.
func bad(err error, what string) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: %s", ErrFormat, what)
	}
	return fmt.Errorf("wav: read: %w", err)
}

// format reads a "fmt " chunk of n bytes.
func (w *Reader) format(r io.Reader, n int64) error {
	if n < 16 || n > 4096 {
		return fmt.Errorf("%w: format chunk of %d bytes", ErrFormat, n)
	}
	b := make([]byte, n+n&1)
	if _, err := io.ReadFull(r, b); err != nil {
		return bad(err, "cut off in its format")
	}
	le := binary.LittleEndian
	w.tag, w.channels, w.bits = int(le.Uint16(b)), int(le.Uint16(b[2:])), int(le.Uint16(b[14:]))
	rate := le.Uint32(b[4:])
	if w.tag == tagExtensible && n >= 26 {
		w.tag = int(le.Uint16(b[24:]))
	}
	switch {
	case rate < minRate || rate > maxRate:
		return fmt.Errorf("%w: %d samples a second", ErrFormat, rate)
	case w.channels < 1 || w.channels > maxChannels:
		return fmt.Errorf("%w: %d channels", ErrFormat, w.channels)
	case w.tag == tagPCM && (w.bits == 8 || w.bits == 16),
		(w.tag == tagALaw || w.tag == tagMuLaw) && w.bits == 8:
	default:
		return fmt.Errorf("%w: %s with %d bits; wanted PCM with 8 or 16, A-law or mu-law with 8", ErrFormat, tagName(w.tag), w.bits)
	}
	w.rate = media.Rate(rate)
	return nil
}

func tagName(tag int) string {
	switch tag {
	case tagPCM:
		return "PCM"
	case tagALaw:
		return "A-law"
	case tagMuLaw:
		return "mu-law"
	case 2, 0x11:
		return "ADPCM"
	case 3:
		return "floating point"
	case 0x31:
		return "GSM"
	case 0x55:
		return "MP3"
	}
	return fmt.Sprintf("format %#x", tag)
}

// Rate is the file's.
func (w *Reader) Rate() media.Rate { return w.rate }

// Channels is the number in the file; what is read is always one.
func (w *Reader) Channels() int { return w.channels }

// Duration is what the header promises; 0 when it does not say (open-ended).
func (w *Reader) Duration() time.Duration {
	if w.total < 0 {
		return 0
	}
	return w.rate.D(int(w.total) / w.block())
}

func (w *Reader) String() string { return fmt.Sprintf("wav(%d Hz, %s)", w.rate, tagName(w.tag)) }

// block is the size of one sample of all channels.
func (w *Reader) block() int { return w.channels * w.bits / 8 }

// Read implements media.Source. An error other than io.EOF is the input's.
func (w *Reader) Read(pcm []int16) (int, error) {
	n := 0
	for n < len(pcm) && w.err == nil {
		n += w.some(pcm[n:])
	}
	if n == len(pcm) {
		return n, nil
	}
	return n, w.err
}

// some reads at least a sample, or sets err.
func (w *Reader) some(pcm []int16) int {
	block := w.block()
	want := min(len(pcm), 4096) * block
	if w.left >= 0 {
		want = int(min(int64(want), w.left/int64(block)*int64(block)))
	}
	if want == 0 {
		w.err = io.EOF
		return 0
	}
	if len(w.buf) < want {
		w.buf = make([]byte, want)
	}
	got, err := io.ReadFull(w.r, w.buf[:want])
	switch {
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		w.err = io.EOF
	case err != nil:
		w.err = fmt.Errorf("wav: read: %w", err)
	}
	if w.left >= 0 {
		w.left -= int64(got)
	}
	n := got / block
	for i := range n {
		b := w.buf[i*block : (i+1)*block]
		sum := 0
		for c := range w.channels {
			sum += int(w.sample(b, c))
		}
		pcm[i] = int16(sum / w.channels)
	}
	return n
}

func (w *Reader) sample(b []byte, c int) int16 {
	switch {
	case w.tag == tagALaw:
		return aLaw(b[c])
	case w.tag == tagMuLaw:
		return muLaw(b[c])
	case w.bits == 8:
		return int16(int(b[c])-128) << 8
	}
	return int16(binary.LittleEndian.Uint16(b[2*c:]))
}
