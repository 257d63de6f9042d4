package exchange

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
