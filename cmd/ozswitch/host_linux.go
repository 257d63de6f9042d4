package main

import "syscall"

// clockSynced asks the kernel whether something keeps its clock right
// (adjtimex(2), STA_UNSYNC).
func clockSynced() (synced, known bool) {
	const unsync = 0x40
	var t syscall.Timex
	if _, err := syscall.Adjtimex(&t); err != nil {
		return false, false // forbidden in some containers
	}
	return t.Status&unsync == 0, true
}
