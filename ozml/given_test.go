package ozml

import "testing"

// Predefined arrays are asked for each time, and a script's own goes before.
func TestPredefinedArrays(t *testing.T) {
	n := 0
	v := predefined(NewVars(nil), func(name string) ([]Item, bool) {
		if name != "voicemails" {
			return nil, false
		}
		n++
		return make([]Item, n), true
	})
	for _, want := range []string{"You have 1 new", "You have 2 new"} {
		if got := v.Expand("You have $VoiceMails.count new", nil); got != want {
			t.Errorf("expanded to %q, want %q", got, want)
		}
	}
	v.SetArray("Voicemails", nil)
	if got := v.Expand("$voicemails.count $others.count $voicemails.first", nil); got != "0 $others.count $voicemails.first" {
		t.Errorf("expanded to %q", got)
	}
	if a, ok := v.Array("voicemails"); !ok || len(a) != 0 {
		t.Errorf("the script's own array is %v, %v", a, ok)
	}
}
