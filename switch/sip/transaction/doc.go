// Package transaction holds SIP's four transaction machines (RFC 3261 section
// 17, with the Accepted states of RFC 6026), the table that finds one by its
// key, and the wheel that keeps their timers.
//
// Everything here is pure: a machine gets the instant and an event and gives
// back what is to be done, in order. It knows no message types, only statuses
// and bytes, starts no goroutine and reads no clock. Sockets are package flow,
// dialogs package dialog; switch/sip joins the three.
//
// Start reading at machine.go; testdata holds dialogues with each machine.
package transaction
