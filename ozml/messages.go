package ozml

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Messages sends and receives what is not sound: mail, text messages, messages
// between connections, the inbox. The live one is the server's, the one on paper
// ozmltest's.
//
// Nothing but Await waits for anybody outside. The errors are a *MessageError,
// which has a code of the HTTP API, a *ParamError, or a *Fault.
type Messages interface {
	// Mail takes m for sending and returns at once with its id.
	Mail(m Mail) (id string, err error)
	// SMS takes m for sending and returns at once with its id.
	SMS(m SMS) (id string, err error)
	// Send puts m into a connection and returns at once.
	Send(m Message) error
	// Await gives the next message to an extension, the oldest that a is good for
	// of those that came since the call began and nobody took. It waits at most
	// a.Timeout: then ErrNoMessage; context.Cause(ctx) when ctx ends.
	Await(ctx context.Context, a Await) (Received, error)
	// Inbox gives messages of a folder, the oldest first, and does with them what
	// q says.
	Inbox(ctx context.Context, q InboxQuery) ([]Received, error)
}

// A Sender is on whose behalf a message is sent.
type Sender struct {
	Call      string // id of the call that asks for it, "" = none
	Extension string // an API or script extension; "" = Own if it is one, else the first that there is
	Own       string // that of the call, or of what the script is an answer to; "" = none
	At        Place  // the command
}

// A Mail is what SendEmail sends.
type Mail struct {
	Sender
	To          []string // addresses, each "a@example.org" or "Ann <a@example.org>"
	From        string   // "" = the provider's
	Subject     string
	Text        string
	Attachments []string // paths below the folders of scripts (decisions 10)
}

// An SMS is what SendSms sends.
type SMS struct {
	Sender
	To, From  string // numbers; From "" = the service's
	Text      string
	ReportURL string // gets SMSDeliveryReport, "" = none
}

// A Message is what SendMsg sends.
type Message struct {
	Sender
	Connection string // where to: a number, sms, mail, the name of a user
	Address    string // for sms and mail: the addressee
	Text       string
}

// An Await says which message is waited for.
type Await struct {
	Call      string    // id of the call
	Extension string    // to which the message is
	Since     time.Time // no older ones
	From      string    // connection, or number, that it comes from; "" = any
	Timeout   time.Duration
}

// ErrNoMessage is returned by Messages.Await when the time is up.
var ErrNoMessage = errors.New("ozml: no message came")

// An InboxQuery says which messages are wanted.
type InboxQuery struct {
	Folder string // inbox, downloaded or sent
	Most   int
	After  string // delete, mark or leave
}

// A Received is a message that came, or of folder sent one that went.
type Received struct {
	ID         string
	Connection string // that it came by: a number, sms, the name of a user
	From, To   string
	Type       string // SMS:TEXT
	Text       string
	Sent, Came time.Time // Sent zero = not known
	Error      string    // in the Reply of SendMessage: why it was not taken
}

// String gives the message in one line.
func (r Received) String() string {
	s := strings.Join(strings.Fields(r.ID+" "+r.Connection+" "+r.From+" to "+r.To+" "+r.Type), " ") + fmt.Sprintf(" %q", r.Text)
	if !r.Came.IsZero() {
		s += " " + r.Came.Format(time.DateTime)
	}
	if r.Error != "" {
		s += " not sent: " + r.Error
	}
	return s
}

// Replies of the commands about messages.
type (
	// MailTaken is the Reply of SendEmail.
	MailTaken struct{ ID string }
	// SMSTaken is the Reply of SendSms.
	SMSTaken struct{ ID string }
	// SMSesTaken is the Reply of SendMessage.
	SMSesTaken struct {
		All      []Received // at most MaxResponse of them
		Continue string     // ContinueUrl, "" = none
	}
	// Inbox is the Reply of ReceiveMessage.
	Inbox struct {
		Format string // xml, html or json
		All    []Received
	}
)

// The codes of messages.
const (
	CodeNoRoute     = "OZ1341"
	CodeNotSent     = "OZ1342"
	CodeNoExtension = "OZ1343"
	CodeNoMessage   = "OZ1344"
)

// A MessageError is why a message was not taken, with its code of the HTTP API.
type MessageError struct {
	*Fault
	API  int // 401 or 501
	Args []string
}

// Unwrap gives the Fault.
func (e *MessageError) Unwrap() error { return e.Fault }

// APICode is for the HTTP API.
func (e *MessageError) APICode() (code int, args []string) { return e.API, e.Args }

// NoRoute says that a message leads nowhere: code 501.
func NoRoute(why, hint string) error {
	return &MessageError{Fault: &Fault{Code: CodeNoRoute, Msg: "Destination of the SMS is not found: " + why, Hint: hint}, API: 501}
}

// NoExtension says that an extension cannot send: code 401.
func NoExtension(number string) error {
	msg := fmt.Sprintf("API extension '%s' unavailable, please check configuration or permissions", number)
	return &MessageError{Fault: &Fault{Code: CodeNoExtension, Msg: msg}, API: 401, Args: []string{number}}
}

// messageCodes says what the manual says about each.
func messageCodes() []CodeDoc {
	return []CodeDoc{
		{Code: CodeNoRoute, Title: "no way for a message", Cause: "There is no mail server or SMS service in the configuration, its sms.send does not allow the number, or SendMsg names a connection that does not exist. Over HTTP this is code 501.", Cure: "Set `mail:` or `sms:`; see the message for which.", Refused: true},
		{Code: CodeNotSent, Title: "a message was not sent", Cause: "The mail server or SMS service cannot be reached or refused the message. What can become better is tried again for a day, and each attempt is an event; the reason is in the words of the other side.", Cure: "The message says what to correct; `ozswitch doctor` looks at both connections.", Refused: true},
		{Code: CodeNoExtension, Title: "no such API extension", Cause: "ApiExtension names an extension that does not exist, or is neither of type api nor script. Over HTTP this is code 401.", Cure: "Correct the number, or leave ApiExtension away.", Refused: true},
		{Code: CodeNoMessage, Title: "no message came", Cause: "WaitForMsg waited for its Timeout in vain. The variable is empty, and the script goes on.", Cure: "Nothing, if that may be; else wait longer."},
	}
}
