package command

import (
	"context"

	"ozswitch/ozml"
)

// ListExtensionTypes lists the kinds of extensions there can be.
func ListExtensionTypes() *ozml.Command {
	return &ozml.Command{
		Name:    "ListExtensionTypes",
		Title:   "list the types that an extension can have",
		Doc:     "The answer holds `<ExtensionTypes>` with an `<ExtensionType>` for each word that AddConfig and ModifyConfig take for ExtensionType.",
		Notes:   []string{"The public pages do not show the elements of this answer; they are like those of ListExtensions."},
		Example: `command=ListExtensionTypes`,
		In:      ozml.API,
		NoCall:  true,
		New:     func(p *ozml.Params) ozml.Action { return listExtensionTypes{} },
	}
}

type listExtensionTypes struct{}

func (listExtensionTypes) Do(_ context.Context, m *ozml.Machine) error {
	if m.Lists == nil {
		return noLists()
	}
	m.Reply(m.Lists.ExtensionTypes())
	return nil
}
