package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ozswitch/media/mediatest"
	"ozswitch/media/tts"
	"ozswitch/ozml/trace"
	"ozswitch/switch/eventlog"
	"ozswitch/switch/server"
)

// A speller is a voice that mediatest understands.
type speller struct{}

func (speller) Say(_ context.Context, r tts.Request) iter.Seq2[tts.Piece, error] {
	return func(yield func(tts.Piece, error) bool) {
		yield(tts.Piece{Rate: telephone, PCM: mediatest.Spell(r.Text, telephone), Text: r.Text}, nil)
	}
}

// startSwitch runs a switch at free ports of loopback whose extension 9000 has
// the script; no other number leads anywhere.
func startSwitch(t *testing.T, script string) (s *server.Server, addr string) {
	return startSwitchAt(t, "127.0.0.1:0", script)
}

// startSwitchAt is startSwitch at a given address, by UDP and TCP.
func startSwitchAt(t *testing.T, at, script string) (s *server.Server, addr string) {
	t.Helper()
	dir := t.TempDir()
	name := filepath.Join(dir, "script.xml")
	write(t, name, script)
	cfg, err := server.Dev(zeros{}, name)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Data, cfg.Dialplan = filepath.Join(dir, "data"), nil
	cfg.SIP.Listen = []server.Listen{{Transport: "udp", Address: at}, {Transport: "tcp", Address: at}}
	cfg.HTTP.Listen, cfg.RTP.WebRTCPort = "127.0.0.1:0", -1
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	s, err = server.New(cfg, server.Options{Version: "test", Slog: log, Voice: speller{}, Rand: rand.New(rand.NewPCG(1, 2))})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Bind(); err != nil {
		s.Close()
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Run(ctx); err != nil {
			t.Errorf("the switch: %v", err)
		}
	})
	t.Cleanup(func() { stop(); wg.Wait() })
	return s, s.SIPAddr().String()
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }

// calls runs `ozswitch call` and gives what it printed.
func calls(t *testing.T, ctx context.Context, want int, args ...string) (out, diag string) {
	t.Helper()
	var o, d bytes.Buffer
	if got := execute(ctx, append([]string{"call"}, args...), strings.NewReader(""), &o, &d); got != want {
		t.Errorf("call %q = exit status %d, want %d\n%s%s", args, got, want, &o, &d)
	}
	return o.String(), d.String()
}

// lacks reports what text should have, and has not.
func lacks(t *testing.T, text string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("want %q in\n%s", w, text)
		}
	}
}

// lastJSON reads the last line as JSON.
func lastJSON(t *testing.T, out string, v any) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), v); err != nil {
		t.Fatalf("%v in\n%s", err, out)
	}
}

// understood tells whether two letters of three of want are heard in order. The
// sound came over real sockets, where a busy machine may spoil a letter.
func understood(heard, want string) bool {
	row := make([]int, len(want)+1) // longest common subsequence
	for i := range len(heard) {
		before := 0
		for k := range len(want) {
			above := row[k+1]
			if heard[i] == mediatest.Normal(want)[k] {
				row[k+1] = before + 1
			}
			row[k+1] = max(row[k+1], row[k])
			before = above
		}
	}
	return row[len(want)]*3 >= len(want)*2
}

