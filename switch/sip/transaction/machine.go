package transaction

import "time"

// The timer values of RFC 3261 17.1.1.1 and 17.1.2.2; Life is 64*T1, the time
// of Timers B, F, H, J, L and M.
const (
	T1   = 500 * time.Millisecond
	T2   = 4 * time.Second
	T4   = 5 * time.Second
	Life = 64 * T1

	timerD = 32 * time.Second
)

// A Kind is one of the four machines.
type Kind uint8

// The four machines of RFC 3261 section 17.
const (
	InviteServer Kind = iota
	Server
	InviteClient
	Client
)

func (k Kind) String() string {
	return [...]string{"invite-server", "server", "invite-client", "client"}[k]
}

// A State is where a machine stands. Not every kind knows every state.
type State uint8

// The states of the four figures of RFC 3261 section 17 and of RFC 6026.
const (
	Calling State = iota // INVITE client: sent, no answer yet
	Trying               // non-INVITE: sent or received, no answer yet
	Proceeding
	Completed
	Confirmed // INVITE server: our refusal was acknowledged
	Accepted  // INVITE: a 2xx went by
	Terminated
)

func (s State) String() string {
	return [...]string{"calling", "trying", "proceeding", "completed", "confirmed", "accepted", "terminated"}[s]
}

// A What says which event befell a machine.
type What uint8

// The events.
const (
	Start   What = iota // client: send the request in Bytes; server: its request came
	Again               // server: the same request came once more
	Ack                 // INVITE server: an ACK with the INVITE's branch came
	Answer              // server: the user answers with Status and Bytes; client: an answer with Status came, Bytes is the ACK to send for 300 and above
	Abandon             // INVITE client: CANCEL was sent, wait no longer than Life
	Tick                // Deadline has come
	Broken              // the transport cannot send
)

// An Event is something that befell a transaction.
type Event struct {
	What   What
	Status int
	Bytes  []byte
	Why    string // Broken: for whom is told
}

// A Do says what an Effect wants done.
type Do uint8

// The effects.
const (
	Send    Do = iota // put Bytes on the wire
	Deliver           // hand the answer that just came to the user
	Expired           // tell the user that nobody answered (Timer B or F) or acknowledged (Timer H), or that the transport broke
	Done              // forget the transaction
)

// An Effect is something to be done, in the order given.
type Effect struct {
	Do    Do
	Bytes []byte
}

// A Machine is one transaction. Its zero value is not usable: see NewMachine.
type Machine struct {
	kind     Kind
	state    State
	reliable bool          // TCP, TLS, WebSocket: nothing is repeated
	interval time.Duration // now between two repeats
	repeat   time.Time     // Timer A, E or G; zero = not running
	end      time.Time     // Timer B, D, F, H, I, J, K, L or M; zero = not running
	out      []byte        // what is repeated
}

// NewMachine gives a machine of that kind in its first state. On a reliable
// transport nothing is repeated and nothing lingers.
func NewMachine(k Kind, reliable bool) Machine {
	m := Machine{kind: k, reliable: reliable}
	switch k {
	case InviteServer:
		m.state = Proceeding
	case Server, Client:
		m.state = Trying
	case InviteClient:
		m.state = Calling
	}
	return m
}

// Kind tells which of the four machines m is.
func (m *Machine) Kind() Kind { return m.kind }

// State tells where m stands.
func (m *Machine) State() State { return m.state }

// Answered tells whether a final answer went by.
func (m *Machine) Answered() bool { return m.state >= Completed }

// Deadline is when m wants its next Tick; zero means it waits for others.
func (m *Machine) Deadline() time.Time {
	switch {
	case m.repeat.IsZero():
		return m.end
	case m.end.IsZero() || m.repeat.Before(m.end):
		return m.repeat
	}
	return m.end
}

// Handle lets e befall m at the instant now and tells what is to be done. An
// event that means nothing in the present state is absorbed.
func (m *Machine) Handle(now time.Time, e Event) []Effect {
	switch m.kind {
	case InviteServer:
		return m.inviteServer(now, e)
	case Server:
		return m.server(now, e)
	case InviteClient:
		return m.inviteClient(now, e)
	}
	return m.client(now, e)
}

func send(b []byte) Effect { return Effect{Do: Send, Bytes: b} }

// repeatFrom starts the repeat timer at its first interval.
func (m *Machine) repeatFrom(now time.Time, d time.Duration) {
	if m.reliable {
		return
	}
	m.interval = d
	m.repeat = now.Add(d)
}

// repeated sends once more and sets the next interval: twice the last one, at
// most limit (0 = no limit, Timer A).
func (m *Machine) repeated(limit time.Duration) []Effect {
	m.interval *= 2
	if limit > 0 && m.interval > limit {
		m.interval = limit
	}
	m.repeat = m.repeat.Add(m.interval)
	return []Effect{send(m.out)}
}

// linger enters s, repeats nothing more, and stays for d to absorb what is
// late; with no d the machine is over at once.
func (m *Machine) linger(now time.Time, s State, d time.Duration, first ...Effect) []Effect {
	m.repeat = time.Time{}
	if d == 0 {
		return m.over(first...)
	}
	m.state, m.end = s, now.Add(d)
	return first
}

// over ends the machine.
func (m *Machine) over(first ...Effect) []Effect {
	m.state, m.repeat, m.end, m.out = Terminated, time.Time{}, time.Time{}, nil
	return append(first, Effect{Do: Done})
}

// unless gives d on an unreliable transport and 0 on a reliable one.
func (m *Machine) unless(d time.Duration) time.Duration {
	if m.reliable {
		return 0
	}
	return d
}
