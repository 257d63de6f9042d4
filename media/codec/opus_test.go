package codec

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/thesyncim/gopus"

	"ozswitch/media"
)

// The delay of our encoder and any decoder, in samples.
const opusDelay = 40

func TestOpusQuality(t *testing.T) {
	for _, hz := range []float64{300, 1000, 3000, 6000} {
		want, _ := media.ReadAll(media.Tone(16000, hz, -10, time.Second))
		got := decoded(t, Opus, media.Samples(16000, want), never)
		n := len(want) - 1000
		if s := snr(want[500:n], got[500+opusDelay:n+opusDelay]); s < 20 {
			t.Errorf("%g Hz comes back at %.1f dB, want 20 at least", hz, s)
		}
	}
	want, _ := media.ReadAll(vowel(16000, 140, time.Second))
	got := decoded(t, Opus, media.Samples(16000, want), never)
	if s := snr(want[4000:15000], got[4000+opusDelay:15000+opusDelay]); s < 15 {
		t.Errorf("a vowel comes back at %.1f dB, want 15 at least", s)
	}
}

// Clips are coded one by one, kept, cut short anywhere by a key, and followed by
// silence or by another clip: the decoder is right again at once.
func TestOpusSeams(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	dec := Opus.NewDecoder()
	buf, fresh := make([]int16, 320), make([]int16, 320)
	play := func(payload []byte) []int16 { return buf[:dec.Decode(buf, payload)] }
	for round := range 50 {
		frames, err := Opus.Frames(vowel(16000, 90+4*float64(round), 400*time.Millisecond))
		if err != nil {
			t.Fatal(err)
		}
		alone := Opus.NewDecoder()
		for i, f := range frames[:6+rng.IntN(len(frames)-6)] {
			got := play(f)
			alone.Decode(fresh, f)
			var a, b float64
			for j, v := range got {
				a, b = a+float64(v)*float64(v), b+float64(fresh[j])*float64(fresh[j])
			}
			if d := 10 * math.Log10(a/b); i >= 1 && math.Abs(d) > 2 {
				t.Errorf("clip %d, frame %d: %.1f dB from the level that a fresh decoder hears", round, i, d)
			}
			if s := snr(fresh, got); i >= 4 && s < 20 {
				t.Errorf("clip %d, frame %d: %.1f dB from how a fresh decoder hears it, want 20", round, i, s)
			}
		}
		for i := range rng.IntN(4) {
			for _, v := range play(Opus.Silence) {
				if i >= 1 && (v > 16 || v < -16) {
					t.Fatalf("clip %d: %d in frame %d of silence", round, v, i)
				}
			}
		}
	}
}

// farEnd makes packets as others do: in any mode, of any length.
func farEnd(t *testing.T, app gopus.Application, size time.Duration, set func(*gopus.Encoder)) (packets [][]byte) {
	t.Helper()
	e, err := gopus.NewEncoder(gopus.EncoderConfig{SampleRate: 16000, Channels: 1, Application: app})
	if err != nil {
		t.Fatal(err)
	}
	n := media.Rate(16000).N(size)
	if err := e.SetFrameSize(n); err != nil {
		t.Fatal(err)
	}
	if set != nil {
		set(e)
	}
	pcm, _ := media.ReadAll(vowel(16000, 140, 1200*time.Millisecond))
	for ; len(pcm) >= n; pcm = pcm[n:] {
		b := make([]byte, MaxFrame)
		m, err := e.EncodeInt16(pcm[:n], b)
		if err != nil {
			t.Fatal(err)
		}
		packets = append(packets, b[:m])
	}
	return packets
}

// Packets of 10 to 60 ms in every mode are told in length, joined where they are
// shorter than a frame, and heard whole, frame by frame.
func TestOpusLengths(t *testing.T) {
	for _, app := range []gopus.Application{gopus.ApplicationVoIP, gopus.ApplicationLowDelay} {
		for _, size := range []time.Duration{10, 20, 40, 60} {
			size *= time.Millisecond
			for _, p := range farEnd(t, app, size, nil) {
				if got := Opus.Time(p); got != int(size/time.Millisecond)*48 {
					t.Fatalf("%v, %v: lasts %d ticks (% x)", app, size, got, p[:2])
				}
			}
			packets := farEnd(t, app, size, nil)
			if size < media.Frame {
				var two [][]byte
				for i := 0; i+1 < len(packets); i += 2 {
					b := make([]byte, MaxFrame)
					n := Opus.Join(b, packets[i], packets[i+1])
					if n == 0 || Opus.Time(b[:n]) != 960 {
						t.Fatalf("%v, %v: join gives %d bytes", app, size, n)
					}
					two = append(two, b[:n])
				}
				packets, size = two, media.Frame
			}
			p := NewPatcher(Opus)
			frame := make([]int16, 320)
			var got []int16
			for _, b := range packets {
				for i := range int(size / media.Frame) {
					if i > 0 {
						b = nil
					}
					got = append(got, frame[:p.Decode(frame, b)]...)
					if !p.Real() {
						t.Fatalf("%v, %v: a frame was invented", app, size)
					}
				}
			}
			sum := 0.0
			for _, v := range got[3200:16000] {
				sum += float64(v) * float64(v)
			}
			want := 0.0
			pcm, _ := media.ReadAll(vowel(16000, 140, time.Second))
			for _, v := range pcm[3200:] {
				want += float64(v) * float64(v)
			}
			if d := 10 * math.Log10(sum/want); math.Abs(d) > 3 {
				t.Errorf("%v, %v: heard %.1f dB beside what was said", app, size, d)
			}
		}
	}
}