// TestCall: the switch hears the caller's key and answers it, or the caller
// would hang up itself; what it said is in the recording.
func TestCall(t *testing.T) {
	_, addr := startSwitch(t, `<Response>
  <UserInput Timeout="60">
    <InitialCommands><Speak>choose</Speak></InitialCommands>
    <Inputs><Input Key="5"><Speak>five</Speak></Input></Inputs>
  </UserInput>
  <Delay>1</Delay>
  <Hangup/>
</Response>`)
	dir := t.TempDir()
	said, heard := filepath.Join(dir, "say.wav"), filepath.Join(dir, "heard.wav")
	tone(t, said, 16000, 440, 100*time.Millisecond)

	out, _ := calls(t, t.Context(), 0, "9000", "--server", addr, "--from", "1001", "--press", "5@1s", "--press", "5@4s,5@50s",
		"--say", said, "--record", heard, "--hangup-after", "30s")
	lacks(t, out, "  call 1001 -> 9000 at "+addr+"\n", "  answered after ", "  sound\n", "  pressed 5\n", "  played "+said+"\n",
		"  call ended: far end hung up, ", "not pressed: 5, due 50.0 s", "\nok  ", " packets out, ", " · heard: "+heard+"\n")
	pcm := readWAV(t, heard)
	for _, want := range []string{"choose", "five"} {
		if text := mediatest.Text(pcm, telephone); !understood(text, want) {
			t.Errorf("heard %q, want %q in it", text, want)
		}
	}

	out, _ = calls(t, t.Context(), 0, "sip:9000@"+addr, "--press", "5@0s,5@2s", "--record", heard, "--json")
	var sum callSummary
	lastJSON(t, out, &sum)
	if !sum.OK || !sum.Answered || sum.Cause != "far end hung up" || sum.Server != addr || sum.Heard != heard || sum.Setup <= 0 || sum.Length <= 0 {
		t.Errorf("summary %+v, want a call that ended well", sum)
	}
	// Each packet is 20 ms; those left out have their place all the same.
	if pcm = readWAV(t, heard); len(pcm) < int(sum.In)*160 || len(pcm)%160 != 0 {
		t.Errorf("recorded %d samples, want 160 for each of %d packets", len(pcm), sum.In)
	}
	lacks(t, out, `{"type":"dialled","at":`, `{"type":"key_sent","at":`)
}

// TestCallRefused: the switch's own words, a hint, and no harm to a recording.
func TestCallRefused(t *testing.T) {
	_, addr := startSwitch(t, `<Response/>`)
	heard := filepath.Join(t.TempDir(), "heard.wav")
	write(t, heard, "of another call")
	out, diag := calls(t, t.Context(), 1, "12", "--server", addr, "--record", heard)
	lacks(t, out, "failed  404 Not Found: nobody has the number 12\n")
	lacks(t, diag, "must be an extension")
	if b, err := os.ReadFile(heard); string(b) != "of another call" {
		t.Errorf("the recording of another call is now %q, %v", b, err)
	}
	if left, _ := filepath.Glob(heard + "?*"); left != nil {
		t.Errorf("left behind: %q", left)
	}

	out, diag = calls(t, t.Context(), 1, "12", "--server", addr, "--quiet", "--calls", "5", "--rate", "1000")
	lacks(t, out, "answered  0, failed 5\n", "5 × 404 Not Found: nobody has the number 12\n", "\nfailed  5 of 5 calls\n")
	if diag != "" {
		t.Errorf("--quiet printed %q", diag)
	}
}

func TestCallNobodyListens(t *testing.T) {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := c.LocalAddr().String()
	c.Close()
	out, diag := calls(t, t.Context(), 1, "9000", "--server", addr)
	lacks(t, out, "\nfailed  connection refused\n")
	lacks(t, diag, "Is a switch running at "+addr+"? 'ozswitch dev' starts one")
	out, _ = calls(t, t.Context(), 1, "9000", "--server", addr, "--calls", "1000", "--rate", "10")
	lacks(t, out, " × connection refused\n", "\nfailed  stopped after ")
}

// A trigger does something when a word is printed.
type trigger struct {
	bytes.Buffer
	word string
	do   func()
}

func (t *trigger) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte(t.word)) {
		t.do()
	}
	return t.Buffer.Write(b)
}

// TestCallInterrupted: Ctrl-C hangs up, as the switch sees it.
func TestCallInterrupted(t *testing.T) {
	s, addr := startSwitch(t, `<Response><Delay>600</Delay></Response>`)
	events := s.Events().Subscribe("", eventlog.Now)
	defer events.Close()
	ctx, interrupt := context.WithCancel(t.Context())
	out := &trigger{word: "answered", do: interrupt}
	if got := execute(ctx, []string{"call", "9000", "--server", addr}, strings.NewReader(""), out, t.Output()); got != 0 {
		t.Errorf("exit status %d, want 0", got)
	}
	lacks(t, out.String(), "call ended: hung up", "\nok  ")
	for e, err := range events.Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Type == trace.CallEnded {
			if e.Reason != "caller" {
				t.Errorf("the switch says the call was ended by %q, want caller", e.Reason)
			}
			break
		}
	}
}

