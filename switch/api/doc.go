// Package api is the switch's incoming HTTP: the legacy command API (Commands),
// live events (Events), calls (Calls), recordings (Recordings) and probes
// (Healthz, Readyz). Each is an http.Handler; switch/server wires them.
//
// A request of the command API is a script of one command: its parameters
// become the attributes of one element, the command table checks them and a
// machine runs it in a World that the server gives. So this package knows no
// command by name but Call, for its time limit; what exists is the table's.
//
// It is not the console and places no calls itself. Start with commands.go;
// who may do what stands in access.go, the answers in answer.go.
package api
