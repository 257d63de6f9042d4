package command

import "ozswitch/ozml"

// Parameters that several commands share.

const others = ozml.ThirdParty | ozml.API

// callID declares which call the command is about.
func callID(p *ozml.Params, v *string) {
	p.String(v, "CallId", "id of the call; in an answer to a notification that of the notification where absent", ozml.Only(others), ozml.MustIn(ozml.API))
}

// party declares who hears it.
func party(p *ozml.Params, v *ozml.Party) {
	p.Party(v, "Party", "who hears it", ozml.Only(others), ozml.Default(string(ozml.All)))
}
