package command

import (
	"context"

	"ozswitch/ozml"
)

// Array makes a list for ForEach.
func Array() *ozml.Command {
	return &ozml.Command{
		Name:  "Array",
		Title: "make a list for ForEach",
		Doc:   "Each item is a text. It may have fields as well, as attributes or as elements inside: `<item from=\"Ann\"><date>Monday</date></item>` has $item.from and $item.date.",
		Notes: []string{"A second Array of the same ID overwrites the first.", "$names.count is how many items an array has.", "Fields of items that a script makes itself are ours; the public pages show them only in the arrays of voicemail."},
		Example: `<Response>
  <Array ID="names"><item>Ann</item><item>Bob</item></Array>
  <ForEach Source="names"><Speak>Hello $item</Speak></ForEach>
</Response>`,
		In:     ozml.Extension | ozml.ThirdParty,
		NoCall: true,
		New: func(p *ozml.Params) ozml.Action {
			var c array
			p.Name(&c.id, "ID", "the name", ozml.Required)
			p.Each("", "item", "one entry", func(p *ozml.Params) {
				var i ozml.Item
				p.String(&i.Text, "Value", "its text", ozml.FromBody)
				p.Fields(&i.Fields, "its fields")
				c.items = append(c.items, i)
			})
			return &c
		},
	}
}

type array struct {
	id    string
	items []ozml.Item
}

func (c *array) Do(_ context.Context, m *ozml.Machine) error {
	m.Vars().SetArray(c.id, c.items)
	return nil
}
