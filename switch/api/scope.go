package api

import "slices"

// A Scope names what a token may do; "" is what no token may.
type Scope string

// The scopes. What each operation needs stands with the operation.
const (
	CallsRead       Scope = "calls:read"
	CallsWrite      Scope = "calls:write"
	RecordingsRead  Scope = "recordings:read"
	EventsRead      Scope = "events:read"
	MessagesRead    Scope = "messages:read"
	MessagesWrite   Scope = "messages:write"
	ScriptsRead     Scope = "scripts:read"
	ScriptsWrite    Scope = "scripts:write"
	ExtensionsRead  Scope = "extensions:read"
	ExtensionsWrite Scope = "extensions:write"
	ContactsRead    Scope = "contacts:read"
	ConfigRead      Scope = "config:read"
	ConfigWrite     Scope = "config:write"
	StatusRead      Scope = "status:read"
	Phoning         Scope = "phone"
)

// scopes say in words what each allows, in the order of the manual.
var scopes = []struct {
	Scope Scope
	Says  string
}{
	{CallsRead, "see live and past calls, what happened on them, and the scripts that ran"},
	{CallsWrite, "make, answer, move and end calls, and speak, play and press keys on them"},
	{RecordingsRead, "hear calls: recordings, captured sound, packets"},
	{EventsRead, "follow events while they happen"},
	{MessagesRead, "read messages that came in"},
	{MessagesWrite, "send text messages, e-mail and alarms"},
	{ScriptsRead, "read scripts, check them and run them on paper"},
	{ScriptsWrite, "change scripts, and ask web apps for samples"},
	{ExtensionsRead, "see extensions, queues, conferences and lines"},
	{ExtensionsWrite, "change what extensions run and how telephones are set"},
	{ContactsRead, "read address books"},
	{ConfigRead, "read the configuration of extensions"},
	{ConfigWrite, "add, change and remove extensions"},
	{StatusRead, "see how the switch is"},
	{Phoning, "be the user's telephone in a web page: its SIP name and password"},
}

// Known tells whether there is such a scope.
func (s Scope) Known() bool {
	return slices.ContainsFunc(scopes, func(one struct {
		Scope Scope
		Says  string
	}) bool {
		return one.Scope == s
	})
}

// commandScopes say which scope a token needs for a command; a command that is
// not here can be carried out by no token. A test wants each of the table.
var commandScopes = map[Scope][]string{
	CallsRead: {"ListActiveCalls", "ListCallHistory", "GetCallHistory"},
	CallsWrite: {"Call", "CallSetup", "Request", "AttendedTransfer", "BlindTransfer", "Forward", "Hangup", "Hold", "Unhold",
		"Play", "Record", "PauseRecord", "ResumeRecord", "Speak", "SendDTMF"},
	MessagesRead:   {"ReceiveMessage"},
	MessagesWrite:  {"SendSms", "SendEmail", "SendMsg", "SendMessage", "SendAlarmNotification"},
	ExtensionsRead: {"ListExtensions", "ListExtensionTypes"},
	ContactsRead:   {"ListAddressbookContacts", "ListAddressbookNames"},
	ConfigRead:     {"GetConfig"},
	ConfigWrite:    {"AddConfig", "ModifyConfig", "RemoveConfig"},
	"":             {"GenerateSecurityToken"}, // a token makes no tokens
}

func commandScope(name string) Scope {
	for s, names := range commandScopes {
		if slices.Contains(names, name) {
			return s
		}
	}
	return ""
}
