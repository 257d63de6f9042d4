package tts

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestNormalize(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		// What Flite reads rightly stays.
		{"It costs $12.50 on March 4th, 2026 at 9:05 am or 14:30.", "It costs $12.50 on March 4th, 2026 at 9:05 am or 14:30."},
		{"482913, 23.5, 50%, 1,234,567.89", "482913, 23.5, 50%, 1,234,567.89"},
		{"Tom & Jerry", "Tom & Jerry"}, {"1 + 1 = 2, press #", "1 + 1 = 2, press #"},
		{"the PBX speaks SIP", "the PBX speaks SIP"}, {"Dr. Who", "Doctor Who"},
		// Money.
		{"€30 and £5", "30 euros and 5 pounds"},
		{"€1.00, £1.01, 30 €, €5 million", "1 euro, 1 pound and 1 penny, 30 euros, 5 million euros"},
		{"€1,234.50", "1,234 euros and 50 cents"},
		{"12.50€.", "12 euros and 50 cents."},
		// Dates.
		{"on 2026-03-04", "on March 4th, 2026"},
		{"3/4/2026", "March 4th, 2026"},
		{"22/1/2026 and 01.12.2026", "January 22nd, 2026 and December 1st, 2026"},
		{"99/99/2026", "99/99/2026"},
		// Telephone numbers.
		{"+1 415-555-0123", "plus 1, 4 1 5, 5 5 5, 0 1 2 3"},
		{"0800 123 456", "0 8 0 0, 1 2 3, 4 5 6"},
		{"(415) 555-0123.", "4 1 5, 5 5 5, 0 1 2 3."},
		{"555-0123", "5 5 5, 0 1 2 3"},
		{"+36301234567", "plus 3 6 3 0 1 2 3 4 5 6 7"},
		{"06301234567", "0 6 3 0 1 2 3 4 5 6 7"},
		{"4111 1111 1111 1111", "4 1 1 1, 1 1 1 1, 1 1 1 1, 1 1 1 1"},
		{"from 2000 to 2010, 10-20 people", "from 2000 to 2010, 10-20 people"},
		// Codes and large numbers.
		{"1000000", "1,000,000"}, {"1000000.", "1,000,000."}, {"250000 people", "250,000 people"}, {"1000", "1000"},
		{"AB-1234", "A B 1 2 3 4"}, {"flight BA117", "flight B A 1 1 7"}, {"Q7L2", "Q 7 L 2"}, {"an A4 page, COVID-19", "an A4 page, COVID-19"},
		{"extension 1001", "extension 1 0 0 1"}, {"ext. 12", "extension 12"}, {"your PIN is 4711.", "your PIN is 4 7 1 1."},
		// Temperatures and signs.
		{"-5°C", "minus 5 degrees Celsius"}, {"1°", "1 degree"}, {"72 °F outside", "72 degrees Fahrenheit outside"}, {"−3 today", "minus 3 today"},
		// Addresses.
		{"a@example.com", "a at example dot com"},
		{"Write to john.smith@mail.example.com.", "Write to john dot smith at mail dot example dot com."},
		{"www.x.com/help", "w w w dot x dot com slash help"},
		{"see https://example.com/a-b/, please", "see example dot com slash a dash b, please"},
		{"example.org.", "example dot org."},
		{"192.168.1.10", "1 9 2 dot 1 6 8 dot 1 dot 1 0"},
		// Letters and typography.
		{"Café naïve, Győr, Straße", "Cafe naive, Gyor, Strasse"},
		{"it’s “quoted” — really…", `it's "quoted", really.`},
		{"Hello 👋 world", "Hello world"},
		{"ＡＢＣ", "ABC"}, {"½ cup", "one half cup"}, {"a\u00A0b", "a b"},
		// Abbreviations.
		{"Dr. Smith of St. Mary on Main St.", "Doctor Smith of Saint Mary on Main Street"},
		{"Mr. A, Mrs. B, No. 5, e.g. this, i.e. that, etc.", "Mister A, Missus B, number 5, for example, this, that is, that, et cetera"},
		{"at 9 a.m. or 5 P.M. sharp", "at 9 am or 5 pm sharp"},
		{"the U.S.A. and the USA", "the U S A and the U S A"},
		{"IVR and API by SMS", "I V R and A P I by S M S"},
		// Markup and leftovers.
		{"<b>Bold</b> <br/>text", "Bold text"},
		{"one  *two*\n\tthree_four", "one two three four"},
		{"Wait . . . what ?!", "Wait. what!"},
		{"Grüße aus München", "Grusse aus Munchen"},
		{"...", ""}, {"日本語", ""}, {"Привет", ""}, {"", ""},
	} {
		if got := normalize(c.in, false); got != c.want {
			t.Errorf("normalize(%q)\n got %q\nwant %q", c.in, got, c.want)
		}
	}
	if got, want := normalize("3/4/2026", dayFirst("en-GB")), "April 3rd, 2026"; got != want {
		t.Errorf("British 3/4/2026 = %q, want %q", got, want)
	}
}

