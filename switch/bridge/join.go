package bridge

import "ozswitch/switch/call"

// Join lets two legs hear each other, until Part.
func (b *Bridge) Join(x, y call.LegID) {}

// Part ends Join.
func (b *Bridge) Part(x, y call.LegID) {}

// Ringback plays the ringing tone to a leg, or ends it.
func (b *Bridge) Ringback(id call.LegID, on bool) {}

// Music plays hold music to a leg, or ends it.
func (b *Bridge) Music(id call.LegID, on bool) {}
