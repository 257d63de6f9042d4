package command

import (
	"context"

	"ozswitch/ozml"
)

// GoTo goes on with another document.
func GoTo() *ozml.Command {
	return &ozml.Command{
		Name:  "GoTo",
		Title: "go on with the script at a URL",
		Doc: `A GoTo notification is posted to the URL, and the commands of its answer replace the rest of the document and of all blocks around the GoTo. Variables stay. Hand over state in the query of the URL.

If no script can be had, there is an error event and an Error notification, and the script goes on after the GoTo.`,
		Notes:   []string{"There is no way back but another GoTo.", "An SQL text is refused with an error event.", "100 jumps without anything heard and without a key stop the script; at most 10 fetches a second are made."},
		Example: `<Response><GoTo>http://app.example/menu?level=2</GoTo></Response>`,
		In:      ozml.Extension,
		New: func(p *ozml.Params) ozml.Action {
			var c goTo
			p.URL(&c.url, "Url", "where the script is", ozml.FromBody, ozml.Required)
			return &c
		},
	}
}

type goTo struct{ url string }

func (c *goTo) Tell() string { return c.url }

func (c *goTo) Do(ctx context.Context, m *ozml.Machine) error {
	return m.Jump(ctx, ozml.Notification{Name: "GoTo", URL: c.url})
}
