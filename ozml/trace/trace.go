// Package trace is what happened on a call: one Event for each command, fetch,
// key, recording, SIP message and error, with time and place. The live call
// and the call on paper both speak it, the event log stores it as it stands
// (contract.md "Data on disk"), and Printer writes it as the transcript.
//
// It is a leaf: standard library only, no part of the switch or the language.
package trace

import "time"

// A Type is the kind of an event. Types are only added, never renamed.
type Type string

// The types of events.
const (
	CallStarted     Type = "call.started"
	CallRinging     Type = "call.ringing"
	CallAnswered    Type = "call.answered"
	CallBridged     Type = "call.bridged" // From and To hear each other now; Name is the role of To
	CallRouted      Type = "call.routed"  // Text says who is called next and why, or why nobody is (Status)
	CallEnded       Type = "call.ended"
	CallHeld        Type = "call.held"
	CallResumed     Type = "call.resumed"
	CallTransferred Type = "call.transferred" // To took the place of From; or Text says which call To came from or goes on in
	LegRinging      Type = "leg.ringing"      // To rings
	LegFailed       Type = "leg.failed"       // To did not come: Status and Reason
	ScriptFetch     Type = "script.fetch"
	ScriptParsed    Type = "script.parsed"
	ScriptRefused   Type = "script.refused"
	ScriptWarning   Type = "script.warning"
	ScriptEnded     Type = "script.ended"
	CommandStart    Type = "command.started"
	CommandEnd      Type = "command.ended"
	CommandSkip     Type = "command.skipped"
	CommandFail     Type = "command.failed"
	Key             Type = "key"
	KeySent         Type = "key.sent" // Key has all that a script sent at once, Source how
	Input           Type = "input"    // a UserInput took an entry (Key, and in Reason the Input's Key) or none (Text); Count is its length
	RecordStart     Type = "recording.started"
	RecordPause     Type = "recording.paused"
	RecordResume    Type = "recording.resumed"
	RecordEnd       Type = "recording.ended" // at once, with Reason, Key and Seconds; then saved or failed once the file is whole
	RecordSaved     Type = "recording.saved"
	RecordFail      Type = "recording.failed"
	NotifySent      Type = "notify.sent"
	NotifyFail      Type = "notify.failed"
	SIPReceived     Type = "sip.received"
	SIPSent         Type = "sip.sent"
	MediaStarted    Type = "media.started" // Name is the codec, Count its payload type, Peer and Local the addresses of RTP
	MediaQuality    Type = "media.quality"
	Registration    Type = "registration"
	Conference      Type = "conference"       // Name is the room, Reason joined, left, muted, unmuted, locked, open or refused
	Queue           Type = "queue"            // Name is the queue, Reason joined, offered, answered, missed, left, overflow; To the agent or number, Count the position
	Voicemail       Type = "voicemail"        // Name is the mailbox, Reason left, heard, saved, deleted; File and Seconds of the message
	MessageReceived Type = "message.received" // Text came From a number or connection (Name: sms, a number, a user) To an extension
	Alarm           Type = "alarm"            // Reason received, sent or failed; Text is the alarm in words, Key its digits, To whom it was sent
	LogDropped      Type = "log.dropped"
	Error           Type = "error"
)

// GivenUp is the Reason of a ScriptFetch whose answer was no longer wanted: a
// key was pressed, or the call ended.
const GivenUp = "given up"

// An Event is one thing that happened on a call. The zero value of a field
// means it does not apply; the JSON names are the event log's.
type Event struct {
	T    time.Time `json:"t"`
	Seq  int       `json:"seq"`  // grows by one within a call, from 1
	Call string    `json:"call"` // the call's id
	Type Type      `json:"type"`
	ID   int64     `json:"id,omitempty"` // given by the event log: grows over all calls and restarts

	// Where in which script.
	Doc  string `json:"doc,omitempty"`  // URL or file name
	Line int    `json:"line,omitempty"` // from 1
	Col  int    `json:"col,omitempty"`  // from 1, in bytes
	Name string `json:"name,omitempty"` // the command; for notify.* the notification

	// What.
	Text    string  `json:"text,omitempty"`    // what is said, the message of an error or warning, a SIP message
	Code    string  `json:"code,omitempty"`    // a diagnostic's code: OZ1101
	Hint    string  `json:"hint,omitempty"`    // what to do about it
	Reason  string  `json:"reason,omitempty"`  // why it ended: digit, hangup, script, caller ...
	Key     string  `json:"key,omitempty"`     // a key, or the keys entered
	Source  string  `json:"source,omitempty"`  // of a key: event, info, inband
	Seconds float64 `json:"seconds,omitempty"` // how long it lasted or will last

	// Call.
	From      string `json:"from,omitempty"`
	To        string `json:"to,omitempty"`
	Direction string `json:"direction,omitempty"`
	Leg       string `json:"leg,omitempty"`       // which far end of the call, where there may be several
	Extension string `json:"extension,omitempty"` // of that far end
	Via       string `json:"via,omitempty"`       // the outside line that leads to it

	// HTTP and SIP.
	Method string  `json:"method,omitempty"`
	URL    string  `json:"url,omitempty"`
	Status int     `json:"status,omitempty"` // HTTP or SIP status
	MS     float64 `json:"ms,omitempty"`     // how long the exchange took
	Peer   string  `json:"peer,omitempty"`   // address of the far end
	Local  string  `json:"local,omitempty"`  // our address towards it, of SIP and RTP
	Body   string  `json:"body,omitempty"`   // at most 16 KiB, of script.parsed 64 KiB; secrets blanked

	// Files.
	File string `json:"file,omitempty"` // below the data folder
	Size int64  `json:"size,omitempty"`

	// Sound: counts of packets.
	Sent     int64   `json:"sent,omitempty"`
	Received int64   `json:"received,omitempty"`
	Lost     int64   `json:"lost,omitempty"`
	Count    int64   `json:"count,omitempty"`
	JitterMS float64 `json:"jitter_ms,omitempty"`
	Kept     bool    `json:"kept,omitempty"` // of media.started: the leg's packets are kept (log.sound), those of other legs are not
	MOS      float64 `json:"mos,omitempty"`  // estimated: 1 is bad, 4.4 as good as a telephone gets; see rtp.MOS

	// Sound, as the far end's last report has it (RTCP), and how long it held the call.
	RoundTripMS   float64 `json:"round_trip_ms,omitempty"`
	TheirLost     int64   `json:"their_lost,omitempty"` // of our packets
	TheirJitterMS float64 `json:"their_jitter_ms,omitempty"`
	HoldSeconds   float64 `json:"hold_seconds,omitempty"`

	Succeeded bool `json:"succeeded,omitempty"`
}

// A Sink takes events in order. It fills T, Seq and Call where they are zero,
// never blocks and keeps nothing of e that the caller may change.
type Sink interface{ Emit(e Event) }

// SinkFunc lets a function be a Sink.
type SinkFunc func(Event)

// Emit calls f.
func (f SinkFunc) Emit(e Event) { f(e) }
