package main

import (
	"encoding/xml"
	"fmt"
	"os"
	"strings"
	"time"
)

// diff tells how a part differs from what is wanted: "-" is wanted, "+" happened.
func (t *paperTest) diff(part, want, got string) string {
	a, b := lines(want), lines(got)
	first := 0
	for first < len(a) && first < len(b) && a[first] == b[first] {
		first++
	}
	file, before := t.where(part)
	var out strings.Builder
	fmt.Fprintf(&out, "%s:%d: it happened otherwise (- wanted, + happened)\n", file, before+first+1)
	const around = 1 // lines shown before and after
	edits := compare(a, b)
	for i, e := range edits {
		near := false
		for j := max(0, i-around); j <= min(len(edits)-1, i+around); j++ {
			near = near || edits[j][0] != ' '
		}
		if near {
			out.WriteString(e + "\n")
		}
	}
	return out.String()
}

func lines(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(s, "\n"), "\n")
}

// compare gives the lines of both, each behind ' ', '-' or '+': the longest
// common subsequence stays. Transcripts are short enough for a table.
func compare(a, b []string) (all []string) {
	n := make([][]int, len(a)+1) // n[i][j]: common lines of a[i:] and b[j:]
	for i := range n {
		n[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				n[i][j] = n[i+1][j+1] + 1
			} else {
				n[i][j] = max(n[i+1][j], n[i][j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			all = append(all, "  "+a[i])
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && n[i+1][j] >= n[i][j+1]:
			all = append(all, "- "+a[i])
			i++
		default:
			all = append(all, "+ "+b[j])
			j++
		}
	}
	return all
}

type junitSuite struct {
	XMLName  xml.Name    `xml:"testsuite"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Time     string      `xml:"time,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	File    string        `xml:"file,attr"`
	Time    string        `xml:"time,attr"`
	Failure *junitFailure `xml:"failure"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// writeJUnit writes the report that build servers read.
func writeJUnit(name string, all []verdict, took time.Duration) error {
	s := junitSuite{Name: "ozswitch", Tests: len(all), Time: fmt.Sprintf("%.3f", took.Seconds())}
	for _, v := range all {
		c := junitCase{Name: v.Name, Class: "ozswitch", File: v.File, Time: fmt.Sprintf("%.3f", v.Seconds)}
		if !v.Passed {
			s.Failures++
			first, _, _ := strings.Cut(v.Failures[0], "\n")
			c.Failure = &junitFailure{first, strings.Join(v.Failures, "\n")}
		}
		s.Cases = append(s.Cases, c)
	}
	b, err := xml.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(name, append([]byte(xml.Header), append(b, '\n')...), 0o666)
}
