package script

import (
	"container/list"
	"context"
	"errors"
	"iter"
	"runtime"
	"sync"

	"ozswitch/media/pace"
)

// clips keeps encoded prompts, the least recently used going first, and those
// that are being encoded.
type clips struct {
	most int64         // bytes
	turn chan struct{} // holds a token for each clip that is being made

	mu     sync.Mutex
	size   int64
	byKey  map[string]*list.Element
	order  list.List // of *kept, newest first
	making map[string]*making
}

type kept struct {
	key   string
	clips []*pace.Clip
	size  int64
	long  bool // more than is kept: each call encodes it itself
}

// longest is the most a single prompt may take in the cache: two minutes of
// G.711.
const longest = 1 << 20

func newClips(most int64) *clips {
	return &clips{
		most: most, byKey: map[string]*list.Element{}, making: map[string]*making{},
		turn: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)),
	}
}

// A making is a prompt that one goroutine encodes and any number hear.
type making struct {
	c   *clips
	key string

	mu    sync.Mutex
	clips []*pace.Clip
	size  int64
	over  bool          // nothing more comes
	err   error         // why not
	more  chan struct{} // closed when one of these has changed, and made anew
}

// errLong ends a making that would not be kept.
var errLong = errors.New("script: the prompt is too long to be kept")

// shared plays what is kept under key, or what somebody encodes now. If nobody
// does, begin starts it: begin must see to it that fill is called, in a goroutine
// of its own. Listeners may leave at any time; the making goes on to its end,
// which is bounded by longest. errLong says that from here on each listener must
// encode for itself.
func (c *clips) shared(ctx context.Context, key string, begin func(m *making)) iter.Seq2[*pace.Clip, error] {
	return func(yield func(*pace.Clip, error) bool) {
		m := c.join(key, begin)
		for i := 0; ; i++ {
			clip, err := m.at(ctx, i)
			if clip == nil && err == nil || !yield(clip, err) || err != nil {
				return
			}
		}
	}
}

// join gives the making of a key, one that is over when the prompt is kept.
func (c *clips) join(key string, begin func(m *making)) *making {
	c.mu.Lock()
	if k := c.look(key); k != nil {
		c.mu.Unlock()
		m := &making{clips: k.clips, over: true}
		if k.long {
			m.err = errLong
		}
		return m
	}
	if m := c.making[key]; m != nil {
		c.mu.Unlock()
		return m
	}
	m := &making{c: c, key: key, more: make(chan struct{})}
	c.making[key] = m
	c.mu.Unlock()
	begin(m)
	return m
}

// at waits for the i-th clip; nil and no error is the end.
func (m *making) at(ctx context.Context, i int) (*pace.Clip, error) {
	for {
		m.mu.Lock()
		switch {
		case i < len(m.clips):
			defer m.mu.Unlock()
			return m.clips[i], nil
		case m.over:
			defer m.mu.Unlock()
			return nil, m.err
		}
		more := m.more
		m.mu.Unlock()
		select {
		case <-more:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// fill encodes. Makings take turns clip by clip, so that the first second of a
// prompt does not wait for two minutes of another.
func (m *making) fill(clips iter.Seq2[*pace.Clip, error]) {
	turn := m.c.turn
	turn <- struct{}{}
	defer func() { <-turn }()
	for clip, err := range clips {
		if err == nil && m.size+sizeOf(clip) > longest {
			err = errLong
		}
		if err != nil {
			m.end(err)
			return
		}
		m.put(clip)
		<-turn
		turn <- struct{}{}
	}
	m.end(nil)
}

func (m *making) put(clip *pace.Clip) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.clips = append(m.clips, clip)
	m.size += sizeOf(clip)
	close(m.more)
	m.more = make(chan struct{})
}

// end says that nothing more comes; the first end counts. A prompt that came to
// its end is kept, and of one that is too long that it is.
func (m *making) end(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.over {
		return
	}
	m.over, m.err = true, err
	close(m.more)
	switch {
	case err == nil:
		m.c.put(&kept{key: m.key, clips: m.clips, size: m.size})
	case errors.Is(err, errLong):
		m.c.put(&kept{key: m.key, size: int64(len(m.key)), long: true})
	}
	m.c.mu.Lock()
	defer m.c.mu.Unlock()
	delete(m.c.making, m.key)
}

// sizeOf is what a clip takes in memory, about.
func sizeOf(c *pace.Clip) (n int64) {
	for _, f := range c.Frames {
		n += int64(len(f)) + 24
	}
	return n
}

// through plays what is kept under key, or makes it and keeps it if it came to
// its end.
func (c *clips) through(key string, make iter.Seq2[*pace.Clip, error]) iter.Seq2[*pace.Clip, error] {
	return c.throughIf(key, func() bool { return true }, make)
}

// throughIf is through that asks at the end whether to keep it.
func (c *clips) throughIf(key string, good func() bool, make iter.Seq2[*pace.Clip, error]) iter.Seq2[*pace.Clip, error] {
	return func(yield func(*pace.Clip, error) bool) {
		if all, ok := c.get(key); ok {
			for _, clip := range all {
				if !yield(clip, nil) {
					return
				}
			}
			return
		}
		var all []*pace.Clip
		var size int64
		for clip, err := range make {
			if err == nil && size <= longest {
				all = append(all, clip)
				size += sizeOf(clip)
			}
			if !yield(clip, err) || err != nil {
				return
			}
		}
		if size <= longest && good() {
			c.put(&kept{key: key, clips: all, size: size})
		}
	}
}

func (c *clips) get(key string) ([]*pace.Clip, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.look(key)
	if k == nil {
		return nil, false
	}
	return k.clips, true
}

// look finds what is kept; it needs mu.
func (c *clips) look(key string) *kept {
	e := c.byKey[key]
	if e == nil {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*kept)
}

func (c *clips) put(k *kept) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byKey[k.key] != nil {
		return
	}
	c.byKey[k.key] = c.order.PushFront(k)
	for c.size += k.size; c.size > c.most; {
		old := c.order.Remove(c.order.Back()).(*kept)
		delete(c.byKey, old.key)
		c.size -= old.size
	}
}
