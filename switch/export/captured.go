package export

import (
	"io"
	"io/fs"
	"strings"
	"time"

	"ozswitch/media"
	"ozswitch/media/codec"
	"ozswitch/media/rtp"
	"ozswitch/ozml/trace"
	"ozswitch/switch/eventlog"
)

// strays is how far a stream's timestamps may go from its clock before they
// count as a new beginning: a pause without timestamps, not a late packet.
const strays = time.Second

// margin is decoded before and after a chunk, so that codecs and filters with a
// memory do not sound at its edges.
const margin = time.Second

// A capture is the packets of a call, laid out in time. Timestamps place the
// frames of a stream; when its first packet came places the stream; what did not
// come is silence.
type capture struct {
	file  io.ReadSeekCloser
	rate  media.Rate
	secs  []span       // where in the file the packets of each second are
	runs  [2][]run     // of each direction, by their place in the file
	lanes [2]laneState // for render
}

// span is a part of the file; to = 0 is none.
type span struct{ from, to int64 }

// A run is packets of one stream whose timestamps belong together.
type run struct {
	offset int64 // of its first packet, in the file
	codec  *codec.Codec
	pt     uint8
	ssrc   uint32
	ts     uint32
	at     time.Duration // of that timestamp, since the start
}

// place is when a packet is heard.
func (r *run) place(ts uint32) time.Duration {
	ticks := time.Duration(int32(ts - r.ts))
	return r.at + ticks*time.Second/time.Duration(r.codec.ClockRate)
}

// codecs gives the codec of each payload type: those that never change (RFC 3551,
// 6) and those that the events tell.
func codecs(c Call) (map[uint8]*codec.Codec, error) {
	m := map[uint8]*codec.Codec{}
	for _, k := range codec.Table {
		if k.PT < codec.FirstDynamic {
			m[k.PT] = k
		}
	}
	for e, err := range c.Events() {
		if err != nil || !startsKept(e) {
			continue
		}
		for _, k := range codec.Table {
			if strings.EqualFold(k.Name, e.Name) {
				m[uint8(e.Count)] = k
			}
		}
	}
	return m, nil
}

// startsKept tells whether an event begins sound whose packets are in the file: those
// of one leg of the call. Before there were several no event named its leg.
func startsKept(e trace.Event) bool {
	return e.Type == trace.MediaStarted && (e.Kept || e.Leg == "")
}

func captured(c Call) (*Sound, error) {
	f, err := c.sound()
	if err != nil {
		return nil, err
	}
	known, err := codecs(c)
	if err != nil {
		f.Close()
		return nil, err
	}
	k := &capture{file: f, rate: 8000}
	start, length, err := k.index(known)
	if err != nil {
		f.Close()
		return nil, err
	}
	return &Sound{Start: start, Rate: k.rate, frames: int64(k.rate.N(length)), lanes: k}, nil
}

// way is the lane of a packet.
func way(p eventlog.Packet) int {
	if p.Sent {
		return 0
	}
	return 1
}

// index reads the file once.
func (k *capture) index(known map[uint8]*codec.Codec) (start time.Time, length time.Duration, err error) {
	for p, err := range eventlog.Packets(k.file) {
		if err != nil {
			break // what came before it is good
		}
		if start.IsZero() {
			start = p.At
		}
		r, err := rtp.Parse(p.Data)
		if err != nil || known[r.PT] == nil {
			continue
		}
		cd := known[r.PT]
		came, w := p.At.Sub(start), way(p)
		var cur *run
		if n := len(k.runs[w]); n > 0 {
			cur = &k.runs[w][n-1]
		}
		if cur == nil || cur.ssrc != r.SSRC || cur.pt != r.PT || (cur.place(r.TS)-came).Abs() > strays {
			k.runs[w] = append(k.runs[w], run{offset: p.Offset, codec: cd, pt: r.PT, ssrc: r.SSRC, ts: r.TS, at: came})
			cur = &k.runs[w][len(k.runs[w])-1]
		}
		if cd.Rate > 8000 {
			k.rate = 16000
		}
		at := cur.place(r.TS)
		length = max(length, at+lasts(cd, r.Payload))
		k.note(int(max(0, at)/time.Second), p.Offset, p.Offset+int64(len(p.Data))+recordHead)
	}
	if start.IsZero() {
		return start, 0, fs.ErrNotExist
	}
	return start, length, nil
}

