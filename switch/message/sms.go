package message

import (
	"context"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"
)

// An SMS is one text message, of any length; what is too long for one goes in
// parts.
type SMS struct {
	ID   string // ours; Outbox gives one
	From string // number, or up to 11 letters; "" = the sender's default
	To   string // number: digits, with + when international
	Text string

	Report    bool   // a Receipt is wanted
	ReportURL string // DeliveryReportURL; comes back in the Receipt
	Call      string // the call that asked for it; is not sent
	Extension string // on whose behalf; is not sent
	User      string // of the HTTP API who asked for it, "" = nobody; is not sent
	Operator  bool   // ReportURL counts as the operator's (decisions 9)

	At         time.Time // of one that came in: when
	Incomplete bool      // of one that came in: parts of it never came
}

// A State is what became of a message.
type State string

// The states of a Receipt.
const (
	Delivered   State = "Delivered" // the telephone has it
	Waiting     State = "Waiting"   // it is tried further
	Undelivered State = "Failed"    // it will not arrive
)

// A Receipt is a delivery report. State Waiting may be followed by another.
type Receipt struct {
	ID     string // of the SMS; "" when this process did not send it
	Remote string // the service's own id
	State  State
	Words  string // what the service called it, for example "EXPIRED, error 012"
	SMS    SMS    // without its Text; From and To at least
	At     time.Time
}

// Events are told of what comes in. All may be nil. They are called from the
// connection's own goroutine, one at a time, and must return soon. A panic in
// one is logged and goes no further.
type Events struct {
	Received  func(SMS)
	Delivered func(Receipt)
	// Link tells that the connection to the service is there (err nil), or why
	// it is not; only when that changes.
	Link func(err error)
}

// A Sender sends text messages. Send returns when the service has taken all
// parts over, with its id of the (first) message; or with a *Fault.
type Sender interface {
	Send(ctx context.Context, s SMS) (id string, err error)
}

// A Service is a Sender with a connection. Run keeps it until ctx ends; Send
// works while Run does.
type Service interface {
	Sender
	Run(ctx context.Context) error
}

const (
	maxSMSText  = 32 << 10 // bytes; 255 parts hold at most 39,015 characters
	maxNumber   = 20       // SMPP 5.2.8: 21 octets with the final 0
	maxAlphaNum = 11       // 3GPP TS 23.040 9.1.2.5
)

// checkSMS says what is wrong with s.
func checkSMS(s SMS) error {
	if !isNumber(s.To) {
		return wrong("Recipient", "write digits, with + in front when international: +36201234567", "%q is no telephone number", plain(s.To))
	}
	if s.From != "" && !isNumber(s.From) && !isAlphaNum(s.From) {
		return wrong("Sender", "write a number, or at most 11 letters and digits", "%q cannot be a sender", plain(s.From))
	}
	switch {
	case s.Text == "":
		return wrong("Message", "write what is to be sent", "it is empty")
	case len(s.Text) > maxSMSText:
		return wrong("Message", "make it shorter", "%d bytes, at most %d", len(s.Text), maxSMSText)
	case !utf8.ValidString(s.Text):
		return wrong("Message", "send it as UTF-8", "the text is not UTF-8")
	}
	return nil
}

func isNumber(s string) bool {
	s = strings.TrimPrefix(s, "+")
	return s != "" && len(s) <= maxNumber && strings.Trim(s, "0123456789") == ""
}

func isAlphaNum(s string) bool {
	if len(s) == 0 || len(s) > maxAlphaNum || strings.TrimSpace(s) != s {
		return false
	}
	for _, r := range s {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == ' ' || r == '-' || r == '.') {
			return false
		}
	}
	return true
}

// tell calls a callback; it is a recover boundary.
func tell[T any](log *slog.Logger, f func(T), v T) {
	defer func() {
		if p := recover(); p != nil {
			log.Error("message: panic in a callback", "panic", p)
		}
	}()
	if f != nil {
		f(v)
	}
}
