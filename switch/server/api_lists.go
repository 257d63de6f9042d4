package server

import (
	"context"

	"ozswitch/ozml"
	"ozswitch/switch/api"
	"ozswitch/switch/extension"
	"ozswitch/switch/store"
)

// lists is what a user of the HTTP API may do about lists.
func (s *Server) lists(u api.User) ozml.Lists { return &lists{s, u} }

type lists struct {
	s *Server
	u api.User
}

// History implements ozml.Lists.
func (l *lists) History(ctx context.Context, q ozml.HistoryQuery) (h ozml.CallHistory, err error) {
	page, total, err := l.s.store.Calls(ctx, store.CallQuery{
		ID: q.CallID, From: q.CallerID, To: q.Destination, Dialed: q.Dialed, Source: q.Source,
		Direction: q.Direction, State: q.State, Type: q.Type, General: q.General, Since: q.From, Page: q.Page, Rows: q.Rows,
	})
	if err != nil {
		return h, err
	}
	h.Total, h.Calls = total, []ozml.PastCall{}
	for _, c := range page {
		h.Calls = append(h.Calls, ozml.PastCall{
			Started: c.Started.Local(), Direction: c.Direction, Source: c.Source, Destination: c.To, State: c.State,
			Dialed: c.Dialed, CallerID: c.From, Type: c.Type, ID: c.ID,
		})
	}
	return h, nil
}

// Extensions implements ozml.Lists.
func (l *lists) Extensions(_ context.Context, kind string) (list ozml.ExtensionList, err error) {
	wanted, known := extension.TypeOf(kind)
	st := l.s.state.Load()
	list.Extensions = []ozml.ExtensionSummary{}
	for _, e := range st.exts.All() {
		if kind != "" && (!known || e.Type != wanted) {
			continue
		}
		x := ozml.ExtensionSummary{ID: e.Number + "@" + st.cfg.SIP.Domain, Number: e.Number, Type: e.Type.Listed(), State: "Connected"}
		if e.Type == extension.Phone && e.Contact == "" && len(l.s.sip.Bindings(e.Number)) == 0 {
			x.State = "Disconnected"
		}
		list.Extensions = append(list.Extensions, x)
	}
	return list, nil
}

// ExtensionTypes implements ozml.Lists.
func (l *lists) ExtensionTypes() ozml.ExtensionTypes {
	return ozml.ExtensionTypes{Types: extension.ConfigWords()}
}
