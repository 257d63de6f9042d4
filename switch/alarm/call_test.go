package alarm

import (
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"ozswitch/media"
	"ozswitch/media/dtmf"
	"ozswitch/ozml/contactid"
)

func clean([]int16) {}

func must(t testing.TB, digits string) contactid.Message {
	t.Helper()
	m, err := contactid.Parse(digits)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func sender(t testing.TB, all ...contactid.Message) *Sender {
	t.Helper()
	s, err := NewSender(all...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSeveralMessagesInOneCall(t *testing.T) {
	fire, over, test := must(t, "1234181110010151"), must(t, "123418311001015E"), must(t, "1234181602000002")
	all := []contactid.Message{fire, over, test, fire}
	s, r := sender(t, all...), NewReceiver()
	var got []contactid.Message
	for _, m := range call(t, s, r, wire(clean), wire(clean)) {
		got = append(got, m.Message)
	}
	if !slices.Equal(got, all) || !slices.Equal(s.Sent(), all) {
		t.Errorf("received %v, sent %v, want %v", got, s.Sent(), all)
	}
	if s.Err() != nil || r.Err() != nil || s.Tries() != len(all) || r.Repeats() != 0 {
		t.Errorf("sender: %v after %d tries; receiver: %v, %d repeats; want none and %d tries", s.Err(), s.Tries(), r.Err(), r.Repeats(), len(all))
	}
	if n, err := s.Read(make([]int16, 160)); n != 0 || err != io.EOF {
		t.Errorf("Read of a sender that is done = %d, %v, want 0, EOF", n, err)
	}
	if n, err := r.Read(make([]int16, 160)); n != 0 || err != io.EOF {
		t.Errorf("Read of a receiver that is done = %d, %v, want 0, EOF", n, err)
	}
}

// Both ends hear themselves, as on a line with two wires.
func TestOwnEcho(t *testing.T) {
	for _, d := range []time.Duration{0, 20 * tick, 60 * tick, 100 * tick} {
		var said [2][]int16 // by the sender, by the receiver
		echo := func(whose, in int) wire {
			return func(frame []int16) {
				said[in] = append(said[in], frame...)
				own := said[whose]
				for i := range frame {
					if at := len(own) - 160 + i - Rate.N(d); at >= 0 && at < len(own) {
						frame[i] = int16(float64(frame[i]) + 0.25*float64(own[at]))
					}
				}
			}
		}
		m := must(t, "5502181130010152")
		s, r := sender(t, m), NewReceiver()
		got := call(t, s, r, echo(1, 0), echo(0, 1))
		if len(got) != 1 || got[0].Message != m || s.Err() != nil || s.Tries() != 1 {
			t.Errorf("own echo after %v: received %v, sender %v after %d tries; want the message at once", d, got, s.Err(), s.Tries())
		}
	}
}

// When the kiss-off is lost the message comes again, is confirmed again and given once.
func TestLostKissOff(t *testing.T) {
	m := must(t, "1234181110010151")
	for lost := range 5 {
		s, r := sender(t, m), NewReceiver()
		heard := 0 // frames of 1400 Hz in a row
		kisses := 0
		back := wire(func(frame []int16) {
			if dtmf.Power(frame, Rate, 1400) > 1e-3 {
				heard++
			} else {
				heard = 0
			}
			if heard == 10 { // longer than in a handshake
				kisses++
			}
			if heard >= 10 && kisses <= lost {
				clear(frame)
			}
		})
		got := call(t, s, r, wire(clean), back)
		if len(got) != 1 || got[0].Message != m {
			t.Errorf("%d kiss-offs lost: received %v, want the message once", lost, got)
		}
		switch {
		case lost < attempts && (s.Err() != nil || s.Tries() != lost+1 || r.Repeats() != lost):
			t.Errorf("%d kiss-offs lost: sender %v after %d tries, %d repeats", lost, s.Err(), s.Tries(), r.Repeats())
		case lost == attempts && (!errors.Is(s.Err(), ErrNoKissOff) || !strings.Contains(s.Err().Error(), "sent 4 times") || len(s.Sent()) != 0):
			t.Errorf("all kiss-offs lost: sender %v, sent %v, want ErrNoKissOff and none", s.Err(), s.Sent())
		}
	}
}

// A handshake that is lost is given again, and a sender that never hears one says so.
func TestLostHandshake(t *testing.T) {
	m := must(t, "1234181110010151")
	for lost := range 6 {
		s, r := sender(t, m), NewReceiver()
		deaf := Rate.N(settle + time.Duration(lost)*(patience+3*part))
		at := 0
		got := call(t, s, r, wire(clean), wire(func(frame []int16) {
			if at += len(frame); at < deaf {
				clear(frame)
			}
		}))
		if lost < handshakes {
			if len(got) != 1 || s.Err() != nil || s.Tries() != 1 || r.Err() != nil {
				t.Errorf("%d handshakes lost: received %v, sender %v, receiver %v; want the message", lost, got, s.Err(), r.Err())
			}
			continue
		}
		if !errors.Is(s.Err(), ErrNoHandshake) || s.Tries() != 0 || !errors.Is(r.Err(), ErrNoMessage) || len(got) != 0 {
			t.Errorf("all handshakes lost: received %v, sender %v, receiver %v; want neither to succeed", got, s.Err(), r.Err())
		}
	}
}

// listen gives a receiver sound after its first handshake and returns what it
// says after that: how long 1400 Hz lasts in it.
func listen(t *testing.T, r *Receiver, all []int16) (kiss time.Duration) {
	t.Helper()
	var e toneEar
	var h hops
	buf := make([]int16, 160)
	ends := Rate.N(settle + 3*part + 200*tick)
	for at := 0; at < Rate.N(20*time.Second); at += 160 {
		if _, err := r.Read(buf); err != nil {
			break
		}
		if at > ends {
			h.each(buf, func(p []int16) {
				if e.hear(p); e.whistle > 0 {
					kiss = max(kiss, Rate.D(e.whistle*hop))
				}
			})
		}
		in := make([]int16, 160)
		if at >= ends {
			all = all[copy(in, all):]
		}
		_ = r.Write(in)
	}
	return kiss
}

// Only a message that is right is kissed off; of the others the reason is kept.
func TestReceiverJudges(t *testing.T) {
	const good = "1234181131010158" // the example of DC-05
	for _, c := range []struct {
		name, keys string
		want       string // message, or what the reason says
	}{
		{"the example", keysOf(good), good},
		{"type 98", keysOf("123498113101015F"), "123498113101015F"},
		{"letters, and another type", keysOf("BCDEF1181BCDEF18"), "type F1"},
		{"a wrong checksum", keysOf("1234181131010157"), "with these digits it is 8"},
		{"a digit too few", keysOf(good[:15]), "15 digits came"},
		{"a digit too many", keysOf(good) + "0", "17 digits came"},
		{"the key D", keysOf("1234181131") + "D" + keysOf("10158"), "the key D"},
		{"another type", keysOf("1234171131010159"), "type 17"},
		{"another qualifier", keysOf("1234182131010157"), "qualifier 2"},
		{"noise", "12345", ""},
	} {
		src, err := dtmf.Keys(Rate, c.keys, 50*tick, 50*tick)
		if err != nil {
			t.Fatal(err)
		}
		r := NewReceiver()
		kiss := listen(t, r, pcm(t, src))
		got, ok := r.Next()
		if ok != (len(c.want) == contactid.Length) || ok && got.Digits != c.want {
			t.Errorf("%s: received %v %v, want %q", c.name, got, ok, c.want)
		}
		if ok {
			if kiss < 750*tick || kiss > time.Second {
				t.Errorf("%s: kissed off by %v of 1400 Hz, want 750 ms to 1 s", c.name, kiss)
			}
			continue
		}
		if kiss > 120*tick {
			t.Errorf("%s: kissed off by %v of 1400 Hz, want none", c.name, kiss)
		}
		wrapped := ErrDamaged
		if c.want == "" {
			wrapped = ErrNoMessage
		}
		if !errors.Is(r.Err(), wrapped) || !strings.Contains(r.Err().Error(), c.want) {
			t.Errorf("%s: %v, want %v with %q", c.name, r.Err(), wrapped, c.want)
		}
	}
}

// Digits that are right but not evenly spaced are refused: a lost and a torn key
// together keep the count.
func TestSpacingIsJudged(t *testing.T) {
	at := func(steps ...int) (all []digit) {
		now := 0
		for i, k := range []byte(keysOf("1234181131010158")) {
			all = append(all, digit{k, now})
			if i < len(steps) && steps[i] > 0 {
				now += Rate.N(time.Duration(steps[i]) * tick)
			} else {
				now += Rate.N(100 * tick)
			}
		}
		return all
	}
	for _, c := range []struct {
		all  []digit
		want string
	}{
		{at(), ""},
		{at(0, 75, 125, 0, 120, 80), ""},
		{at(0, 200), "between digits 2 and 3 a digit is missing: 200ms apart, the others 100ms"},
		{at(0, 0, 40), "digits 3 and 4 are parts of one"},
	} {
		got, err := assemble(c.all, false)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) || err == nil && got != "1234181131010158" {
			t.Errorf("assemble = %q, %v, want %q", got, err, c.want)
		}
	}
}

// An adapter may turn the tones into packets (RFC 4733, SIP INFO), which come when
// the network lets them, and may let the beginning of each tone through.
func TestKeysAsPackets(t *testing.T) {
	const digits = "1234181131010158"
	tones, err := dtmf.Keys(Rate, keysOf(digits), keyLen, keyLen)
	if err != nil {
		t.Fatal(err)
	}
	sound := pcm(t, tones)
	for name, c := range map[string]struct {
		step int // frames from key to key
		sway int // frames by which every second packet is late
		leak time.Duration
	}{
		"as they are pressed":    {5, 0, 0},
		"late by turns":          {5, 3, 0},
		"with tones let through": {5, 2, 35 * time.Millisecond},
		"as slow as INFO":        {20, 3, 0},
	} {
		r := NewReceiver()
		buf, frame := make([]int16, 160), make([]int16, 160)
		for i := range 800 {
			_, _ = r.Read(buf)
			clear(frame)
			if at := (i - 99) * 160; c.leak > 0 && at >= 0 && at+160 <= len(sound) { // a frame before the packet
				for j := range frame {
					if within := (at + j) % Rate.N(2*keyLen); within < Rate.N(c.leak) {
						frame[j] = sound[at+j]
					}
				}
			}
			for k := range contactid.Length {
				if i == 100+k*c.step+k%2*c.sway {
					r.Key(keysOf(digits)[k])
				}
			}
			_ = r.Write(frame)
		}
		if got, ok := r.Next(); !ok || got.Digits != digits || r.Err() != nil {
			t.Errorf("%s: received %v %v, want %s; %v", name, got, ok, digits, r.Err())
		}
		if more, ok := r.Next(); ok {
			t.Errorf("%s: received %v as well", name, more)
		}
	}
}

// The sender keeps to DC-05: 250 to 300 ms after the handshake, keys of 50 to 60 ms.
func TestSenderKeepsTime(t *testing.T) {
	s := sender(t, must(t, "1234181131010158"))
	hand, err := media.ReadAll(shake(1400, 2300, -14, -14, 100*tick, 100*tick))
	if err != nil {
		t.Fatal(err)
	}
	ended := len(hand)
	var said []int16
	buf := make([]int16, 160)
	for range 200 {
		_, _ = s.Read(buf)
		said = append(said, buf...)
		in := make([]int16, 160)
		hand = hand[copy(in, hand):]
		_ = s.Write(in)
	}
	first := slices.IndexFunc(said, func(v int16) bool { return v != 0 })
	if wait := Rate.D(first - ended); wait < 250*tick || wait > 300*tick {
		t.Errorf("the message began %v after the handshake, want 250 to 300 ms", wait)
	}
	for i := range contactid.Length {
		from := first + i*Rate.N(2*keyLen)
		key, power := dtmf.Key(said[from:][:Rate.N(keyLen)], Rate)
		if want := keysOf("1234181131010158")[i]; key != want {
			t.Errorf("digit %d is sent as %c, want %c", i+1, key, want)
		}
		if dB := 10 * math.Log10(power); dB < -12 || dB > -3 {
			t.Errorf("digit %d is sent at %.1f dB, want -12 to -3", i+1, dB)
		}
		if got := energy(said[from+Rate.N(keyLen):][:Rate.N(keyLen)]); got > 1e-6 {
			t.Errorf("after digit %d there is sound of %g, want silence", i+1, got)
		}
	}
}

// Whatever sound comes for ever, both ends give up, with the reason.
func TestNothingHangs(t *testing.T) {
	burst := func() media.Source {
		return media.Concat(media.Tone(Rate, 1400, -10, 100*tick), media.Silence(Rate, 100*tick))
	}
	message, err := dtmf.Keys(Rate, keysOf("1234181131010157")+",", keyLen, keyLen) // a wrong checksum
	if err != nil {
		t.Fatal(err)
	}
	wrong, err := media.ReadAll(message)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		sound  []int16 // again and again
		fault  error   // of the receiver
		reason string  // of a sender that has sent its message
	}{
		"silence":         {make([]int16, 160), ErrNoMessage, "nothing of 1400 Hz came"},
		"a key held":      {pcm(t, dtmf.Two(Rate, 770, 1336, -10, time.Minute))[:Rate.N(time.Minute)], ErrNoMessage, "nothing of 1400 Hz came"},
		"1400 Hz held":    {pcm(t, media.Tone(Rate, 1400, -10, time.Minute))[:Rate.N(time.Minute)], ErrNoMessage, "a kiss-off lasts 400ms to 2s"},
		"1400 Hz bursts":  {pcm(t, burst())[:Rate.N(200*tick)], ErrNoMessage, "a kiss-off lasts 400ms to 2s"},
		"wrong checksums": {wrong, ErrDamaged, "nothing of 1400 Hz came"},
	} {
		buf, in := make([]int16, 160), make([]int16, 160)
		at := 0
		next := func() []int16 {
			for i := range in {
				in[i] = c.sound[at%len(c.sound)]
				at++
			}
			return in
		}
		r := NewReceiver()
		for ; !r.Done() && at < Rate.N(2*time.Minute); _ = r.Write(next()) {
			_, _ = r.Read(buf)
		}
		if _, ok := r.Next(); ok || !r.Done() || !errors.Is(r.Err(), c.fault) {
			t.Errorf("%s for %v: receiver done: %v, %v, want %v", name, Rate.D(at), r.Done(), r.Err(), c.fault)
		}
		s := sender(t, must(t, "1234181131010158"))
		at = 0
		for hand := pcm(t, shake(1400, 2300, -14, -14, 100*tick, 100*tick))[:Rate.N(900*tick)]; len(hand) >= 160; hand = hand[160:] {
			_, _ = s.Read(buf)
			_ = s.Write(hand[:160])
		}
		for ; !s.Done() && at < Rate.N(time.Minute); _ = s.Write(next()) {
			_, _ = s.Read(buf)
		}
		if !s.Done() || !errors.Is(s.Err(), ErrNoKissOff) || !strings.Contains(s.Err().Error(), c.reason) {
			t.Errorf("%s for %v: sender done: %v after %d tries, %v, want ErrNoKissOff with %q", name, Rate.D(at), s.Done(), s.Tries(), s.Err(), c.reason)
		}
	}
}

// What a sender hears after its message, which lasts from about 1.1 to 2.85 s.
func TestSenderTellsKissOffs(t *testing.T) {
	hand := func() media.Source { return shake(1400, 2300, -14, -14, 100*tick, 100*tick) } // 0.8 s
	for name, c := range map[string]struct {
		at    time.Duration // of what is heard
		heard media.Source
		look  time.Duration // when we look
		tries int
		done  bool
	}{
		"a kiss-off":                     {3100 * tick, media.Tone(Rate, 1400, -14, 850*tick), 4100 * tick, 1, true},
		"one that begins at the last":    {4050 * tick, media.Tone(Rate, 1400, -14, 850*tick), 5100 * tick, 1, true},
		"one of 400 ms":                  {3100 * tick, media.Tone(Rate, 1400, -14, 420*tick), 4100 * tick, 1, true},
		"one too short":                  {3100 * tick, media.Tone(Rate, 1400, -14, 350*tick), 4400 * tick, 2, false},
		"one of the try before":          {2300 * tick, media.Tone(Rate, 1400, -14, 850*tick), 4400 * tick, 2, false},
		"another tone":                   {3100 * tick, media.Tone(Rate, 1700, -14, 850*tick), 4400 * tick, 2, false},
		"a handshake: nothing was heard": {2600 * tick, hand(), 3990 * tick, 2, false},
		"nothing":                        {3000 * tick, media.Silence(Rate, 0), 3990 * tick, 1, false},
	} {
		s := sender(t, must(t, "1234181131010158"))
		buf := make([]int16, 160)
		sound := pcm(t, hand(), media.Silence(Rate, c.at-803*tick), c.heard, media.Silence(Rate, 5*time.Second))
		for at := 0; at < Rate.N(c.look); at += 160 {
			_, _ = s.Read(buf)
			_ = s.Write(sound[at:][:160])
		}
		if s.Tries() != c.tries || s.Done() != c.done || c.done && len(s.Sent()) != 1 {
			t.Errorf("%s: after %v %d tries, done: %v, %d confirmed; want %d, %v", name, c.look, s.Tries(), s.Done(), len(s.Sent()), c.tries, c.done)
		}
	}
}
