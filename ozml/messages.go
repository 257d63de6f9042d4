package ozml

// Messages sends and receives what is not sound: mail, text messages, messages
// between connections, the inbox. The live one is the server's, the one on paper
// ozmltest's.
type Messages interface {
	// Mail takes m for sending and returns at once with its id.
	Mail(m Mail) (id string, err error)
	// SMS takes m for sending and returns at once with its id.
	SMS(m SMS) (id string, err error)
}

// A Mail is what SendEmail sends.
type Mail struct {
	Call        string // id of the call that asks for it, "" = none
	Extension   string // on whose behalf, "" = the first API extension
	To          string // addresses, separated by commas or semicolons
	From        string // "" = the provider's
	Subject     string
	Text        string
	Attachments []string // paths below the folders of scripts (decisions 10)
	At          Place    // the command
}

// An SMS is what SendSms sends.
type SMS struct {
	Call      string // id of the call that asks for it, "" = none
	Extension string // on whose behalf, "" = the first API extension
	To, From  string // numbers; From "" = the service's
	Text      string
	ReportURL string // gets SMSDeliveryReport, "" = none
	At        Place  // the command
}
