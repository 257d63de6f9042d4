package flow

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

const framed = "OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK1\r\n"

// frame feeds a stream in pieces of n bytes and writes down what comes out.
func frame(s string, n int) (got []string) {
	var f Framer
	for len(s) > 0 {
		k := copy(f.Space(), s[:min(n, len(s))])
		f.Came(k)
		s = s[k:]
		for {
			b, pings, fault := f.Next()
			for range pings {
				got = append(got, "ping")
			}
			if fault != nil {
				return append(got, fmt.Sprintf("%d %s", fault.Code, fault.Why))
			}
			if b == nil {
				break
			}
			got = append(got, string(b))
		}
	}
	if f.Partial() {
		got = append(got, "partial")
	}
	return got
}

func TestFramer(t *testing.T) {
	one, two := framed+"l: 3\r\n\r\nabc", framed+"Content-Length : \r\n 0\r\n\r\n"
	for _, c := range []struct {
		name, in string
		want     []string
	}{
		{"nothing", "", nil},
		{"one", one, []string{one}},
		{"two in one write", one + two, []string{one, two}},
		{"blank lines before", "\r\n" + one, []string{one}},
		{"ping", "\r\n\r\n", []string{"ping"}},
		{"pings between", one + "\r\n\r\n\r\n\r\n" + two, []string{one, "ping", "ping", two}},
		{"headers only", framed, []string{"partial"}},
		{"body missing", framed + "l: 3\r\n\r\nab", []string{"partial"}},
		{"no length", framed + "\r\n", []string{"400 Bad Request (no Content-Length on a stream)"}},
		{"two lengths", framed + "l: 3\r\nContent-Length: 3\r\n\r\nabc", []string{"400 Bad Request (more than one Content-Length)"}},
		{"negative length", framed + "l: -3\r\n\r\nabc", []string{"400 Bad Request (bad Content-Length)"}},
		{"signed length", framed + "l: +3\r\n\r\nabc", []string{"400 Bad Request (bad Content-Length)"}},
		{"huge length", framed + "l: 99999999999\r\n\r\nabc", []string{"400 Bad Request (bad Content-Length)"}},
		{"too long", framed + "l: 4294967\r\n\r\nabc", []string{"513 Message Too Large"}},
		{"endless headers", framed + strings.Repeat("X: y\r\n", 20000), []string{"513 Message Too Large"}},
	} {
		for _, n := range []int{1, 2, 7, 1 << 20} {
			if got := frame(c.in, n); !slices.Equal(got, c.want) {
				t.Errorf("%s, %d at a time: %q, want %q", c.name, n, got, c.want)
			}
		}
	}
}

// FuzzFramer: a stream means the same however it is cut into reads.
func FuzzFramer(f *testing.F) {
	f.Add(framed+"l: 3\r\n\r\nabc\r\n\r\n"+framed+"l: 0\r\n\r\n", 3)
	f.Add(framed+"\r\n", 1)
	f.Fuzz(func(t *testing.T, s string, n int) {
		if n < 1 || len(s) > 4096 {
			return
		}
		whole, pieces := frame(s, 1<<20), frame(s, n)
		if !slices.Equal(whole, pieces) {
			t.Errorf("%q in pieces of %d: %q, whole %q", s, n, pieces, whole)
		}
	})
}
