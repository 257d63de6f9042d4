// Package script runs OzML on real calls: it is where the language and the
// switch meet. A Runner makes the script of each call (runner.go: from a call to
// its document to its end). live.go, hear.go, control.go and record.go are ozml.Call
// on a real call: its keys, what its parties hear, transfers, recordings. visit.go is
// the same call for those who act on it from beside its script: the HTTP API, answers
// to CallChanged (decisions 7.4a).
//
// It does not know SIP, and no command of the language by name. Start at
// Runner.For.
package script
