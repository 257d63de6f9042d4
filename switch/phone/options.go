package phone

import (
	"time"

	"ozswitch/media"
	"ozswitch/media/codec"
	"ozswitch/media/pace"
	"ozswitch/switch/call"
)

// Options say what one call does. All times count from the answer.
type Options struct {
	Server   string         // host:port for a bare number
	From     string         // user part of From; "" = the phone's
	FromName string         // "" = the phone's
	Codecs   []*codec.Codec // what is offered, in this order; nil = codec.Table

	Keys        []Press       // pressed as telephone-events (RFC 4733)
	Say         []Say         // sound; silence otherwise
	HangupAfter time.Duration // 0 = not by itself
	RingFor     time.Duration // incoming: how long it rings before it is answered
	Early       []Say         // incoming: sound before the answer (183), its times from the call's beginning

	Headers  []Header // outgoing: more headers of the INVITE
	Replaces *Place   // outgoing: the dialog whose place it wants (RFC 3891)
	Private  bool     // outgoing: do not say who calls
	Record   bool     // keep what is heard: Result.Heard

	// Events is told what happens, in order, by the call's own goroutine. It
	// must not wait for the call.
	Events func(Event)
}

// A Header is one more header of an INVITE, a Place a dialog whose place one may
// want.
type (
	Header = call.Header
	Place  = call.Replaces
)

// A Press is keys pressed at a moment, one after another.
type Press struct {
	At   time.Duration
	Keys string // 0-9 * # A-D
}

// A Say is sound played at a moment.
type Say struct {
	At     time.Duration
	Source media.Source // of finite length; read whole when its moment comes
	Clip   *pace.Clip   // instead of Source: frames in the call's codec, which calls may share
}
