// Package ozmltest is a call on paper: a complete ozml.Call in virtual time.
//
// It is a product (`ozswitch run`: try a script without a telephone) as well as
// the way in which scripts and commands are tested. It is single-threaded and
// reads no clock, so the transcript of a script and a scenario is the same on
// every machine, and an hour of call takes microseconds.
//
// A Scenario says what the caller and the web application do (scenario.go has
// the words); Play runs a script against it. Run tests a folder of txtar files,
// TestCall states what every Call must do, the live one included. Neither
// imports package testing: they take what they need of *testing.T.
package ozmltest
