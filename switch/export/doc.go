// Package export makes of one call what somebody takes away or looks at: JSON,
// pcap, a Mermaid diagram, a two-channel wav, the peaks of its waveform, and all
// of it in one zip. It reads the call's events and the packets that were kept of
// it (log.sound), and knows neither HTTP nor where files are: switch/api serves
// what it gives, and `ozswitch` may as well.
//
// Secrets are taken out of whatever leaves here, also of events that were written
// by an earlier version. Start at Call; sound.go is the way from packets to
// samples.
package export

import (
	"io"
	"io/fs"
	"iter"

	"ozswitch/ozml/trace"
)

// A Call is where the parts of a call are had. Events is needed; the others may
// be nil. Each may be called more than once, and gives everything from its
// beginning: of a live call what is there so far.
type Call struct {
	ID     string
	Events func() iter.Seq2[trace.Event, error]

	// Sound opens what was captured: the file of eventlog.Log.OpenSound. An error
	// that is fs.ErrNotExist means that nothing was.
	Sound func() (io.ReadSeekCloser, error)

	// Open opens a file that an event names (Event.File, "recordings/…", below
	// the data folder).
	Open func(file string) (io.ReadSeekCloser, error)
}

// sound opens the capture.
func (c Call) sound() (io.ReadSeekCloser, error) {
	if c.Sound == nil {
		return nil, fs.ErrNotExist
	}
	return c.Sound()
}

// open opens a recording.
func (c Call) open(file string) (io.ReadSeekCloser, error) {
	if c.Open == nil {
		return nil, fs.ErrNotExist
	}
	return c.Open(file)
}
