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

// music opens the hold music: media/music.wav or music.mp3 in the folder of data, or
// neither (nil): the bridge has a melody of its own. It is read once, at the first
// call that is put on hold.
func (s *Server) music() (media.Source, error) {
	for _, name := range []string{"music.wav", "music.mp3"} {
		f, err := s.data.media.Open(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("server: open hold music: %w", err)
		}
		b, err := io.ReadAll(io.LimitReader(f, mostMusic))
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("server: read hold music: %w", err)
		}
		if name == "music.wav" {
			return wav.NewReader(bytes.NewReader(b))
		}
		return mp3.NewReader(bytes.NewReader(b))
	}
	return nil, nil
}
