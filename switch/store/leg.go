package store

import "time"

// A Leg is one far end of a call: who called, and each telephone or line that
// was rung for it.
type Leg struct {
	ID        string    `json:"id"`
	Party     string    `json:"party"` // caller | callee
	Extension string    `json:"extension,omitempty"`
	Line      string    `json:"line,omitempty"`
	Number    string    `json:"number"`
	Name      string    `json:"name,omitempty"`
	Peer      string    `json:"peer,omitempty"`
	UserAgent string    `json:"user_agent,omitempty"`
	State     string    `json:"state"`          // Completed, Busy, NoAnswer, NotFound, AnsweredElsewhere, Cancelled, Rejected or Error
	Reason    string    `json:"reason"`         // why it ended, in words
	Code      int       `json:"code,omitempty"` // SIP status of one that was not answered
	Started   time.Time `json:"started"`
	Answered  time.Time `json:"answered,omitzero"` // zero = never
	Ended     time.Time `json:"ended,omitzero"`
	Quality   Quality   `json:"quality"`
}
