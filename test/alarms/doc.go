// Package alarms has the promise of alarms as a test: hundreds of them through the
// whole switch, as packets, with and without loss. It is a package of its own because
// it counts and times nothing that the race detector could see, which makes it ten
// times as slow; the stage unit runs it without.
package alarms
