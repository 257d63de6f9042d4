package script

import (
	"context"
	"errors"
	"testing"

	"ozswitch/media/codec"
	"ozswitch/switch/alarm"
)

// idle is a leg of the codec: what comes and goes, without a call.
func idle() *tones {
	return &tones{co: codec.PCMU, bell: make(chan struct{}, 1), dec: codec.NewPatcher(codec.PCMU), enc: codec.PCMU.NewEncoder()}
}

// TestTonesAllocateNothing: neither in the leg's thread nor where an end listens.
func TestTonesAllocateNothing(t *testing.T) {
	tn, r := idle(), alarm.NewReceiver()
	payload, dst := make([]byte, 160), make([]byte, 160)
	stop := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(stop)
	got := testing.AllocsPerRun(40, func() {
		tn.Hear(codec.PCMU, payload)
		tn.Say(codec.PCMU, dst)
		if err := tn.run(ctx, r, func() {}); err != stop {
			t.Fatalf("run = %v", err)
		}
	})
	if got != 0 {
		t.Errorf("%v allocations a frame, want 0", got)
	}
}

// TestTonesQueue: frames come and go in order, what is said waits while a prompt
// plays, and a leg that goes on in another codec ends it.
func TestTonesQueue(t *testing.T) {
	var f frames
	for i := range framesIn + 3 {
		f.put([]byte{byte(i)})
	}
	var b [frameLen]byte
	for i := range framesIn {
		if n, ok := f.take(b[:]); n != 1 || !ok || b[0] != byte(i) {
			t.Fatalf("frame %d: %d bytes, %v, %d", i, n, ok, b[0])
		}
	}
	if _, ok := f.take(b[:]); ok {
		t.Error("a full queue took more")
	}

	tn, r := idle(), alarm.NewReceiver()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 { // nobody asks it to speak
		tn.Hear(codec.PCMU, b[:])
		if err := tn.run(ctx, r, func() {}); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	if n := tn.out.waiting(); n != ahead {
		t.Errorf("%d frames wait to be said, want %d", n, ahead)
	}
	if n := tn.Say(codec.PCMA, b[:]); n != 0 {
		t.Errorf("said %d bytes in another codec", n)
	}
	tn.Hear(codec.G722, b[:])
	if err := tn.run(t.Context(), r, func() {}); err == nil || err.Error() != "the call went on in another codec than PCMU: the tones of an alarm need G.711 (PCMU or PCMA)" {
		t.Errorf("another codec: %v", err)
	}
}
