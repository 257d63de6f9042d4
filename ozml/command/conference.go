package command

import (
	"context"
	"strings"
	"unicode"

	"ozswitch/ozml"
)

// Conference puts the caller into a conference.
func Conference() *ozml.Command {
	return &ozml.Command{
		Name:  "Conference",
		Title: "put the caller into a conference",
		Doc: `All who are in the room hear each other. The script waits until the caller leaves by a key of LeaveKey, and then goes on; at the end of the call it ends as always.

Room is the number of a conference of the configuration, or any name: such a room is there from its first member to its last. In it *1 mutes and unmutes, *2 locks the room, *6 says how many are there.

Afterwards $conferenceresult says how it came: ` + "`left`, `full` or `locked`" + `.`,
		Notes: []string{
			"A room that is full or locked is no error: the script goes on at once, see $conferenceresult.",
			"The PIN of a configured room is not asked: the script decides who comes in. Whoever comes so is no host where the room has an admin_pin.",
			"Tone, Max and Record count for rooms that the configuration does not know; of the rooms it knows, it decides. They are those of whoever opened the room.",
			"A room is recorded to recordings/conference/ and its name; a Record of the call goes on beside, and has what the caller says and hears.",
			"With LeaveKey=\"*\" the keys *1, *2 and *6 are off.",
			"A name has letters, digits and - _ . + only, 64 at most, and does not begin with a dot.",
		},
		Example: `<Response>
  <Speak>You come into the meeting, press hash to leave</Speak>
  <Conference Room="team" Muted="true" Music="hold.wav"/>
  <Speak>Goodbye</Speak>
</Response>`,
		In:     ozml.Extension,
		Sounds: true,
		Ours:   true,
		New: func(p *ozml.Params) ozml.Action {
			var c conference
			tone := true
			p.String(&c.Room, "Room", "number of a configured conference, or any name", ozml.FromBody, ozml.Required)
			p.Bool(&c.Muted, "Muted", "the caller comes in muted; *1 changes it", ozml.Default("false"))
			p.String(&c.Music, "Music", "file below media/ for who is alone; the configuration's where absent")
			p.Int(&c.Max, "Max", "members at once", ozml.Default("50"), ozml.AtMost(1000))
			p.Bool(&tone, "Tone", "two short tones when somebody comes or goes", ozml.Default("true"))
			p.Bool(&c.Record, "Record", "record the room", ozml.Default("false"))
			p.Keys(&c.Leave, "LeaveKey", "any of these keys leaves the room", ozml.Default("#"))
			if c.Room, c.Quiet = strings.TrimSpace(c.Room), !tone; c.Room != "" && !roomName(c.Room) {
				p.Invalid("Room", "want letters, digits and - _ . + only, and no dot at the beginning")
			}
			return &c
		},
	}
}

type conference struct{ ozml.Conference }

// roomName tells whether a name can be that of a room, and of its folder.
func roomName(s string) bool {
	return len(s) <= 64 && s[0] != '.' && strings.IndexFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-_.+", r)
	}) < 0
}

func (c *conference) Tell() string { return c.Room }

// Flow implements ozml.Steerer.
func (c *conference) Flow() ozml.Flow {
	return ozml.Flow{Waits: true, Heard: true, Sets: "conferenceresult"}
}

func (c *conference) Do(ctx context.Context, m *ozml.Machine) error {
	call, ok := m.Call.(ozml.Conferee)
	if !ok {
		return &ozml.Fault{Code: ozml.CodeNotOffered, Msg: "there are no conferences here"}
	}
	r := c.Conference
	r.At = m.Place()
	how, err := call.Confer(ctx, r)
	if err == nil {
		m.Vars().Set("conferenceresult", how)
	}
	return err
}
