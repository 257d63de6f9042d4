package pace

import (
	"fmt"
	"time"

	"ozswitch/media"
	"ozswitch/media/dtmf"
	"ozswitch/media/rtp"
)

// A Change is what a leg goes on with after a new SDP: another codec, or the same
// under another payload type.
type Change struct {
	Format Format
	DTMFPT uint8 // as in LegConfig; these three too
	Decode func(dst []int16, payload []byte) int
	Rate   media.Rate

	// Same says that the codec is still the same. Else all that is queued or plays is
	// dropped, without a result: it is of the old one. So is what the jitter buffer
	// holds.
	Same bool

	Unkept uint8 // a payload type that LegConfig.Packets gets no more; 0 = none
}

// change is a Change with what the thread must not allocate.
type change struct {
	Change
	jitter *rtp.Jitter
	tones  *dtmf.Detector
}

// SetFormat goes on in another format from the next frame on. The stream keeps its
// SSRC; its timestamps run on, by the new clock, and the first packet is marked.
// Keys that wait are told as sent where the far end takes no events any more.
func (l *Leg) SetFormat(c Change) error {
	if c.Format.Ticks <= 0 {
		return fmt.Errorf("pace: set format: payload type %d has no clock", c.Format.PT)
	}
	k := &change{Change: c}
	if !c.Same {
		k.jitter = newJitter(c.Format, l.cfg.Jitter)
	}
	if c.DTMFPT == 0 && c.Decode != nil {
		k.tones = dtmf.NewDetector(c.Rate)
	}
	if err := l.command(&command{op: opFormat, to: k}); err != nil {
		return err
	}
	l.keysPT.Store(uint32(c.DTMFPT))
	return nil
}

func newJitter(f Format, target time.Duration) *rtp.Jitter {
	return rtp.NewJitter(rtp.JitterConfig{
		Clock: f.clock(), Ticks: f.Ticks, Silence: f.Silence, Target: target, Lasts: f.Lasts, Join: f.Join,
	})
}

// change carries out SetFormat.
func (l *Leg) change(due time.Time, c *change) {
	t, e := &l.talk, &l.ear
	if !c.Same {
		t.drop(&l.cmds)
		t.over.drop(&l.cmds)
		t.over, t.back = over{}, nil
		e.jitter, e.missing = c.jitter, 0
	}
	t.format, t.dtmf, t.paused = c.Format, c.DTMFPT, true
	t.keys.Frame = c.Format.Ticks
	if c.DTMFPT == 0 {
		t.keys = rtp.KeySender{Frame: c.Format.Ticks}
		for ; t.rows.first != nil; t.rows.drop() {
			if r := t.rows.first; r.op == opKeys {
				l.report(Result{Kind: KeysSent, ID: r.id, At: due})
			}
			l.cmds.over()
		}
	}
	e.format, e.dtmf, e.keys.Clock = c.Format, c.DTMFPT, c.Format.clock()
	e.decode, e.rate, e.tones = nil, 0, nil
	if c.tones != nil {
		e.decode, e.rate, e.tones = c.Decode, c.Rate, c.tones
	}
	if p := l.cfg.Packets; p != nil {
		p.skip[c.Unkept&0x7f] = c.Unkept != 0
	}
}
