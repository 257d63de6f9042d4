// Package route leads a call to who is called: it asks the dial plan, rings
// telephones and lines one after the other, follows forwarding and ring groups,
// and in the end joins the caller with somebody, hands the call to an
// application, or says in words why nobody came.
//
// It is straight-line code over one call: the core (switch/call) rings targets
// and joins the first that answers; who the next ones are is decided here. What
// numbers mean stands in switch/dialplan, what is set for a telephone in
// switch/extension. Start reading at Router.Dial and walk.number.
package route

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"ozswitch/switch/call"
	"ozswitch/switch/dialplan"
	"ozswitch/switch/exchange"
	"ozswitch/switch/extension"
)

// The bounds of one call (decisions 7.5, RFC 3261 16.3).
const (
	maxHops     = 20 // numbers looked up, forwarding included
	maxPlaces   = 10 // telephones of one extension that ring at once, latest first
	maxContacts = 5  // of a 3xx that are tried
)

// DefaultRing is how long somebody rings when nothing else is said.
const DefaultRing = 60 * time.Second

// A Place is where a telephone of an extension is now.
type Place struct {
	URI   string
	Phone string // the extension, when it has registered from there; "" = a fixed contact
	Web   bool   // over WebSocket: it is offered WebRTC

	Security call.Security
}

// A Line is what must be known of an outside line to call by it.
type Line struct {
	CallerID string                     // shown when nothing else is said; "" = the caller's own
	URI      func(number string) string // of a number at the carrier's; nil = the number alone
	Codecs   []string
	Security call.Security
}

// Config is what a Router needs. All functions must be safe for concurrent use
// and quick; Ask and Panicked may be nil.
type Config struct {
	Exchange *exchange.Exchange
	Domain   string // the switch's own, for Diversion
	Plan     func() *dialplan.Plan
	Find     func(number string) (extension.Extension, bool)
	Settings func(number string) extension.Settings
	Places   func(number string) []Place // latest first
	Line     func(name string) (Line, bool)
	// Service gives exchange.Info.Task of a call to an extension that is no
	// telephone and no group.
	Service func(e extension.Extension) (task any, err error)
	// FindLeg gives the leg of a dialog (switch/sip), for attended transfers.
	FindLeg func(call.Replaces) (call.LegID, bool)
	// Allow says whether somebody may call a line now (limits), by the call l; an
	// error that is a *Refused is the caller's, any other becomes a 403. nil = always.
	Allow func(l *exchange.Line, who Caller, line, number string) error
	// Asks tells whether there is a routing application now; nil = never. Ask asks
	// it (RoutingInterception); ok is false when the dial plan decides.
	Asks     func() bool
	Ask      func(ctx context.Context, l *exchange.Line, q Question) (a Answer, ok bool)
	Shuffle  func(n int, swap func(i, j int)) // of random groups
	Panicked func(where string)
	Slog     *slog.Logger
}

// A Router leads calls. It starts a goroutine for each call that it leads; Wait
// waits for them.
type Router struct {
	c  Config
	wg sync.WaitGroup
}

// New gives a Router.
func New(c Config) *Router {
	if c.Slog == nil {
		c.Slog = slog.New(slog.DiscardHandler)
	}
	return &Router{c: c}
}

// Wait returns when no call is led any more.
func (r *Router) Wait() { r.wg.Wait() }

// A Caller is on whose behalf a number is called; the dial plan is asked as him.
type Caller struct {
	From      string // dialplan.FromExtension, dialplan.FromScript, or the name of the line it came by
	Extension string // the extension that has proven who it is; "" = nobody's
	Guest     bool   // nobody knows who it is: applications only
}

// IsLine tells whether the call came by a line.
func (c Caller) IsLine() bool {
	return c.From != dialplan.FromExtension && c.From != dialplan.FromScript
}

// A Task is exchange.Info.Task of a call that the dial plan leads.
type Task struct {
	Who    Caller
	Number string // what was dialled
	PickUp bool   // Number is whose ringing call is picked up; "" = of anybody in the group

	Replaces *call.Replaces // whose place the caller wants; nil = nobody's
}

// Options are how a number is called on behalf of a script.
type Options struct {
	RingTime time.Duration // 0 = what the rule says, else DefaultRing
	CallerID string        // "" = what the rule or the line says, else the caller's own
	Name     string        // shown beside it
	Headers  []call.Header // more of the INVITE
	Codecs   []string      // only these are offered, but where a line has none of them; nil = as configured
	Instead  call.LegID    // who leaves when somebody has answered; "" = nobody
	Quiet    bool          // no ringback
	Keep     bool          // the script goes on when they are joined
	Placed   func()        // told once, when the number is known to lead somewhere; may be nil
}

// A Refused is why a call came to nothing: a SIP status for the caller and words
// for people.
type Refused struct {
	call.Failure
	State string // NoAnswer, Busy, NotFound or Error (RoutingInterception)

	from     int      // what who was called said; 0 = nobody was
	contacts []string // where a 3xx sent the call
}

func (e *Refused) Error() string { return fmt.Sprintf("%s (%d)", e.Reason, e.Code) }

// A Handover says that the number is that of an application, which must run on
// the call now: who dialled makes it so.
type Handover struct {
	Number string
	Task   any
}

func (e *Handover) Error() string { return "extension " + e.Number + " is an application" }

// Dial calls a number on a call that is up: nil when its party talks with
// whoever answered, else a *Refused, a *Handover, or the cause of ctx. With
// Options.Instead an application gets the call at once, and there is no *Handover.
func (r *Router) Dial(ctx context.Context, l *exchange.Line, who Caller, number string, o Options) error {
	err := r.walk(ctx, l, who, o).lead(number)
	if o.Instead == "" {
		return err
	}
	if h, ok := errors.AsType[*Handover](err); ok { // who leaves has no script that could do it
		err = l.Serve(ctx, h.Number, h.Task, o.Instead)
		if a, no := errors.AsType[*exchange.AskError](err); no {
			err = &Refused{Failure: a.Failure, State: "Error"}
		}
	}
	if no, ok := errors.AsType[*Refused](err); ok { // no other dial follows
		l.Post(call.TransferRefused{Leg: o.Instead, Failure: no.Failure})
	}
	return err
}

// Lead is where the dial plan leads a number first, for who must know that
// before the call begins: its direction, and the extension when it is one.
func (r *Router) Lead(who Caller, number string, now time.Time) (ext extension.Extension, d call.Direction, refused *Refused) {
	dest, ok := r.c.Plan().Route(who.From, number, now)
	if !ok {
		return ext, 0, nobody(number)
	}
	d = Direction(who, dest.Targets[0].Kind == dialplan.Line)
	if t := dest.Targets[0]; len(dest.Targets) == 1 && t.Kind != dialplan.Line {
		if ext, ok = r.c.Find(t.Number); !ok {
			return ext, 0, nobody(number)
		}
	}
	return ext, d, nil
}

// Direction is that of a call, seen from the company (pbx-concepts.md C7).
func Direction(who Caller, toLine bool) call.Direction {
	switch outside := who.IsLine() || who.Guest; {
	case outside && toLine:
		return call.External
	case outside:
		return call.Inbound
	case toLine:
		return call.Outbound
	}
	return call.Internal
}
