package command

import (
	"cmp"
	"context"
	"slices"

	"ozswitch/ozml"
)

// ListActiveCalls lists the calls that are up or ringing.
func ListActiveCalls() *ozml.Command {
	return &ozml.Command{
		Name:  "ListActiveCalls",
		Title: "list the calls that are up or ringing",
		Doc:   "The answer holds `<ActiveCalls>` with a `<Call>` for each: CallId, Source, CallerId, Destination, CallerDialed, CalleeDialed, StartTime, RingDuration, TalkDuration, CallState.",
		Notes: []string{
			"The shape is that of Ozeki 10: times `yyyy-MM-dd HH:mm:ss` in the switch's zone, durations in seconds with three decimals.",
			"The oldest call comes first. CallState is Ringing, InCall or Hold: a call whose telephone does not ring yet counts as Ringing, one that is just ending is left out.",
		},
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
	calls := slices.DeleteFunc(m.Calls.Active(), func(c ozml.ActiveCall) bool { return c.State == "Completed" })
	for i := range calls {
		if calls[i].State == "Setup" {
			calls[i].State = "Ringing"
		}
	}
	slices.SortFunc(calls, func(a, b ozml.ActiveCall) int {
		return cmp.Or(a.Started.Compare(b.Started), cmp.Compare(a.ID, b.ID))
	})
	m.Reply(calls)
	return nil
}
