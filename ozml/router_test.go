package ozml

import (
	"testing"
	"time"
)

func TestRouter(t *testing.T) {
	at := func(s float64) time.Time { return time.Unix(1000, 0).Add(time.Duration(s * 1e9)) }
	keys := func(r *Router) (s string) {
		for k, ok := r.Next(); ok; k, ok = r.Next() {
			s += string(rune(k))
		}
		return s
	}
	for _, c := range []struct {
		name string
		do   func(r *Router)
		want string
	}{
		{"keys before the first UserInput are dropped", func(r *Router) { r.Press('1', false); r.Open(at(1)) }, ""},
		{"an open UserInput gets them", func(r *Router) { r.Open(at(0)); r.Press('1', false); r.Press('2', true) }, "12"},
		{"then they wait 5 s", func(r *Router) { r.Open(at(0)); r.Close(at(1)); r.Press('1', false); r.Open(at(6)) }, "1"},
		{"not longer", func(r *Router) { r.Open(at(0)); r.Close(at(1)); r.Press('1', false); r.Open(at(6.1)) }, ""},
		{"a taken key does not wait", func(r *Router) { r.Open(at(0)); r.Close(at(1)); r.Press('1', true); r.Open(at(2)) }, ""},
		{"32 at most", func(r *Router) {
			r.Open(at(0))
			r.Close(at(1))
			for range 40 {
				r.Press('1', false)
			}
			r.Open(at(2))
		}, "11111111111111111111111111111111"},
		{"an inner UserInput leaves the outer open", func(r *Router) {
			r.Open(at(0))
			r.Open(at(1))
			r.Close(at(2))
			r.Press('1', true)
		}, "1"},
	} {
		var r Router
		c.do(&r)
		if got := keys(&r); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestFresh(t *testing.T) {
	var r Router
	at := time.Unix(1000, 0)
	for i, c := range []struct {
		after time.Duration
		key   Key
		src   KeySource
		want  bool
	}{
		{0, '1', KeyEvent, true},
		{100 * time.Millisecond, '1', KeyInband, false},
		{200 * time.Millisecond, '1', KeyEvent, true},
		{300 * time.Millisecond, '2', KeyInband, true},
		{800 * time.Millisecond, '1', KeyInband, true},
		{900 * time.Millisecond, '1', KeyInfo, false},
	} {
		if got := r.Fresh(at.Add(c.after), c.key, c.src); got != c.want {
			t.Errorf("press %d: fresh %v, want %v", i, got, c.want)
		}
	}
}
