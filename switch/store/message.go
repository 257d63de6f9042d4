package store

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"
)

// Folders of messages. Unreported holds text messages whose delivery report has not
// come; nobody's folder.
const (
	Inbox      = "inbox"
	Downloaded = "downloaded"
	Sent       = "sent"
	Unreported = "report"
)

// A Message is a text message in somebody's folder.
type Message struct {
	Owner      string `json:"owner"` // a user of the HTTP API, "" = nobody
	ID         string `json:"id"`    // one for each owner
	Folder     string `json:"folder"`
	Connection string `json:"connection,omitempty"` // that it came by
	From       string `json:"from"`
	To         string `json:"to"`
	Type       string `json:"type"`
	Text       string `json:"text"`

	Sent time.Time `json:"sent,omitzero"`
	Came time.Time `json:"came"` // or when it went

	// Of folder report.
	Remote    string `json:"remote,omitempty"` // the service's id
	Call      string `json:"call,omitempty"`
	Extension string `json:"extension,omitempty"`
	ReportURL string `json:"report_url,omitempty"`
	Operator  bool   `json:"operator,omitempty"`
}

// A MessageQuery says which messages are wanted.
type MessageQuery struct {
	Owner, Folder string
	Remote        string // only of that id; "" = all
	Rows          int    // most; 0 = 20
}

func (q MessageQuery) fits(m *Message) bool {
	return m.Owner == q.Owner && m.Folder == q.Folder && (q.Remote == "" || m.Remote == q.Remote)
}

// Limit gives how many are wanted.
func (q MessageQuery) Limit() int {
	if q.Rows <= 0 {
		return 20
	}
	return q.Rows
}

// PutMessage implements Store.
func (m *Mem) PutMessage(one Message) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.messages[[2]string{one.Owner, one.ID}] = one
	return nil
}

// DropMessage implements Store.
func (m *Mem) DropMessage(owner, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.messages, [2]string{owner, id})
	return nil
}

// Messages implements Store.
func (m *Mem) Messages(_ context.Context, q MessageQuery) (all []Message, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, one := range m.messages {
		if q.fits(&one) {
			all = append(all, one)
		}
	}
	slices.SortFunc(all, func(a, b Message) int { return cmp.Or(a.Came.Compare(b.Came), cmp.Compare(a.ID, b.ID)) })
	return all[:min(q.Limit(), len(all))], nil
}

// SweepMessages implements Store.
func (m *Mem) SweepMessages(folder string, t time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(m.messages, func(_ [2]string, one Message) bool {
		return one.Came.Before(t) && (folder == "" || one.Folder == folder)
	})
	return nil
}
