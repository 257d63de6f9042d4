package call

import "time"

// A Party is a role in a call (decisions 7.1). A transfer puts another leg into a
// role; the role stays.
type Party uint8

// The parties. Whoever the first leg belongs to: somebody who calls a script is
// the caller, somebody whom a script calls the callee.
const (
	Caller Party = iota
	Callee
)

func (p Party) String() string { return [...]string{"caller", "callee"}[p] }

// Other is the opposite role.
func (p Party) Other() Party { return 1 - p }

// A Header is one more header of an INVITE.
type Header struct{ Name, Value string }

// Security says whether sound goes by SRTP with the key in the SDP (SDES, RFC
// 4568).
type Security uint8

// The kinds of security.
const (
	Plain     Security = iota // off
	Optional                  // offered beside plain RTP; taken when offered
	Mandatory                 // nothing else
)

// A Target is one place where a dial rings.
type Target struct {
	Leg       LegID // what the leg is to be called; from whoever asks, never used before
	URI       string
	Phone     string // the extension whose registered telephone URI is; "" = an address
	Line      string // the outside line it goes by; "" = none
	Web       bool   // the telephone is registered over WebSocket: offer it WebRTC
	Number    string // what is dialled towards it, after rewriting (CalleeDialed)
	Extension string // whose telephone it is; "" = nobody's here
	From      string // shown to it; "" = the other party's number
	FromName  string
	Headers   []Header
	After     time.Duration // rings so long after the first (a staggered group)
	Codecs    []string      // only these, in this order; nil = all of ours
	Security  Security
}

// Events of calls with more than one leg.
type (
	// DialWanted rings the targets and joins the first that answers with the
	// party that stays. It is settled with Code 0 when they are joined, else with
	// the best failure of all targets (busy before no answer before not found).
	// One dial at a time; a second is settled with 491.
	//
	// A caller that was not answered yet hears what the target says (180, 183) and
	// is answered when the target is; one that was answered hears ringback.
	// When the two are joined the script, if one runs, is over (Transferred).
	DialWanted struct {
		Ticket   Ticket
		Targets  []Target
		RingTime time.Duration // 0 = Limits.RingTime
		Instead  LegID         // who leaves when one has answered (a transfer); "" = nobody
		Quiet    bool          // no ringback: who asks plays something (a queue)
		Keep     bool          // the script goes on once they are joined: it watches (a queue)
		// More: when it fails another dial instead of the same leg follows, or
		// TransferRefused; until then who asked to be replaced is told nothing.
		More bool
	}
	// DialGivenUp: whoever asked waits no more; what rings is cancelled, and the
	// dial is settled with 487. After they were joined it does nothing.
	DialGivenUp struct{ Ticket Ticket }

	// ServeWanted: a party leaves, and the other one goes on with a script, which
	// starts: a transfer to an application. A script that still runs is stopped
	// first. It is settled with 491 while somebody is dialled.
	ServeWanted struct {
		Ticket  Ticket
		Instead LegID // who leaves
	}

	// HoldWanted puts all legs on hold, or takes them back. What is so already is
	// settled with Code 0 (decisions 7.3).
	HoldWanted struct {
		Ticket Ticket
		On     bool
	}

	// Referred: a far end wants to be replaced (REFER, RFC 3515, RFC 5589).
	// switch/sip has answered 202; NOTIFYs follow from ReferProgress.
	Referred struct {
		Leg      LegID
		To       string    // user part of Refer-To
		ToHost   string    // its host
		Replaces *Replaces // the other dialog of an attended transfer; nil = blind
	}
	// TransferRefused answers TransferAsked: it is not done.
	TransferRefused struct {
		Leg LegID
		Failure
	}

	// GiveWanted asks this call to give its leg to another call, which gets
	// LegGiven with Instead. The call then ends as Transferred, and whoever else is
	// in it is told goodbye.
	GiveWanted struct {
		Ticket  Ticket
		Leg     LegID
		To      ID
		Instead LegID // who leaves the other call; "" = it takes the place of what rings there
	}
	// LegGiven: a leg of another call is ours now. It takes the place of Instead,
	// which leaves; of a dial that rings, when Instead is "" (a pick-up).
	LegGiven struct {
		Given   *Given
		Instead LegID
	}
)

// Replaces names a dialog as a far end knows it (RFC 3891): the tags are as the
// far end sees them.
type Replaces struct {
	CallID, LocalTag, RemoteTag string
	EarlyOnly                   bool
}

// A Given is a leg on its way from one call to another. Nobody looks into it but
// this package.
type Given struct {
	From ID // the call that gave it, for the log
	leg  *leg
}

// Leg names it.
func (g *Given) Leg() LegID { return g.leg.id }

// Effects of calls with more than one leg.
type (
	// Join lets two legs hear each other; each was opened, and at least one
	// connected: the other one's ConnectMedia may follow. Part ends it. Carried
	// out by switch/bridge.
	Join struct{ A, B LegID }
	// Part ends Join.
	Part struct{ A, B LegID }
	// Ringback plays the ringing tone to a leg, or ends it.
	Ringback struct {
		Leg LegID
		On  bool
	}
	// Music plays hold music to a leg, or ends it.
	Music struct {
		Leg LegID
		On  bool
	}

	// TransferAsked: the far end of a leg wants to be replaced. The shell asks the
	// dial plan and posts DialWanted{Instead: Leg} or TransferRefused, or merges
	// two calls when Replaces is there.
	TransferAsked struct {
		Leg      LegID
		To       string
		Replaces *Replaces
	}
	// ReferProgress tells the far end of a leg how its REFER goes (NOTIFY with a
	// sipfrag, RFC 3515 2.4.5); a Code of 200 and above ends that.
	ReferProgress struct {
		Leg    LegID
		Code   int
		Reason string
	}
	// Give hands a leg over to another call.
	Give struct {
		Leg     LegID
		To      ID
		Given   *Given
		Instead LegID
	}

	// LegChanged tells what became of one leg; in order, one for each change.
	LegChanged struct {
		Leg     LegID
		Party   Party
		State   State   // Setup, Ringing, InCall, Held, Completed
		Target  *Target // of a leg that we called; nil for the first leg
		Failure Failure // why it is Completed; Code 0: it was up and ended
		Instead LegID   // whom it replaced, with InCall
	}
)

func (DialWanted) event()      {}
func (DialGivenUp) event()     {}
func (HoldWanted) event()      {}
func (ServeWanted) event()     {}
func (Referred) event()        {}
func (TransferRefused) event() {}
func (GiveWanted) event()      {}
func (LegGiven) event()        {}

func (Join) effect()          {}
func (Part) effect()          {}
func (Ringback) effect()      {}
func (Music) effect()         {}
func (TransferAsked) effect() {}
func (ReferProgress) effect() {}
func (Give) effect()          {}
func (LegChanged) effect()    {}
