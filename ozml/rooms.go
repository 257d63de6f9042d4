package ozml

import (
	"context"
	"time"
)

// Where a script puts its caller: a conference, a call queue. Both are extensions
// of ozswitch.

// CodeRoom and CodeQueue are of Conference and Enqueue.
const (
	CodeRoom  = "OZ1330"
	CodeQueue = "OZ1331"
)

// roomCodes says what the manual says about each.
func roomCodes() []CodeDoc {
	return []CodeDoc{
		{Code: CodeRoom, Title: "no conference", Cause: "The conference could not be entered, for another reason than that it is full or locked.", Cure: "The message says why.", Refused: true},
		{Code: CodeQueue, Title: "no such queue", Cause: "Enqueue names a number that is no call queue of the configuration.", Cure: "Name an extension of `type: queue`.", Refused: true},
	}
}

// A Conference is what Conference asks for. What the configuration says of a room
// of that number goes before Max, Record and Quiet.
type Conference struct {
	Room   string // number of a configured one, or any name
	Music  string // a file below media/ for who is alone; "" = the room's
	Max    int    // members; 0 = 50
	Muted  bool   // comes in without being heard
	Record bool
	Quiet  bool // no tones when somebody comes or goes
	Leave  Keys // any of these leads out; "" = only the end of the call does
	At     Place
}

// How a caller came out of a conference.
const (
	RoomLeft   = "left" // by a key
	RoomFull   = "full"
	RoomLocked = "locked"
)

// A Conferee is a Call that can be in a conference: it returns when the caller
// has come out of it, or was not let in, and says how.
type Conferee interface {
	Confer(ctx context.Context, c Conference) (how string, err error)
}

// A Queueing is what Enqueue asks for. What is zero is as the queue has it.
type Queueing struct {
	Queue    string
	Music    string        // a file below media/
	Timeout  time.Duration // the longest wait
	Announce time.Duration // how often the place is spoken
	Leave    Keys          // any of these leads out
	At       Place
}

// How a caller came out of a queue.
const (
	QueueAnswered = "answered" // and hears an agent now: the script has left, as after a Transfer
	QueueTimeout  = "timeout"
	QueueFull     = "full"
	QueueEmpty    = "empty" // no agent is there
	QueueLeft     = "left"  // by a key
)

// A Queuer is a Call that can wait in a call queue: it returns when the wait is
// over, and says how it ended.
type Queuer interface {
	Enqueue(ctx context.Context, q Queueing) (how string, err error)
}
