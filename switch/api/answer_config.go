package api

import (
	"errors"

	"github.com/beevik/etree"

	"ozswitch/ozml"
)

// A detail is why a command failed, where its message cannot say it: an element
// of ours behind it (http-api.md A3 lets elements follow).
type detail string

// configPayload writes the payload of a command about configs; false = it is
// none. <Config> stands before <Code>, as it does nowhere else (A3).
func configPayload(root *etree.Element, payload any) bool {
	switch p := payload.(type) {
	case *ozml.ExtensionConfig:
		e := etree.NewElement("Config")
		e.CreateAttr("knownType", p.KnownType)
		configItems(e, p.Items)
		root.InsertChildAt(0, e)
	case detail:
		child(root, "Detail", string(p))
	default:
		return false
	}
	return true
}

func configItems(e *etree.Element, items []ozml.ConfigItem) {
	for _, it := range items {
		c := e.CreateElement(it.Name)
		if len(it.Items) > 0 {
			configItems(c, it.Items)
		} else if it.Value != "" {
			c.SetText(it.Value)
		}
	}
}

// configFailure gives the answer to a fault of a configuration.
func configFailure(err error) (answer, bool) {
	ce, ok := errors.AsType[*ozml.ConfigError](err)
	if !ok {
		return answer{}, false
	}
	a := say(codeBadConfig, ce.Of)
	switch ce.What {
	case ozml.ErrNoConfig:
		a = say(codeNoConfig, ce.Of)
	case ozml.ErrConfigExists:
		a = say(codeConfigExists)
	}
	if ce.Why != "" {
		a.payload = detail(ce.Why)
	}
	return a, true
}

// configReply is the answer of GetConfig as /v1 tells it.
type configReply struct {
	Reply
	Config map[string]any `json:"config" doc:"by the names of the legacy answer, in snake case; members is a list, what holds keys an object, all else a text"`
}

func configKeys(items []ozml.ConfigItem) map[string]any {
	out := map[string]any{}
	for _, it := range items {
		name := snake(it.Name)
		switch {
		case len(it.Items) > 0:
			out[name] = configKeys(it.Items)
		case name == "members":
			list, _ := out[name].([]string)
			out[name] = append(list, it.Value)
		default:
			out[name] = it.Value
		}
	}
	return out
}
