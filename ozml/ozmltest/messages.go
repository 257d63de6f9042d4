package ozmltest

import "ozswitch/ozml"

// messages notes what a script sends on paper.
type messages struct{ *Call }

// Mail implements ozml.Messages.
func (messages) Mail(ozml.Mail) (string, error) { return "m1", nil }

// SMS implements ozml.Messages.
func (messages) SMS(ozml.SMS) (string, error) { return "s1", nil }
