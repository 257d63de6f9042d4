package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"ozswitch/ozml"
	"ozswitch/switch/store"
)

// A History finds calls that are over; store.Store is one.
type History interface {
	Call(ctx context.Context, id string) (store.Call, error)
	Calls(ctx context.Context, q store.CallQuery) (page []store.Call, total int, err error)
}

// Calls lists the calls that are up and a page of those that are over, newest
// first, as JSON. Wire it at "GET /v1/calls", behind Access.Guard.
//
// The query may say page (from 0), rows (20, at most 200), and since and until
// (RFC 3339); state, direction, result, from, to, dialed, extension and q (a
// part of any of them) filter those that are over, and failed=true leaves those
// that went well out.
type Calls struct {
	Live    func() []ozml.ActiveCall // may be nil
	History History                  // may be nil
	Doing   func(id string) Doing    // what a call that is up does now; may be nil
}

// Doing is what a call does now.
type Doing struct {
	Script     string // the document that runs
	At         string // "3:3 UserInput"
	Recordings int    // files so far
}

type liveCall struct {
	ID           string    `json:"id"`
	Source       string    `json:"source"`
	From         string    `json:"from"`
	To           string    `json:"to"`
	CallerDialed string    `json:"caller_dialed"`
	CalleeDialed string    `json:"callee_dialed"`
	Started      time.Time `json:"started"`
	Ring         float64   `json:"ring_seconds"`
	Talk         float64   `json:"talk_seconds"`
	State        string    `json:"state"`
	Events       string    `json:"events"` // where its events are
	Script       string    `json:"script"`
	Doing        string    `json:"doing"` // "3:3 UserInput"
	Recordings   int       `json:"recordings"`
}

type pastCall struct {
	store.Call
	Ring   float64 `json:"ring_seconds"`
	Talk   float64 `json:"talk_seconds"`
	Events string  `json:"events"`

	Script     string `json:"script"`
	Problem    string `json:"problem"`    // the first error, "" = none
	Recordings int    `json:"recordings"` // how many; /v1/calls/{id} lists them

	// The durations of store.Call are nanoseconds to JSON.
	NoRing any `json:"ring,omitempty"`
	NoTalk any `json:"talk,omitempty"`
}

// ServeHTTP implements http.Handler.
func (h *Calls) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q, detail := callQuery(r)
	if detail != "" {
		(&problem{Status: http.StatusBadRequest, Detail: detail}).write(w)
		return
	}
	out := struct {
		Live  []liveCall `json:"live"`
		Past  []pastCall `json:"past"`
		Total int        `json:"past_total"`
		Page  int        `json:"page"`
		Rows  int        `json:"rows"`
	}{Live: []liveCall{}, Past: []pastCall{}, Page: q.Page, Rows: q.Rows}
	if h.Live != nil {
		for _, c := range h.Live() {
			var d Doing
			if h.Doing != nil {
				d = h.Doing(c.ID)
			}
			out.Live = append(out.Live, liveCall{c.ID, c.Source, c.CallerID, c.Destination, c.CallerDialed, c.CalleeDialed,
				c.Started, c.Ring.Seconds(), c.Talk.Seconds(), c.State, eventsPath(c.ID), d.Script, d.At, d.Recordings})
		}
	}
	if h.History != nil {
		page, total, err := h.History.Calls(r.Context(), q)
		if err != nil {
			(&problem{Status: http.StatusServiceUnavailable, Detail: "the history cannot be read: " + err.Error()}).write(w)
			return
		}
		out.Total = total
		for _, c := range page {
			out.Past = append(out.Past, pastCall{
				Call: c, Ring: c.Ring.Seconds(), Talk: c.Talk.Seconds(), Events: eventsPath(c.ID),
				Script: c.Script, Problem: c.Problem, Recordings: len(c.Recordings),
			})
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	json.NewEncoder(w).Encode(out)
}

func eventsPath(id string) string { return "/v1/calls/" + id + "/events" }

// callQuery reads the query, or says what is wrong with it.
func callQuery(r *http.Request) (q store.CallQuery, detail string) {
	v := r.URL.Query()
	q = store.CallQuery{ID: v.Get("id"), From: v.Get("from"), To: v.Get("to"), Dialed: v.Get("dialed"), Extension: v.Get("extension"),
		Direction: v.Get("direction"), State: v.Get("state"), Result: v.Get("result"), General: v.Get("q"), Rows: 20}
	switch v.Get("failed") {
	case "", "false":
	case "true":
		q.Failed = true
	default:
		return q, "failed is true or false"
	}
	for name, n := range map[string]*int{"page": &q.Page, "rows": &q.Rows} {
		if s := v.Get(name); s != "" {
			i, err := strconv.Atoi(s)
			if err != nil || i < 0 || i > 1_000_000 || name == "rows" && (i < 1 || i > 200) {
				return q, name + " is out of range"
			}
			*n = i
		}
	}
	for name, t := range map[string]*time.Time{"since": &q.Since, "until": &q.Until} {
		if s := v.Get(name); s != "" {
			at, err := time.Parse(time.RFC3339, s)
			if err != nil {
				return q, name + " is no time: write 2026-11-22T15:04:05Z"
			}
			*t = at
		}
	}
	return q, ""
}
