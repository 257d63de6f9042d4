package command

import (
	"context"

	"ozswitch/ozml"
)

// ListExtensions lists what has a number.
func ListExtensions() *ozml.Command {
	return &ozml.Command{
		Name:  "ListExtensions",
		Title: "list the extensions and whether they are connected",
		Doc:   "The answer holds `<Extensions>` with an `<ExtensionSummary>` for each, in the order of the configuration: Id (`1001@localhost`), PhoneNumber, Type, State (`Connected` or `Disconnected`).",
		Notes: []string{
			"The words of Type are Phone, API extension, IVR extension, Echo test, Ring group, Voicemail, Conference room and Call queue; the filter takes these, those of ListExtensionTypes and those of the configuration, in any letter case. A word that is none of them lists nothing.",
			"A phone is connected while it is registered, or when the configuration names its contact. Everything else runs in the switch and is always connected.",
			"Id and the fields are those of Ozeki 10, not those of XE.",
		},
		Example: `command=ListExtensions&Type=Phone`,
		In:      ozml.API,
		NoCall:  true,
		New: func(p *ozml.Params) ozml.Action {
			var c listExtensions
			p.String(&c.kind, "Type", "only extensions of this type")
			return &c
		},
	}
}

type listExtensions struct{ kind string }

func (c *listExtensions) Do(ctx context.Context, m *ozml.Machine) error {
	if m.Lists == nil {
		return noLists()
	}
	list, err := m.Lists.Extensions(ctx, c.kind)
	if err != nil {
		return err
	}
	m.Reply(list)
	return nil
}
