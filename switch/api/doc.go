// Package api is the switch's incoming HTTP: the legacy command API (Commands),
// the JSON API below /v1 (V1) with its live events (Events), recordings
// (Recordings) and probes (Healthz, Readyz). Each is an http.Handler or is
// mounted as one; switch/server wires them.
//
// A request of the command API is a script of one command: its parameters
// become the attributes of one element, the command table checks them and a
// machine runs it in a World that the server gives. So this package knows no
// command by name but Call, for its time limit, and those that V1 runs for its
// own routes; what exists is the table's.
//
// What V1 offers stands in operations.go: method, path, who may, by which scope a
// token may. The types of the functions there say the rest, and package huma
// checks requests by them and writes the document at /v1/openapi.json (ADR 0016).
//
// It is not the console and places no calls itself. Start with commands.go and
// v1.go; who may do what stands in access.go, vault.go, session.go and
// tokenstore.go.
package api
