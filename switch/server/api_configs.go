package server

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"ozswitch/ozml"
	"ozswitch/switch/api"
	"ozswitch/switch/extension"
	"ozswitch/switch/splice"
)

// configs is what a user of the HTTP API may do about configs.
func (s *Server) configs(u api.User) ozml.Configs {
	if !u.Admin {
		return nil
	}
	return configs{s}
}

// configs are the extensions of the running switch.
type configs struct{ s *Server }

// typed gives the type that a configuration is for, and puts the type's own word
// into it.
func typed(command string, x *ozml.ExtensionConfig) (extension.Type, error) {
	t, ok := extension.TypeOf(x.Type)
	if !ok {
		return "", &ozml.ParamError{Command: command, Param: "ExtensionType", Why: "ListExtensionTypes lists the types"}
	}
	x.Type = t.Config()
	if known, ok := extension.TypeOf(x.KnownType); x.KnownType != "" && (!ok || known != t) {
		return "", ozml.BadConfig(x.Type, "knownType is %q: want %q", x.KnownType, t.Info())
	}
	return t, nil
}

// find gives an extension as it runs; its Password is blank.
func (c configs) find(id string) (Extension, bool) {
	all := c.s.state.Load().cfg.Extensions
	if i := slices.IndexFunc(all, func(e Extension) bool { return e.Number == id }); i >= 0 {
		return all[i], true
	}
	return Extension{}, false
}

// AddConfig implements ozml.Configs.
func (c configs) AddConfig(x *ozml.ExtensionConfig) error {
	t, err := typed("AddConfig", x)
	if err != nil {
		return err
	}
	items, err := vendorNames(x)
	if err != nil {
		return err
	}
	keys, err := keysOf(x.Type, reflect.TypeFor[Extension](), items, nil)
	if err != nil {
		return err
	}
	parts := []string{"number: " + splice.Quote(x.ID), "type: " + string(t)}
	var group string // the key that holds those of inner
	var inner []string
	flush := func() {
		if group != "" {
			parts = append(parts, group+": {"+strings.Join(inner, ", ")+"}")
		}
		group, inner = "", nil
	}
	for _, k := range keys {
		switch {
		case k.value == "":
		case k.value == unchangedSecret:
			return ozml.BadConfig(x.Type, "%s: *** stands for a secret that is there already", strings.Join(k.path, "."))
		case len(k.path) == 1:
			flush()
			parts = append(parts, k.path[0]+": "+k.value)
		default:
			if k.path[0] != group {
				flush()
			}
			group, inner = k.path[0], append(inner, k.path[1]+": "+k.value)
		}
	}
	flush()
	return c.failure(x.Type, c.s.change(edit{number: x.ID, make: "{" + strings.Join(parts, ", ") + "}"}))
}

// ModifyConfig implements ozml.Configs.
func (c configs) ModifyConfig(x *ozml.ExtensionConfig) error {
	t, err := typed("ModifyConfig", x)
	if err != nil {
		return err
	}
	items, err := vendorNames(x)
	if err != nil {
		return err
	}
	switch was, ok := c.find(x.ID); {
	case !ok:
		return ozml.BadConfig(x.Type, "there is no extension %s", x.ID)
	case was.Type != string(t):
		return ozml.BadConfig(x.Type, "extension %s is of type %s, which cannot be changed", x.ID, extension.Type(was.Type).Config())
	}
	keys, err := keysOf(x.Type, reflect.TypeFor[Extension](), items, nil)
	if err != nil {
		return err
	}
	keys = slices.DeleteFunc(keys, func(k setKey) bool {
		return k.value == unchangedSecret || k.value == "" && len(k.path) == 1 && k.path[0] == "password"
	})
	return c.failure(x.Type, c.s.change(edit{number: x.ID, set: keys}))
}

// RemoveConfig implements ozml.Configs.
func (c configs) RemoveConfig(id string) error {
	e, ok := c.find(id)
	if !ok {
		return &ozml.ConfigError{What: ozml.ErrNoConfig, Of: id}
	}
	return c.failure(extension.Type(e.Type).Config(), c.s.change(edit{number: id, remove: true}))
}

