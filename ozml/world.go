package ozml

import (
	"context"
	"net/url"
	"time"

	"ozswitch/ozml/syntax"
	"ozswitch/ozml/trace"
)

// A World is everything outside a script. A nil member means that it is not
// offered here: the checker warns, the run fails with a clear error event.
type World struct {
	Call  Call      // nil: a script without a call (OnHangup, an SMS, an API request for no call)
	Calls Directory // other calls
	Web   Web
	Files Files
	Trace trace.Sink // never nil

	Messages Messages // mail and text messages
	Lists    Lists    // what the HTTP API lists
	Configs  Configs  // what the HTTP API configures

	Limits Limits // zero values are the defaults of decisions 3.7 and 3.8
}

// Web asks and tells the web app. The live one is switch/notify's, the one on
// paper ozmltest's.
type Web interface {
	// Fetch posts an Ask (decisions 8) and gives the document of its answer. A
	// *FetchError says what was wrong; an answer without commands is a File whose
	// root has no elements. It reports script.fetch and script.refused itself.
	Fetch(ctx context.Context, n Notification) (*syntax.File, error)
	// Report queues a notification that must arrive. It returns at once.
	Report(n Notification)
}

// A Notification is a request to the web app. Fields that every notification
// of a call has (CallID, CallerID ...) are added by Web; Fields are its own.
type Notification struct {
	ID     string // the same for one that may be sent again after a crash; "" = a new one
	Name   string // IncomingCall, DtmfEntered, GoTo, RecordCompleted ...
	URL    string
	Fields url.Values
	At     Place // the command that caused it
}

// A FetchError says why no script was had, in words for the app's author.
type FetchError struct {
	URL    string
	Status int    // HTTP status, 0 = no answer
	Code   string // OZ13xx or the OZ10xx of a refused document
	Pos    syntax.Pos
	Msg    string
	Hint   string
	Err    error
}

func (e *FetchError) Unwrap() error { return e.Err }
func (e *FetchError) Error() string { return e.Msg }

// A Directory finds and makes other calls: third-party control.
type Directory interface {
	// Find gives the call with that id, or ErrNoCall.
	Find(id string) (Call, error)
	// Dial starts an outgoing call with a script of its own and returns its id
	// once it rings, or an error that tells why it never will.
	Dial(ctx context.Context, d Dial) (id string, err error)
	// Active lists the calls that are up or ringing.
	Active() []ActiveCall
}

// A Dial is what Call asks for.
type Dial struct {
	To, From, FromName, Extension string
	URL, Script                   string // CallConnected goes to URL unless Script (OzML text) is there
	ErrorURL, FinishedURL         string
	RingTime                      time.Duration // 0 = the default
	Wait                          bool          // return once it rings or fails (HTTP API); else at once
	Tones                         bool          // tones go by the call: only G.711 is offered, where the switch has it
	States                        *States       // instead of URL and Script; nil = none
	Headers                       []SIPHeader   // more headers of the INVITE
}

// States are the commands that Request has for the states of its call: Setup,
// Ringing, Answered, InCall, Busy, Cancelled, Completed, Error, Hold, Transferred.
// Answered and InCall are its script. They are read only.
type States struct {
	On   map[string]*syntax.File
	Vars map[string]string // beside the predefined ones
}

// Script is what runs once the call was answered.
func (s *States) Script() *syntax.File {
	f := &syntax.File{Name: "Request", Root: &syntax.Element{Name: "Response"}}
	for _, state := range []string{"Answered", "InCall"} {
		if on := s.On[state]; on != nil {
			f.Name = on.Name
			f.Root.Children = append(f.Root.Children, on.Root.Children...)
		}
	}
	return f
}

// An ActiveCall is one row of ListActiveCalls (http-api.md A5).
type ActiveCall struct {
	ID, Source, CallerID, Destination, CallerDialed, CalleeDialed string
	Started                                                       time.Time
	Ring, Talk                                                    time.Duration
	State                                                         string
}

// Files are the two roots of decisions 10.
type Files interface {
	Move(source, dir string) error
	Delete(source string) error
}

// Limits bound what a script may do; zero means the default.
type Limits struct {
	Steps            int           // without a media command or key between them; 10,000
	Jumps            int           // 100
	FetchesPerSecond int           // 10
	Delay            time.Duration // cap, 24 h
	Record           time.Duration // cap, 4 h
	Digits           int           // cap, 64
	Value            int           // bytes of one value after expansion, 64 KiB
}

func (l Limits) orDefault() Limits {
	or := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	or(&l.Steps, 10_000)
	or(&l.Jumps, 100)
	or(&l.FetchesPerSecond, 10)
	or(&l.Digits, 64)
	or(&l.Value, 64<<10)
	if l.Delay == 0 {
		l.Delay = 24 * time.Hour
	}
	if l.Record == 0 {
		l.Record = 4 * time.Hour
	}
	return l
}
