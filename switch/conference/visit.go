package conference

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"ozswitch/media/codec"
	"ozswitch/media/mix"
	"ozswitch/ozml"
	"ozswitch/ozml/trace"
	"ozswitch/switch/bridge"
	"ozswitch/switch/exchange"
)

// A visitor is one call to a room.
type visitor struct {
	rooms *Rooms
	line  *exchange.Line
	call  ozml.Call
	cfg   Config
	admin bool
	muted bool      // comes in so
	exit  ozml.Keys // any of these leads out
	since time.Time

	// Of the room, under its mu.
	member *mix.Member
	leg    *bridge.Leg
	codec  *codec.Codec
	wake   context.CancelCauseFunc // ends what the visitor waits for
}

// errLeft: a key of exit was pressed.
var errLeft = errors.New("conference: left by a key")

// errRoom wakes a visitor: somebody came or went, or the room is broken.
var errRoom = errors.New("conference: the room has changed")

// visit is the whole visit, from the answer to the end of the call.
func (v *visitor) visit(ctx context.Context) error {
	if err := v.call.Answer(ctx); err != nil {
		return err
	}
	if ok, err := v.pin(ctx); err != nil {
		return err
	} else if !ok {
		v.emit("refused", "wrong PIN")
		return v.goodbye(ctx, "That was not the right PIN. Goodbye.")
	}
	err := v.be(ctx)
	switch {
	case errors.Is(err, errFull):
		return v.goodbye(ctx, "The conference is full. Goodbye.")
	case errors.Is(err, errLocked):
		return v.goodbye(ctx, "The conference is locked. Goodbye.")
	}
	return err
}

// be is the time in the room, from the door to the door. errLeft: by a key.
func (v *visitor) be(ctx context.Context) error {
	if v.leg = v.rooms.p.Bridge.Leg(v.line.Talks()); v.leg == nil {
		return bridge.ErrClosed
	}
	room, err := v.rooms.enter(v)
	switch {
	case errors.Is(err, errFull):
		v.emit("refused", ozml.RoomFull)
		return err
	case errors.Is(err, errLocked):
		v.emit("refused", ozml.RoomLocked)
		return err
	case err != nil:
		return err
	}
	defer v.emit("left", "")
	defer v.rooms.leave(room, v)
	v.emit("joined", "")
	if v.muted {
		v.member.Mute(true)
		v.emit("muted", "")
	}
	return v.stay(ctx, room)
}

// pin asks for the PIN, three times at most.
func (v *visitor) pin(ctx context.Context) (ok bool, err error) {
	v.admin = v.cfg.AdminPIN == ""
	if v.cfg.PIN == "" && v.admin {
		return true, nil
	}
	text := "Please enter the PIN of the conference, then the hash key."
	if v.cfg.PIN == "" {
		text = "Please enter the PIN of the host, or press the hash key."
	}
	for range 3 {
		got, err := v.digits(ctx, text)
		switch {
		case err != nil:
			return false, err
		case v.cfg.AdminPIN != "" && got == v.cfg.AdminPIN:
			v.admin = true
			return true, nil
		case got == v.cfg.PIN:
			return true, nil
		}
		text = "That was not the right PIN. Please enter it again, then the hash key."
	}
	return false, nil
}

// How long a caller may think before the first key, and between keys.
const (
	thinks  = 10 * time.Second
	between = 5 * time.Second
)

// digits says a text, and takes keys up to #, or to a pause.
func (v *visitor) digits(ctx context.Context, text string) (string, error) {
	done := v.call.Input(ctx)
	defer done()
	if err := v.say(ctx, text); err != nil {
		return "", err
	}
	var got strings.Builder
	for wait := thinks; got.Len() < 16; wait = between {
		k, err := v.call.Key(ctx, wait)
		if errors.Is(err, ozml.ErrNoKey) || err == nil && k == '#' {
			break
		}
		if err != nil {
			return "", err
		}
		got.WriteByte(byte(k))
	}
	return got.String(), nil
}

// say speaks until a key waits.
func (v *visitor) say(ctx context.Context, text string) error {
	until, done := v.call.UntilKey(ctx)
	defer done()
	err := v.call.Speak(until, ozml.Utterance{Text: text})
	if errors.Is(err, ozml.ErrKey) {
		return nil
	}
	return err
}

func (v *visitor) goodbye(ctx context.Context, text string) error {
	if err := v.call.Speak(ctx, ozml.Utterance{Text: text}); err != nil {
		return err
	}
	return v.call.Hangup(ctx)
}

// stay is the time in the room: keys, and music for who is alone.
func (v *visitor) stay(ctx context.Context, room *room) error {
	if err := v.leg.Feed(v.member); err != nil {
		return err
	}
	defer func() { _ = v.leg.Feed(nil) }() // it is gone already, as a rule
	done := v.call.Input(ctx)
	defer done()
	star := false
	for {
		k, err := v.key(ctx, room)
		switch {
		case errors.Is(err, errRoom):
			continue
		case err != nil:
			return err
		case strings.IndexByte(string(v.exit), byte(k)) >= 0:
			return errLeft
		case k == '*':
			star = true
			continue
		case star:
			err = v.pressed(ctx, room, k)
		}
		if star = false; err != nil {
			return err
		}
	}
}

// key waits for a key, with music for who is alone; errRoom says to look at the
// room anew.
func (v *visitor) key(ctx context.Context, room *room) (ozml.Key, error) {
	until, done := v.call.UntilKey(ctx)
	defer done()
	wait, cancel := context.WithCancelCause(until)
	defer cancel(nil)
	alone, err := room.watch(v, cancel)
	if err != nil {
		return 0, err
	}
	if alone && v.cfg.Music != "" {
		err = v.call.Play(wait, ozml.Prompt{File: v.cfg.Music, Repeat: true})
		if wait.Err() == nil && err != nil { // not there, say: told once, then silence
			v.line.Sink().Emit(trace.Event{Type: trace.ScriptWarning, Text: err.Error()})
		}
		v.cfg.Music = keepMusic(v.cfg.Music, wait.Err() != nil)
	}
	<-wait.Done()
	if err := context.Cause(wait); !errors.Is(err, ozml.ErrKey) {
		return 0, err
	}
	return v.call.Key(ctx, 0)
}

// keepMusic gives the file to be played next time: none after one that failed.
func keepMusic(file string, good bool) string {
	if good {
		return file
	}
	return ""
}

// pressed does what * and a key mean.
func (v *visitor) pressed(ctx context.Context, room *room, k ozml.Key) error {
	text := ""
	switch k {
	case '1':
		text = "You are muted."
		if v.member.Mute(!v.member.Muted()); !v.member.Muted() {
			text = "You can be heard again."
		}
		v.emit(map[bool]string{true: "muted", false: "unmuted"}[v.member.Muted()], "")
	case '2':
		if !v.admin {
			text = "Only the host can lock the conference."
			break
		}
		text = "The conference is open."
		if room.lock() {
			text = "The conference is locked."
		}
		v.emit(strings.TrimSuffix(strings.TrimPrefix(text, "The conference is "), "."), "")
	case '6':
		text = count(room.len())
	default:
		return nil
	}
	return v.say(ctx, text)
}

func count(n int) string {
	if n == 1 {
		return "You are the only one here."
	}
	return fmt.Sprintf("There are %d people in the conference.", n)
}

// emit tells in the call's event log what became of the visitor.
func (v *visitor) emit(what, why string) {
	v.line.Sink().Emit(trace.Event{Type: trace.Conference, Name: v.cfg.Number, Reason: what, Text: why})
}
