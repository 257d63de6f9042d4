// Package eventlog keeps what happens on calls: one file of JSON lines a call
// (contract.md "Data on disk"), written by one goroutine that no call ever
// waits for, and a ring of recent events for those who look on.
//
// It knows no call and no message: it takes trace.Events, blanks what must not
// be kept, numbers them, and gives them back. History, notifications, the live
// view and the transcripts are readers of it. Start with log.go; writer.go is
// the way to the disk, subscribe.go the way to a listener, blank.go what is
// taken out at the source.
package eventlog
