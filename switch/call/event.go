package call

import (
	"net/netip"
	"time"
)

// An ID names a call everywhere: API, event log, file names. Short base 62.
type ID string

// A LegID names our end of one dialog.
type LegID string

// A Ticket stands for a request of the script or the API that is answered
// later by one Settle effect. Zero means nobody waits.
type Ticket uint32

// A Failure says why a leg did not come about or ended badly: a SIP status (or
// the nearest to it) and words for people.
type Failure struct {
	Code   int
	Reason string
}

// Elsewhere is the Reason of a leg whose call somebody else has answered; nobody
// missed it.
const Elsewhere = "somebody else answered"

// An Event is something that befell a call.
type Event interface{ event() }

// Signalling: made by switch/sip (and later switch/webphone).
type (
	// Invited: a new INVITE reached us; nothing but 100 was answered yet.
	Invited struct {
		Leg       LegID
		SIPCallID string
		User      string // the extension that the caller proved to be; "" = a guest
		From      string // user part of From, "" when anonymous
		FromName  string // display name
		FromHost  string
		To        string // user part of the Request-URI: what was dialled
		Transport string // "udp"
		Source    netip.AddrPort
		UserAgent string
		Offer     *Media    // nil: the INVITE had no SDP, our 200 must offer
		Info      bool      // its Allow lists INFO
		Line      string    // the outside line it came by; "" = none
		Asserted  string    // user part of P-Asserted-Identity, only where the line is trusted
		Diversion string    // user part of who sent it here (Diversion, History-Info), as Asserted
		Security  Security  // what the caller's extension or line has agreed to about SRTP
		Replaces  *Replaces // RFC 3891: a dialog whose place it wants; checked by switch/sip
		Hops      int       // Max-Forwards for what is called because of it; below 0: nothing may be
		Headers   []Header  // those that the operator lets scripts see
		Private   bool      // the caller wants nobody told who it is (RFC 3325 Privacy: id, or an anonymous From)
	}
	// Provisional: the far end of our INVITE answered 101-199.
	Provisional struct {
		Leg    LegID
		Code   int
		Reason string
		Media  *Media // early media, may be nil
	}
	// Accepted: our INVITE was answered 2xx; the ACK is switch/sip's.
	Accepted struct {
		Leg   LegID
		Media *Media
		Info  bool // its Allow lists INFO
	}
	// Refused: our INVITE got a final answer of 300 and above, or none in time
	// (408), or could not be sent (503).
	Refused struct {
		Leg LegID
		Failure
		Q850     int      // cause from a Reason header, 0 when not said
		Contacts []string // URIs of a 3xx, best first
	}
	// Acked: the caller acknowledged our 200. Media is the answer that an ACK
	// carries when the INVITE had no offer.
	Acked struct {
		Leg   LegID
		Media *Media
	}
	// Cancelled: the caller gave up before our final answer; 487 was sent.
	Cancelled struct {
		Leg    LegID
		Reason string
	}
	// Ended: the far end sent BYE; its 200 was sent.
	Ended struct {
		Leg    LegID
		Reason string
		Q850   int // cause from a Reason header, 0 when not said
	}
	// Lost: the dialog is gone without a BYE: no ACK within 32 s, transaction
	// failure, socket closed.
	Lost struct {
		Leg LegID
		Failure
	}
	// Reoffered: re-INVITE or UPDATE with SDP within the dialog; Do(Respond)
	// answers it. Offer is nil when it had no SDP.
	Reoffered struct {
		Leg   LegID
		Offer *Media
	}
	// Reaccepted: the far end took our Reinvite. Media is its answer, nil when it
	// gave none.
	Reaccepted struct {
		Leg   LegID
		Media *Media
	}
	// Rerefused: it did not; all stands as it was.
	Rerefused struct {
		Leg LegID
		Failure
	}
	// KeyInfo: a key by SIP INFO.
	KeyInfo struct {
		Leg      LegID
		Key      byte
		Duration time.Duration
	}
)

// KeyAnswered: the far end answered our Info; Code 0 = it took the key, 408 =
// nothing came in time.
type KeyAnswered struct {
	Leg LegID
	Failure
}

// Sound: made by switch/bridge.
type (
	// MediaOpened answers OpenMedia: the leg's own description.
	MediaOpened struct {
		Leg   LegID
		Media Media
	}
	// MediaAgreed answers AgreeMedia: the leg's description from now on.
	MediaAgreed struct {
		Leg   LegID
		Media Media
	}
	// MediaDisagreed answers AgreeMedia: the offer has nothing for us; all stands
	// as it was.
	MediaDisagreed struct {
		Leg LegID
		Failure
	}
	// MediaFailed: the leg cannot have sound, or its sound broke.
	MediaFailed struct {
		Leg LegID
		Failure
	}
	// MediaLost: nothing came for the RTP timeout.
	MediaLost struct{ Leg LegID }
)

// Script and API: made by switch/script and switch/api.
type (
	// Originate starts an outgoing call; it is the first event of its Call. Without
	// a Leg nobody is called yet: DialWanted says whom it rings, as often as it
	// takes, and whoever answers first talks with the script.
	Originate struct {
		Ticket    Ticket
		Leg       LegID
		Target    string // where to send the INVITE: a SIP URI
		Phone     string // the extension whose registered telephone Target is; "" = an address
		To        string // the number as asked for
		From      string
		FromName  string
		RingTime  time.Duration
		Direction Direction
		Web       bool // the callee is registered over WebSocket: offer it WebRTC
		Security  Security
	}
	// RingAwaited is settled once an outgoing call rings, or has ended.
	RingAwaited struct{ Ticket Ticket }
	// AnswerWanted: the script picks up (a no-op once answered).
	AnswerWanted struct{ Ticket Ticket }
	// RejectWanted: refuse an incoming call that is not answered yet.
	RejectWanted struct {
		Ticket Ticket
		Failure
	}
	// KeysWanted: the script sends keys to the far end. It is settled when the last
	// was answered, or with 415 when they must go by sound: see keys.go.
	KeysWanted struct {
		Ticket Ticket
		Leg    LegID // "" = the caller; the callee where there is no caller
		Keys   string
	}
	// HangupWanted ends the call for both sides.
	HangupWanted struct {
		Ticket Ticket
		By     Result // Completed by script, API, operator
		Reason string
	}
	// ScriptEnded: the runner and all it started are done.
	ScriptEnded struct{}
	// Tick: an Arm came due.
	Tick struct{}
)

func (Invited) event()        {}
func (Provisional) event()    {}
func (Accepted) event()       {}
func (Refused) event()        {}
func (Acked) event()          {}
func (Cancelled) event()      {}
func (Ended) event()          {}
func (Lost) event()           {}
func (Reoffered) event()      {}
func (Reaccepted) event()     {}
func (Rerefused) event()      {}
func (KeyInfo) event()        {}
func (KeyAnswered) event()    {}
func (KeysWanted) event()     {}
func (MediaOpened) event()    {}
func (MediaAgreed) event()    {}
func (MediaDisagreed) event() {}
func (MediaFailed) event()    {}
func (MediaLost) event()      {}
func (Originate) event()      {}
func (RingAwaited) event()    {}
func (AnswerWanted) event()   {}
func (RejectWanted) event()   {}
func (HangupWanted) event()   {}
func (ScriptEnded) event()    {}
func (Tick) event()           {}
