package ozml

import (
	"strings"
	"testing"
)

func TestExpand(t *testing.T) {
	v := NewVars(map[string]string{"a": "1", "Ab": "2", "_x9": "3", "dollar": "$a", "été": "4"})
	for _, c := range []struct{ in, want, unknown string }{
		{"plain", "plain", ""},
		{"$a", "1", ""},
		{"$A$aB", "12", ""},
		{"$a, $a.", "1, 1.", ""},
		{"$a.b", "$a.b", "$a.b"},
		{"$a.5", "1.5", ""},
		{"$_x9", "3", ""},
		{"$été!", "4!", ""},
		{"$5 $ $. $$", "$5 $ $. $", ""},
		{"$$a", "$a", ""},
		{"$$$a", "$1", ""},
		{"$dollar", "$a", ""},
		{"$nix and $nix.f", "$nix and $nix.f", "$nix,$nix.f"},
		{"\xff$a\xff", "\xff1\xff", ""},
	} {
		var unknown []string
		got := v.Expand(c.in, func(ref string) { unknown = append(unknown, ref) })
		if got != c.want || strings.Join(unknown, ",") != c.unknown {
			t.Errorf("Expand(%q) = %q, unknown %v, want %q, %q", c.in, got, unknown, c.want, c.unknown)
		}
	}
}

func TestItem(t *testing.T) {
	v := NewVars(nil)
	see := func(want string) {
		t.Helper()
		if got := v.Expand("$item $Item.From", nil); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	see("$item $Item.From")
	v.Push(Item{Text: "x", Fields: map[string]string{"from": "Ann"}})
	see("x Ann")
	v.Push(Item{Text: "y"})
	see("y $Item.From")
	v.Pop()
	see("x Ann")
	v.Pop()
	see("$item $Item.From")
}

// FuzzExpand: what is no reference stays as it is, and nothing is expanded
// twice.
func FuzzExpand(f *testing.F) {
	for _, s := range []string{"", "$a", "$$", "$a.b.c", "a$", "$\xff", "$5", "$été.é"} {
		f.Add(s)
	}
	v := NewVars(map[string]string{"a": "$a$$", "b": ""})
	f.Fuzz(func(t *testing.T, s string) {
		var b strings.Builder
		references(s, func(text, name, field string) {
			if name == "" && text == "$" && strings.Count(s, "$") > 1 {
				return // may have been $$
			}
			if name != "" && !isName(name) || field != "" && !isName(field) {
				t.Errorf("%q: %q.%q is no name", s, name, field)
			}
			b.WriteString(text)
		})
		if !strings.Contains(s, "$") && (b.String() != s || v.Expand(s, nil) != s) {
			t.Errorf("%q changed", s)
		}
		if !strings.Contains(strings.ToLower(s), "$a") && strings.Contains(v.Expand(s, nil), "$a$$") {
			t.Errorf("%q: a value out of nowhere", s)
		}
	})
}
