// Package pace is the only clock of live sound: it sends a packet on every leg
// each 20 ms and reads what came.
//
// A [Pacer] has a few shards; each [Shard] is pure (Tick gets the time and says
// when it wants to be called again) and is driven by a loop: on Linux one that
// sleeps in ppoll, elsewhere and in synctest bubbles one with a timer. A shard spreads its legs over slots of 2 ms, so that a thousand
// packets do not leave at one instant. In the thread nothing is allocated,
// logged, locked for long or waited for.
//
// A [Leg] is one stream of RTP both ways on a [Wire] of its own. Commands
// (Enqueue, Flush, SendKeys ...) come from any goroutine and are carried out at
// the leg's next tick; results (a key pressed, a prompt ended) are taken with
// Next after its Bell rang. What a leg plays is ready payload frames, coded
// once and shared by all calls: this package knows no codec. A [Tap] copies
// both directions to a recorder. Two legs that are joined (join.go) pass packets to
// each other by a [Way] each, or frames by a [Coder].
//
// A panic ends the leg it happened in and no other.
//
// It is not: SRTP, mixing of parties. Start reading at shard.go.
package pace
