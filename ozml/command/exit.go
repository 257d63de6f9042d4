package command

import (
	"context"

	"ozswitch/ozml"
)

// Exit ends the script.
func Exit() *ozml.Command {
	return &ozml.Command{
		Name:    "Exit",
		Title:   "end the script",
		Doc:     "As if its end was reached: the switch waits for a running recording, then hangs up. A script of third-party control just ends.",
		Notes:   []string{"The public pages name the command only. Ours has no parameters and ends the whole script, also from within a UserInput or ForEach."},
		Example: `<Response><Speak>That was all</Speak><Exit/></Response>`,
		In:      ozml.Extension | ozml.ThirdParty,
		NoCall:  true,
		New:     func(p *ozml.Params) ozml.Action { return exit{} },
	}
}

type exit struct{}

func (exit) Ends(ozml.Setting) bool { return true }

func (exit) Do(context.Context, *ozml.Machine) error { return ozml.Stop }
