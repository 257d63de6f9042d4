package api

import (
	"context"
	"time"
)

// A Line is an outside line, as GET /v1/lines tells it.
type Line struct {
	Name       string      `json:"name"`
	Address    string      `json:"address"`    // as configured, several with commas between
	State      string      `json:"state"`      // up, down or unknown
	Register   bool        `json:"register"`   // it should be registered
	Registered bool        `json:"registered"` // it is
	Expires    *time.Time  `json:"expires"`    // when that ends unless it is refreshed; null = it is not
	LastError  string      `json:"last_error"` // what is wrong now, in words; "" = nothing
	Calls      int         `json:"calls"`      // that are up, both ways
	MaxCalls   int         `json:"max_calls"`  // 0 = no limit
	CallerID   string      `json:"caller_id"`  // what its calls show
	Places     []LinePlace `json:"places"`     // where its addresses lead, the first choice first
}

// A LinePlace is one place where a line's carrier is reached.
type LinePlace struct {
	Transport string `json:"transport"`
	Address   string `json:"address"` // 192.0.2.7:5060
	State     string `json:"state"`
}

// getLines lists the outside lines, as configured.
func (v *V1) getLines(context.Context, *nothing) (*one[[]Line], error) {
	return give(v.lines())
}

func (v *V1) lines() []Line {
	if v.Lines == nil {
		return []Line{}
	}
	all := append([]Line{}, v.Lines()...)
	for i := range all {
		if all[i].Places == nil {
			all[i].Places = []LinePlace{}
		}
	}
	return all
}

// linesDown adds to a status what is wrong with lines. It says so in the sentence
// when all else is well; a switch without its carrier is ready all the same.
func (v *V1) linesDown(s *Status) {
	for _, l := range v.lines() {
		one := CheckResult{Name: "line " + l.Name, OK: l.State != "down", Detail: l.LastError}
		s.Checks = append(s.Checks, one)
		if s.OK && !one.OK {
			s.OK, s.Sentence = false, "Not well: line "+l.Name+" is down: "+l.LastError
		}
	}
}
