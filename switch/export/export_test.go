package export

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"ozswitch/media"
	"ozswitch/media/codec"
	"ozswitch/media/rtp"
	"ozswitch/media/wav"
	"ozswitch/ozml/trace"
	"ozswitch/switch/eventlog"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

const ms = time.Millisecond

type file struct{ *bytes.Reader }

func (file) Close() error { return nil }

// made is a call of events and packets that a test writes down.
type made struct {
	es      []trace.Event
	packets []byte
	files   map[string][]byte
}

func (m *made) call() Call {
	return Call{
		ID: "c1",
		Events: func() iter.Seq2[trace.Event, error] {
			return func(yield func(trace.Event, error) bool) {
				for _, e := range m.es {
					if !yield(e, nil) {
						return
					}
				}
			}
		},
		Sound: func() (io.ReadSeekCloser, error) {
			if m.packets == nil {
				return nil, fs.ErrNotExist
			}
			return file{bytes.NewReader(m.packets)}, nil
		},
		Open: func(name string) (io.ReadSeekCloser, error) {
			b, ok := m.files[name]
			if !ok {
				return nil, fs.ErrNotExist
			}
			return file{bytes.NewReader(b)}, nil
		},
	}
}

func (m *made) event(at time.Duration, e trace.Event) {
	e.T, e.Call, e.Seq = noon.Add(at), "c1", len(m.es)+1
	m.es = append(m.es, e)
}

func (m *made) packet(at time.Duration, sent bool, p rtp.Packet) {
	m.packets = append(m.packets, record(noon.Add(at), sent, p)...)
}

func record(at time.Time, sent bool, p rtp.Packet) []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(at.UnixNano()))
	b = append(b, map[bool]byte{true: 1}[sent])
	b = binary.BigEndian.AppendUint16(b, uint16(rtp.HeaderLen+len(p.Payload)))
	h := make([]byte, rtp.HeaderLen)
	rtp.PutHeader(h, p)
	return append(append(b, h...), p.Payload...)
}

// tone is a stream of packets of a tone, the first at a moment, of a length.
func (m *made) tone(t *testing.T, k *codec.Codec, at, length time.Duration, sent bool, hz float64, ssrc uint32, lose func(i int) bool) {
	t.Helper()
	frames, err := k.Frames(media.Tone(k.Rate, hz, -6, length))
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range frames {
		if lose != nil && lose(i) {
			continue
		}
		m.packet(at+time.Duration(i)*media.Frame, sent, rtp.Packet{PT: k.PT, Seq: uint16(i), TS: 0xfffff000 + uint32(i*k.Ticks()), SSRC: ssrc, Payload: f})
	}
}

// level is the mean power of a lane from one moment to another, in dBFS of a sine.
func level(t *testing.T, s *Sound, lane int, from, to time.Duration) float64 {
	t.Helper()
	b := part(t, s, from, to)
	var power float64
	for i := lane * 2; i+1 < len(b); i += 4 {
		v := float64(int16(binary.LittleEndian.Uint16(b[i:]))) / 32768
		power += v * v
	}
	return 10 * math.Log10(2*power/float64(len(b)/4)+1e-12)
}

func part(t *testing.T, s *Sound, from, to time.Duration) []byte {
	t.Helper()
	at := wav.HeaderSize + 4*int64(s.Rate.N(from))
	if _, err := s.Seek(at, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 4*s.Rate.N(to-from))
	if _, err := io.ReadFull(s, b); err != nil {
		t.Fatal(err)
	}
	return b
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1 {
		t.Errorf("%s: %.1f dB, want %.1f", what, got, want)
	}
}

