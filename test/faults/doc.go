// Package faults tests what the callers of the built program notice when web
// apps fail: sixty calls to apps that fail in twelve ways beside twenty to an
// app that does not, and apps that fail in the middle of a call. The switch is
// a process of its own; apps and callers are here, on real sockets.
//
// The tests have the build tag faults and are run by `make faults`, or by
//
//	go test -tags faults -count=1 -v ./test/faults
//
// They print a table, in lines that begin with "| ". Start reading at
// faults_test.go; apps_test.go holds the twelve faults.
package faults
