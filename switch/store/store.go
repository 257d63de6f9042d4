// Package store keeps what must outlive a call and the process: the history of
// calls, the reports that have not reached their web app yet, and where
// telephones are.
//
// It is not the event log (files, switch/eventlog), not the recordings, and it
// knows no SQL: sqlite does. Mem is the reference; storetest states what every
// Store must do and runs against all of them. Start reading at Store.
package store

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"time"
)

var (
	// ErrFull says that a write was not taken because too many wait. The caller
	// keeps the row elsewhere (a call record goes to the call's event log).
	ErrFull = errors.New("store: too many writes wait")
	// ErrNotFound says that there is no such row.
	ErrNotFound = errors.New("store: not found")
	// ErrClosed is returned by writes after the end.
	ErrClosed = errors.New("store: closed")
)

// A Store keeps rows. Writes never wait for a disk: they are taken or refused
// with ErrFull at once, and are on disk within about 50 ms. A read sees every
// write that was taken before it, and may wait for that; so calls write and
// never read. All methods may be used at the same time.
type Store interface {
	// PutCall inserts the record, or replaces the one of the same ID.
	PutCall(c Call) error
	// Call gives one record or ErrNotFound.
	Call(ctx context.Context, id string) (Call, error)
	// Calls gives one page of the records that fit, newest first, and how many
	// fit in all.
	Calls(ctx context.Context, q CallQuery) (page []Call, total int, err error)
	// SweepCalls removes the records of calls that started before t.
	SweepCalls(t time.Time) error

	// PutReport inserts the report, or replaces the one of the same ID.
	PutReport(r Report) error
	// DropReport removes a report; it is no error if there is none.
	DropReport(id string) error
	// Report gives one report or ErrNotFound.
	Report(ctx context.Context, id string) (Report, error)
	// Reports gives all reports without their Payload, by ascending Seq.
	Reports(ctx context.Context) iter.Seq2[Report, error]

	// PutRegistration inserts a row, or replaces the one of the same ID: where a
	// telephone of the extension user is, until when. doc is switch/sip's.
	PutRegistration(id, user string, expires time.Time, doc []byte) error
	// DropRegistration removes a row; it is no error if there is none.
	DropRegistration(id string) error
	// Registrations gives the docs of all rows, in no order.
	Registrations(ctx context.Context) iter.Seq2[[]byte, error]

	// PutText keeps a text message, or replaces the one of the same ID.
	PutText(t Text) error
	// DropText removes one; it is no error if there is none.
	DropText(id string) error
	// Texts gives those that wait for a number, the oldest first, at most n; "" =
	// for all numbers.
	Texts(ctx context.Context, to string, n int) ([]Text, error)
	// SweepTexts removes those that came before t.
	SweepTexts(t time.Time) error

	// PutMessage keeps a message in a folder, or replaces the one of the same
	// Owner and ID.
	PutMessage(m Message) error
	// DropMessage removes one; it is no error if there is none.
	DropMessage(owner, id string) error
	// Messages gives those that fit, the oldest first.
	Messages(ctx context.Context, q MessageQuery) ([]Message, error)
	// SweepMessages removes those that came before t; "" = of all folders.
	SweepMessages(folder string, t time.Time) error

	// PutSetting keeps a document under a name, such as "extension/1001".
	PutSetting(name string, doc []byte) error
	// DropSetting removes one; it is no error if there is none.
	DropSetting(name string) error
	// Settings gives all whose name begins so, by name.
	Settings(ctx context.Context, prefix string) iter.Seq2[Setting, error]
}

// A Text is a text message that waits for its telephone (RFC 3428).
type Text struct {
	ID       string
	From, To string // numbers
	FromName string
	Type     string // Content-Type of Body
	Body     []byte
	Came     time.Time
}

// A Setting is what was changed while the switch ran.
type Setting struct {
	Name string
	Doc  []byte
}

// A Call is one row of the history (pbx-concepts.md C9, http-api.md
// ListCallHistory), written when the call has ended.
type Call struct {
	ID         string `json:"id"`
	Type       string `json:"type"`      // Audio
	Direction  string `json:"direction"` // Internal, Inbound, Outbound, External
	From       string `json:"from"`      // number of the caller: CallerId
	FromName   string `json:"from_name,omitempty"`
	Source     string `json:"source"`      // extension or line that the call came from
	Dialed     string `json:"dialed"`      // as the caller dialled it
	To         string `json:"to"`          // where it went in the end: Destination
	Extension  string `json:"extension"`   // whose script ran, "" = none
	State      string `json:"state"`       // CallerHungUp, CalleeHungUp, TransferCompleted, NotFound ...
	Result     string `json:"result"`      // how it ended, one word of call.Result
	Reason     string `json:"reason"`      // the same in words
	Code       int    `json:"code"`        // SIP status of a call that failed, 0 = none
	SIPCallID  string `json:"sip_call_id"` // to find it in captures
	Peer       string `json:"peer"`        // address of the far end
	UserAgent  string `json:"user_agent,omitempty"`
	Node       string `json:"node,omitempty"` // the node that owned it
	LogPath    string `json:"log,omitempty"`  // its event log below the data folder
	Recordings []File `json:"recordings,omitempty"`
	Script     string `json:"script,omitempty"`  // the document that ran first
	Problem    string `json:"problem,omitempty"` // the first error, "OZ1003 text before the XML"

	Started  time.Time     `json:"started"`
	Answered time.Time     `json:"answered,omitzero"` // zero = never
	Ended    time.Time     `json:"ended"`
	Ring     time.Duration `json:"ring"`
	Talk     time.Duration `json:"talk"`

	Quality Quality `json:"quality"`        // of the first leg
	Legs    []Leg   `json:"legs,omitempty"` // all far ends, oldest first
}

