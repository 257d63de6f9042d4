package pace

import "time"

// A player plays clips one after the other.
type player struct {
	clips list // the first plays
	frame int  // its next frame
}

// play is the next frame, nil when nothing plays.
func (p *player) play(l *Leg, due time.Time) []byte {
	for p.clips.first != nil {
		c := p.clips.first
		if p.frame == 0 {
			l.report(Result{Kind: Started, ID: c.id, At: due})
		}
		var f []byte
		if c.clip != nil && p.frame < len(c.clip.Frames) {
			f = c.clip.Frames[p.frame]
			p.frame++
		}
		if c.clip == nil || p.frame == len(c.clip.Frames) {
			l.report(Result{Kind: Ended, ID: c.id, At: due})
			p.clips.drop()
			p.frame = 0
			l.cmds.over()
		}
		if f != nil {
			return f
		}
	}
	return nil
}

// drop drops all clips.
func (p *player) drop(q *commands) {
	for ; p.clips.first != nil; p.clips.drop() {
		q.over()
	}
	p.frame = 0
}

// EnqueueOver plays a clip over whatever else the leg says, after what was given so
// before: that is lowered by 12 dB meanwhile, and goes on. c makes frames of the
// leg's own format of two such. Results are those of Enqueue.
func (l *Leg) EnqueueOver(id uint32, clip *Clip, c Coder) error {
	return l.command(&command{op: opOver, id: id, clip: clip, coder: c})
}

// FlushOver drops all clips of EnqueueOver, without a result.
func (l *Leg) FlushOver() error { return l.command(&command{op: opFlushOver}) }

// over is what a leg plays over what it says.
type over struct {
	player
	coder  Coder
	mixing bool   // what is said goes through coder
	last   []byte // the last frame that did not
}

// mix lays top over sound, either of which may be nil.
func (o *over) mix(sound, top []byte, t *talk, s *Shard) []byte {
	if !o.mixing {
		if top == nil || sound == nil || o.coder == nil {
			if top != nil {
				sound = top
			}
			o.last = sound
			return sound
		}
		o.mixing = true
		o.coder.Begin(o.last)
	}
	if sound == nil {
		sound = t.format.Silence
	}
	o.coder.Hear(sound)
	n := o.coder.Say(s.said, top)
	if top == nil && o.coder.Even() {
		o.mixing, o.last = false, nil
	}
	return s.said[:n]
}
