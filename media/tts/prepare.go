package tts

import (
	"context"
	"unicode/utf8"
)

const (
	mostPreparing = 256   // calls of Prepare at once
	mostPrepared  = 10000 // characters of one call
)

// Prepare makes texts that somebody may soon want, so that Say finds them made: the first pieces of all, then the rest.
// It returns when they are made, at the first that cannot be, or when ctx ends. Who waits for a piece goes before it,
// and a Say that comes to a prepared piece that still waits takes it over with its own urgency. Beyond 10,000 characters
// texts are left out, and beyond 256 calls at once all of them. It needs Run.
func (v *Voice) Prepare(ctx context.Context, rs ...Request) {
	v.mu.Lock()
	if v.preparing >= mostPreparing {
		v.mu.Unlock()
		return
	}
	v.preparing++
	v.mu.Unlock()
	defer func() {
		v.mu.Lock()
		v.preparing--
		v.mu.Unlock()
	}()
	type piece struct {
		voice string
		part  part
	}
	var firsts, rest []piece
	room := mostPrepared
	for _, r := range rs {
		if room -= utf8.RuneCountInString(r.Text); room < 0 {
			break
		}
		r = v.whole(r)
		voice, _ := v.main.engine.pick(r)
		for i, p := range split(v.main.engine.prepare(r)) {
			if i == 0 {
				firsts = append(firsts, piece{voice, p})
			} else {
				rest = append(rest, piece{voice, p})
			}
		}
	}
	for _, p := range append(firsts, rest...) {
		if _, err := v.land(ctx, v.fly(v.main, p.voice, p.part, ahead)); err != nil {
			return // Say meets it again and tells
		}
	}
}
