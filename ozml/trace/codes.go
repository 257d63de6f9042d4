package trace

// Codes of events that are the switch's own and no script's fault, OZ14xx.
// Package ozml says what the manual says about them.
const (
	CodeBug        = "OZ1401" // a bug was caught; it ended this call at most
	CodeSound      = "OZ1402" // the call's sound broke
	CodeHistory    = "OZ1403" // the history did not take a call
	CodeOverload   = "OZ1404" // too many events at once for one call
	CodeMP3        = "OZ1405" // a recording is saved as wav, though an mp3 was wanted
	CodeFolder     = "OZ1406" // RecordPath cannot be used
	CodeVoice      = "OZ1407" // no such voice or language
	CodeThirdParty = "OZ1408" // commands that act on a call from outside it
	CodeQuickVoice = "OZ1409" // the quick voice spoke, because the wanted one took too long
)