// Timestamps place the frames; the lanes share one axis; what is lost is silent; a
// pause of the sender, and another stream, begin where they came.
func TestSound(t *testing.T) {
	m := &made{}
	m.tone(t, codec.PCMU, 0, 10*time.Second, true, 400, 1, nil)
	m.tone(t, codec.PCMU, 1*time.Second, 2*time.Second, false, 700, 2, func(i int) bool { return i >= 50 && i < 75 })
	m.tone(t, codec.PCMA, 7*time.Second, 2*time.Second, false, 700, 3, nil) // another codec, another stream, the same timestamps
	s, err := SoundOf(m.call())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if !s.Start.Equal(noon) || s.Length() != 10*time.Second || s.Rate != 8000 {
		t.Errorf("from %v, %v at %d Hz; want noon, 10 s at 8000", s.Start, s.Length(), s.Rate)
	}
	near(t, "left, all of it", level(t, s, 0, 0, 10*time.Second), -6)
	for _, c := range []struct {
		from, to time.Duration
		want     float64
	}{
		{0, time.Second, -120}, {time.Second, 2 * time.Second, -6}, {2 * time.Second, 2500 * ms, -120}, {2500 * ms, 3 * time.Second, -6},
		{3 * time.Second, 7 * time.Second, -120}, {7 * time.Second, 9 * time.Second, -6}, {9 * time.Second, 10 * time.Second, -120},
	} {
		near(t, fmt.Sprintf("right, %v to %v", c.from, c.to), level(t, s, 1, c.from, c.to), c.want)
	}

	// Read in any pieces it is one file, which our own reader takes.
	s.Seek(0, io.SeekStart)
	all, err := io.ReadAll(s)
	if err != nil || int64(len(all)) != s.Size() {
		t.Fatalf("%d bytes of %d, %v", len(all), s.Size(), err)
	}
	for _, from := range []time.Duration{0, 3990 * ms, 8 * time.Second, 1 * time.Second} {
		got := part(t, s, from, from+50*ms)
		if want := all[wav.HeaderSize+4*s.Rate.N(from):][:len(got)]; !bytes.Equal(got, want) {
			t.Errorf("from %v on it is not what it was", from)
		}
	}
	r, err := wav.NewReader(bytes.NewReader(all))
	if err != nil || r.Channels() != 2 || r.Rate() != 8000 || r.Duration() != 10*time.Second {
		t.Errorf("the file: %v, %v", r, err)
	}
}

// Wideband on one side makes it all wideband; a dynamic payload type is known by
// the event. Jitter and packets out of order do not move a frame.
func TestSoundWide(t *testing.T) {
	m := &made{}
	m.event(0, trace.Event{Type: trace.MediaStarted, Name: "G722", Count: 112})
	k := *codec.G722
	k.PT = 112
	m.tone(t, &k, 0, 6*time.Second, false, 5000, 1, nil)
	m.tone(t, codec.PCMU, 0, 6*time.Second, true, 400, 2, nil)
	s, err := SoundOf(m.call())
	if err != nil {
		t.Fatal(err)
	}
	if s.Rate != 16000 || s.Length() != 6*time.Second {
		t.Errorf("%v at %d Hz, want 6 s at 16000", s.Length(), s.Rate)
	}
	near(t, "left", level(t, s, 0, 100*ms, 5900*ms), -6)
	near(t, "right", level(t, s, 1, 100*ms, 5900*ms), -6)
	near(t, "right over a chunk's edge", level(t, s, 1, 3990*ms, 4010*ms), -6)

	j := &made{}
	frames, _ := codec.PCMU.Frames(media.Tone(8000, 400, -6, time.Second))
	for i := range frames { // the kernel hands out pairs the wrong way round, 300 ms late
		i ^= 1
		at := time.Duration(i) * media.Frame
		if i > 1 {
			at += 300 * ms
		}
		j.packet(at, false, rtp.Packet{Seq: uint16(i), TS: uint32(160 * i), SSRC: 9, Payload: frames[i]})
	}
	s, err = SoundOf(j.call())
	if err != nil {
		t.Fatal(err)
	}
	near(t, "out of order", level(t, s, 1, 0, 980*ms), -6)
}

