package ozml

import (
	"context"
	"time"
)

// A Call is everything a script can do to a live call. Its verbs are the
// language's, not the wire's. A verb returns nil when it is done, or
// context.Cause(ctx) as soon as ctx ends: ErrGone when the far end left, ErrKey
// under UntilKey. A Call is also the clock: Wait is the only way for a script
// to let time pass, Now the only way to read it.
//
// Verbs of one script never overlap; a recording is state of the call, not a
// running verb. ozmltest.TestCall states what every Call must do.
type Call interface {
	Info() CallInfo
	Now() time.Time

	Answer(ctx context.Context) error // a no-op on a call that is up
	Reject(ctx context.Context, r Rejection) error
	Hangup(ctx context.Context) error // ends the call; then ctx ends with ErrGone

	Speak(ctx context.Context, u Utterance) error // returns when the last word was heard
	Play(ctx context.Context, p Prompt) error     // returns when the file was heard, or by p.Timeout
	Beep(ctx context.Context) error               // 1000 Hz, 0.5 s

	// StartRecord returns once the recording runs. It ends by its own rules
	// (decisions 4.2), in the call; then RecordCompleted is posted, whose answer
	// may take the call over (a *Takeover as the cause of ctx).
	StartRecord(ctx context.Context, r RecordSpec) error
	// Recording waits until no recording runs and its RecordCompleted, if any,
	// was answered or given up: the end of a script calls it.
	Recording(ctx context.Context) error

	// Input says that a UserInput begins to take keys (decisions 5.1 d, e): keys
	// dialled ahead are there if they are recent. done says that its entry is
	// complete or given up; keys then go to the type-ahead buffer.
	Input(ctx context.Context) (done func())
	// UntilKey gives a context that ends with ErrKey once a key waits for Key; at
	// once when one waits already.
	UntilKey(ctx context.Context) (context.Context, context.CancelFunc)
	// Key takes the next key, waiting at most d; ErrNoKey when none came.
	Key(ctx context.Context, d time.Duration) (Key, error)
	// SendKeys sends keys to a party and returns when the last was sent (key.sent).
	SendKeys(ctx context.Context, to Party, keys string) error

	Wait(ctx context.Context, d time.Duration) error

	// Transfer rings t.To and returns nil once it and the party that stays hear
	// each other; a *CallError tells why that came to nothing: then all is as it
	// was. When it was the script that left, ctx ends with an *Ended.
	Transfer(ctx context.Context, t Transfer) error
	// Merge lets the party that stays here and the one that stays in another call
	// hear each other; who is in both leaves (attended transfer).
	Merge(ctx context.Context, m Merge) error
	// Hold puts both parties on hold, Unhold takes them back; no-ops when it is so
	// already. They return once the switch has accepted.
	Hold(ctx context.Context) error
	Unhold(ctx context.Context) error
	// Forward rings another number instead of the one that rings; ErrNotRinging
	// when none does. It returns once the switch has accepted.
	Forward(ctx context.Context, to string) error
}

// CallInfo is what is known of a call from its start; it feeds the predefined
// variables (decisions 6) and notifications.
type CallInfo struct {
	ID         string
	Caller     string // number
	CallerName string
	Dialed     string // what was dialled
	Extension  string // the extension whose script runs
	Direction  string // Internal, Inbound, Outbound, External
	Started    time.Time
}

// A Key is one of 0-9 * # A-D.
type Key byte

// A Party is one side of a call, or all.
type Party string

// The parties.
const (
	Caller Party = "caller"
	Callee Party = "callee"
	All    Party = "all"
)

// An Utterance is a text to be read aloud.
type Utterance struct {
	Text     string
	Language string // tag such as en-GB; "" = the voice's own
	Voice    string // by name; "" = the default voice
	To       Party
}

// A Prompt is a sound file to be played.
type Prompt struct {
	File    string        // path below media/, or an http(s) URL
	Repeat  bool          // without end; then Timeout, a key or the call's end stops it
	Timeout time.Duration // 0 = none
	To      Party
}

// A Rejection refuses an incoming call.
type Rejection struct {
	Code   int // SIP status, 0 = 603
	Reason string
}

// A RecordSpec says what to record and when to stop (decisions 4).
type RecordSpec struct {
	Format       string        // "mp3" or "wav"
	Duration     time.Duration // 0 = up to the cap
	Inactivity   time.Duration // without voice from the caller; 0 = never
	FinishDigits string        // any of these keys ends it
	FinishedURL  string        // gets RecordCompleted, "" = none
	Path         string        // folder below recordings/, "" = the default
	Channels     int           // 1 mixed, 2 caller left and switch right; 0 = as the extension says
	Trim         bool          // the silence before the first sound and after the last is left out
	At           Place         // the command, for events
}
