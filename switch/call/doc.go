// Package call is a call's life: what it is, which events may befall it and
// what the switch must do about each. It is pure: a Call does no I/O, starts no
// goroutine and reads no clock; Handle takes an event and the instant and gives
// back effects that the shell (switch/exchange) carries out in order.
//
// A call has a first leg and any number of others. Two of them are the parties,
// caller and callee, who hear each other; with one party a script talks, or Go
// code in its place. first.go is the life of a leg by itself, ring.go dials until
// two are joined, talk.go says who hears what, transfer.go puts legs into other
// legs' places and calls.
//
// It knows neither SIP nor OzML: switch/sip turns messages into these events
// and these effects into messages, switch/script runs what StartScript asks
// for. Start reading at call.go; testdata holds dialogues, and
// chaos_test.go the rules that hold whatever happens.
package call
