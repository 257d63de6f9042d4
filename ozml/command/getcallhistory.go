package command

import "ozswitch/ozml"

// GetCallHistory is ListCallHistory as Ozeki XE knew it.
func GetCallHistory() *ozml.Command {
	return &ozml.Command{
		Name:  "GetCallHistory",
		Title: "list calls that are over, as Ozeki XE did",
		Doc:   "The same as [ListCallHistory](listcallhistory.md) for clients of the older generation: the answer holds `<NumberOfCalls>`, how many calls fit the filters in all, and `<Calls>` with a `<Call>` for each of one page, whose elements are the same.",
		Notes: append(historyNotes(),
			"The public pages give two names and two shapes to the same list; which shape a client gets goes by the name it asks with."),
		Example: `command=GetCallHistory&General=1001&PageNumber=0&RowsPerPage=20`,
		In:      ozml.API,
		NoCall:  true,
		New:     func(p *ozml.Params) ozml.Action { return newHistory(p, true) },
	}
}
