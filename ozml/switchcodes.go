package ozml

import "ozswitch/ozml/trace"

// switchCodes says what the manual says about the codes of package trace.
func switchCodes() []CodeDoc {
	return []CodeDoc{
		{Code: trace.CodeBug, Title: "a fault of the switch", Cause: "A bug was met and caught. It ended this call at most; no other call noticed.", Cure: "Please report it with the event log of the call and the switch's own log.", Refused: true},
		{Code: trace.CodeSound, Title: "the sound broke", Cause: "The socket or the clock of the call's sound failed, or nobody took what it reported.", Cure: "See the switch's log; `ozswitch doctor` looks at ports and descriptors.", Refused: true},
		{Code: trace.CodeHistory, Title: "not in the history", Cause: "The database could not take the row of this call. The event log has all that happened.", Cure: "See the space on the disk and the rights of ozswitch.db.", Refused: true},
		{Code: trace.CodeOverload, Title: "too many events at once", Cause: "More events came for one call than its mailbox holds; the call was ended.", Cure: "Look at the SIP messages of the call: somebody floods it.", Refused: true},
		{Code: trace.CodeMP3, Title: "saved as wav", Cause: "No mp3 file could be made of the recording: the program was built without the encoder and lame is not installed, or the encoder failed. The recording is a wav file, and Format in RecordCompleted says so.", Cure: "Run `make assets` and build again, or install lame; or write Format=\"wav\"."},
		{Code: trace.CodeFolder, Title: "RecordPath cannot be used", Cause: "The folder leads out of recordings/, or its name cannot be one. The recording goes to the default folder.", Cure: "Give a folder below recordings/, without \"..\"."},
		{Code: trace.CodeVoice, Title: "no such voice or language", Cause: "The voice that the script names is not installed, or cannot speak the language. The default voice speaks.", Cure: "See `ozswitch doctor` for the voices that there are."},
		{Code: trace.CodeQuickVoice, Title: "the quick voice spoke", Cause: "More than a second went by before the first words of a text were made, because the machine or the speech server was busy. A plainer voice spoke them, so that the caller did not wait in silence.", Cure: "Use the same texts again where you can, since what was made once is kept; or give the voice a faster machine."},
		{Code: trace.CodeThirdParty, Title: "commands not run", Cause: "An earlier version did not run the commands in an answer to CallChanged. Now they run on the call; only old event logs have this.", Cure: "None is needed."},
	}
}
