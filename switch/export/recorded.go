package export

import (
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"path"
	"strings"
	"time"

	"ozswitch/media"
	"ozswitch/media/wav"
	"ozswitch/ozml/trace"
)

// recordings are those of a call, for one of which nothing was captured.
type recordings struct{ all []placed }

// placed is one recording, as media/recorder writes it.
type placed struct {
	file     io.ReadSeekCloser
	rate     media.Rate
	channels int
	frames   int64
	at       int64 // its first sample, at the rate of the whole
}

func recorded(c Call) (*Sound, error) {
	k := &recordings{}
	s := &Sound{Rate: 8000, lanes: k}
	begun := map[string]time.Time{} // by file, without what tells its format
	for e, err := range c.Events() {
		if err != nil {
			continue
		}
		name := strings.TrimSuffix(e.File, path.Ext(e.File))
		if e.Type == trace.RecordStart {
			begun[name] = e.T
		}
		at, ok := begun[name]
		if e.Type != trace.RecordSaved || !ok {
			continue
		}
		f, err := c.open(e.File)
		if err != nil {
			continue // taken away since
		}
		p, err := readRecording(f)
		if err != nil {
			f.Close()
			continue
		}
		if s.Start.IsZero() || at.Before(s.Start) {
			s.Start = at
		}
		if p.rate > 8000 {
			s.Rate = 16000
		}
		p.at = at.UnixNano()
		k.all = append(k.all, p)
	}
	if len(k.all) == 0 {
		return nil, fs.ErrNotExist
	}
	for i := range k.all {
		p := &k.all[i]
		p.at = int64(s.Rate.N(time.Unix(0, p.at).Sub(s.Start)))
		s.frames = max(s.frames, p.at+p.frames*int64(s.Rate)/int64(p.rate))
	}
	return s, nil
}

var errKind = errors.New("not a recording in 16-bit PCM")

func readRecording(f io.ReadSeekCloser) (p placed, err error) {
	var h [wav.HeaderSize]byte
	if _, err := io.ReadFull(f, h[:]); err != nil {
		return p, err
	}
	channels := int(binary.LittleEndian.Uint16(h[22:]))
	rate := binary.LittleEndian.Uint32(h[24:])
	if string(h[:4]) != "RIFF" || string(h[8:16]) != "WAVEfmt " || string(h[36:40]) != "data" || binary.LittleEndian.Uint16(h[20:]) != 1 ||
		binary.LittleEndian.Uint16(h[34:]) != 16 || channels < 1 || channels > 2 || rate != 8000 && rate != 16000 && rate != 48000 {
		return p, errKind
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return p, err
	}
	return placed{file: f, rate: media.Rate(rate), channels: channels, frames: (size - wav.HeaderSize) / int64(2*channels)}, nil
}

// Close implements lanes.
func (k *recordings) Close() error {
	var errs []error
	for _, p := range k.all {
		errs = append(errs, p.file.Close())
	}
	return errors.Join(errs...)
}

// render implements lanes.
func (k *recordings) render(from int64, out []int16) error {
	n := int64(len(out) / 2)
	rate := media.Rate(n * int64(time.Second) / int64(chunk))
	for _, p := range k.all {
		// In the file's own samples, a margin on both sides for the filter.
		step := func(at int64) int64 { return at * int64(p.rate) / int64(rate) }
		pad := int64(p.rate) / 10
		first := max(0, step(from-p.at)-pad)
		last := min(p.frames, step(from-p.at+n)+pad)
		if first >= last {
			continue
		}
		first -= first % (int64(p.rate) / 100) // whole at either rate
		raw := make([]byte, (last-first)*int64(2*p.channels))
		if _, err := p.file.Seek(wav.HeaderSize+first*int64(2*p.channels), io.SeekStart); err != nil {
			return err
		}
		got, err := io.ReadFull(p.file, raw)
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
			return err
		}
		for ch := range p.channels {
			pcm := make([]int16, got/(2*p.channels))
			for i := range pcm {
				pcm[i] = int16(binary.LittleEndian.Uint16(raw[2*(i*p.channels+ch):]))
			}
			all, err := media.ReadAll(media.Resample(media.Samples(p.rate, pcm), rate))
			if err != nil {
				return err
			}
			lane := 1 - ch // the recorder has the caller left
			begin := p.at + first*int64(rate)/int64(p.rate) - from
			for i, v := range all {
				if at := begin + int64(i); at >= 0 && at < n {
					out[2*at+int64(lane)] = v
				}
			}
		}
	}
	return nil
}
