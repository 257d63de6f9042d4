package ozml

import (
	"context"
	"fmt"
	"strings"
	"time"

	"ozswitch/ozml/syntax"
)

// What commands ask of a call between two parties, and of the dial plan.

// A Transfer connects a party of a call with a number (decisions 7.1, 7.2).
type Transfer struct {
	To       string
	RingTime time.Duration // 0 = the dial plan's
	// Leaves is who makes the transfer and leaves, Caller or Callee; "" = the
	// script, whose caller is handed on.
	Leaves      Party
	FinishedURL string // gets TransferCompleted, once, when the transferred call is over
	Placed      func() // called once the number is known to lead somewhere; may be nil
	At          Place  // the command, for events
}

// A Merge is an attended transfer: With is the call whose party is connected
// with the party of the present one.
type Merge struct {
	With Call
	// Leaves is the party of the present call that leaves, Caller or Callee; "" =
	// whoever is in both calls.
	Leaves Party
}

// A PartyError says that a call has nobody in that role.
type PartyError struct{ Party Party }

func (e *PartyError) Error() string { return "the call has no " + string(e.Party) }

// A Roll is a Call that tells who is there: nil when the party, or anybody for
// All, can hear something now; a *PartyError or ErrGone when not. So a request is
// refused before it is accepted.
type Roll interface{ There(p Party) error }

// A Finder is a Call that tells whether a sound file can be played: nil for URLs,
// which are fetched when their time comes. So a request is refused before it is
// accepted.
type Finder interface{ FindPrompt(file string) error }

// A ParamError is a parameter that was found wrong while the command ran: code
// 302 of the HTTP API.
type ParamError struct{ Param, Command, Why string }

func (e *ParamError) Error() string {
	return fmt.Sprintf("Missing or invalid parameter '%s' for command '%s': %s", e.Param, e.Command, e.Why)
}

// A Routed is what an answer to RoutingInterception says (decisions 7.5).
type Routed struct {
	Reject       bool          // an empty Destination: the caller is refused
	Destination  string        // an extension, or the name of an outside line; "" = the dial plan decides
	RingTime     time.Duration // how long it may ring; 90 s where the answer is silent
	CallerID     string        // shown to the callee; "" = the caller's own
	DialedNumber string        // what is dialled through a line; "" = what was dialled at first
}

// Route reads the answer to RoutingInterception: its first Route counts. ok is
// false when it has none that is good; then the dial plan decides.
func Route(ctx context.Context, w World, t Table, f *syntax.File, o Options) (r Routed, ok bool) {
	o.Setting = Routing
	o.Reply = func(v any) {
		if got, is := v.(Routed); is {
			r, ok = got, true
		}
	}
	w.Call = nil
	Run(ctx, w, t, f, o)
	return r, ok
}

// InFolders tells whether a path of a command stays below the folders of scripts
// (decisions 10), as far as its words say.
func InFolders(param, path string) error {
	for part := range strings.SplitSeq(strings.ReplaceAll(path, `\`, "/"), "/") {
		if part == ".." || strings.ContainsRune(part, 0) {
			return &Fault{Code: CodePath, Msg: param + " leads out of the folders of scripts: " + path, Hint: FolderHint}
		}
	}
	return nil
}

// FolderHint says which the folders of scripts are.
const FolderHint = "media/, recordings/ and voicemail/ of the data folder are for scripts"
