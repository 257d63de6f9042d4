package ozmltest

import "ozswitch/ozml"

// messages notes what a script sends on paper.
type messages struct{ *Call }

// Mail implements ozml.Messages.
func (m messages) Mail(mail ozml.Mail) (string, error) {
	m.did("", "Mail", mail)
	return "m1", nil
}

// SMS implements ozml.Messages.
func (m messages) SMS(sms ozml.SMS) (string, error) {
	m.did("", "SMS", sms)
	return "s1", nil
}
