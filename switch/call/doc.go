// Package call is a call's life: what it is, which events may befall it and
// what the switch must do about each. It is pure: a Call does no I/O, starts no
// goroutine and reads no clock; Handle takes an event and the instant and gives
// back effects that the shell (switch/exchange) carries out in order.
//
// It knows neither SIP nor OzML: switch/sip turns messages into these events
// and these effects into messages, switch/script runs what StartScript asks
// for. Start reading at call.go; testdata holds dialogues.
package call
