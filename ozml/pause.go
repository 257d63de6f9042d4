package ozml

import "context"

// A Pauser is a Call whose recording can be interrupted: PauseRecord and
// ResumeRecord, extensions of ozswitch. What is said in between is not in the
// file, which goes on without a gap; neither Duration nor Inactivity runs. Both do
// nothing when it is so already; the error is NoRecording when none runs. at is
// the command, for the event.
type Pauser interface {
	PauseRecord(ctx context.Context, at Place) error
	ResumeRecord(ctx context.Context, at Place) error
}

// NoRecording says that no recording runs on the call.
func NoRecording(command string) error { return noRecording(command) }

type noRecording string

func (n noRecording) Error() string { return n.fault().Msg }
func (n noRecording) Unwrap() error { return n.fault() }

func (noRecording) fault() *Fault {
	return &Fault{Code: CodeNoRecording, Msg: "no recording runs on this call", Hint: "start it with Record before; it may have ended by itself"}
}

// APICode gives the code of the HTTP API: the command cannot be used here.
func (n noRecording) APICode() (int, []string) { return 303, []string{string(n)} }
