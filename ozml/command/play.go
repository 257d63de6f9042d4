package command

import (
	"context"

	"ozswitch/ozml"
)

// Play plays a sound file.
func Play() *ozml.Command {
	return &ozml.Command{
		Name:  "Play",
		Title: "play a wav or mp3 file",
		Doc: `A relative path is below media/ of the data folder; a URL is fetched and kept as its caching headers allow. The next command starts when the file was heard. Within InitialCommands a key cuts it short.

With Repeat it plays without end: until Timeout, until a key within InitialCommands, or until the call ends.`,
		Notes:   []string{"A file that is missing or cannot be read is an error event, and the script goes on; over HTTP the code is 302 unless it is a URL.", "Party is `all` where it is absent in third-party control.", "A URL may be 64 MiB long and take 60 s to fetch."},
		Example: `<Response><Play Repeat="true" Timeout="20">music.mp3</Play></Response>`,
		In:      ozml.Extension | ozml.ThirdParty | ozml.API,
		Sounds:  true,
		New: func(p *ozml.Params) ozml.Action {
			var c play
			p.Place(&c.File, "AudioFile", "path below media/, or http(s) URL", ozml.FromBody, ozml.Required)
			p.Bool(&c.Repeat, "Repeat", "play it again and again", ozml.Default("false"))
			p.Seconds(&c.Timeout, "Timeout", "stop after so long; 0 = never", ozml.AtMost(p.Limits().Delay.Seconds()))
			party(p, &c.To)
			callID(p, &c.id)
			return &c
		},
	}
}

type play struct {
	ozml.Prompt
	id string
}

func (c *play) Tell() string { return c.File }

func (c *play) Do(ctx context.Context, m *ozml.Machine) error {
	call, err := m.On(c.id)
	if err != nil {
		return err
	}
	if f, ok := call.(ozml.Finder); ok && m.Setting() == ozml.API {
		if err := f.FindPrompt(c.File); err != nil {
			return m.BadParam("AudioFile", err.Error())
		}
	}
	if err := m.Sounds(call, c.To); err != nil {
		return err
	}
	return m.Result(call, call.Play(ctx, c.Prompt))
}
