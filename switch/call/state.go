package call

// A State is where a call stands, as notifications and lists name it
// (http-api.md A5 "Call states").
type State uint8

// The states of a call.
const (
	Setup State = iota
	Ringing
	InCall
	Held // on hold, both ways or one
	Completed
)

func (s State) String() string {
	return [...]string{"Setup", "Ringing", "InCall", "Hold", "Completed"}[s]
}

// A Direction is seen from the company (pbx-concepts.md C7).
type Direction uint8

// The four directions.
const (
	Internal Direction = iota
	Inbound
	Outbound
	External
)

func (d Direction) String() string {
	return [...]string{"Internal", "Inbound", "Outbound", "External"}[d]
}

// A Result says how a call ended; its words stand in transcripts, history,
// metrics and notifications.
type Result uint8

// The ways a call can end.
const (
	None        Result = iota
	ByScript           // Hangup, or the end of the script
	ByCaller           // the caller hung up or gave up
	ByCallee           // the callee hung up
	ByAPI              // a command over HTTP
	Rejected           // refused by the script or the switch
	Busy               // the callee is busy
	NoAnswer           // rang too long
	NotFound           // no such number
	MediaGone          // no sound came for the RTP timeout
	NetworkGone        // the dialog was lost
	TooLong            // the length limit was reached
	Overload           // the call's mailbox or media queue overflowed
	Shutdown           // the switch stopped
	Transferred        // its script has handed the caller on; or its legs went to another call
	Failed             // anything else
)

var results = [...]string{"", "script", "caller", "callee", "api", "rejected", "busy", "no answer",
	"not found", "media timeout", "network", "time limit", "overload", "shutdown", "transferred", "error"}

func (r Result) String() string { return results[r] }
