package command

import "ozswitch/ozml"

// Table lists every command, in alphabetical order (a test checks).
func Table() ozml.Table {
	return ozml.NewTable(
		Delay(),
		Hangup(),
		Record(),
		Speak(),
	)
}
