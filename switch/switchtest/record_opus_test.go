package switchtest

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ozswitch/internal/simnet"
	"ozswitch/media"
	"ozswitch/media/codec"
	"ozswitch/media/wav"
	"ozswitch/switch/phone"
)

// TestRecordOpus: a call in Opus, whose frames differ in size and may be lost, is
// recorded at 16 kHz, both sides, mixed or left and right. (Words in tones are too
// quick for it: it smears what changes within a frame.)
func TestRecordOpus(t *testing.T) {
	const length = 4 * time.Second
	for _, channels := range []int{1, 2} {
		for _, loss := range []float64{0, 0.05} {
			t.Run(fmt.Sprintf("%d channels, %.0f %% lost", channels, 100*loss), func(t *testing.T) {
				Run(t, func(w *World) {
					w.Config.Extensions[0].RecordChannels = channels
					w.Web.Serve("/ivr", fmt.Sprintf(`<Response>%s/><Delay>%.0f</Delay><Hangup/></Response>`, rec, length.Seconds()))
					w.Web.Serve("/rec", "")
					ann := w.Phone("1001")
					call := ann.Place("9000", phone.Options{Codecs: []*codec.Codec{codec.Opus}})
					if err := call.Answered(context.Background()); err != nil {
						t.Fatal(err)
					}
					w.Net.SetLink(netip.MustParseAddr(ann.Host), netip.MustParseAddr(switchHost), simnet.Link{Delay: Link, Loss: loss})
					call.Play(media.Tone(codec.Opus.Rate, 1000, -12, 10*time.Second))
					call.Over()
					b, err := os.ReadFile(filepath.Join(w.Config.Data, w.Web.Wait("RecordCompleted", 1).Fields.Get("RecordPath")))
					if err != nil {
						t.Fatal(err)
					}
					if got := int(b[22]); got != channels {
						t.Errorf("%d channels, want %d", got, channels)
					}
					src, err := wav.NewReader(bytes.NewReader(b))
					if err != nil {
						t.Fatal(err)
					}
					pcm, err := media.ReadAll(src) // one channel: both mixed
					if err != nil {
						t.Fatal(err)
					}
					if src.Rate() != 16000 || math.Abs(src.Rate().D(len(pcm)).Seconds()-length.Seconds()) > 0.1 {
						t.Errorf("%v at %d Hz, want %v at 16000", src.Rate().D(len(pcm)), src.Rate(), length)
					}
					middle := pcm[len(pcm)/4 : len(pcm)*3/4]
					crossings, energy := 0, 0.0
					for i := 1; i < len(middle); i++ {
						if middle[i-1] < 0 && middle[i] >= 0 {
							crossings++
						}
						energy += float64(middle[i]) * float64(middle[i])
					}
					hertz := float64(crossings) / src.Rate().D(len(middle)).Seconds()
					rms := 20 * math.Log10(math.Sqrt(energy/float64(len(middle)))/32768)
					if math.Abs(hertz-1000) > 15 || rms < -24 {
						t.Errorf("recorded %.0f Hz at %.1f dB, want the caller's 1000 Hz", hertz, rms)
					}
				})
			})
		}
	}
}
