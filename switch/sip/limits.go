package sip

// SetRate replaces Config.CallsPerSecond.
func (e *Endpoint) SetRate(perSecond int) { e.limit.Set(perSecond) }
