package ozmltest

import (
	"context"
	"strings"
	"testing"
	"time"

	"ozswitch/ozml"
	"ozswitch/ozml/command"
)

func TestPaper(t *testing.T) {
	TestCall(t, 0, func(t *testing.T, sc *Scenario, do func(ctx context.Context, c ozml.Call)) {
		c := NewCall(t.Context(), sc)
		do(c.Context(), c)
	})
}

func TestEstimate(t *testing.T) {
	for _, c := range []struct {
		text string
		want time.Duration
	}{
		{"Press one for sales or two for support", 1980 * time.Millisecond}, // house.md 8.1: prints as 2.0 s
		{"Support", 400 * time.Millisecond},
		{"", 0},
		{"...", 0},
		{"12", 500 * time.Millisecond},
		{"Yes. No", 700 * time.Millisecond},
		{"Yes. ", 180 * time.Millisecond},
	} {
		got := Estimate(c.text)
		if got != c.want || got%(20*time.Millisecond) != 0 {
			t.Errorf("Estimate(%q) = %v, want %v", c.text, got, c.want)
		}
	}
}

func TestScenarioFaults(t *testing.T) {
	for text, want := range map[string]string{
		"at":                           "caller:1: at wants",
		"\nat 3s jump":                 "caller:2: unknown act",
		"at soon press 1":              "want a time",
		"at 1s press x":                "is no key",
		"at 1s press 1 by foot":        "by wants",
		"press 1":                      "press wants KEYS@TIME",
		"when http://x":                "when wants reply",
		"when http://x reply a.xml":    "no file a.xml here",
		"when http://x odd reply <a/>": `unknown word "odd"`,
		"setting odd":                  "setting wants",
		"limit odd 3":                  "limit wants",
		"limit steps x":                "limit wants a number",
		"call 1":                       "call wants",
		"sing":                         `unknown word "sing"`,
	} {
		if _, err := Parse("caller", text, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%q) = %v, want %q", text, err, want)
		}
	}
}

func TestSilence(t *testing.T) {
	for _, c := range []struct {
		scenario string
		want     time.Duration // until 5 s of silence, for a recording that begins at 2 s
	}{
		{"", 5 * time.Second},
		{"at 3s say 4s", 10 * time.Second},
		{"at 0s say 4s", 7 * time.Second},
		{"at 8s say 4s", 5 * time.Second},
		{"at 6s say 1s\nat 3s say 1s", 10 * time.Second},
		{"at 1s say hello.wav", 9 * time.Second},
	} {
		sc, err := Parse("caller", c.scenario, nil)
		if err != nil {
			t.Fatal(err)
		}
		err = sc.Listen(func(file string) ([]Act, error) { // two words: at 0.5 s and at 3 s
			return []Act{{At: 500 * time.Millisecond, Say: time.Second}, {At: 3 * time.Second, Say: 2 * time.Second}}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		p := NewCall(t.Context(), sc)
		p.now = epoch.Add(2 * time.Second)
		if got, ends := p.silentAt(5 * time.Second); got != c.want || !ends {
			t.Errorf("%q: silent for 5 s after %v, want %v", c.scenario, got, c.want)
		}
	}
}

func TestArchive(t *testing.T) {
	const src = "A remark.\n-- a --\none\n-- b.xml --\ntwo\n"
	a := ParseArchive(src)
	if got, _ := a.Get("a"); got != "one\n" || a.String() != src {
		t.Errorf("a = %q, archive %q, want %q, %q", got, a.String(), "one\n", src)
	}
	a.Set("a", "three\n")
	if got := a.String(); got != strings.Replace(src, "one", "three", 1) {
		t.Errorf("after Set: %q", got)
	}
}

// TestRemarks: a remark that is not wanted fails, and so does one that is
// missing.
func TestRemarks(t *testing.T) {
	d := ozml.Diagnostic{File: "script.xml", Code: "OZ1101", Msg: "unknown command <X>"}
	d.Span.From.Line = 1
	for _, c := range []struct {
		src  string
		want int
	}{
		{"<X/> <!-- want `unknown command <X>` -->", 0},
		{"<X/>", 1},
		{"<X/> <!-- want `other` -->", 2},
		{"<X/> <!-- want `unknown` `more` -->", 1},
	} {
		if got := remarks(c.src, []ozml.Diagnostic{d}); len(got) != c.want {
			t.Errorf("remarks(%s) = %q, want %d", c.src, got, c.want)
		}
	}
}

func TestLengthsFromOutside(t *testing.T) {
	f, err := command.Table().Parse("x", []byte(`<Response><Speak>a</Speak><Play>b.wav</Play><Beep/></Response>`))
	if err != nil {
		t.Fatal(err)
	}
	var heard []time.Duration
	r := Play(t.Context(), Config{Table: command.Table(), File: f,
		SpeakLength: func(ozml.Utterance) (time.Duration, error) { return time.Second, nil },
		PlayLength:  func(ozml.Prompt) (time.Duration, error) { return 2 * time.Second, nil },
		Heard:       func(s Sound) { heard = append(heard, s.At, s.Heard) },
	})
	want := []time.Duration{0, time.Second, time.Second, 2 * time.Second, 3 * time.Second, 500 * time.Millisecond}
	if len(heard) != len(want) {
		t.Fatalf("heard %v, want %v", heard, want)
	}
	for i := range want {
		if heard[i] != want[i] {
			t.Fatalf("heard %v, want %v", heard, want)
		}
	}
	if r.Length != 3500*time.Millisecond || r.Reason != "script" {
		t.Errorf("ended: %s after %v, want script after 3.5s", r.Reason, r.Length)
	}
}
