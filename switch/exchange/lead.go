package exchange

import (
	"context"

	"ozswitch/switch/call"
)

// Lead says that the call goes to an extension that was not known at its start,
// and what its script needs to know: Info tells them from now on. The script that
// Config.Script makes then takes the place of the one that runs, which must end
// without ScriptEnded once it has started the other; a call that is over before
// that has told the one that ran.
func (l *Line) Lead(extension string, task any) Script {
	l.mu.Lock()
	l.info.Extension, l.info.Task = extension, task
	l.mu.Unlock()
	next := l.x.c.Script(l)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.script = next
	return next
}

// A lead is to whom a call will be led.
type lead struct {
	extension string
	task      any
}

// Serve lets a party of a call leave, and the other one go on with an extension's
// script, as Lead makes it. It gives an *AskError when that cannot be.
func (l *Line) Serve(ctx context.Context, extension string, task any, leaves call.LegID) error {
	l.mu.Lock()
	l.leads = &lead{extension, task}
	l.mu.Unlock()
	err := l.Ask(ctx, func(t call.Ticket) call.Event { return call.ServeWanted{Ticket: t, Instead: leaves} })
	if err != nil {
		l.mu.Lock()
		l.leads = nil
		l.mu.Unlock()
	}
	return err
}

// startScript starts the script of the call, the one of Serve if there is one.
func (l *Line) startScript(connected bool) {
	l.mu.Lock()
	next := l.leads
	l.leads = nil
	l.mu.Unlock()
	if next != nil {
		l.Lead(next.extension, next.task)
	}
	l.Script().Start(connected)
}

// Talks is the leg that the call's script talks with: the caller's, else the
// callee's. That need not be the one of Info, who may have left.
func (l *Line) Talks() call.LegID {
	if id := l.Leg(call.Caller); id != "" {
		return id
	}
	return l.Leg(call.Callee)
}
