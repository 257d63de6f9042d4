package call

import "time"

// An Effect is something the switch must do, in the order given.
type Effect interface{ effect() }

// Signalling: carried out by switch/sip's Endpoint.Do.
type (
	// Respond answers the leg's pending INVITE (or re-INVITE after Reoffered)
	// with a status. Media is the SDP to send, nil for none.
	Respond struct {
		Leg        LegID
		Code       int
		Reason     string // phrase; "" = the standard one
		Media      *Media
		RetryAfter time.Duration // 0 = no header
		Warning    string        // text of a 399 Warning header, "" = none
		Q850       int           // cause for a Reason header of a refusal, 0 = none
		Contacts   []string      // URIs of a 3xx, best first; without one a 3xx is never sent
	}
	// Invite starts an outgoing dialog.
	Invite struct {
		Leg      LegID
		Target   string // SIP URI
		Phone    string // the extension whose registered telephone Target is; "" = an address
		From     string // user part
		FromName string
		Offer    *Media
		Line     string    // the outside line it goes by; "" = none
		Headers  []Header  // more headers
		Hops     int       // Max-Forwards; 0 = 70, below 0 = none is left: Refused with 483
		Private  bool      // do not say who calls (RFC 3323); a line that asserts identities is told apart from that
		Replaces *Replaces // RFC 3891: the dialog of the far end whose place it wants
	}
	// Cancel gives up our INVITE that has no final answer yet. switch/sip
	// answers with Refused (487) or, when it crossed, BYEs the 2xx itself and
	// reports Refused too.
	Cancel struct {
		Leg       LegID
		Reason    string // Reason header text, "" = none
		Q850      int    // cause, 0 = none
		Elsewhere bool   // somebody else answered: Reason: SIP;cause=200 (RFC 3326), no missed call
	}
	// Info sends a key by INFO, for a far end that takes no telephone-events.
	Info struct {
		Leg      LegID
		Key      byte
		Duration time.Duration // 0 = 100 ms
	}
	// Reinvite offers the far end of an established dialog another description:
	// to hold it, to move its sound. Media nil repeats the present one. The
	// outcome is Reaccepted or Rerefused; glare (491) is waited out by switch/sip.
	Reinvite struct {
		Leg   LegID
		Media *Media
	}
	// Bye ends an established dialog; nothing more is reported for the leg.
	Bye struct {
		Leg    LegID
		Reason string
		Q850   int // cause, 0 = none
	}
)

// Sound: carried out by switch/bridge.
type (
	// OpenMedia gives the leg a socket. Remote is what the far end offered, nil
	// when we offer; Web says that our offer is one of WebRTC. The outcome is
	// MediaOpened or MediaFailed.
	OpenMedia struct {
		Leg    LegID
		Remote *Media
		Web    bool
		// Peer is what the other party offered, or agreed: an offer of ours begins
		// with its codecs, also those that we cannot decode; an answer of ours takes
		// the first of its codecs that Remote has. nil = there is none.
		Peer     *Media
		Codecs   []string // only these of ours, in this order; nil = all
		Security Security
	}
	// AgreeMedia describes an open leg anew, in answer to a later offer. The
	// outcome is MediaAgreed or MediaDisagreed; nothing sounds otherwise until
	// ConnectMedia.
	AgreeMedia struct {
		Leg    LegID
		Remote Media
	}
	// ConnectMedia starts sound both ways with what was agreed.
	ConnectMedia struct {
		Leg    LegID
		Remote Media
	}
	// CloseMedia ends the leg's sound and frees its socket.
	CloseMedia struct{ Leg LegID }
)

// Script and shell.
type (
	// StartScript runs the extension's script; Connected tells CallConnected
	// (outgoing) from IncomingCall.
	StartScript struct{ Connected bool }
	// StopScript cancels the script: the call is over for the reason given.
	StopScript struct{ Result Result }
	// PressKey hands a key that came by signalling to the key router; Leg is the
	// party that the script talks to.
	PressKey struct {
		Leg LegID
		Key byte
	}
	// SendKey sends a key by sound to a leg: as a telephone-event or, where those
	// were not agreed, as a tone. Carried out by switch/bridge.
	SendKey struct {
		Leg LegID
		Key byte
	}
	// Changed tells everyone who looks that the state is now another.
	Changed struct{ State State }
	// Settle answers the request with that ticket; Failure.Code 0 = done.
	Settle struct {
		Ticket Ticket
		Failure
		Contacts []string // of a dial that was sent elsewhere (3xx), best first
	}
	// Arm asks for a Tick at that instant; one timer a call, the latest wins,
	// the zero time disarms.
	Arm struct{ At time.Time }
	// Over: the call has left the switch; the shell forgets it.
	Over struct{}
)

func (Respond) effect()      {}
func (Invite) effect()       {}
func (Cancel) effect()       {}
func (Bye) effect()          {}
func (Info) effect()         {}
func (Reinvite) effect()     {}
func (OpenMedia) effect()    {}
func (AgreeMedia) effect()   {}
func (ConnectMedia) effect() {}
func (CloseMedia) effect()   {}
func (StartScript) effect()  {}
func (StopScript) effect()   {}
func (PressKey) effect()     {}
func (SendKey) effect()      {}
func (Changed) effect()      {}
func (Settle) effect()       {}
func (Arm) effect()          {}
func (Over) effect()         {}
