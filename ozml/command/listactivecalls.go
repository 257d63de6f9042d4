package command

import (
	"context"

	"ozswitch/ozml"
)

// ListActiveCalls lists the calls that are up or ringing.
func ListActiveCalls() *ozml.Command {
	return &ozml.Command{
		Name:    "ListActiveCalls",
		Title:   "list the calls that are up or ringing",
		Doc:     "The answer holds `<ActiveCalls>` with a `<Call>` for each: CallId, Source, CallerId, Destination, CallerDialed, CalleeDialed, StartTime, RingDuration, TalkDuration, CallState.",
		Notes:   []string{"The shape is that of Ozeki 10: times `yyyy-MM-dd HH:mm:ss`, durations in seconds with three decimals."},
		Example: `command=ListActiveCalls`,
		In:      ozml.API,
		NoCall:  true,
		New:     func(p *ozml.Params) ozml.Action { return listActiveCalls{} },
	}
}

type listActiveCalls struct{}

func (listActiveCalls) Do(_ context.Context, m *ozml.Machine) error {
	if m.Calls == nil {
		return &ozml.Fault{Code: ozml.CodeNotOffered, Msg: "other calls cannot be seen from here"}
	}
	m.Reply(m.Calls.Active())
	return nil
}
