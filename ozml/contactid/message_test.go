package contactid

import (
	"math/rand/v2"
	"strings"
	"testing"
)

func TestMessageThereAndBack(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 7))
	for range 1000 {
		m := anyMessage(rnd)
		got, err := Parse(m.Digits())
		if err != nil || got != m {
			t.Fatalf("Parse(%s) = %+v, %v, want %+v", m.Digits(), got, err, m)
		}
	}
	m, err := Parse("1234 18 1131 01 015 8") // the example of DC-05
	want := Message{"1234", NewEvent, "131", "01", "015"}
	if err != nil || m != want || m.Digits() != "1234181131010158" {
		t.Errorf("Parse of the example = %+v, %v, digits %s", m, err, m.Digits())
	}
}

// Any one digit that is changed is seen.
func TestChecksum(t *testing.T) {
	const good = "1234181131010158"
	for i := range Length {
		for _, d := range Alphabet {
			bad := good[:i] + string(d) + good[i+1:]
			if m, err := Parse(bad); bad != good && err == nil {
				t.Errorf("Parse(%s) = %v, want an error", bad, m)
			}
		}
	}
}

func TestParseSaysWhatIsWrong(t *testing.T) {
	for in, want := range map[string]string{
		"":                  "has 0 digits",
		"123":               "has 3 digits",
		"12341811310101580": "has 17 digits",
		"1234181131A10158":  "'A'",
		"1234181131x10158":  "'X'",
		"1234181131010157":  "with these digits it is 8",
		"ıııııııı":          "16",
	} {
		if m, err := Parse(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%q) = %v, %v, want an error with %q", in, m, err, want)
		}
	}
}

func TestNew(t *testing.T) {
	for _, c := range []struct {
		in   [5]string
		want string // digits, or a part of the error
	}{
		{[5]string{"1234", "NewEvent", "131", "1", "15"}, "1234181131010158"},
		{[5]string{" 1234 ", "", "131", "01", "015"}, "1234181131010158"},
		{[5]string{"bcde", "newrestore", "110", "0", "0"}, "BCDE18311000000"},
		{[5]string{"1234", "6", "110", "0", "0"}, "123418611000000"},
		{[5]string{"", "", "131", "1", "1"}, "the account number is missing: write 4 digits"},
		{[5]string{"123", "", "131", "1", "1"}, `the account number "123" has 3 digits: write 4 digits`},
		{[5]string{"12A4", "", "131", "1", "1"}, "has an A, which Contact ID cannot send"},
		{[5]string{"1234", "Restored", "131", "1", "1"}, `"Restored" is no event qualifier: write NewEvent`},
		{[5]string{"1234", "", "1310", "1", "1"}, `the event code "1310" has 4 digits: write up to 3 digits`},
		{[5]string{"1234", "", "131", "part", "1"}, `the partition number "part" has 'P' in it`},
		{[5]string{"1234", "", "131", "1", "1½"}, `the zone number "1½" has '½' in it`},
		{[5]string{"1234", "", "131", "1", ""}, "the zone number is missing: write up to 3 digits"},
	} {
		m, err := New(c.in[0], c.in[1], c.in[2], c.in[3], c.in[4])
		if got := m.Digits(); err == nil && !strings.HasPrefix(got, c.want) || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("New(%q) = %s, %v, want %q", c.in, got, err, c.want)
		}
	}
}

func TestWords(t *testing.T) {
	for digits, want := range map[string]string{
		"123418111001015": "account 1234: fire (110), new event, partition 01, zone 015",
		"123418340101007": "account 1234: opened or closed by a user (401), closed, partition 01, user 007",
		"123418619900000": "account 1234: alarm (199), still so, partition 00, zone 000",
	} {
		m, err := Parse(digits + string(rune(checksum(digits))))
		if got := m.String(); err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", digits, got, err, want)
		}
	}
	for code, want := range map[string]string{"110": "fire", "299": hundreds['2'], "799": "unknown event", "": "unknown event", "B10": "unknown event"} {
		if got := EventName(code); got != want {
			t.Errorf("EventName(%q) = %q, want %q", code, got, want)
		}
	}
	for code, name := range events {
		if _, err := New("1234", "", code, "0", "0"); err != nil || len(code) != 3 || hundreds[code[0]] == "" || name == "" {
			t.Errorf("the table has %q, %q: %v", code, name, err)
		}
	}
}

// anyMessage is a message with digits at random.
func anyMessage(rnd *rand.Rand) Message {
	digits := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = Alphabet[rnd.IntN(len(Alphabet))]
		}
		return string(b)
	}
	q := []Qualifier{NewEvent, NewRestore, StatusReport}[rnd.IntN(3)]
	return Message{digits(4), q, digits(3), digits(2), digits(3)}
}