// Forward error correction, pauses told by packets of a byte, and two channels are
// the far end's choice.
func TestOpusTolerates(t *testing.T) {
	pause := func(e *gopus.Encoder) { e.SetDTX(true) }
	fec := func(e *gopus.Encoder) { e.SetFEC(true); e.SetPacketLoss(20) }
	for name, set := range map[string]func(*gopus.Encoder){"DTX": pause, "FEC": fec} {
		d, pcm := NewPatcher(Opus), make([]int16, 320)
		for i, p := range farEnd(t, gopus.ApplicationVoIP, media.Frame, set) {
			if n := d.Decode(pcm, p); n != 320 {
				t.Errorf("%s: packet %d gives %d samples, want 320", name, i, n)
			}
		}
		if n := d.Decode(pcm, []byte{9 << 3}); n != 320 {
			t.Errorf("%s: a packet of one byte gives %d samples, want 320", name, n)
		}
	}
	e, err := gopus.NewEncoder(gopus.EncoderConfig{SampleRate: 48000, Channels: 2, Application: gopus.ApplicationAudio})
	if err != nil {
		t.Fatal(err)
	}
	mono, _ := media.ReadAll(media.Tone(48000, 1000, -10, time.Second))
	var got []int16
	d, pcm, b := Opus.NewDecoder(), make([]int16, 320), make([]byte, MaxFrame)
	for ; len(mono) >= 960; mono = mono[960:] {
		both := make([]int16, 0, 1920)
		for _, v := range mono[:960] {
			both = append(both, v, v)
		}
		n, err := e.EncodeInt16(both, b)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, pcm[:d.Decode(pcm, b[:n])]...)
	}
	crossings := 0
	for i := range got[8000:15999] {
		if got[8000+i] < 0 && got[8001+i] >= 0 {
			crossings++
		}
	}
	if crossings < 495 || crossings > 505 {
		t.Errorf("1000 Hz in stereo at 48 kHz comes as %d Hz", 2*crossings)
	}
}

// What is no packet lasts no time, cannot be joined, and harms nothing.
func TestOpusBroken(t *testing.T) {
	good := Opus.Silence
	for _, b := range [][]byte{nil, {0xbb}, {0xbb, 0}, {0xbb, 63, 1}, {0xb9, 1, 2, 3, 4}, {0xba, 252}, {0xbb, 0xc2, 255}} {
		out := make([]byte, MaxFrame)
		if n := Opus.Join(out, good, b); n > 0 && Opus.Time(b) == 0 {
			t.Errorf("% x lasts no time and is joined", b)
		}
		Opus.NewDecoder().Decode(make([]int16, 320), b)
	}
	if n := Opus.Join(make([]byte, 5), good, good); n != 0 {
		t.Errorf("joined into too little room: %d bytes", n)
	}
	long := farEnd(t, gopus.ApplicationVoIP, 60*time.Millisecond, nil)
	out, more := make([]byte, MaxFrame), make([]byte, MaxFrame)
	n := Opus.Join(out, long[0], long[1])
	if n == 0 || Opus.Time(out[:n]) != 120*48 {
		t.Errorf("two packets of 60 ms: %d bytes, %d ticks", n, Opus.Time(out[:n]))
	}
	if m := Opus.Join(more, out[:n], long[2]); m != 0 {
		t.Errorf("180 ms in one packet: %d bytes", m)
	}
}

// Whatever comes is no panic, and what Join makes lasts as long as both.
func FuzzOpus(f *testing.F) {
	f.Add([]byte{0xb8, 0xff, 0xfe}, []byte{0xb8, 0xff, 0xfe})
	f.Add([]byte{0xbb, 0xc2, 255, 1, 2}, []byte{0x03, 0x82, 1, 2, 3})
	f.Fuzz(func(t *testing.T, a, b []byte) {
		out := make([]byte, MaxFrame)
		if n := Opus.Join(out, a, b); n > 0 && Opus.Time(a) > 0 && Opus.Time(b) > 0 && Opus.Time(out[:n]) != Opus.Time(a)+Opus.Time(b) {
			t.Errorf("% x and % x: % x lasts %d", a, b, out[:n], Opus.Time(out[:n]))
		}
		p, pcm := NewPatcher(Opus), make([]int16, 320)
		p.Decode(pcm, a)
		p.Decode(pcm, nil)
		p.Decode(pcm, b)
	})
}

func BenchmarkOpus(b *testing.B) { // budget: 370 µs a frame both ways, 0 allocations
	e, d := Opus.NewEncoder(), Opus.NewDecoder()
	pcm, _ := media.ReadAll(media.Tone(16000, 1000, -6, media.Frame))
	buf := make([]byte, MaxFrame)
	b.ReportAllocs()
	for b.Loop() {
		n := e.Encode(buf, pcm)
		d.Decode(pcm, buf[:n])
	}
}
