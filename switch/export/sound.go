package export

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"ozswitch/media"
	"ozswitch/media/wav"
)

// chunk is how much of a Sound is decoded at once, and kept.
const chunk = 4 * time.Second

// A Sound is a call as a WAV file that is made while it is read: PCM16, left what
// we said, right the caller, at 16 kHz if either was wideband and else at 8. Its
// length is known at once and any part of it may be read, in bounded memory. It
// belongs to one goroutine.
type Sound struct {
	Start time.Time // of its first sample
	Rate  media.Rate

	frames int64 // samples of each channel
	lanes  lanes
	head   [wav.HeaderSize]byte
	at     int64 // of the next Read
	part   int64 // the chunk in pcm, -1 = none
	pcm    []int16
	raw    []byte // its bytes
}

// lanes are where a Sound comes from.
type lanes interface {
	// render gives the samples from one on, in pairs: left, right. What is not
	// there is silence; out is silent before.
	render(from int64, out []int16) error
	Close() error
}

// SoundOf opens the sound of a call: what was captured or, where nothing was, its
// recordings, each in its place (those in WAV; of one channel on the caller's
// side). fs.ErrNotExist = there is neither. Close must be called.
func SoundOf(c Call) (*Sound, error) {
	s, err := captured(c)
	if errors.Is(err, fs.ErrNotExist) {
		s, err = recorded(c)
	}
	if err != nil {
		return nil, fmt.Errorf("export: sound of call %s: %w", c.ID, err)
	}
	s.part = -1
	s.pcm = make([]int16, 2*s.Rate.N(chunk))
	s.raw = make([]byte, 2*len(s.pcm))
	s.header()
	return s, nil
}

// header writes that of the file (see media/wav).
func (s *Sound) header() {
	h, n := s.head[:], s.Size()
	copy(h, "RIFF")
	binary.LittleEndian.PutUint32(h[4:], uint32(n-8))
	copy(h[8:], "WAVEfmt ")
	binary.LittleEndian.PutUint32(h[16:], 16)
	binary.LittleEndian.PutUint16(h[20:], 1) // PCM
	binary.LittleEndian.PutUint16(h[22:], 2)
	binary.LittleEndian.PutUint32(h[24:], uint32(s.Rate))
	binary.LittleEndian.PutUint32(h[28:], uint32(s.Rate)*4)
	binary.LittleEndian.PutUint16(h[32:], 4)
	binary.LittleEndian.PutUint16(h[34:], 16)
	copy(h[36:], "data")
	binary.LittleEndian.PutUint32(h[40:], uint32(n-wav.HeaderSize))
}

// Size is the length of the file in bytes.
func (s *Sound) Size() int64 { return wav.HeaderSize + 4*s.frames }

// Length is how long it lasts.
func (s *Sound) Length() time.Duration { return s.Rate.D(int(s.frames)) }

// Close closes what it reads from.
func (s *Sound) Close() error { return s.lanes.Close() }

// Seek implements io.Seeker.
func (s *Sound) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += s.at
	case io.SeekEnd:
		offset += s.Size()
	}
	if offset < 0 {
		return 0, errors.New("export: seek before the beginning")
	}
	s.at = offset
	return offset, nil
}

// Read implements io.Reader.
func (s *Sound) Read(b []byte) (int, error) {
	if s.at >= s.Size() {
		return 0, io.EOF
	}
	if s.at < wav.HeaderSize {
		n := copy(b, s.head[s.at:])
		s.at += int64(n)
		return n, nil
	}
	part, in := (s.at-wav.HeaderSize)/int64(len(s.raw)), (s.at-wav.HeaderSize)%int64(len(s.raw))
	if err := s.load(part); err != nil {
		return 0, err
	}
	end := min(int64(len(s.raw)), s.Size()-wav.HeaderSize-part*int64(len(s.raw)))
	n := copy(b, s.raw[in:end])
	s.at += int64(n)
	return n, nil
}

// load renders a chunk.
func (s *Sound) load(part int64) error {
	if part == s.part {
		return nil
	}
	s.part = -1
	clear(s.pcm)
	if err := s.lanes.render(part*int64(len(s.pcm)/2), s.pcm); err != nil {
		return fmt.Errorf("export: sound: %w", err)
	}
	for i, v := range s.pcm {
		binary.LittleEndian.PutUint16(s.raw[2*i:], uint16(v))
	}
	s.part = part
	return nil
}

// Peaks are the waveform of a call in a given number of steps.
type Peaks struct {
	Start   time.Time `json:"start"`   // of the first sample
	Seconds float64   `json:"seconds"` // how long it lasts
	Out     []float32 `json:"out"`     // what we said: the least and the greatest sample of each step, -1 to 1
	In      []float32 `json:"in"`      // the caller
}

// maxWidth is the finest waveform: a step for each pixel of a large screen.
const maxWidth = 8192

// PeaksOf gives the waveform of a call; the error is fs.ErrNotExist when there is
// no sound.
func PeaksOf(c Call, width int) (Peaks, error) {
	width = max(1, min(width, maxWidth))
	s, err := SoundOf(c)
	if err != nil {
		return Peaks{}, err
	}
	defer s.Close()
	p := Peaks{Start: s.Start, Seconds: s.Length().Seconds(), Out: make([]float32, 2*width), In: make([]float32, 2*width)}
	if s.frames == 0 {
		return p, nil
	}
	done := -1 // the last step that has something
	for at := int64(0); at < s.frames; at++ {
		per := int64(len(s.pcm) / 2)
		if err := s.load(at / per); err != nil {
			return Peaks{}, err
		}
		i := int(at * int64(width) / s.frames)
		l, r := float32(s.pcm[2*(at%per)])/32768, float32(s.pcm[2*(at%per)+1])/32768
		for ; done < i; done++ { // with less samples than steps, a step shows the next sample
			j := 2 * (done + 1)
			p.Out[j], p.Out[j+1], p.In[j], p.In[j+1] = l, l, r, r
		}
		p.Out[2*i], p.Out[2*i+1] = min(p.Out[2*i], l), max(p.Out[2*i+1], l)
		p.In[2*i], p.In[2*i+1] = min(p.In[2*i], r), max(p.In[2*i+1], r)
	}
	for i := 2 * (done + 1); i < 2*width; i++ {
		p.Out[i], p.In[i] = p.Out[i-2], p.In[i-2]
	}
	for _, lane := range [][]float32{p.Out, p.In} { // a thousandth is finer than any screen
		for i, v := range lane {
			lane[i] = float32(int(v*1000)) / 1000
		}
	}
	return p, nil
}
