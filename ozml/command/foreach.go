package command

import (
	"context"

	"ozswitch/ozml"
)

// ForEach runs commands for each item of an array.
func ForEach() *ozml.Command {
	return &ozml.Command{
		Name:  "ForEach",
		Title: "run commands for each item of an array",
		Doc:   "$item is the item, $item.name a field of it. A ForEach inside hides the $item of the outer one; after the loop $item is unknown again.",
		Notes: []string{"An unknown array counts as empty, with a warning.", "The array is read once, at the start."},
		Example: `<Response>
  <Array ID="numbers"><item>1001</item><item>1002</item></Array>
  <ForEach Source="numbers"><Speak>$item</Speak><Delay>1</Delay></ForEach>
</Response>`,
		In:     ozml.Extension | ozml.ThirdParty,
		NoCall: true,
		New: func(p *ozml.Params) ozml.Action {
			var c forEach
			p.Name(&c.source, "Source", "ID of the array", ozml.Required)
			p.Commands(&c.body, "what to do for each item")
			return &c
		},
	}
}

type forEach struct {
	source string
	body   ozml.Block
}

func (c *forEach) Do(ctx context.Context, m *ozml.Machine) error {
	items, ok := m.Vars().Array(c.source)
	if !ok {
		m.Warn(ozml.CodeUnknownArray, "unknown array "+c.source, "make it with Array before")
	}
	for _, i := range items {
		if err := c.turn(ctx, m, i); err != nil {
			return err
		}
	}
	return nil
}

func (c *forEach) turn(ctx context.Context, m *ozml.Machine, i ozml.Item) error {
	m.Vars().Push(i)
	defer m.Vars().Pop()
	if err := m.Charge(); err != nil {
		return err
	}
	return m.Do(ctx, c.body)
}
