// Package command holds the words of OzML: one command, one file.
//
// A command is data (ozml.Command): its name, its documentation, the
// declaration of its parameters, and what it does. Everything else is derived
// from that: the linter, the manual, the schema, the HTTP API.
//
// To add one: copy delay.go, fill it in, add the line to table.go, write
// testdata/<name>_basic.txtar, then go generate ./ozml/... and go test ./ozml/...
package command

//go:generate go test -run TestGenerated . -update
