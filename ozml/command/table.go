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
		PauseRecord(),
		Play(),
		ReceiveAlarmNotification(),
		ReceiveMessage(),
		Record(),
		Reject(),
		Request(),
		ResumeRecord(),
		Route(),
		SendAlarmNotification(),
		SendDTMF(),
		SendEmail(),
		SendMessage(),
		SendMsg(),
		SendSms(),
		Speak(),
		Unhold(),
		UserInput(),
		Var(),
		WaitForMsg(),
	)
}