// The waveform shows where there is sound, and has as many steps as asked.
func TestPeaks(t *testing.T) {
	m := &made{}
	m.tone(t, codec.PCMU, 0, 4*time.Second, true, 400, 1, nil)
	m.tone(t, codec.PCMU, 2*time.Second, time.Second, false, 400, 2, nil)
	p, err := PeaksOf(m.call(), 40)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Out) != 80 || len(p.In) != 80 || p.Seconds != 4 || !p.Start.Equal(noon) {
		t.Fatalf("%d and %d values, %v s from %v", len(p.Out), len(p.In), p.Seconds, p.Start)
	}
	for i := range 40 {
		loud := i >= 20 && i < 30
		if p.Out[2*i] > -0.45 || p.Out[2*i+1] < 0.45 {
			t.Errorf("step %d of ours: %v to %v, want about half", i, p.Out[2*i], p.Out[2*i+1])
		}
		if got := p.In[2*i] < -0.45 && p.In[2*i+1] > 0.45; got != loud || !loud && p.In[2*i+1] > 0.01 {
			t.Errorf("step %d of the caller: %v to %v, loud should be %v", i, p.In[2*i], p.In[2*i+1], loud)
		}
	}
	few := &made{}
	few.packet(0, true, rtp.Packet{Payload: []byte{0x80, 0x80, 0x00, 0x00}}) // loud, up and down
	p, err = PeaksOf(few.call(), 10)
	if err != nil || p.Out[1] < 0.9 || p.Out[18] > -0.9 {
		t.Errorf("more steps than samples: %v, %v", p.Out, err)
	}
	if _, err := PeaksOf((&made{}).call(), 10); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no sound: %v, want fs.ErrNotExist", err)
	}
}

// Without a capture the recordings stand at their time, one channel on the
// caller's side, two on theirs.
func TestRecordingsInstead(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, channels int, left, right float64) []byte {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		w, err := wav.NewWriter(f, 8000, channels)
		if err != nil {
			t.Fatal(err)
		}
		l, _ := media.ReadAll(media.Tone(8000, 400, left, 2*time.Second))
		r, _ := media.ReadAll(media.Tone(8000, 700, right, 2*time.Second))
		pcm := l
		if channels == 2 {
			pcm = nil
			for i := range l {
				pcm = append(pcm, l[i], r[i])
			}
		}
		if err := w.Write(pcm); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	m := &made{files: map[string][]byte{"recordings/a.wav": write("a.wav", 1, -6, 0), "recordings/b.wav": write("b.wav", 2, -6, -12)}}
	m.event(time.Second, trace.Event{Type: trace.RecordStart, File: "recordings/a.wav"})
	m.event(4*time.Second, trace.Event{Type: trace.RecordSaved, File: "recordings/a.wav"})
	m.event(5*time.Second, trace.Event{Type: trace.RecordStart, File: "recordings/b.wav"})
	m.event(8*time.Second, trace.Event{Type: trace.RecordSaved, File: "recordings/b.wav"})
	s, err := SoundOf(m.call())
	if err != nil {
		t.Fatal(err)
	}
	if !s.Start.Equal(noon.Add(time.Second)) || s.Length() != 6*time.Second {
		t.Errorf("from %v, %v long", s.Start, s.Length())
	}
	near(t, "caller, first", level(t, s, 1, 0, 2*time.Second), -6)
	near(t, "ours, first", level(t, s, 0, 0, 2*time.Second), -120)
	near(t, "between", level(t, s, 1, 2*time.Second, 4*time.Second), -120)
	near(t, "caller, second", level(t, s, 1, 4*time.Second, 6*time.Second), -6)
	near(t, "ours, second", level(t, s, 0, 4*time.Second, 6*time.Second), -12)
}

// mermaidLine is the part of Mermaid's grammar that we write.
var mermaidLine = regexp.MustCompile(`^(sequenceDiagram|    participant \w+ as [^;\n<>{}]+|    (\w+(-?->>|--x)\w+|Note over \w+(,\w+)?): ([^#;\n<>%{}]|#\d+;)+)$`)