// TestCallLoad: fifty calls, and none fails.
func TestCallLoad(t *testing.T) {
	_, addr := startSwitch(t, `<Response><Speak>good morning</Speak><Hangup/></Response>`)
	out, _ := calls(t, t.Context(), 0, "9000", "--server", addr, "--calls", "50", "--rate", "50", "--json")
	var s loadSummary
	lastJSON(t, out, &s)
	if !s.OK || s.Calls != 50 || s.Good != 50 || s.Answered != 50 || s.Failed != 0 || s.Causes != nil {
		t.Errorf("got %+v, want 50 good calls", s)
	}
	if q := s.Setup; q == nil || q.P50 <= 0 || q.P50 > q.P95 || q.P95 > q.P99 || q.P99 > q.Max || s.In < 50 || s.Peak < 1 {
		t.Errorf("set-up %+v, packets in %d", q, s.In)
	}

	out, _ = calls(t, t.Context(), 0, "9000", "--server", addr, "--calls", "6", "--rate", "1000", "--concurrent", "2")
	lacks(t, out, "up to 2 at once\n", "answered  6, failed 0\n", "set-up    p50 ", "\nok  6 calls\n")
}

func TestCallHost(t *testing.T) {
	for _, test := range []struct{ number, server, want string }{
		{"9000", "127.0.0.1:5060", "127.0.0.1:5060"},
		{"9000", "pbx.example", "pbx.example:5060"},
		{"9000", "[::1]:5070", "[::1]:5070"},
		{"9000", "[::1]", "[::1]:5060"},
		{"9000", "::1", "[::1]:5060"},
		{"9000", "host:port", ""},
		{"9000", "host:0", ""},
		{"9000", "host:70000", ""},
		{"9000", "a:b:c", ""},
		{"9000", "", ""},
		{"sip:9000@10.0.0.1", "x", "10.0.0.1:5060"},
		{"SIP:a@b@10.0.0.1:5070;transport=udp?x=y", "x", "10.0.0.1:5070"},
		{"sip:10.0.0.1", "x", "10.0.0.1:5060"},
		{"sip:9000@", "x", ""},
		{"sip:", "x", ""},
	} {
		got, err := callHost(test.number, test.server, "udp")
		if got != test.want || (err == nil) != (test.want != "") {
			t.Errorf("callHost(%q, %q) = %q, %v, want %q", test.number, test.server, got, err, test.want)
		}
	}
}

func TestQuotedText(t *testing.T) {
	for in, want := range map[string]string{
		`399 ozswitch "nobody is \"there\""`: `nobody is "there"`,
		`399 ozswitch "cut off`:              "cut off",
		`399 ozswitch`:                       "",
		"399 x \"\x1b[2Jred\x7f\\":           `[2Jred\`,
	} {
		if got := quotedText(in); got != want {
			t.Errorf("quotedText(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestReceived: only refusals have a Warning to be told.
func TestReceived(t *testing.T) {
	l := &line{warnings: map[int]string{}}
	for _, m := range []string{
		"INVITE sip:x SIP/2.0\r\nWarning: 399 a \"no\"\r\n\r\n",
		"SIP/2.0 200 OK\r\nWarning: 399 a \"no\"\r\n\r\n",
		"SIP/2.0 486 Busy\r\n\r\nWarning: 399 a \"no\"\r\n\r\n",
		"SIP/2.0 488 No\r\nwarning : 399 a \"yes\"\r\n\r\n",
		"SIP/2.0 4", "SIP/2.0 4xx\r\n", "",
	} {
		l.received([]byte(m))
	}
	if got := fmt.Sprint(l.warnings); got != "map[488:yes]" {
		t.Errorf("got %s, want map[488:yes]", got)
	}
}
