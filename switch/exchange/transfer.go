package exchange

import (
	"context"

	"ozswitch/switch/call"
)

// Merge makes one call of two, for an attended transfer: whoever talks with
// leavesA in a goes on with whoever talks with leavesB in b, and these two leave.
func (x *Exchange) Merge(ctx context.Context, a *Line, leavesA call.LegID, b *Line, leavesB call.LegID) error {
	return &AskError{Failure: call.Failure{Code: 501, Reason: "merging calls is not built yet"}}
}

// PickUp lets caller answer the call that rings: its leg takes the place of the
// telephones that ring.
func (x *Exchange) PickUp(ctx context.Context, caller, ringing *Line) error {
	return &AskError{Failure: call.Failure{Code: 501, Reason: "picking up is not built yet"}}
}
