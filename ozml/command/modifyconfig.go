package command

import (
	"context"

	"ozswitch/ozml"
)

// ModifyConfig changes an extension.
func ModifyConfig() *ozml.Command {
	return &ozml.Command{
		Name:  "ModifyConfig",
		Title: "change an extension",
		Doc: "What ConfigXML has is changed, everything else about the extension stays as it is; an empty element takes a key away. The extension is the one of `<ID>`, which itself cannot be changed, nor can its type. " +
			"The change counts at once: with another password a telephone must log in anew, with Enabled false it cannot. Calls that are up go on.\n\n" + configXML,
		Notes: append([]string{
			"Code 702: there is no such extension, it has another type, ConfigXML cannot be read, or the configuration with it would be refused; nothing has changed then, and the element `<Detail>`, which is ours, says why.",
			"A secret of `***`, as GetConfig shows it, or an empty Password stays what it was, so the answer of GetConfig can be edited and sent back.",
		}, configNotes...),
		Example: `command=ModifyConfig&ExtensionType=SIP&ConfigXML=<Config knownType="SIPExtensionInfo"><ID>1005</ID><Enabled>false</Enabled></Config>`,
		In:      ozml.API,
		NoCall:  true,
		Admin:   true,
		New: func(p *ozml.Params) ozml.Action {
			var c modifyConfig
			c.declare(p)
			return &c
		},
	}
}

type modifyConfig struct{ config }

func (c *modifyConfig) Do(_ context.Context, m *ozml.Machine) error {
	return c.change(m, ozml.Configs.ModifyConfig)
}
