package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"ozswitch/ozml"
)

// do runs a command of the HTTP API for a user, as a request to /api does, and
// gives its payload. The error is a problem with the code of the API.
func (h *Commands) do(ctx context.Context, u User, name string, values ...ozml.Value) (any, error) {
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
	a := h.run(ctx, u, c, p)
	if a.code == codeOK {
		return a.payload, nil
	}
	return nil, a.problem()
}

// problem tells by what is no good answer of a command.
func (a answer) problem() *problem {
	status := http.StatusUnprocessableEntity
	switch a.code {
	case codeBadParam:
		status = http.StatusBadRequest
	case codeForbiddenUser, codeForbiddenPlace:
		status = http.StatusForbidden
	case codeNoCall, codeNoConfig:
		status = http.StatusNotFound
	case codeNotConnected, codeNoExtension, codeConfigExists:
		status = http.StatusConflict
	}
	p := &problem{Status: status, Code: a.code, Detail: a.message, Errors: a.mistakes}
	if why, ok := a.payload.(detail); ok {
		p.Errors = append(p.Errors, Mistake{"body", string(why)})
	}
	return p
}

type callRequest struct {
	To     string `json:"to" minLength:"1" doc:"which number is to ring"`
	From   string `json:"from,omitempty" doc:"the number whose script runs; without it the first that has one"`
	Script string `json:"script,omitempty" doc:"another script: a name of /v1/scripts, or a URL"`
}

type callStarted struct {
	ID string `json:"id" doc:"the call's id"`
}

// postCall rings a phone and runs a script on the call.
func (v *V1) postCall(ctx context.Context, body *struct{ Body callRequest }) (*one[callStarted], error) {
	in := body.Body
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
	done, err := v.Commands.do(ctx, UserOf(ctx), "Call", values...)
	if err != nil {
		return nil, err
	}
	started, ok := done.(ozml.Started)
	if !ok {
		return nil, errors.New("api: Call gave no CallId")
	}
	return give(callStarted{started.CallID})
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
func (v *V1) postHangup(ctx context.Context, in *CallPath) (*nothing, error) {
	if v.Console != nil && byCookie(ctx) {
		v.Console(in.ID)
	}
	_, err := v.Commands.do(ctx, UserOf(ctx), "Hangup", ozml.Value{Name: "CallId", Value: in.ID})
	return &nothing{}, err
}

type keysRequest struct { // 64 is more than anybody presses at once
	Keys string `json:"keys" pattern:"^[0-9*#A-Da-d]{1,64}$" patternDescription:"1 to 64 out of 0-9 * # A-D" doc:"the keys, in their order"`
}

// postKeys presses keys as if the caller had.
func (v *V1) postKeys(ctx context.Context, in *struct {
	CallPath
	Body keysRequest
}) (*nothing, error) {
	err := v.Press(context.WithoutCancel(ctx), in.ID, strings.ToUpper(in.Body.Keys))
	if errors.Is(err, ozml.ErrNoCall) {
		return nil, noCall(in.ID)
	}
	return &nothing{}, err
}