// failure says what became of an edit in the words of the API.
func (c configs) failure(kind string, err error) error {
	if bad, ok := errors.AsType[*invalidError](err); ok {
		return &ozml.ConfigError{What: ozml.ErrBadConfig, Of: kind, Why: bad.why}
	}
	switch {
	case errors.Is(err, errExtension):
		return &ozml.ConfigError{What: ozml.ErrConfigExists, Of: kind}
	case errors.Is(err, errNoExtension): // it went meanwhile
		return &ozml.ConfigError{What: ozml.ErrNoConfig, Of: kind}
	}
	return err
}

// vendorNames turns the elements that the vendor's ConfigXML has into keys of the
// configuration.
func vendorNames(x *ozml.ExtensionConfig) (items []ozml.ConfigItem, err error) {
	for _, it := range x.Items {
		switch name := plainName(it.Name); {
		case name == "userid":
			it.Name = "owner"
		case name == "number", name == "id":
			return nil, ozml.BadConfig(x.Type, "<%s>: the number stands in <ID>, once", it.Name)
		case name == "type":
			return nil, ozml.BadConfig(x.Type, "<%s>: the type stands in the parameter ExtensionType", it.Name)
		case x.Type == "SIP" && (name == "lastipaddress" || name == "useragentname"):
			continue // GetConfig tells them
		case x.Type == "SIP" && (name == "authorizationname" || name == "username"):
			if it.Value != x.ID {
				return nil, ozml.BadConfig(x.Type, "<%s> must be the ID here, %s: a telephone logs in with its number", it.Name, x.ID)
			}
			continue
		}
		items = append(items, it)
	}
	return items, nil
}

// plainName is a name without its letter case and _.
func plainName(s string) string { return strings.ToLower(strings.ReplaceAll(s, "_", "")) }

// unchangedSecret is what keysOf gives for a secret that GetConfig has blanked.
const unchangedSecret = stars

// keysOf turns elements into keys of a type, the values as YAML; an empty element
// is an empty value.
func keysOf(kind string, t reflect.Type, items []ozml.ConfigItem, above []string) (keys []setKey, err error) {
	for _, it := range items {
		f, key, err := keyOf(kind, t, it.Name)
		if err != nil {
			return nil, err
		}
		path := append(slices.Clone(above), key)
		if f.Type.Kind() == reflect.Struct && f.Type != reflect.TypeFor[Names]() {
			if it.Value != "" {
				return nil, ozml.BadConfig(kind, "<%s> holds elements, no text", it.Name)
			}
			inner, err := keysOf(kind, f.Type, it.Items, path)
			if err != nil {
				return nil, err
			}
			if len(it.Items) == 0 {
				inner = []setKey{{path, ""}}
			}
			keys = append(keys, inner...)
			continue
		}
		if len(it.Items) > 0 {
			return nil, ozml.BadConfig(kind, "<%s> holds text, no elements", it.Name)
		}
		value, err := valueOf(kind, f.Type, key, it.Value)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(keys, func(k setKey) bool { return slices.Equal(k.path, path) })
		switch list := f.Type.Kind() == reflect.Slice; {
		case list && value == "": // no members
		case list && i < 0:
			value = "[" + value + "]"
		case list:
			keys[i].value = strings.TrimSuffix(keys[i].value, "]") + ", " + value + "]"
			continue
		case i >= 0:
			return nil, ozml.BadConfig(kind, "<%s> stands there twice", it.Name)
		}
		keys = append(keys, setKey{path, value})
	}
	return keys, nil
}

// keyOf finds the field that an element is for.
func keyOf(kind string, t reflect.Type, name string) (reflect.StructField, string, error) {
	var names []string
	for f := range t.Fields() {
		key := f.Tag.Get("yaml")
		if plainName(key) == plainName(name) {
			return f, key, nil
		}
		names = append(names, key)
	}
	hint := ""
	if near := nearest(strings.ToLower(name), names); near != "" {
		hint = "; did you mean <" + near + ">?"
	}
	return reflect.StructField{}, "", ozml.BadConfig(kind, "<%s> is no key of the configuration%s", name, hint)
}

