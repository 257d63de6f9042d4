package api

import (
	"context"
	"slices"

	"ozswitch/ozml"
)

// A Word is an element of the language, for completion and hover.
type Word struct {
	Name     string      `json:"name"`
	Aliases  []string    `json:"aliases"`
	Summary  string      `json:"summary"`
	Doc      string      `json:"doc"` // Markdown
	Example  string      `json:"example"`
	Params   []WordParam `json:"params"`
	Children []string    `json:"children"` // what may stand inside
	Parents  []string    `json:"parents"`  // none = wherever commands may
}

// A WordParam is an attribute.
type WordParam struct {
	Name     string   `json:"name"`
	Aliases  []string `json:"aliases"`
	Kind     string   `json:"kind"`
	Default  string   `json:"default"`
	Values   []string `json:"values"`
	Required bool     `json:"required"`
	Body     bool     `json:"body"` // may stand between the tags instead
	Doc      string   `json:"doc"`
}

// getCommands lists the elements of the language: its commands, and those that
// stand only inside them.
func (v *V1) getCommands(context.Context, *nothing) (*one[[]Word], error) {
	var words []Word
	var commands []string
	for _, c := range v.Table.Commands() {
		if c.In&^ozml.API != 0 {
			commands = append(commands, c.Name)
		}
	}
	for _, c := range v.Table.Commands() {
		if c.In&^ozml.API == 0 {
			continue // no command of a script
		}
		w := Word{Name: c.Name, Aliases: list(c.Also), Summary: c.Title, Doc: c.Doc, Example: c.Example, Parents: []string{}}
		words = inside(append(words, w), len(words), c.Params(), commands)
	}
	return give(append(words, Word{
		Name: "Response", Aliases: []string{"OzML"}, Summary: "the root of a script", Params: []WordParam{}, Children: commands, Parents: []string{},
	}))
}

// inside fills the word at index at, and appends the elements that stand in it.
func inside(words []Word, at int, ps []ozml.Param, commands []string) []Word {
	params, kids := []WordParam{}, []string{}
	for _, p := range ps {
		switch p.Kind {
		case "commands":
			if p.Name == "" {
				kids = append(kids, commands...)
				continue
			}
			kids = append(kids, p.Name)
			words = append(words, Word{Name: p.Name, Aliases: []string{}, Summary: p.Usage, Params: []WordParam{}, Children: commands, Parents: []string{words[at].Name}})
		case "elements":
			kids = append(kids, p.Name)
			words = append(words, Word{Name: p.Name, Aliases: []string{}, Summary: p.Usage, Parents: []string{words[at].Name}})
			words = inside(words, len(words)-1, p.Inside, commands)
		case "fields":
		default:
			one := WordParam{p.Name, list(p.Also), p.Kind, p.Default, list(p.Values), p.Required, p.Body, p.Usage}
			if p.Kind == "true or false" {
				one.Values = []string{"true", "false"}
			}
			if p.Name != "" {
				params = append(params, one)
			}
		}
	}
	words[at].Params, words[at].Children = params, kids
	return words
}

// list makes nil an empty list, which JSON shows as one.
func list(s []string) []string { return append([]string{}, slices.Clone(s)...) }
