package switchtest

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"ozswitch/media"
	"ozswitch/media/codec"
	"ozswitch/ozml/trace"
	"ozswitch/switch/phone"
)

// strength is how strong a tone is in what a telephone heard between two times, in dB
// below full scale.
func strength(h *phone.Heard, hz float64, from, to time.Duration) float64 {
	rate := media.Rate(h.Rate)
	pcm := h.PCM[min(len(h.PCM), rate.N(from)):min(len(h.PCM), rate.N(to))]
	var re, im float64
	for i, v := range pcm {
		s, c := math.Sincos(2 * math.Pi * hz * float64(i) / float64(rate))
		re, im = re+c*float64(v), im+s*float64(v)
	}
	return 20 * math.Log10(1e-9+2*math.Hypot(re, im)/float64(len(pcm)+1)/32768)
}

// TestSoundBetweenPhones: two telephones hear each other in every pair of codecs, keys
// too; on hold the one hears music and not the other, and afterwards the other again.
func TestSoundBetweenPhones(t *testing.T) {
	for _, c := range [][2]*codec.Codec{{codec.PCMU, codec.PCMU}, {codec.G722, codec.G722}, {codec.Opus, codec.Opus}, {codec.PCMA, codec.PCMU}, {codec.Opus, codec.PCMU}, {codec.G722, codec.Opus}} {
		t.Run(c[0].Name+"-"+c[1].Name, func(t *testing.T) {
			company(t, func(w *World) {
				w.Config.Log.Sound = "all"
				a, b := w.Phone("1001"), w.Phone("1002")
				say := func(of *codec.Codec, hz float64) phone.Options {
					return phone.Options{Codecs: []*codec.Codec{of}, Record: true, Say: []phone.Say{{Source: media.Tone(of.Rate, hz, -12, 20*time.Second)}}}
				}
				b.Reply = func() phone.Reply { return phone.Reply{Options: say(c[1], 900)} }
				ac := a.Place("1002", say(c[0], 500))
				bc := b.Next()
				if err := ac.Answered(context.Background()); err != nil {
					t.Fatalf("%v\n%s", err, w.Transcript(""))
				}
				w.Pass(3 * time.Second)
				ac.Press("42")
				w.Pass(2 * time.Second)
				if err := ac.Call.Hold(context.Background(), true); err != nil {
					t.Fatal(err)
				}
				w.Pass(4 * time.Second)
				if err := ac.Call.Hold(context.Background(), false); err != nil {
					t.Fatal(err)
				}
				w.Pass(3 * time.Second)
				ac.HangUp()
				ra, rb := ac.Over(), bc.Over()
				if ra.Heard == nil || rb.Heard == nil {
					t.Fatalf("nothing was heard: %v, %v", ra, rb)
				}
				const s = time.Second
				for _, x := range []struct {
					what        string
					heard       *phone.Heard
					hz          float64
					from, to    time.Duration
					least, most float64
				}{
					{"the callee before hold", rb.Heard, 500, s, 2*s + s/2, -16, -10}, {"the caller", ra.Heard, 900, s, 2*s + s/2, -16, -10},
					{"the callee on hold", rb.Heard, 500, 6 * s, 8*s + s/2, -200, -45}, {"the callee after hold", rb.Heard, 500, 10 * s, 11*s + s/2, -16, -10},
				} {
					if got := strength(x.heard, x.hz, x.from, x.to); got < x.least || got > x.most {
						t.Errorf("%s: %v Hz at %.1f dBFS from %v to %v, want %v to %v", x.what, x.hz, got, x.from, x.to, x.least, x.most)
					}
				}
				power := 0.0
				rate := media.Rate(rb.Heard.Rate)
				music := rb.Heard.PCM[rate.N(6*s):rate.N(8*s)]
				for _, v := range music {
					power += float64(v) * float64(v)
				}
				if db := 10*math.Log10(power/float64(len(music))+1e-9) - 90.3; db < -40 || db > -20 {
					t.Errorf("the callee on hold hears %.1f dBFS, want quiet music", db)
				}
				kept, begun := 0, 0
				for _, e := range w.Events(ac.ID()) {
					if e.Type == trace.MediaStarted {
						begun++
						if e.Kept {
							kept++
						}
					}
				}
				if kept != 1 || begun != 2 {
					t.Errorf("the sound of %d legs began, that of %d is kept, want 2 and 1", begun, kept)
				}
				if tr := w.Transcript(""); strings.Contains(tr, "OZ") {
					t.Errorf("problems:\n%s", tr)
				}
			}, "1001", "1002")
		})
	}
}
