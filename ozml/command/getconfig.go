package command

import (
	"context"

	"ozswitch/ozml"
)

// GetConfig shows the configuration of an extension.
func GetConfig() *ozml.Command {
	return &ozml.Command{
		Name:  "GetConfig",
		Title: "show the configuration of an extension",
		Doc: "The answer begins with `<Config>`, before `<Code>`. For a telephone it has AuthorizationName, Password, Username, LastIPAddress (`192.0.2.7:5060 (Udp)`), UserAgentName, Enabled, ID and UserID, then the other keys that are set; " +
			"for another type ID, Enabled and the keys that are set.",
		Notes: []string{
			"Passwords and other secrets are `***`: the switch keeps no password of a telephone that could be shown.",
			"LastIPAddress and UserAgentName are of the telephone that registered last, and empty when none is registered.",
			"UserID is the user of the API or the console whose phone it is, else the extension's `owner`.",
			"Code 701: there is no such extension; the message names the ID.",
		},
		Example: `command=GetConfig&ExtensionId=1005`,
		In:      ozml.API,
		NoCall:  true,
		Admin:   true,
		New: func(p *ozml.Params) ozml.Action {
			var c getConfig
			extensionID(p, &c.id)
			return &c
		},
	}
}

// extensionID declares the number of an extension.
func extensionID(p *ozml.Params, id *string) {
	p.String(id, "ExtensionId", "the number of the extension", ozml.Required)
}

type getConfig struct{ id string }

func (c *getConfig) Do(_ context.Context, m *ozml.Machine) error {
	all, err := configs(m)
	if err != nil {
		return err
	}
	one, err := all.Config(c.id)
	if err != nil {
		return err
	}
	m.Reply(one)
	return nil
}