func TestMermaid(t *testing.T) {
	m := &made{}
	m.event(0, trace.Event{Type: trace.CallStarted, From: "1001", To: "9000"})
	m.event(0, trace.Event{Type: trace.SIPReceived, Text: "INVITE sip:9000@x;a=b SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\n"})
	m.event(10*ms, trace.Event{Type: trace.SIPSent, Text: "SIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\n\r\n"})
	m.event(30*ms, trace.Event{Type: trace.ScriptFetch, Method: "POST", URL: "http://app:8080/ivr.php?x=1", Name: "IncomingCall", Status: 200, MS: 12})
	m.event(40*ms, trace.Event{Type: trace.CommandStart, Line: 2, Col: 3, Name: "Speak", Text: "a # b; <c> \"d\" %% e\nend {f} \\n" + strings.Repeat("é", 80)})
	m.event(50*ms, trace.Event{Type: trace.Key, Key: "#"})
	m.event(60*ms, trace.Event{Type: trace.NotifyFail, Method: "POST", URL: "http://other/x", Text: "refused"})
	m.event(time.Second, trace.Event{Type: trace.CallEnded, Reason: "script", Seconds: 1})
	var b strings.Builder
	if err := Mermaid(&b, m.call()); err != nil {
		t.Fatal(err)
	}
	for _, l := range strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n") {
		if !mermaidLine.MatchString(l) {
			t.Errorf("Mermaid would not take %q", l)
		}
	}
	for _, want := range []string{
		"participant C as 1001\n", "participant W1 as app:8080\n", "participant W2 as other\n",
		"C->>S: 0.00 INVITE sip:9000@x#59;a=b\n", "S->>C: 0.01 200 OK (INVITE)\n", "S->>W1: 0.02 POST /ivr.php IncomingCall\n",
		"W1-->>S: 0.03 200 (12 ms)\n", "Note over C: 0.05 key #35;\n", "W2--xS: 0.06 refused\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing in\n%s", want, b.String())
		}
	}
}

// TestSecrets puts a marker wherever a secret may stand and looks for it in all
// that is exported, of a log that blanked nothing and of one written by CallLog.
func TestSecrets(t *testing.T) {
	const mark = "s3cr3tMARK"
	sdp := "v=0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + mark + "|2^20\r\na=ice-pwd:" + mark + "\r\n"
	sip := "INVITE sip:9000@x SIP/2.0\r\nCSeq: 1 INVITE\r\nAuthorization: Digest username=\"a\", response=\"" + mark + "\"\r\nProxy-Authorization: Digest " + mark +
		"\r\nCookie: a=" + mark + "\r\nContent-Length: 999\r\n\r\n" + sdp
	es := []trace.Event{
		{Type: trace.CallStarted, From: "1001", To: "9000"},
		{Type: trace.SIPReceived, Text: sip, Peer: "127.0.0.1:40000", Local: "127.0.0.1:5060"},
		{Type: trace.SIPSent, Body: sip, Text: sip, Peer: "127.0.0.1:40000"},
		{Type: trace.ScriptFetch, Method: "POST", URL: "http://u:" + mark + "@app/x?Password=" + mark, Body: "Set-Cookie: id=" + mark + "\r\n\r\n<a token=\"" + mark + "\"/>", Doc: "http://u:" + mark + "@app/x", Hint: "password=" + mark},
		{Type: trace.ScriptParsed, Doc: "http://u:" + mark + "@app/x", Body: "<Response><Play>http://h/recordings/a.wav?token=" + mark + "</Play><Call Password=\"" + mark + "\"/></Response>"},
		{Type: trace.NotifySent, Method: "POST", URL: "http://app/y", Body: "RecordURL=http%3A%2F%2Fh%2Frecordings%2Fa.wav%3Ftoken%3D" + mark + "&Duration=1", Status: 200},
		{Type: trace.CommandStart, Name: "Play", Text: "http://h/recordings/a.wav?token=" + mark},
		{Type: trace.CallEnded, Reason: "script"},
	}
	raw := &made{}
	for i, e := range es {
		raw.event(time.Duration(i)*ms, e)
	}
	noMark(t, "unblanked log", raw.call(), mark)

	log, err := eventlog.New(eventlog.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { log.Run(ctx) })
	defer wg.Wait()
	defer cancel()
	c := log.ForCall("c1", noon)
	c.Sensitive()
	for _, e := range es {
		c.Emit(e)
	}
	c.Emit(trace.Event{Type: trace.Key, Key: "471147114711"})
	c.Emit(trace.Event{Type: trace.ScriptFetch, URL: "http://app/z", Body: "DtmfDigits=471147114711"})
	c.Emit(trace.Event{Type: trace.CommandStart, Name: "Speak", Text: "You pressed 471147114711"})
	if err := log.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	live := Call{ID: "c1", Events: func() iter.Seq2[trace.Event, error] { return log.Read("c1") }, Sound: func() (io.ReadSeekCloser, error) { return log.OpenSound(ctx, "c1") }}
	noMark(t, "sensitive call", live, mark, "471147114711")
}

