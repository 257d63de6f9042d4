package ozml

import (
	"net/url"
	"strconv"
	"time"
)

// A Class says how hard the switch tries to deliver a notification (decisions
// 8).
type Class string

// The classes.
const (
	Ask    Class = "ask"    // its answer is needed now; never queued
	Report Class = "report" // must arrive: kept and retried for 24 h
	State  Class = "state"  // in memory, at most 3 tries and 10 s
)

// A NotificationDoc describes one notification: the request that the switch
// posts to the web application.
type NotificationDoc struct {
	Name   string
	Class  Class
	When   string // it is sent
	To     string // where the URL stands
	Answer string // what commands in the answer do
	Fields []Field
}

// A Field is one parameter of a notification.
type Field struct {
	Name    string `json:"name"`
	Meaning string `json:"meaning"`
}

// CommonFields are in every notification that belongs to a call; those without
// a call leave out what they do not have.
func CommonFields() []Field {
	return []Field{
		{"NotificationName", "which notification this is"},
		{"CallID", "id of the call"},
		{"CallId", "the same"},
		{"CallerID", "number of the caller"},
		{"CallerId", "the same"},
		{"Direction", "Internal, Inbound, Outbound or External"},
		{"Timestamp", "when it happened, RFC 3339 (the same in retries)"},
	}
}

// Notifications lists all notifications with their own fields, beside
// CommonFields. It is a fresh copy.
func Notifications() []NotificationDoc {
	onCall := []Field{{"DialedNumber", "the number that was dialled"}, {"ApiExtension", "the extension whose script runs"}}
	with := func(own ...Field) []Field { return append(append([]Field{}, onCall...), own...) }
	const inPlace, none = "its commands run on the call", ignored
	return []NotificationDoc{
		{"IncomingCall", Ask, "somebody calls an API extension; before the call is answered", "`url` of the extension", "its commands are the script of the call; Reject as the first one refuses it",
			with(Field{"CallerDisplayName", "name of the caller, when known"}, Field{"SipHeader_X-…", "a header of the INVITE that `sip.headers` of the configuration allows (extension of ozswitch); 10 at most, of 256 bytes"})},
		{"CallConnected", Ask, "a call made by Call was answered", "Url of Call", "its commands are the script of the new call",
			with()},
		{"DtmfEntered", Ask, "a UserInput took an entry that is no Key", "ForwardToUrl of UserInput", "its commands run in place, like the body of an Input",
			with(Field{"DtmfDigits", "the keys that were entered"})},
		{"GoTo", Ask, "a GoTo runs", "Url of GoTo", "its commands replace what is left of the script",
			with()},
		{"RoutingInterception", Ask, "the switch must decide where a call goes: before it rings, and after each try that failed", "`routing_url`", "Route decides; without it the dial plan does", []Field{
			{"OriginalDialedNumber", "the number that the caller dialled"},
			{"LastDialedNumber", "the number tried last"},
			{"LastCalledExtension", "the extension tried last"},
			{"LastCallState", "Calling, NoAnswer, Busy, NotFound or Error"},
			{"CallerExtension", "the extension that calls"}}},
		{"CallChanged", State, "the state of a call changed", "`call_changed_url`", "its commands run beside the script of the call (third-party control)", []Field{
			{"CallState", "Ringing, InCall, Hold, Answered, Busy, Cancelled, Transferred, Completed or Error"},
			{"Source", "who calls: extension or line"},
			{"Destination", "where it goes"},
			{"StartTime", "when the call began, yyyy-MM-dd HH:mm:ss"},
			{"RingDuration", "seconds, three decimals"},
			{"TalkDuration", "seconds, three decimals"}}},
		{"RecordCompleted", Report, "a recording ended; once, also when it failed", "FinishedUrl of Record", "its commands take over the call, if it is still up and its script started the recording; if the HTTP API or an answer to CallChanged did, they run beside whatever is on the call; when the call is over those run that need no call",
			with(Field{"RecordURL", "http URL on the switch from which the file can be fetched"},
				Field{"RecordPath", "the file below the data folder"},
				Field{"Duration", "seconds, three decimals"},
				Field{"Format", "mp3 or wav"},
				Field{"Size", "bytes"},
				Field{"Reason", "why it ended: duration, inactivity, digit, hangup, transferred, replaced or error"},
				Field{"Digit", "the key that ended it"},
				Field{"Error", "what went wrong"})},
		{"CallCompleted", Report, "a call ended, however it did", "FinishedUrl of Call, `finished_url` of an extension", none, []Field{
			{"Caller", "who called"}, {"Callee", "who was called"},
			{"Duration", "seconds of talk, three decimals"},
			{"State", "Completed, Busy, Cancelled, Transferred or Error"},
			{"Reason", "who or what ended it"}}},
		{"TransferCompleted", Report, "a call that was transferred ended", "FinishedUrl of BlindTransfer", none, []Field{
			{"Caller", "who called"}, {"Callee", "to whom the call was transferred"}, {"Duration", "seconds, three decimals"}}},
		{"Error", Report, "something went wrong in a script or a call", "ErrorUrl of Call, `error_url` of an extension", none, []Field{
			{"ErrorCode", "OZ1103 and the like, see the list of codes; 402 when a call could not be made"},
			{"ErrorMessage", "what went wrong"},
			{"Document", "in which document: file or URL"},
			{"Line", "from 1"}, {"Column", "from 1, in bytes"},
			{"Url", "the URL that was asked, when a fetch failed"}}},
		{"IncomingSMS", Report, "a text message came for an extension", "`sms_url` of the extension", "those commands run that need no call", []Field{
			{"ApiExtension", "the extension"}, {"Sender", "number"}, {"Recipient", "number"}, {"Message", "text"}, {"ReceivedTime", "yyyy-MM-dd HH:mm:ss"}}},
		{"SMSDeliveryReport", Report, "the fate of a text message is known", "DeliveryReportURL of SendSms", "those commands run that need no call", []Field{
			{"SmsId", "id that SendSms answered"}, {"Sender", "number"}, {"Recipient", "number"}, {"Status", "Delivered or Failed"}, {"Time", "yyyy-MM-dd HH:mm:ss"},
			{"ApiExtension", "the extension that sent it"}, {"Error", "why it failed, in the words of the service"}}},
		{"AlarmNotificationResult", Report, "an alarm was sent, or could not be", "ResultUrl of SendAlarmNotification", none, []Field{
			{"PhoneNumber", "of the receiver"}, {"AccountNumber", "of the alarm"}, {"Result", "Success or Failed"},
			{"Reason", "why it failed, in words"}}},
	}
}

