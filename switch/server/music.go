package server

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"ozswitch/media"
	"ozswitch/media/mp3"
	"ozswitch/media/wav"
)

// mostMusic is the largest file of hold music that is read.
const mostMusic = 200 << 20

// music opens the hold music (tones.music), nil where there is none: the bridge has a
// melody of its own. It is read once, at the first call that is put on hold.
func (s *Server) music() (media.Source, error) {
	names, said := []string{"music.wav", "music.mp3"}, s.state.Load().cfg.Tones.Music
	if said != "" {
		names = []string{said}
	}
	for _, name := range names {
		f, err := s.data.media.Open(name)
		if errors.Is(err, fs.ErrNotExist) && said == "" {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("server: tones.music: %w", err)
		}
		b, err := io.ReadAll(io.LimitReader(f, mostMusic))
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("server: tones.music: read %s: %w", name, err)
		}
		if bytes.HasPrefix(b, []byte("RIFF")) {
			return wav.NewReader(bytes.NewReader(b))
		}
		return mp3.NewReader(bytes.NewReader(b))
	}
	return nil, nil
}
