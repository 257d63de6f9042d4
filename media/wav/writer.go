package wav

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"ozswitch/media"
)

// The lengths of a file that is still being written: large enough that every player goes on to the file's true end,
// small enough for those that read a signed number.
const (
	openRIFF = 0x7FFFF024
	openData = 0x7FFFF000
)

// HeaderSize is where the sound begins in a Writer's file.
const HeaderSize = 44

// ErrFull: a WAV file cannot hold more.
var ErrFull = errors.New("wav: file is full (2 GiB)")

// File is what a Writer writes to: os.File is one.
type File interface {
	io.Writer
	io.WriterAt
}

// A Writer makes a file of 16-bit PCM. It writes a header with an open-ended length at once, so that the file can be
// played while it grows and after a crash; Close writes the true one. It does not close the File.
type Writer struct {
	f        File
	rate     media.Rate
	channels int
	n        int64 // bytes of sound written
	buf      []byte
}

// NewWriter writes the header to the beginning of f, which must be empty.
func NewWriter(f File, rate media.Rate, channels int) (*Writer, error) {
	w := &Writer{f: f, rate: rate, channels: channels}
	if _, err := f.Write(header(rate, channels, openRIFF, openData)); err != nil {
		return nil, fmt.Errorf("wav: write header: %w", err)
	}
	return w, nil
}

func header(rate media.Rate, channels int, riff, data uint32) []byte {
	b := make([]byte, 0, HeaderSize)
	le := binary.LittleEndian
	b = le.AppendUint32(append(b, "RIFF"...), riff)
	b = le.AppendUint32(append(b, "WAVEfmt "...), 16)
	b = le.AppendUint16(b, tagPCM)
	b = le.AppendUint16(b, uint16(channels))
	b = le.AppendUint32(b, uint32(rate))
	b = le.AppendUint32(b, uint32(rate)*uint32(channels)*2)
	b = le.AppendUint16(b, uint16(channels)*2)
	b = le.AppendUint16(b, 16)
	return le.AppendUint32(append(b, "data"...), data)
}

// Rate implements media.Sink.
func (w *Writer) Rate() media.Rate { return w.rate }

// Samples counts what has been written, per channel.
func (w *Writer) Samples() int64 { return w.n / int64(2*w.channels) }

// Write appends samples, interleaved when there are several channels, in one write of the file. It implements
// media.Sink for one channel.
func (w *Writer) Write(pcm []int16) error {
	if w.n+2*int64(len(pcm)) > openData {
		return ErrFull
	}
	w.buf = w.buf[:0]
	for _, s := range pcm {
		w.buf = append(w.buf, byte(s), byte(uint16(s)>>8))
	}
	n, err := w.f.Write(w.buf)
	w.n += int64(n)
	if err != nil {
		return fmt.Errorf("wav: write: %w", err)
	}
	return nil
}

// Cut leaves out what comes after so many samples per channel; nothing when there
// are no more. Nothing may be written afterwards. The File must be able to
// Truncate.
func (w *Writer) Cut(samples int64) error {
	n := max(0, samples) * int64(2*w.channels)
	if n >= w.n {
		return nil
	}
	f, ok := w.f.(interface{ Truncate(size int64) error })
	if !ok {
		return errors.New("wav: cut: the file cannot be made shorter")
	}
	if err := f.Truncate(HeaderSize + n); err != nil {
		return fmt.Errorf("wav: cut: %w", err)
	}
	w.n = n
	return nil
}

// Close writes the true lengths into the header. A half-written last sample is left out of them.
func (w *Writer) Close() error {
	block := int64(2 * w.channels)
	return patch(w.f, w.rate, w.channels, w.n/block*block)
}

func patch(f io.WriterAt, rate media.Rate, channels int, data int64) error {
	if _, err := f.WriteAt(header(rate, channels, uint32(data)+HeaderSize-8, uint32(data)), 0); err != nil {
		return fmt.Errorf("wav: write header: %w", err)
	}
	return nil
}

// Info is what Repair found.
type Info struct {
	Rate     media.Rate
	Channels int
	Samples  int64 // per channel
	Size     int64 // of the file, in bytes
}

// Repair gives a file of a Writer that was never closed its true length; a half-written last sample is cut off. A file
// that is whole stays as it is. The file must be open for reading and writing.
func Repair(f *os.File) (Info, error) {
	st, err := f.Stat()
	if err != nil {
		return Info{}, fmt.Errorf("wav: repair: %w", err)
	}
	var h [HeaderSize]byte
	if _, err := f.ReadAt(h[:], 0); err != nil {
		return Info{}, fmt.Errorf("wav: repair: %w", bad(err, "shorter than a header"))
	}
	le := binary.LittleEndian
	i := Info{Rate: media.Rate(le.Uint32(h[24:])), Channels: int(le.Uint16(h[22:]))}
	if i.Rate < minRate || i.Rate > maxRate || i.Channels < 1 || i.Channels > maxChannels {
		return Info{}, fmt.Errorf("wav: repair: %w: not written by this package", ErrFormat)
	}
	was := string(h[:])
	size := le.Uint32(h[40:])
	// All but the two lengths must be ours.
	if string(header(i.Rate, i.Channels, le.Uint32(h[4:]), size)) != was {
		return Info{}, fmt.Errorf("wav: repair: %w: not written by this package", ErrFormat)
	}
	block := int64(2 * i.Channels)
	i.Samples = min(st.Size()-HeaderSize, openData) / block
	i.Size = HeaderSize + i.Samples*block
	if st.Size() == i.Size && int64(size) == i.Samples*block {
		return i, nil
	}
	if err := f.Truncate(i.Size); err != nil {
		return Info{}, fmt.Errorf("wav: repair: %w", err)
	}
	return i, patch(f, i.Rate, i.Channels, i.Samples*block)
}
