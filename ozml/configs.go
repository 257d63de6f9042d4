package ozml

import (
	"errors"
	"fmt"
	"strings"

	"ozswitch/ozml/syntax"
)

// Configs is the configuration of extensions as the HTTP API sees and changes
// it. The live one is the server's, for the rights of one user.
type Configs interface {
	// Config gives that of one extension, or ErrNoConfig.
	Config(id string) (*ExtensionConfig, error)
	// AddConfig makes an extension, or says ErrConfigExists.
	AddConfig(c *ExtensionConfig) error
	// ModifyConfig changes the items of c, and leaves the others as they are.
	ModifyConfig(c *ExtensionConfig) error
	// RemoveConfig removes an extension, or says ErrNoConfig.
	RemoveConfig(id string) error
}

// An ExtensionConfig is the configuration of one extension.
type ExtensionConfig struct {
	Type      string // one of the words of ListExtensionTypes
	KnownType string // as ConfigXML calls the type: SIPExtensionInfo; "" = it does not say
	ID        string // its number
	Items     []ConfigItem
}

// A ConfigItem is one value, or what holds several.
type ConfigItem struct {
	Name, Value string
	Items       []ConfigItem
}

// What is wrong with a configuration; errors.Is finds it in a ConfigError.
var (
	ErrNoConfig     = errors.New("ozml: no such configuration")              // 701
	ErrBadConfig    = errors.New("ozml: the configuration is invalid")       // 702
	ErrConfigExists = errors.New("ozml: there is such an extension already") // 703
)

// A ConfigError says why a configuration is not as it was wanted.
type ConfigError struct {
	What error  // ErrNoConfig, ErrBadConfig or ErrConfigExists
	Of   string // the type, or where there is none the ID
	Why  string // in words for its author; "" when What says it all
}

func (e *ConfigError) Unwrap() error { return e.What }

func (e *ConfigError) Error() string {
	if e.Why != "" {
		return e.Why
	}
	return strings.TrimPrefix(e.What.Error(), "ozml: ") + ": " + e.Of
}

// BadConfig is a ConfigError with ErrBadConfig.
func BadConfig(kind, format string, args ...any) error {
	return &ConfigError{What: ErrBadConfig, Of: kind, Why: fmt.Sprintf(format, args...)}
}

// maxConfig bounds what ConfigXML may hold; a queue with a thousand members is
// below it.
var maxConfig = syntax.Limits{Body: 64 << 10, Depth: 6, Elements: 2000, Attributes: 8, Value: 16 << 10}

// ParseConfig reads ConfigXML: a <Config> whose elements are named after the keys
// of the configuration, in any letter case. It may have been escaped once more
// (&lt;Config&gt;), as the clients of the vendor's API send it. The error is a *ConfigError.
func ParseConfig(kind, text string) (*ExtensionConfig, error) {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "&lt;") {
		text = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&quot;", `"`, "&apos;", "'", "&#39;", "'", "&#34;", `"`, "&amp;", "&").Replace(text)
	}
	f, err := syntax.ParseWith(syntax.Options{Name: "ConfigXML", Limits: maxConfig, IsCommand: func(n string) bool { return strings.EqualFold(n, "Config") }}, []byte(text))
	if err != nil {
		return nil, BadConfig(kind, "%s", strings.ReplaceAll(err.Error(), "OzML", "XML"))
	}
	if !f.Lone {
		return nil, BadConfig(kind, "want <Config> as the root of ConfigXML, not <%s>", f.Root.Name)
	}
	e := f.Root.Children[0].(*syntax.Element)
	c := &ExtensionConfig{Type: kind}
	for _, a := range e.Attrs {
		if !strings.EqualFold(a.Name, "knownType") {
			return nil, BadConfig(kind, "<Config> has an attribute %s: want knownType only", a.Name)
		}
		c.KnownType = a.Value
	}
	if c.Items, err = configItems(kind, e); err != nil {
		return nil, err
	}
	for i, it := range c.Items {
		if strings.EqualFold(it.Name, "ID") {
			c.ID, c.Items = it.Value, append(c.Items[:i:i], c.Items[i+1:]...)
			break
		}
	}
	if c.ID == "" {
		return nil, BadConfig(kind, "<ID> is missing: the number of the extension")
	}
	return c, nil
}

func configItems(kind string, e *syntax.Element) (items []ConfigItem, err error) {
	for _, n := range e.Children {
		c, ok := n.(*syntax.Element)
		if !ok {
			return nil, BadConfig(kind, "text beside elements in <%s>", e.Name)
		}
		if len(c.Attrs) > 0 {
			return nil, BadConfig(kind, "<%s> has an attribute: values stand between the tags", c.Name)
		}
		it := ConfigItem{Name: c.Name}
		if len(c.Children) == 1 {
			if t, ok := c.Children[0].(*syntax.Text); ok {
				it.Value = t.Value
				items = append(items, it)
				continue
			}
		}
		if it.Items, err = configItems(kind, c); err != nil {
			return nil, err
		}
		items = append(items, it)
	}
	return items, nil
}
