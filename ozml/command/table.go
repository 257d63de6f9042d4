package command

import "ozswitch/ozml"

// Table lists every command, in alphabetical order (a test checks).
func Table() ozml.Table {
	return ozml.NewTable(
		Array(),
		Beep(),
		Call(),
		Delay(),
		Exit(),
		ForEach(),
		GoTo(),
		Hangup(),
		ListActiveCalls(),
		OnHangup(),
		Play(),
		Record(),
		Reject(),
		Speak(),
		UserInput(),
		Var(),
	)
}
