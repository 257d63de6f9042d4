package command

import (
	"context"

	"ozswitch/ozml"
)

// RemoveConfig removes an extension.
func RemoveConfig() *ozml.Command {
	return &ozml.Command{
		Name:  "RemoveConfig",
		Title: "remove an extension",
		Doc:   "Nobody reaches it from the answer on, and its telephone cannot log in any more; calls that are up go on. Its lines in the configuration file go, with the comments on them; all others stay as they are.",
		Notes: []string{
			"Code 701: there is no such extension; the message names the ID.",
			"Code 702: the dial plan, a user or another extension names it, so the configuration without it would be refused; the element `<Detail>`, which is ours, says which. Nothing has changed then.",
			configNotes[2],
		},
		Example: `command=RemoveConfig&ExtensionId=1005`,
		In:      ozml.API,
		NoCall:  true,
		Admin:   true,
		New: func(p *ozml.Params) ozml.Action {
			var c removeConfig
			extensionID(p, &c.id)
			return &c
		},
	}
}

type removeConfig struct{ id string }

func (c *removeConfig) Do(_ context.Context, m *ozml.Machine) error {
	all, err := configs(m)
	if err != nil {
		return err
	}
	return all.RemoveConfig(c.id)
}
