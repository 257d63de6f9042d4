package exchange

// Lead says that the call goes to an extension that was not known at its start,
// and what its script needs to know: Info tells them from now on.
func (l *Line) Lead(extension string, task any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.info.Extension, l.info.Task = extension, task
}