// A File is a recording of a call.
type File struct {
	Path     string        `json:"path"` // below recordings/
	Format   string        `json:"format"`
	Duration time.Duration `json:"duration"`
	Size     int64         `json:"size"`
	Reason   string        `json:"reason"` // why it ended
}

// Quality is how the sound of a call was, as the switch saw it.
type Quality struct {
	Codec    string  `json:"codec,omitempty"`
	Sent     int64   `json:"sent"`      // packets
	Received int64   `json:"received"`  // packets
	Lost     int64   `json:"lost"`      // packets
	JitterMS float64 `json:"jitter_ms"` // RFC 3550 6.4.1
	LateMS   float64 `json:"late_ms"`   // the latest of our own packets

	// By the far end's last report (RTCP); 0 when it sent none.
	RoundTripMS   float64 `json:"round_trip_ms"`
	TheirLost     int64   `json:"their_lost"` // packets of ours
	TheirJitterMS float64 `json:"their_jitter_ms"`

	MOS         float64 `json:"mos"`          // estimated; 0 = nothing came
	HoldSeconds float64 `json:"hold_seconds"` // how long the far end held the call
}

// A CallQuery says which calls are wanted; zero values do not filter. Texts are
// compared whole and in any letter case.
type CallQuery struct {
	ID, From, To, Dialed, Source, Extension string
	Direction, State, Result, Type          string
	General                                 string    // a part of any of the texts
	Failed                                  bool      // only those that did not go well
	Since                                   time.Time // earliest start
	Until                                   time.Time // start before
	Page                                    int       // from 0
	Rows                                    int       // of one page; 0 = 20
	After                                   CallPlace // the page begins after it; the total does not mind
}

// A CallPlace is where a call stands in the list: by its start, then by its ID. The
// zero CallPlace is before all.
type CallPlace struct {
	Started time.Time
	ID      string
}

// Place gives where c stands.
func (c *Call) Place() CallPlace { return CallPlace{c.Started, c.ID} }

// Compare tells which of two stands first: the newest does.
func (p CallPlace) Compare(o CallPlace) int {
	return cmp.Or(o.Started.Compare(p.Started), cmp.Compare(o.ID, p.ID))
}

// Limits gives the first row wanted and how many.
func (q CallQuery) Limits() (first, rows int) {
	rows = q.Rows
	if rows <= 0 {
		rows = 20
	}
	return max(q.Page, 0) * rows, rows
}

// A Column is a text by which calls can be found. All implementations compare
// the folded texts, so that they agree about letter case.
type Column struct{ Name, Value string }

// Filters gives the texts that q asks for, folded.
func (q CallQuery) Filters() []Column {
	c := &Call{ID: q.ID, From: q.From, To: q.To, Dialed: q.Dialed, Source: q.Source, Extension: q.Extension,
		Direction: q.Direction, State: q.State, Result: q.Result, Type: q.Type}
	var f []Column
	for _, col := range c.Columns() {
		if col.Value != "" {
			f = append(f, col)
		}
	}
	return f
}

// Columns gives the texts by which c can be found, folded, always in the same
// order.
func (c *Call) Columns() []Column {
	return []Column{
		{"id", c.ID}, // letter case counts in an id
		{"caller", fold(c.From)},
		{"destination", fold(c.To)},
		{"dialed", fold(c.Dialed)},
		{"source", fold(c.Source)},
		{"extension", fold(c.Extension)},
		{"direction", fold(c.Direction)},
		{"state", fold(c.State)},
		{"result", fold(c.Result)},
		{"type", fold(c.Type)},
	}
}

// SearchText is where General is looked for.
func (c *Call) SearchText() string {
	return fold(strings.Join([]string{c.ID, c.From, c.FromName, c.To, c.Dialed, c.Source, c.Extension,
		c.Direction, c.State, c.Result, c.Reason, c.Script, c.Problem}, "\n"))
}

// GoodResults are the results of calls that ended as somebody wanted; "" stands
// in the history for none.
var GoodResults = []string{"", "script", "caller", "callee", "api", "transferred"}

// WentWell tells whether nothing went wrong with c.
func (c *Call) WentWell() bool {
	return c.Problem == "" && slices.Contains(GoodResults, fold(c.Result))
}

func fold(s string) string { return strings.ToLower(s) }

// GeneralText gives General folded as SearchText is.
func (q CallQuery) GeneralText() string { return fold(q.General) }

// A Report is one row of the outbox: a notification that must arrive (decisions
// 8). switch/queue owns the meaning, switch/notify that of Payload.
type Report struct {
	ID       string
	Lane     string // reports of one lane are delivered in the order of Seq
	Group    string // lanes that share a receiver: scheme and host
	Seq      int64
	Created  time.Time
	Due      time.Time // not before
	Attempts int       // made so far
	Last     string    // how the last one failed
	Payload  []byte
}
