package sip

// SetLimits replaces Config.CallsPerSecond and Config.MaxCalls.
func (e *Endpoint) SetLimits(perSecond, calls int) {
	e.limit.Set(perSecond)
	e.most.Store(int64(calls))
}
