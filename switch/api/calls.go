package api

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"ozswitch/ozml"
	"ozswitch/switch/store"
)

// A History finds calls that are over; store.Store is one.
type History interface {
	Call(ctx context.Context, id string) (store.Call, error)
	Calls(ctx context.Context, q store.CallQuery) (page []store.Call, total int, err error)
}

// Calls are the calls that are up, and those that are over.
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
	NoRing any `json:"ring,omitempty" hidden:"true"`
	NoTalk any `json:"talk,omitempty" hidden:"true"`
}

// callFilter is the query of GET /v1/calls.
type callFilter struct {
	Page      int       `query:"page" minimum:"0" maximum:"1000000" doc:"of those that are over, from 0; a call that ends meanwhile moves the pages: a cursor does not mind"`
	Rows      int       `query:"rows" minimum:"1" maximum:"200" default:"20" doc:"of one page"`
	Limit     int       `query:"limit" minimum:"1" maximum:"200" doc:"the same as rows"`
	Cursor    string    `query:"cursor" doc:"next_cursor of the page before"`
	Since     time.Time `query:"since" doc:"the earliest start"`
	Until     time.Time `query:"until" doc:"start before"`
	ID        string    `query:"id"`
	From      string    `query:"from"`
	To        string    `query:"to"`
	Dialed    string    `query:"dialed"`
	Extension string    `query:"extension"`
	Direction string    `query:"direction"`
	State     string    `query:"state"`
	Result    string    `query:"result"`
	General   string    `query:"q" doc:"a part of any of these texts"`
	Failed    bool      `query:"failed" doc:"only those that did not go well"`
}

// callList is a page of calls.
type callList struct {
	Live  []liveCall `json:"live" doc:"all that are up, whatever the query"`
	Past  []pastCall `json:"past" doc:"those that are over, the newest first"`
	Total int        `json:"past_total" doc:"how many are over, on all pages"`
	Page  int        `json:"page"`
	Rows  int        `json:"rows"`
	Next  string     `json:"next_cursor,omitempty" doc:"for the page after this; absent on the last"`
}

// getCalls lists the calls that are up and a page of those that are over.
func (v *V1) getCalls(ctx context.Context, in *callFilter) (*one[callList], error) {
	return v.Calls.list(ctx, in)
}

func (h *Calls) list(ctx context.Context, in *callFilter) (*one[callList], error) {
	q := store.CallQuery{ID: in.ID, From: in.From, To: in.To, Dialed: in.Dialed, Extension: in.Extension, Direction: in.Direction,
		State: in.State, Result: in.Result, General: in.General, Failed: in.Failed, Since: in.Since, Until: in.Until,
		Page: in.Page, Rows: cmp.Or(in.Limit, in.Rows)}
	if in.Cursor != "" {
		var ok bool
		if q.After, ok = placeOf(in.Cursor); !ok {
			return nil, badRequest("cursor: this is none of ours: take next_cursor of the page before")
		}
		q.Page = 0
	}
	out := callList{Live: []liveCall{}, Past: []pastCall{}, Page: q.Page, Rows: q.Rows}
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
	if h.History == nil {
		return give(out)
	}
	if q.Page == 0 {
		q.Rows++ // one more tells whether there is a page after this
	}
	page, total, err := h.History.Calls(ctx, q)
	if err != nil {
		return nil, &problem{Status: http.StatusServiceUnavailable, Detail: "the history cannot be read: " + err.Error()}
	}
	out.Total = total
	more := (q.Page+1)*q.Rows < total
	if q.Page == 0 {
		if more = len(page) > out.Rows; more {
			page = page[:out.Rows]
		}
	}
	if more {
		out.Next = cursorOf(page[len(page)-1].Place())
	}
	for _, c := range page {
		out.Past = append(out.Past, pastCall{
			Call: c, Ring: c.Ring.Seconds(), Talk: c.Talk.Seconds(), Events: eventsPath(c.ID),
			Script: c.Script, Problem: c.Problem, Recordings: len(c.Recordings),
		})
	}
	return give(out)
}

func eventsPath(id string) string { return "/v1/calls/" + id + "/events" }
