package api

import (
	"reflect"
	"strings"
	"time"
	"unicode"

	"ozswitch/ozml"
)

// A Reply is the answer of a command without a payload, and how all begin.
type Reply struct {
	Code    int    `json:"code" doc:"that of the legacy API: 200"`
	Message string `json:"message" doc:"the same in words"`
}

// The replies with a payload have the fields of the legacy answer, in snake case.

type startedReply struct {
	Reply
	CallID string `json:"call_id" doc:"by which other commands name the call"`
}

type activeCallsReply struct {
	Reply
	Calls []activeCall `json:"active_calls"`
}

type activeCall struct {
	CallID       string    `json:"call_id"`
	Source       string    `json:"source"`
	CallerID     string    `json:"caller_id"`
	Destination  string    `json:"destination"`
	CallerDialed string    `json:"caller_dialed"`
	CalleeDialed string    `json:"callee_dialed"`
	Started      time.Time `json:"start_time"`
	Ring         float64   `json:"ring_duration" doc:"in seconds"`
	Talk         float64   `json:"talk_duration" doc:"in seconds"`
	State        string    `json:"call_state"`
}

type smsReply struct {
	Reply
	ID string `json:"sms_id"`
}

type mailReply struct {
	Reply
	ID string `json:"email_id"`
}

type inboxReply struct {
	Reply
	Data []message `json:"data"`
}

// message has the names of the SMS gateway, as the other forms of the answer.
type message struct {
	ID       string     `json:"messageid"`
	From     string     `json:"originator"`
	To       string     `json:"recipient"`
	Type     string     `json:"messagetype"`
	Text     string     `json:"messagedata"`
	Sent     *time.Time `json:"senttime" doc:"null = not known"`
	Received *time.Time `json:"receivedtime"`
}

type acceptedReply struct {
	Reply
	Data []accepted `json:"data"`
}

type accepted struct {
	Status  int    `json:"statuscode" doc:"0 = it was taken"`
	Message string `json:"statusmessage"`
	ID      string `json:"messageid"`
	From    string `json:"originator"`
	To      string `json:"recipient"`
	Type    string `json:"messagetype"`
	Text    string `json:"messagedata"`
}

type historyReply struct {
	Reply
	ozml.CallHistory
}

type extensionsReply struct {
	Reply
	ozml.ExtensionList
}

type extensionTypesReply struct {
	Reply
	ozml.ExtensionTypes
}

type booksReply struct {
	Reply
	ozml.BookNames
}

type contactsReply struct {
	Reply
	ozml.ContactList
}

type securityTokenReply struct {
	Reply
	ozml.SecurityToken
}

// replies say what the commands answer with that do not answer by a reply alone. A
// test makes each answer and compares it with its type, and with the legacy API's.
var replies = map[string]reflect.Type{
	"Call":            reflect.TypeFor[startedReply](),
	"ListActiveCalls": reflect.TypeFor[activeCallsReply](),
	"SendSms":         reflect.TypeFor[smsReply](),
	"SendEmail":       reflect.TypeFor[mailReply](),
	"SendMessage":     reflect.TypeFor[acceptedReply](),
	"ReceiveMessage":  reflect.TypeFor[inboxReply](),

	"ListCallHistory":         reflect.TypeFor[historyReply](),
	"GetCallHistory":          reflect.TypeFor[historyReply](),
	"ListExtensions":          reflect.TypeFor[extensionsReply](),
	"ListExtensionTypes":      reflect.TypeFor[extensionTypesReply](),
	"ListAddressbookNames":    reflect.TypeFor[booksReply](),
	"ListAddressbookContacts": reflect.TypeFor[contactsReply](),
	"GenerateSecurityToken":   reflect.TypeFor[securityTokenReply](),
	"GetConfig":               reflect.TypeFor[configReply](),
}

// replyOf gives the answer of a command as /v1 tells it.
func replyOf(a answer) any {
	head := Reply{a.code, a.message}
	switch p := a.payload.(type) {
	case nil:
		return head
	case ozml.Started:
		return startedReply{head, p.CallID}
	case []ozml.ActiveCall:
		out := activeCallsReply{head, []activeCall{}}
		for _, c := range p {
			out.Calls = append(out.Calls, activeCall{c.ID, c.Source, c.CallerID, c.Destination, c.CallerDialed, c.CalleeDialed,
				c.Started, c.Ring.Seconds(), c.Talk.Seconds(), c.State})
		}
		return out
	case ozml.SMSTaken:
		return smsReply{head, p.ID}
	case ozml.MailTaken:
		return mailReply{head, p.ID}
	case ozml.SMSesTaken:
		out := acceptedReply{head, []accepted{}}
		for _, m := range p.All {
			one := accepted{0, "Message accepted for delivery", m.ID, m.From, m.To, m.Type, m.Text}
			if m.Error != "" {
				one.Status, one.Message = 1, m.Error
			}
			out.Data = append(out.Data, one)
		}
		return out
	case ozml.Inbox:
		out := inboxReply{head, []message{}}
		for _, m := range p.All {
			out.Data = append(out.Data, message{m.ID, m.From, m.To, m.Type, m.Text, known(m.Sent), known(m.Came)})
		}
		return out
	}
	return head.with(a)
}

// with gives the answers whose payload says itself how it looks.
func (r Reply) with(a answer) any {
	switch p := a.payload.(type) {
	case ozml.CallHistory:
		return historyReply{r, p}
	case ozml.ExtensionList:
		return extensionsReply{r, p}
	case ozml.ExtensionTypes:
		return extensionTypesReply{r, p}
	case ozml.BookNames:
		return booksReply{r, p}
	case ozml.ContactList:
		return contactsReply{r, p}
	case ozml.SecurityToken:
		return securityTokenReply{r, p}
	case *ozml.ExtensionConfig:
		return configReply{r, configKeys(p.Items)}
	}
	return r // a payload that is forgotten here fails TestBothAPIs
}

// known is nil for a time that is not.
func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// snake writes CallerId as caller_id and LastIPAddress as last_ip_address.
func snake(name string) string {
	var b strings.Builder
	r := []rune(name)
	for i, c := range r {
		if i > 0 && unicode.IsUpper(c) && (!unicode.IsUpper(r[i-1]) || i+1 < len(r) && unicode.IsLower(r[i+1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(c))
	}
	return b.String()
}
