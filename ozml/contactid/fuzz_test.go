package contactid

import "testing"

// Any text is a message that reads back the same, or an error.
func FuzzParse(f *testing.F) {
	f.Add("1234 18 1131 01 015 8")
	f.Add("123498113101015F")
	f.Fuzz(func(t *testing.T, s string) {
		m, err := Parse(s)
		if err != nil {
			return
		}
		d := m.Digits()
		again, err := Parse(d)
		if err != nil || again != m || len(d) != Length || sum(d)%15 != 0 {
			t.Fatalf("Parse(%q) = %+v, its digits %s, and back %+v, %v", s, m, d, again, err)
		}
	})
}
