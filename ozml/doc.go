// Package ozml is the language OzML: what a script may say, and the machine
// that runs it on a call.
//
// It is not XML (package syntax), not the commands (package command, one file
// each), not a telephone (Call is implemented by switch/script, and on paper by
// ozmltest). It starts no goroutine, opens no socket and reads no clock: a
// script is straight-line code over a blocking Call, which is also its clock;
// interruption is the cancellation of a context with a cause (errors.go).
//
// Read call.go and world.go (what a script needs), command.go (what a command
// is), params.go (how its parameters are declared, which is also how they are
// bound, checked and described), machine.go and run.go (how a script runs),
// check.go, flow.go and diag.go (what may be wrong with it).
//
// # Running a script
//
//	f, err := table.Parse("hello.xml", src)
//	end := ozml.Run(ctx, world, table, f, ozml.Options{Ringing: true})
//
// table is command.Table(), made once; it is only read.
//
// ctx ends with cause ErrGone when the call is over and with a *Takeover when
// RecordCompleted was answered with commands; Options.Renew then gives the
// context of what follows.
//
// # One command, from elsewhere
//
// A request of the HTTP API is a script of one command: its parameters become
// the attributes of one element.
//
//	cmd := table.Lookup(name)                       // nil: code 301
//	f := ozml.OneCommand(name, params)              // params in their order
//	for _, d := range table.Check(f, ozml.API) ...  // OZ1108: 303, OZ1103: 302 with d.Param, OZ1102: a remark
//	err := ozml.Do(ctx, world, table, f, ozml.Options{
//		Setting:  ozml.API,
//		Reply:    func(v any) { ... },   // Started, []ActiveCall ...
//		Accepted: func() { ... },        // all is known to be good: answer 200 now, Do goes on
//	})                                      // errors.Is ErrNoCall: 601, *CallError: 402, *Fault: see its Code
package ozml