// valueOf writes a value as YAML.
func valueOf(kind string, t reflect.Type, key, v string) (string, error) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case v == "":
		return "", nil
	case t == reflect.TypeFor[Secret]():
		if v == stars {
			return unchangedSecret, nil
		}
		if strings.HasPrefix(v, "file:") || strings.HasPrefix(v, "env:") {
			return "", ozml.BadConfig(kind, "%s: a secret given here cannot begin with file: or env:", key)
		}
	case t.Kind() == reflect.Bool:
		v = strings.ToLower(v)
		if v != "true" && v != "false" {
			return "", ozml.BadConfig(kind, "%s: want true or false", key)
		}
		if key == "enabled" && v == "true" {
			return "", nil
		}
		return v, nil
	case t.Kind() == reflect.Int:
		if _, err := strconv.ParseUint(v, 10, 31); err != nil {
			return "", ozml.BadConfig(kind, "%s: want a whole number", key)
		}
		return v, nil
	case t == reflect.TypeFor[Duration]():
		if _, err := ParseDuration(v); err != nil {
			return "", ozml.BadConfig(kind, "%s: %v", key, err)
		}
	}
	return splice.Quote(v), nil
}

// Config implements ozml.Configs.
func (c configs) Config(id string) (*ozml.ExtensionConfig, error) {
	e, ok := c.find(id)
	if !ok {
		return nil, &ozml.ConfigError{What: ozml.ErrNoConfig, Of: id}
	}
	t := extension.Type(e.Type)
	x := &ozml.ExtensionConfig{Type: t.Config(), KnownType: t.Info(), ID: id}
	put := func(name, value string) { x.Items = append(x.Items, ozml.ConfigItem{Name: name, Value: value}) }
	enabled := strconv.FormatBool(e.enabled())
	if t == extension.Phone {
		var address, agent string
		if at := c.s.sip.Bindings(id); len(at) > 0 { // the latest first
			t := strings.ToLower(at[0].Transport)
			address, agent = fmt.Sprintf("%s (%s)", at[0].Source, strings.ToUpper(t[:1])+t[1:]), at[0].UserAgent
		}
		password := stars
		if e.Contact != "" {
			password = ""
		}
		put("AuthorizationName", id)
		put("Password", password)
		put("Username", id)
		put("LastIPAddress", address)
		put("UserAgentName", agent)
		put("Enabled", enabled)
		put("ID", id)
		put("UserID", c.owner(e))
		e.Owner = ""
	} else {
		put("ID", id)
		put("Enabled", enabled)
		if e.Owner != "" {
			put("UserID", e.Owner)
			e.Owner = ""
		}
	}
	plain := Config{Extensions: []Extension{{Number: id, Type: e.Type}}}
	plain.Fill()
	plain.Extensions[0].Enabled = e.Enabled
	x.Items = append(x.Items, itemsOf(reflect.ValueOf(e), reflect.ValueOf(plain.Extensions[0]))...)
	return x, nil
}

// owner is whose phone an extension is.
func (c configs) owner(e Extension) string {
	for _, u := range c.s.state.Load().users {
		if u.Phone == e.Number {
			return u.Name
		}
	}
	return e.Owner
}

// itemsOf gives what v has other than plain, secrets blanked.
func itemsOf(v, plain reflect.Value) (items []ozml.ConfigItem) {
	for f, fv := range v.Fields() {
		key, pv := f.Tag.Get("yaml"), plain.FieldByIndex(f.Index)
		if key == "" || reflect.DeepEqual(fv.Interface(), pv.Interface()) {
			continue
		}
		it := ozml.ConfigItem{Name: key}
		switch x := fv.Interface().(type) {
		case Duration:
			it.Value = x.short()
		case Secret:
			it.Value = x.String()
		case *bool:
			it.Value = strconv.FormatBool(*x)
		case []string:
			for _, one := range x {
				items = append(items, ozml.ConfigItem{Name: key, Value: one})
			}
			continue
		default:
			if fv.Kind() == reflect.Struct {
				it.Items = itemsOf(fv, pv)
				break
			}
			it.Value = fmt.Sprint(x)
		}
		items = append(items, it)
	}
	return items
}
