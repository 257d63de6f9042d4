package command

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"ozswitch/ozml"
)

// Record records the call.
func Record() *ozml.Command {
	return &ozml.Command{
		Name:  "Record",
		Title: "record the call",
		Doc: `Record starts the recording, and the script goes on at once: what follows is recorded too. The recording holds what both parties hear and say.

It ends at the first of: Duration; Inactivity; a key of FinishDigits; the end of the call; a successful transfer; another Record. Then RecordCompleted is posted to FinishedUrl. If its answer holds commands and the call is up, they take over the call: the running command is interrupted and the rest of the script is given up.

At the end of an extension's script the switch waits for a running recording before it hangs up.`,
		Notes: []string{
			"The public pages are unclear whether the script waits for the end of a recording. It does not: only so the vendor's own example (Speak, Record, Delay 60, Hangup) makes sense. A script that holds nothing but Record works all the same, since its end waits for the recording.",
			"The key of FinishDigits does not cut short the command that runs. A UserInput sees it as well.",
			"A second Record ends the first with reason `replaced`.",
			"A format other than mp3 and wav is replaced by mp3 with a warning.",
			"RecordPath is a folder below the recordings; a drive letter and leading slashes are dropped, `..` is refused and the default folder used.",
			"The cap is 4 hours.",
			"Beep takes half a second, and the script waits for it. A key within InitialCommands cuts it short, and then nothing is recorded.",
			"TrimSilence keeps 0.2 seconds before the first sound and after the last. Comfort noise and the noise of a line are silence; the voice of either party and whatever else is loud are not. Of a recording without any sound half a second is kept. Duration and Size of RecordCompleted are those of the trimmed file; the parameters Duration and Inactivity run in real time.",
		},
		Example: `<Response>
  <Speak>Leave a message, end with hash</Speak>
  <Record Format="wav" Duration="90" Inactivity="6" FinishDigits="#" FinishedUrl="http://app.example/rec"/>
</Response>`,
		In: ozml.Extension | ozml.ThirdParty | ozml.API,
		New: func(p *ozml.Params) ozml.Action {
			var c record
			most := ozml.AtMost(p.Limits().Record.Seconds())
			p.String(&c.Format, "Format", "of the file", ozml.OneOf("mp3", "wav"), ozml.Default("mp3"), ozml.Lenient)
			p.URL(&c.FinishedURL, "FinishedUrl", "gets RecordCompleted")
			p.Seconds(&c.Duration, "Duration", "the longest it may be", ozml.Only(ozml.Extension), most)
			p.Seconds(&c.Inactivity, "Inactivity", "ends after so long without voice from the caller; 0 = never", ozml.Only(ozml.Extension), most)
			p.Keys(&c.keys, "FinishDigits", "any of these keys ends it", ozml.Only(ozml.Extension))
			p.String(&c.Path, "RecordPath", "folder below the recordings")
			p.String(&c.channels, "Channels", "1: both parties mixed; 2: the caller left, what he hears right; the extension's `record_channels` where absent", ozml.OneOf("1", "2"), ozml.Ours)
			p.Bool(&c.beep, "Beep", "a tone before the recording begins; it is not in the recording", ozml.Default("false"), ozml.Ours)
			p.Bool(&c.Trim, "TrimSilence", "leave out the silence before the first sound and after the last", ozml.Default("false"), ozml.Ours)
			callID(p, &c.id)
			return &c
		},
	}
}

type record struct {
	ozml.RecordSpec
	keys     ozml.Keys
	channels string
	beep     bool
	id       string
}

func (c *record) Do(ctx context.Context, m *ozml.Machine) error {
	call, err := m.On(c.id)
	if err != nil {
		return err
	}
	if c.Path, err = folder(c.Path); err != nil {
		m.Report(err) // and the default folder is used (decisions 4.4)
	}
	c.FinishDigits, c.At, c.Channels = string(c.keys), m.Place(), channels(c.channels)
	if c.beep {
		if err := call.Beep(ctx); err != nil {
			return m.Result(call, err)
		}
	}
	return m.Result(call, call.StartRecord(ctx, c.RecordSpec))
}

// channels reads the parameter, which is 1, 2 or absent.
func channels(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

// folder makes a RecordPath a path below the recordings.
func folder(path string) (string, error) {
	p := strings.ReplaceAll(strings.TrimSpace(path), `\`, "/")
	if len(p) > 1 && p[1] == ':' {
		p = p[2:]
	}
	var parts []string
	for _, s := range strings.Split(p, "/") {
		switch {
		case s == ".." || strings.ContainsRune(s, 0):
			return "", &ozml.Fault{Code: ozml.CodePath, Msg: "RecordPath leads out of the recordings: " + path, Hint: "the default folder is used", Err: errors.ErrUnsupported}
		case s != "" && s != ".":
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, "/"), nil
}