func texts(ps []part) (out []string) {
	for _, p := range ps {
		out = append(out, p.text)
	}
	return out
}

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		in   string
		want []string
	}{
		{"", nil}, {" ... ", nil},
		{"Hello.", []string{"Hello."}},
		{"Hello. How are you? Fine!", []string{"Hello.", "How are you?", "Fine!"}},
		{"Version 1.5 is out", []string{"Version 1.5 is out"}},
		{"一つ。二つ。", []string{"一つ。", "二つ。"}},
		// The first piece is short; it ends at a clause, else before a joining word, else anywhere.
		{"Thank you for calling the office, our opening hours are from nine to five on weekdays.",
			[]string{"Thank you for calling the office,", "our opening hours are from nine to five on weekdays."}},
		{"You can reach the sales department by pressing one now and support by pressing two now.",
			[]string{"You can reach the sales department by pressing one now,", "and support by pressing two now."}},
		{"a b c d e f g h i j k l m n.", []string{"a b c d e f g h i j k l,", "m n."}},
	} {
		if got := texts(split(c.in)); !slices.Equal(got, c.want) {
			t.Errorf("split(%q)\n got %q\nwant %q", c.in, got, c.want)
		}
	}
	got := split("One, two. Three")
	if got[0].pause != afterSentence || got[1].pause != afterEnd {
		t.Errorf("pauses %v", got)
	}
}

func FuzzSplit(f *testing.F) {
	f.Add("Hello. This is a rather long sentence, which has clauses and words, and goes on and on until it is cut.")
	f.Add(strings.Repeat("x", 1000))
	f.Add("€5 1/2/2026 +1 415-555-0123 <b>a@b.com</b> \xff")
	f.Fuzz(func(t *testing.T, s string) {
		n := normalize(s, false)
		for _, r := range n {
			if r < ' ' || r > '~' {
				t.Fatalf("normalize(%q) keeps %q", s, r)
			}
		}
		letters := func(s string) (n int) {
			for _, r := range s {
				if speakable(string(r)) {
					n++
				}
			}
			return n
		}
		for _, text := range []string{s, n} {
			sum := 0
			for i, p := range split(text) {
				if l := utf8.RuneCountInString(p.text); l > mostRunes+1 {
					t.Errorf("a piece of %d runes", l)
				}
				if w := len(strings.Split(p.text, " ")); i == 0 && w > firstWords {
					t.Errorf("first piece of %d words", w)
				}
				sum += letters(p.text)
			}
			if want := letters(text); sum != want {
				t.Errorf("%q: %d letters and digits in, %d out", text, want, sum)
			}
		}
	})
}

func TestTrim(t *testing.T) {
	pcm := make([]int16, 16000)
	for i := 4000; i < 8000; i++ {
		pcm[i] = 5000
	}
	got := trim(pcm, 16000, 100*time.Millisecond)
	if len(got)%320 != 0 || got[319] != 0 || got[320] != 5000 || got[4319] != 5000 || got[4320] != 0 {
		t.Errorf("%d samples, not the sound between 20 ms and silence", len(got))
	}
	if n, min := len(got), 320+4000+640+1600; n < min || n > min+320 {
		t.Errorf("%d samples, want %d and the rest of a frame", n, min)
	}
	if got := trim(make([]int16, 1000), 16000, time.Second); got != nil {
		t.Errorf("silence gave %d samples", len(got))
	}
}