func noMark(t *testing.T, what string, c Call, marks ...string) {
	t.Helper()
	exports := map[string]func(io.Writer, Call) error{"json": JSON, "pcap": PCAP, "mermaid": Mermaid}
	texts := map[string]string{}
	for name, f := range exports {
		var b bytes.Buffer
		if err := f(&b, c); err != nil {
			t.Fatalf("%s: %s: %v", what, name, err)
		}
		texts[name] = b.String()
	}
	for name, text := range unzip(t, c) {
		texts["zip "+name] = text
	}
	for name, text := range texts {
		for _, m := range marks {
			if i := strings.Index(text, m); i >= 0 {
				t.Errorf("%s: %s holds a secret: %q", what, name, text[max(0, i-60):i+len(m)])
			}
		}
		if len(text) < 50 {
			t.Errorf("%s: %s is only %q", what, name, text)
		}
	}
}

func unzip(t *testing.T, c Call) map[string]string {
	t.Helper()
	var b bytes.Buffer
	if err := Zip(&b, c); err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	m := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		m[f.Name] = string(text)
	}
	return m
}

func TestZipAndJSON(t *testing.T) {
	m := &made{files: map[string][]byte{"recordings/2026/a.wav": []byte("RIFF, or so")}}
	m.tone(t, codec.PCMU, 0, time.Second, true, 400, 1, nil)
	m.event(0, trace.Event{Type: trace.CallStarted, From: "1001", To: "9000", Direction: "Inbound"})
	m.event(1*ms, trace.Event{Type: trace.CallAnswered})
	for range 2 { // the same text twice is one document
		m.event(2*ms, trace.Event{Type: trace.ScriptParsed, Doc: "http://app/ivr.php?x=../../etc", Body: "<Response/>"})
	}
	m.event(3*ms, trace.Event{Type: trace.RecordSaved, File: "recordings/2026/a.wav", Size: 11, Seconds: 1, Reason: "digit"})
	m.event(4*ms, trace.Event{Type: trace.RecordSaved, File: "recordings/gone.wav"})
	m.event(5*ms, trace.Event{Type: trace.MediaQuality, Name: "PCMU", Sent: 50})
	m.event(time.Second, trace.Event{Type: trace.CallEnded, Reason: "caller", Seconds: 1})
	got := unzip(t, m.call())
	for _, name := range []string{"call.json", "events.jsonl", "ladder.mmd", "call.pcap", "sound.wav", "scripts/01-ivr.php", "recordings/2026/a.wav", "README.txt"} {
		if got[name] == "" {
			t.Errorf("%s is missing or empty", name)
		}
	}
	if len(got) != 8 || !strings.Contains(got["README.txt"], "not here: recordings/gone.wav") || !strings.Contains(got["README.txt"], "sound.wav") {
		t.Errorf("%d files; README:\n%s", len(got), got["README.txt"])
	}
	if len(got["sound.wav"]) != wav.HeaderSize+4*8000 {
		t.Errorf("sound.wav has %d bytes", len(got["sound.wav"]))
	}
	var w whole
	if err := json.Unmarshal([]byte(got["call.json"]), &w); err != nil {
		t.Fatal(err)
	}
	if w.Call.From != "1001" || w.Call.Answered == nil || w.Call.Reason != "caller" || len(w.Events) != 8 || len(w.Documents) != 1 ||
		w.Documents[0].URL == "" || len(w.Recordings) != 2 || w.Quality == nil || w.Quality.Sent != 50 {
		t.Errorf("call.json says %+v", w)
	}
}
