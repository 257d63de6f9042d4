package switchtest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ozswitch/media/codec"
	"ozswitch/media/mediatest"
	"ozswitch/media/rtp"
)

// TestChangeOfCodec: a phone asks by re-INVITE for one codec after another while a
// prompt plays, which is heard to its end.
func TestChangeOfCodec(t *testing.T) {
	Run(t, func(w *World) {
		const text = "one two three four five six seven eight nine ten"
		w.Web.Serve("/ivr", `<Response><Speak>`+strings.Repeat(text+" ", 4)+`</Speak><Delay>60</Delay></Response>`)
		r := newRaw(w, "10.2.0.1")
		defer r.close()
		decs := map[uint8]codec.Decoder{0: codec.PCMU.NewDecoder(), 8: codec.PCMA.NewDecoder(), 9: codec.G722.NewDecoder(), 96: codec.Opus.NewDecoder()}
		var pcm []int16
		b, frame := make([]byte, 2048), make([]int16, 320)
		for _, f := range []string{"0", "8", "9", "96"} {
			r.send("INVITE", "", "Content-Type: application/sdp\r\n", fmt.Sprintf("v=0\r\no=- 1 %s IN IP4 %s\r\ns=-\r\nc=IN IP4 %[2]s\r\nt=0 0\r\nm=audio 4000 RTP/AVP %[1]s\r\na=rtpmap:96 opus/48000/2\r\n", f, r.host))
			if m := r.final(); !strings.HasPrefix(m, "SIP/2.0 200") || !strings.Contains(m, "RTP/AVP "+f+"\r\n") {
				t.Fatalf("offer of %s: %s", f, m)
			}
			r.send("ACK", "", "", "")
			last := uint8(255)
			_ = r.rtp.SetReadDeadline(time.Now().Add(Length(text)))
			for {
				n, _, err := r.rtp.ReadFrom(b)
				if err != nil {
					break
				}
				p, err := rtp.Parse(b[:n])
				if err != nil || decs[p.PT] == nil {
					continue
				}
				n = decs[p.PT].Decode(frame, p.Payload)
				for i := 0; i < n; i += n / 160 {
					pcm = append(pcm, frame[i])
				}
				last = p.PT
			}
			if got := fmt.Sprint(last); got != f {
				t.Errorf("after the offer of %s the sound has payload type %s", f, got)
			}
		}
		heard := strings.Join(mediatest.Hear(pcm, 8000), " ")
		// Between the words the crude thinning to 8 kHz above leaves some noise.
		if n := strings.Count(heard, "five six seven eight nine"); n != 4 {
			t.Errorf("heard %q, want five to nine in each part", heard)
		}
		r.send("BYE", "", "", "")
		r.final()
	})
}
