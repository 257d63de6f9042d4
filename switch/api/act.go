package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"ozswitch/ozml"
)

func itoa(n int) string { return strconv.Itoa(n) }

// do runs a command of the HTTP API for a user, as a request to /api does, and
// gives its payload. The error is a problem with the code of the API.
func (h *Commands) do(r *http.Request, u User, name string, values ...ozml.Value) (any, error) {
	p := params{}
	for _, v := range values {
		if v.Value != "" {
			p[strings.ToLower(v.Name)] = v
		}
	}
	c := h.c.Table.Lookup(name)
	if c == nil || c.In&ozml.API == 0 {
		return nil, fmt.Errorf("api: %s is no command of the API", name)
	}
	a := h.run(r, u, c, p)
	if a.code == codeOK {
		return a.payload, nil
	}
	status := http.StatusUnprocessableEntity
	switch a.code {
	case codeBadParam:
		status = http.StatusBadRequest
	case codeNoCall:
		status = http.StatusNotFound
	case codeNotConnected, codeNoExtension:
		status = http.StatusConflict
	}
	return nil, &problem{Status: status, Code: a.code, Detail: a.message}
}

type callRequest struct {
	To     string `json:"to"`     // the number that is to ring
	From   string `json:"from"`   // the number whose script runs; "" = the first that has one
	Script string `json:"script"` // another script: a name of /v1/scripts, or a URL
}

type callStarted struct {
	ID string `json:"id"`
}

// postCall rings a phone and runs a script on the call.
func (v *V1) postCall(w http.ResponseWriter, r *http.Request) (any, error) {
	var in callRequest
	if err := read(w, r, smallBody, &in); err != nil {
		return nil, err
	}
	if in.To == "" {
		return nil, badRequest("to: which number is to ring?")
	}
	values := []ozml.Value{{Name: "Dialed", Value: in.To}, {Name: "ApiExtension", Value: in.From}}
	run := in.Script
	if run == "" {
		n, err := v.running(in.From)
		if err != nil {
			return nil, err
		}
		values[1].Value = n.Number
		if run = n.URL; run == "" {
			run = n.File
		}
	}
	if httpURL(run) == nil {
		values = append(values, ozml.Value{Name: "Url", Value: run})
	} else {
		s, err := v.script(run)
		if err != nil {
			return nil, err
		}
		values = append(values, ozml.Value{Name: "ResponseOzML", Value: s.Text})
	}
	done, err := v.Commands.do(r, UserOf(r.Context()), "Call", values...)
	if err != nil {
		return nil, err
	}
	started, ok := done.(ozml.Started)
	if !ok {
		return nil, errors.New("api: Call gave no CallId")
	}
	return created{callStarted{started.CallID}}, nil
}

// running gives the number whose script is to run: the first that has one, or
// the one that is wanted.
func (v *V1) running(number string) (Number, error) {
	for _, n := range v.Numbers() {
		if (number == "" || n.Number == number) && n.URL+n.File != "" {
			return n, nil
		}
	}
	return Number{}, &problem{Status: http.StatusConflict, Code: codeNoExtension, Detail: fmt.Sprintf(messages[codeNoExtension], number)}
}

// postHangup hangs a call up.
func (v *V1) postHangup(_ http.ResponseWriter, r *http.Request) (any, error) {
	if v.Console != nil && byCookie(r.Context()) {
		v.Console(r.PathValue("id"))
	}
	_, err := v.Commands.do(r, UserOf(r.Context()), "Hangup", ozml.Value{Name: "CallId", Value: r.PathValue("id")})
	return nil, err
}

type keysRequest struct {
	Keys string `json:"keys"`
}

// maxKeys is more than anybody presses at once.
const maxKeys = 64

// postKeys presses keys as if the caller had.
func (v *V1) postKeys(w http.ResponseWriter, r *http.Request) (any, error) {
	var in keysRequest
	if err := read(w, r, smallBody, &in); err != nil {
		return nil, err
	}
	keys := strings.ToUpper(in.Keys)
	if keys == "" || len(keys) > maxKeys || strings.Trim(keys, "0123456789*#ABCD") != "" {
		return nil, badRequest("keys: want 1 to %d out of 0-9 * # A-D", maxKeys)
	}
	err := v.Press(context.WithoutCancel(r.Context()), r.PathValue("id"), keys)
	if errors.Is(err, ozml.ErrNoCall) {
		return nil, noCall(r.PathValue("id"))
	}
	return nil, err
}
