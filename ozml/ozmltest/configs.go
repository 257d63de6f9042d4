package ozmltest

import (
	"slices"

	"ozswitch/ozml"
)

// configs are the extensions that a request has made, on paper.
type configs struct {
	*Call
	all *[]*ozml.ExtensionConfig
}

// Configs are extensions on paper, for who has no call.
func Configs(all ...*ozml.ExtensionConfig) ozml.Configs { return configs{nil, &all} }

func (c configs) asked(verb string, arg any) {
	if c.Call != nil {
		c.did("", verb, arg)
	}
}

func (c configs) find(id string) int {
	return slices.IndexFunc(*c.all, func(e *ozml.ExtensionConfig) bool { return e.ID == id })
}

// Config implements ozml.Configs.
func (c configs) Config(id string) (*ozml.ExtensionConfig, error) {
	if i := c.find(id); i >= 0 {
		return (*c.all)[i], nil
	}
	return nil, &ozml.ConfigError{What: ozml.ErrNoConfig, Of: id}
}

// AddConfig implements ozml.Configs.
func (c configs) AddConfig(e *ozml.ExtensionConfig) error {
	c.asked("AddConfig", *e)
	if c.find(e.ID) >= 0 {
		return &ozml.ConfigError{What: ozml.ErrConfigExists, Of: e.Type}
	}
	*c.all = append(*c.all, e)
	return nil
}

// ModifyConfig implements ozml.Configs.
func (c configs) ModifyConfig(e *ozml.ExtensionConfig) error {
	c.asked("ModifyConfig", *e)
	i := c.find(e.ID)
	if i < 0 || (*c.all)[i].Type != e.Type {
		return ozml.BadConfig(e.Type, "there is no extension %s of type %s", e.ID, e.Type)
	}
	one := *(*c.all)[i]
	for _, it := range e.Items {
		named := func(o ozml.ConfigItem) bool { return o.Name == it.Name }
		one.Items = append(slices.DeleteFunc(slices.Clone(one.Items), named), it)
	}
	(*c.all)[i] = &one
	return nil
}

// RemoveConfig implements ozml.Configs.
func (c configs) RemoveConfig(id string) error {
	c.asked("RemoveConfig", id)
	i := c.find(id)
	if i < 0 {
		return &ozml.ConfigError{What: ozml.ErrNoConfig, Of: id}
	}
	*c.all = slices.Delete(*c.all, i, i+1)
	return nil
}
