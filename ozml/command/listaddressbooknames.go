package command

import (
	"context"

	"ozswitch/ozml"
)

// ListAddressbookNames lists the address books.
func ListAddressbookNames() *ozml.Command {
	return &ozml.Command{
		Name:  "ListAddressbookNames",
		Title: "list the names of the address books",
		Doc:   "The answer holds `<AddressbookNames>` with a `<Name>` for each book. The books are those of `addressbooks:` in the configuration, in its order, and then `Extensions`, which the switch keeps itself: everybody who has a phone.",
		Notes: []string{
			"The public pages do not show the elements of this answer.",
			"A book of the configuration that is called Extensions takes the place of the switch's own.",
		},
		Example: `command=ListAddressbookNames`,
		In:      ozml.API,
		NoCall:  true,
		New:     func(p *ozml.Params) ozml.Action { return listAddressbookNames{} },
	}
}

type listAddressbookNames struct{}

func (listAddressbookNames) Do(_ context.Context, m *ozml.Machine) error {
	if m.Lists == nil {
		return noLists()
	}
	m.Reply(m.Lists.Books())
	return nil
}
