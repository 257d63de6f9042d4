package ozml

import "ozswitch/ozml/syntax"

// Codes of the flow: how the commands of a document follow each other.
const (
	CodeHiddenKey = "OZ1212"
	CodeDigits    = "OZ1213"
	CodeNoWayOut  = "OZ1214"
	CodeCircle    = "OZ1215"
	CodeCutRecord = "OZ1216"
	CodeEndless   = "OZ1217"
	CodeUnset     = "OZ1218"
	CodeSlowSound = "OZ1219"
	CodeNoNumber  = "OZ1220"
)

// flowCodes says what the manual says about each.
func flowCodes() []CodeDoc {
	return []CodeDoc{
		{Code: CodeHiddenKey, Title: "no entry reaches this Input", Cause: "The Key of the Input contains the BackKey of its UserInput. The BackKey acts at once, wherever it stands in an entry, so this Key can never be entered.", Cure: "Choose another BackKey or another Key."},
		{Code: CodeDigits, Title: "number of digits does not fit", Cause: "A Key is longer than Digits or MaxDigits says (then the longest Key counts), or entries must have more keys than any Key has, and there is no ForwardToUrl that could take them.", Cure: "Leave Digits, MinDigits and MaxDigits out where there are Keys, or make them fit; add ForwardToUrl for entries that are no Key."},
		{Code: CodeNoWayOut, Title: "no way out of a menu", Cause: "The menu repeats, and neither one of its Inputs nor its InitialCommands ever leaves it: there is no Hangup, GoTo, Exit or transfer in it, no BackKey and no ForwardToUrl. All that the caller can do is hang up.", Cure: "Let an Input leave the menu, add a BackKey, or leave out Repeat."},
		{Code: CodeCircle, Title: "loop without a wait", Cause: "A menu repeats with Timeout 0 and nothing in InitialCommands that takes time, or a ForEach runs more commands than limits.steps without a prompt, a Delay or a key. A script that runs in a circle is stopped.", Cure: "Put a prompt into the loop; give the menu a Timeout."},
		{Code: CodeCutRecord, Title: "recording cut at once", Cause: "Record starts the recording and the script goes on at once. Here a Hangup or another Record follows, and nothing between them takes time: the recording is over before it began.", Cure: "Put a Delay or a prompt between them. At the end of a script, and at Exit, the switch waits for the recording: the Hangup can simply go."},
		{Code: CodeEndless, Title: "recording without an end", Cause: "Record has neither Duration nor Inactivity nor FinishDigits, and no command that follows ends it. It ends when the caller hangs up, or at its cap of 4 hours.", Cure: "Add Duration, and Inactivity or FinishDigits."},
		{Code: CodeUnset, Title: "read before it is set", Cause: "A variable or array is used where no way through the document has set it yet; the document sets it only later, or in another branch.", Cure: "Move the Var or Array before the place. Where an earlier document of the same call sets it, all is well."},
		{Code: CodeSlowSound, Title: "late first sound", Cause: "Delays, fetches and time-outs add up to more than 10 seconds in the worst case before the caller hears anything of this document.", Cure: "Begin with a prompt."},
		{Code: CodeNoNumber, Title: "not a number", Cause: "Less or Greater of an If compare numbers, and the variable holds a text that is none. The test does not hold.", Cure: "Look at what the variable held; Equals and In compare texts."},
	}
}

// attrSpan is the place of the value of the first of these attributes that a
// step has, else that of its name.
func attrSpan(st *step, names ...string) syntax.Span {
	for _, n := range names {
		if a, ok := st.el.Attr(n); ok && a.ValuePos.IsValid() {
			to := a.End
			to.Offset, to.Column = to.Offset-1, to.Column-1 // without the quote
			return syntax.Span{From: a.ValuePos, To: to}
		}
	}
	return st.el.NameSpan
}
