package command

import (
	"context"

	"ozswitch/ozml"
)

// AddConfig makes an extension.
func AddConfig() *ozml.Command {
	return &ozml.Command{
		Name:  "AddConfig",
		Title: "make an extension",
		Doc: "The extension exists from the answer on: a telephone can register with it at once. It is written into the configuration file, whose comments, order and other lines stay as they are; " +
			"`dev` and `demo` have no file, and forget it when they end.\n\n" + configXML,
		Notes: append([]string{
			"Code 703: there is an extension with that ID. Code 702: ConfigXML cannot be read, or the configuration with it would be refused; nothing has changed then, and the element `<Detail>`, which is ours, says why.",
			"Words of the configuration file (`phone`, `ringgroup`) are taken as ExtensionType, too; one that is unknown is code 302. Of type SIP, AuthorizationName, Username and ID must be the same: a telephone logs in with its number. UserID is kept as `owner` and means nothing else. Only ID and Password must be there.",
		}, configNotes...),
		Example: `command=AddConfig&ExtensionType=SIP&ConfigXML=<Config knownType="SIPExtensionInfo"><AuthorizationName>1005</AuthorizationName><Password>eoT7-kw2</Password><Username>1005</Username><Enabled>true</Enabled><ID>1005</ID><UserID>ann</UserID></Config>`,
		In:      ozml.API,
		NoCall:  true,
		Admin:   true,
		New: func(p *ozml.Params) ozml.Action {
			var c addConfig
			c.declare(p)
			return &c
		},
	}
}

// configXML says how a configuration is written.
const configXML = "ConfigXML is `<Config knownType=\"SIPExtensionInfo\">` with the elements AuthorizationName, Password, Username, Enabled, ID and UserID. " +
	"Every other key that `extensions:` has in the configuration may stand there too, under its name (`<name>Ann</name>`, `<forward><busy>1002</busy></forward>`), and a key with several values once for each (`<members>1001</members><members>1002</members>`). " +
	"The types other than SIP (ListExtensionTypes lists them) have these keys only, with ID for the number and Enabled; the attribute knownType may be left out."

var configNotes = []string{
	"Letter case and `_` in names do not count: `RingTime` is `ring_time`. ConfigXML may be XML, or XML that was escaped once more (`&lt;Config&gt;`), as samples of the vendor send it.",
	"A secret given here cannot begin with `file:` or `env:`, which name secrets in the configuration file.",
	"The file is refused (code 300) if it has been changed by somebody else since the switch read it: reload it first (SIGHUP).",
}

// config are the parameters of AddConfig and ModifyConfig.
type config struct{ kind, xml string }

func (c *config) declare(p *ozml.Params) {
	p.String(&c.kind, "ExtensionType", "the type of the extension, a word of ListExtensionTypes", ozml.Required)
	p.String(&c.xml, "ConfigXML", "its configuration, XML", ozml.Required)
}

// change reads ConfigXML and hands it to what changes the configuration.
func (c *config) change(m *ozml.Machine, do func(ozml.Configs, *ozml.ExtensionConfig) error) error {
	all, err := configs(m)
	if err != nil {
		return err
	}
	doc, err := ozml.ParseConfig(c.kind, c.xml)
	if err != nil {
		return err
	}
	return do(all, doc)
}

// configs are those that may be configured from here.
func configs(m *ozml.Machine) (ozml.Configs, error) {
	if m.Configs == nil {
		return nil, &ozml.Fault{Code: ozml.CodeNotOffered, Msg: "extensions cannot be configured from here"}
	}
	return m.Configs, nil
}

type addConfig struct{ config }

func (c *addConfig) Do(_ context.Context, m *ozml.Machine) error {
	return c.change(m, ozml.Configs.AddConfig)
}