// AnswerRuns tells whether commands in the answer to a notification may run
// (decisions 1.1).
func AnswerRuns(name string) bool {
	for _, d := range Notifications() {
		if d.Name == name {
			return d.Answer != ignored
		}
	}
	return false
}

// ignored is an answer that nobody runs.
const ignored = "ignored"

// ErrorFields are the fields of an Error notification. url is the address that
// was asked, "" when none was.
func ErrorFields(at Place, code, msg, url_ string) url.Values {
	v := url.Values{"ErrorCode": {code}, "ErrorMessage": {msg}, "Document": {at.Doc}, "Url": {url_}}
	if at.Pos.IsValid() {
		v.Set("Line", strconv.Itoa(at.Pos.Line))
		v.Set("Column", strconv.Itoa(at.Pos.Column))
	}
	return v
}

// A Recorded is a recording that ended; RecordCompleted tells it.
type Recorded struct {
	URL, Path     string
	Duration      time.Duration
	Format        string
	Size          int64
	Reason, Digit string
	Error         string
}

// Fields are the own fields of RecordCompleted.
func (r Recorded) Fields() url.Values {
	return url.Values{
		"RecordURL": {r.URL}, "RecordPath": {r.Path}, "Duration": {Decimals(r.Duration)}, "Format": {r.Format},
		"Size": {strconv.FormatInt(r.Size, 10)}, "Reason": {r.Reason}, "Digit": {r.Digit}, "Error": {r.Error},
	}
}

// Decimals prints seconds with three decimals, as notifications carry them.
func Decimals(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 3, 64) }