// recordHead is what stands before a packet in the file.
const recordHead = 11

// lasts is how long a payload is heard.
func lasts(c *codec.Codec, payload []byte) time.Duration {
	return time.Duration(c.Time(payload)) * time.Second / time.Duration(c.ClockRate)
}

// maxSeconds bounds the index: a day.
const maxSeconds = 24 * 3600

// note says that a packet of a second stands in a part of the file.
func (k *capture) note(sec int, from, to int64) {
	if sec > maxSeconds {
		return
	}
	for len(k.secs) <= sec {
		k.secs = append(k.secs, span{})
	}
	s := &k.secs[sec]
	if s.to == 0 {
		*s = span{from, to}
	}
	s.from, s.to = min(s.from, from), max(s.to, to)
}

// Close implements lanes.
func (k *capture) Close() error { return k.file.Close() }

// laneState is what render knows of one direction.
type laneState struct {
	run int // -1 before the first
	dec codec.Decoder
	pcm map[media.Rate][]int16 // what was decoded, by the codec's rate
}

// render implements lanes.
func (k *capture) render(from int64, out []int16) error {
	begin := k.rate.D(int(from)) - margin
	end := k.rate.D(int(from)+len(out)/2) + margin
	var where span
	for sec := int(max(0, begin) / time.Second); sec < len(k.secs) && sec <= int(end/time.Second); sec++ {
		if s := k.secs[sec]; s.to > 0 {
			if where.to == 0 {
				where = s
			}
			where = span{min(where.from, s.from), max(where.to, s.to)}
		}
	}
	if where.to == 0 {
		return nil
	}
	if _, err := k.file.Seek(where.from, io.SeekStart); err != nil {
		return err
	}
	for w := range k.lanes {
		k.lanes[w] = laneState{run: -1, pcm: map[media.Rate][]int16{}}
	}
	buf := make([]int16, 48000/5)
	for p, err := range eventlog.Packets(io.LimitReader(k.file, where.to-where.from)) {
		if err != nil {
			return err
		}
		k.decode(p, where.from+p.Offset, begin, end, buf)
	}
	skip := int(margin / time.Second * time.Duration(k.rate))
	for w := range k.lanes {
		for rate, pcm := range k.lanes[w].pcm {
			all, err := media.ReadAll(media.Resample(media.Samples(rate, pcm), k.rate))
			if err != nil {
				return err
			}
			for i := 0; i < len(out)/2 && skip+i < len(all); i++ {
				if v := all[skip+i]; v != 0 {
					out[2*i+w] = v
				}
			}
		}
	}
	return nil
}

// decode puts one packet into its lane, which lasts from begin to end.
func (k *capture) decode(p eventlog.Packet, offset int64, begin, end time.Duration, buf []int16) {
	r, err := rtp.Parse(p.Data)
	if err != nil {
		return
	}
	w := way(p)
	l := &k.lanes[w]
	n := l.run
	for n+1 < len(k.runs[w]) && k.runs[w][n+1].offset <= offset {
		n++
	}
	if n < 0 || k.runs[w][n].pt != r.PT {
		return
	}
	run := &k.runs[w][n]
	if n != l.run {
		l.run, l.dec = n, run.codec.NewDecoder()
	}
	rate := run.codec.Rate
	pcm := buf[:l.dec.Decode(buf, r.Payload)]
	at := rate.N(run.place(r.TS) - begin)
	lane := l.pcm[rate]
	if lane == nil {
		lane = make([]int16, rate.N(end-begin))
		l.pcm[rate] = lane
	}
	if at < 0 {
		pcm, at = pcm[min(len(pcm), -at):], 0
	}
	if at < len(lane) {
		copy(lane[at:], pcm)
	}
}
