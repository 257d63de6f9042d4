package command

import (
	"context"
	"strings"
	"time"

	"ozswitch/ozml"
)

// ListCallHistory lists calls that are over.
func ListCallHistory() *ozml.Command {
	return &ozml.Command{
		Name:  "ListCallHistory",
		Title: "list calls that are over",
		Doc:   "The answer holds `<TotalRecords>`, how many calls fit the filters in all, and `<CallHistory>` with a `<Call>` for each of one page, the newest first: StartTime, Direction, Source, Destination, State, Dialed, CallerId, Type, CallId. How long calls are kept says `retention.calls`.",
		Notes: append(historyNotes(),
			"The older spelling GetCallHistory gives the same calls in elements of other names."),
		Example: `command=ListCallHistory&Direction=Inbound&From=2026-03-02+00:00:00&RowsPerPage=50`,
		In:      ozml.API,
		NoCall:  true,
		New:     func(p *ozml.Params) ozml.Action { return newHistory(p, false) },
	}
}

// historyNotes are the choices of both spellings.
func historyNotes() []string {
	return []string{
		"Filters are compared whole, in any letter case (a CallId exactly); General finds a part of any column, also of the name of the caller, of the script and of the error.",
		"From takes `yyyy-MM-dd HH:mm:ss`, a date alone, or ISO 8601; without a zone it is the switch's, as StartTime is.",
		"RowsPerPage is at most 1000; 0 is the default. A page beyond the last has no calls.",
		"State is how the call ended: CallerHungUp, CalleeHungUp, TransferCompleted, Cancelled, Busy, NoAnswer, NotFound, Rejected, Error. CallerHangUp and CalleeHangUp are taken for CallerHungUp and CalleeHungUp.",
	}
}

type listCallHistory struct {
	q  ozml.HistoryQuery
	xe bool
}

const maxRows = 1000

// pages declares the page that a list is asked for.
func pages(p *ozml.Params, page, rows *int) {
	p.Int(page, "PageNumber", "which page, from 0", ozml.Default("0"))
	p.Int(rows, "RowsPerPage", "how many on a page", ozml.Default("20"), ozml.AtMost(maxRows))
}

func newHistory(p *ozml.Params, xe bool) ozml.Action {
	c := listCallHistory{xe: xe}
	from := ""
	p.String(&c.q.CallerID, "CallerId", "number of the caller")
	p.String(&c.q.CallID, "CallId", "one call")
	p.String(&c.q.Destination, "Destination", "where the call went in the end")
	p.String(&c.q.Dialed, "Dialed", "what the caller dialled")
	p.String(&c.q.Source, "Source", "the extension or line that the call came from")
	p.String(&c.q.Direction, "Direction", "between whom it was", ozml.OneOf("Internal", "External", "Inbound", "Outbound"))
	p.String(&from, "From", "the earliest start")
	p.String(&c.q.State, "State", "how the call ended")
	p.String(&c.q.Type, "Type", "what it carried: Audio")
	p.String(&c.q.General, "General", "a part of any column")
	pages(p, &c.q.Page, &c.q.Rows)
	c.q.State = strings.Replace(c.q.State, "HangUp", "HungUp", 1)
	if from != "" {
		at, ok := instant(from)
		if !ok {
			p.Invalid("From", "want a time such as 2026-03-02 09:15:40")
		}
		c.q.From = at
	}
	return &c
}

// instant reads a time as clients write it; without a zone it is the switch's.
func instant(s string) (time.Time, bool) {
	for _, form := range []string{ozml.Stamp, time.DateOnly, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", time.RFC3339} {
		if at, err := time.ParseInLocation(form, strings.TrimSpace(s), time.Local); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

func (c *listCallHistory) Do(ctx context.Context, m *ozml.Machine) error {
	if m.Lists == nil {
		return noLists()
	}
	h, err := m.Lists.History(ctx, c.q)
	if err != nil {
		return err
	}
	h.XE = c.xe
	m.Reply(h)
	return nil
}

func noLists() error {
	return &ozml.Fault{Code: ozml.CodeNotOffered, Msg: "nothing can be listed from here"}
}
