// Package script runs OzML on real calls: it is where the language and the
// switch meet. A Runner makes the script of each call; live.go is ozml.Call on
// a leg with sound, run.go the way from a call to its document to its end.
//
// It does not know SIP, and no command of the language by name. Start at
// Runner.For.
package script
