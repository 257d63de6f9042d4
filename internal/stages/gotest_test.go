package main

import (
	"strings"
	"testing"
)

func TestTally(t *testing.T) {
	tests := []struct {
		name, in, want          string
		passed, failed, skipped int
	}{
		{"good", `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"noise\n"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p","Elapsed":1.25}`, "ok    p", 1, 0, 0},
		{"failing", `{"Action":"output","Package":"p","Test":"TestA","Output":"got 1, want 2\n"}
{"Action":"fail","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p","Test":"TestB"}
{"Action":"fail","Package":"p","Elapsed":1}`, "got 1, want 2", 1, 1, 0},
		{"skipped with its reason", `{"Action":"output","Package":"p","Test":"TestA","Output":"=== RUN   TestA\n"}
{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:3: no chromium\n"}
{"Action":"skip","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p"}`, "TestA: a_test.go:3: no chromium", 0, 0, 1},
		{"panicking", `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"panic: oh\n"}
{"Action":"fail","Package":"p"}`, "panic: oh", 0, 1, 0},
		{"not building", `{"Action":"build-output","ImportPath":"p","Output":"p/a.go:1:1: oh\n"}
{"Action":"build-fail","ImportPath":"p"}
{"Action":"fail","Package":"p","FailedBuild":"p"}`, "p/a.go:1:1: oh", 0, 1, 0},
		{"cut off", `{"Action":"output","Package":"p","Test":"TestA","Output":"half\n"}`, "half", 0, 1, 0},
		{"without tests", `{"Action":"skip","Package":"p"}`, "", 0, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			r := &report{out: &out}
			c := &tally{r: r, pkgs: map[string]*pkgState{}}
			c.read(strings.NewReader(tt.in))
			if r.passed != tt.passed || r.failed != tt.failed || r.skipped != tt.skipped {
				t.Errorf("counted %d, %d, %d; want %d, %d, %d", r.passed, r.failed, r.skipped, tt.passed, tt.failed, tt.skipped)
			}
			if !strings.Contains(out.String(), tt.want) {
				t.Errorf("printed %q, want %q in it", out.String(), tt.want)
			}
			if (len(r.failures) > 0) != (r.failed > 0) {
				t.Errorf("names of failures: %q for %d failures", r.failures, r.failed)
			}
		})
	}
}

func TestOnlyLate(t *testing.T) {
	const late = "fuzz: elapsed: 3s, execs: 15035 (0/sec)\n--- FAIL: FuzzParse (3.11s)\n    context deadline exceeded\nFAIL\nexit status 1\n"
	const fault = "--- FAIL: FuzzParse (0.03s)\n    --- FAIL: FuzzParse (0.00s)\n        context deadline exceeded\n    Failing input written to testdata\nFAIL\n"
	if !onlyLate(late) || onlyLate(fault) || onlyLate("") || onlyLate("panic: oh") {
		t.Errorf("onlyLate = %v, %v, %v", onlyLate(late), onlyLate(fault), onlyLate(""))
	}
}
