package recorder

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"ozswitch/media/codec"
	"ozswitch/media/wav"
)

// TestLost: of a caller's voice one packet in twenty is lost. What the recording
// makes up in its place is much nearer to what was said than silence, with
// one channel and with two, and where the stream ends it ends too.
func TestLost(t *testing.T) {
	const length = 20 * time.Second
	said := speech(length, 0, length, dB(-12))
	for _, c := range []*codec.Codec{codec.PCMU, codec.PCMA} {
		for _, channels := range []int{1, 2} {
			r, dir := folder(t, Config{})
			stop := running(t, r)
			rec, done := start(t, r, Spec{Name: "x.wav", Channels: channels, Codec: c})
			rng := rand.New(rand.NewPCG(7, 8))
			enc, frame, b := c.NewEncoder(), make([]byte, codec.MaxFrame), Block{}
			silent := append([]int16(nil), said...)
			lost := 0
			for at := 0; at < len(said); at += c.Rate.Frame() {
				n := enc.Encode(frame, said[at:at+c.Rate.Frame()])
				b.In[b.Frames] = append([]byte(nil), frame[:n]...)
				if rng.IntN(20) == 0 {
					lost++
					b.In[b.Frames] = nil
					clear(silent[at : at+c.Rate.Frame()])
				}
				if b.Frames++; b.Frames == MaxFrames {
					rec.Write(b)
					b = Block{}
				}
			}
			for range 5 { // the stream has ended: half a second of nothing
				rec.Write(Block{Frames: MaxFrames})
			}
			rec.Stop("hangup")
			if d := <-done; d.Err != nil {
				t.Fatal(d.Err)
			}
			stop()
			raw, err := os.ReadFile(dir + "/x.wav")
			if err != nil {
				t.Fatal(err)
			}
			var got []int16
			for at := wav.HeaderSize; at < len(raw); at += 2 * channels { // the caller's: left
				got = append(got, int16(binary.LittleEndian.Uint16(raw[at:])))
			}
			if want := len(said) + hz/2; len(got) != want {
				t.Fatalf("%s: %d samples, want %d", c.Name, len(got), want)
			}
			ours, none := ratio(said, got[:len(said)]), ratio(said, silent)
			t.Logf("%s, %d channels, %d of %d frames lost: %.1f dB, filled with silence %.1f dB; energy %.3f and %.3f of what was said",
				c.Name, channels, lost, len(said)/160, ours, none, energy(got[:len(said)])/energy(said), energy(silent)/energy(said))
			if lost < 25 || ours < none+3 {
				t.Errorf("%s, %d channels: %.1f dB, no 3 dB better than silence: %.1f dB (%d lost)", c.Name, channels, ours, none, lost)
			}
			if e := energy(got[len(said):][:hz/50]); e == 0 {
				t.Errorf("%s: nothing was made up behind the last frame", c.Name)
			}
			if e := energy(got[len(said)+hz/10:]); e > 0.001*energy(said[:hz]) {
				t.Errorf("%s: 100 ms after the end of the stream there is still sound", c.Name)
			}
		}
	}
}

func energy(pcm []int16) (e float64) {
	for _, s := range pcm {
		e += float64(s) * float64(s)
	}
	return e
}

// ratio is the level of want above that of what differs, in dB.
func ratio(want, got []int16) float64 {
	diff := 0.0
	for i, s := range want {
		d := float64(s) - float64(got[i])
		diff += d * d
	}
	return 10 * math.Log10(energy(want)/diff)
}
