package extension

import (
	"slices"
	"testing"
)

// Every type has its words, and each leads back to it.
func TestTypeWords(t *testing.T) {
	for i, one := range types {
		if one.Listed() == string(one) || one.Info() == "" {
			t.Errorf("type %s has no words", one)
		}
		for _, word := range []string{string(one), one.Listed(), one.Info(), " " + one.Info() + "\n"} {
			if got, ok := TypeOf(word); !ok || got != one {
				t.Errorf("TypeOf(%q) = %q, %v, want %q", word, got, ok, one)
			}
		}
		if slices.Index(types, one) != i {
			t.Errorf("%s stands twice", one)
		}
	}
	for _, word := range ConfigWords() {
		if _, ok := TypeOf(word); !ok {
			t.Errorf("%s is listed and not taken", word)
		}
	}
	if got, ok := TypeOf("sip"); !ok || got != Phone || len(ConfigWords()) != len(types) {
		t.Errorf("sip is %q, %v; %d words for %d types", got, ok, len(ConfigWords()), len(types))
	}
	if got, ok := TypeOf("Webphone"); ok {
		t.Errorf("an unknown word is %q", got)
	}
}
