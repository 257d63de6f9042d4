// Package peers tests the built binary, bin/ozswitch, from outside against
// programs that others wrote: sipp calls it, sox and ffmpeg read what it
// recorded, php, python3 and node serve the examples. Nothing of the project is
// imported here; the tests know what the manual says and no more. The exception
// is alarm_test.go: no command uses switch/alarm yet, so it is called directly.
//
// They have the build tag peers and are run by `make peers`, or after
// `make build` by
//
//	go test -tags peers -count=1 -v ./test/peers
//
// Each test starts its own switch on free ports and ends only what it started.
// A peer that is not installed is a failure that names it, unless -skip does.
// Start reading at peers_test.go.
package peers
