package pace

// A Feed is where the sound of a leg goes and comes from, frame by frame, such as a
// conference. Its methods are called in the shard's thread, which other legs share:
// they neither block nor allocate, and may not keep payload or dst.
type Feed interface {
	// Hear takes what came in a frame, out of the jitter buffer, and Format.Of of its
	// codec; an empty payload where nothing came, or where a longer one goes on.
	Hear(of any, payload []byte)

	// Say puts a coded frame of that format into dst and returns its length, 0 when
	// there is none. It is asked only when no clip plays and no key is sent.
	Say(of any, dst []byte) int
}

// SetFeed joins the leg to f from the next frame on; nil ends that. Once the leg is
// Done nobody calls f any more.
func (l *Leg) SetFeed(f Feed) error { return l.command(&command{op: opFeed, feed: f}) }
