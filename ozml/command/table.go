package command

import "ozswitch/ozml"

// Table lists every command, in alphabetical order (a test checks).
func Table() ozml.Table {
	return ozml.NewTable(
		Array(),
		AttendedTransfer(),
		Beep(),
		BlindTransfer(),
		Call(),
		CallSetup(),
		Delay(),
		DeleteFile(),
		Exit(),
		ForEach(),
		Forward(),
		GoTo(),
		Hangup(),
		Hold(),
		If(),
		ListActiveCalls(),
		MoveFile(),
		OnHangup(),
		Play(),
		Record(),
		Reject(),
		Request(),
		Route(),
		SendDTMF(),
		Speak(),
		Unhold(),
		UserInput(),
		Var(),
	)
}
