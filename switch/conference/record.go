package conference

import (
	"encoding/binary"
	"fmt"
	"net/url"
	"path"
	"time"

	"ozswitch/media"
	"ozswitch/media/codec"
	"ozswitch/media/recorder"
	"ozswitch/ozml/trace"
)

// A record is the recording of a room. Its events are of the call that opened the
// room, which may be over when it ends.
type record struct {
	rooms *Rooms
	call  string
	name  string // below recordings/
	began time.Time
	rec   *recorder.Recording
	bytes []byte
}

// startRecord begins to record the room; nil when that cannot be, which is told.
func (m *room) startRecord(v *visitor) *record {
	i := v.line.Info()
	r := &record{
		rooms: m.rooms, call: string(i.ID), began: v.since, bytes: make([]byte, 2*wide.Frame()),
		name: path.Join("conference", m.cfg.Number, fmt.Sprintf("%s_%s.wav", v.since.UTC().Format("20060102T150405"), i.ID)),
	}
	var err error
	if m.rooms.p.Room != nil {
		err = m.rooms.p.Room()
	}
	if err == nil {
		r.rec, err = m.rooms.p.Recorder.Start(recorder.Spec{
			Name: r.name, Channels: 1, Codec: plain[wide], OnDone: r.done,
			Data: url.Values{"call": {r.call}, "from": {i.From}, "dialed": {i.Dialed}, "ext": {m.cfg.Number}, "dir": {i.Direction.String()}}.Encode(),
		})
	}
	if err != nil {
		r.emit(trace.Event{Type: trace.RecordFail, Text: err.Error()})
		return nil
	}
	r.emit(trace.Event{Type: trace.RecordStart})
	m.mix.Listen(r.heard)
	return r
}

func (r *record) emit(e trace.Event) {
	e.T, e.Call, e.Name, e.File = time.Now(), r.call, "Conference", path.Join("recordings", r.name)
	r.rooms.p.Events.Emit(e)
}

// heard takes a frame of the mix.
func (r *record) heard(rate media.Rate, pcm []int16) {
	b := r.bytes[:2*len(pcm)]
	for i, v := range pcm {
		binary.LittleEndian.PutUint16(b[2*i:], uint16(v))
	}
	block := recorder.Block{Frames: 1, Codec: plain[rate]}
	block.In[0] = b
	r.rec.Write(block)
}

// stop ends the recording; done follows.
func (r *record) stop() {
	r.emit(trace.Event{Type: trace.RecordEnd, Reason: "hangup", Seconds: time.Since(r.began).Seconds()})
	r.rec.Stop("hangup")
}

// done is told by the recorder that the file is whole, or why not.
func (r *record) done(d recorder.Done) {
	if d.Err != nil {
		r.emit(trace.Event{Type: trace.RecordFail, Size: d.Size, Text: d.Err.Error()})
	} else {
		r.emit(trace.Event{Type: trace.RecordSaved, Size: d.Size, Seconds: d.Duration.Seconds(), Reason: d.Reason})
	}
	d.Told()
}

// plain are samples as they are, for the recorder, at either rate of a room.
var plain = map[media.Rate]*codec.Codec{8000: samples(8000), wide: samples(wide)}

const wide = media.Rate(16000)

func samples(r media.Rate) *codec.Codec {
	return &codec.Codec{
		Name: "samples", PT: codec.FirstDynamic, Rate: r, ClockRate: int(r), Silence: make([]byte, 2*r.Frame()),
		NewDecoder: func() codec.Decoder { return decoder{} },
	}
}

type decoder struct{}

// Decode implements codec.Decoder.
func (decoder) Decode(dst []int16, payload []byte) int {
	n := min(len(dst), len(payload)/2)
	for i := range n {
		dst[i] = int16(binary.LittleEndian.Uint16(payload[2*i:]))
	}
	return n
}
