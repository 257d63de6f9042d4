package ozml

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"ozswitch/ozml/syntax"
)

// A Severity says how bad a Diagnostic is.
type Severity uint8

// The severities. An Error makes `ozswitch vet` fail.
const (
	Error Severity = iota
	Warning
	Info
)

func (s Severity) String() string { return [...]string{"error", "warning", "info"}[s] }

// MarshalText gives the word of String.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// A Diagnostic is a remark on a script, with its place.
type Diagnostic struct {
	File     string      `json:"file"`
	Span     syntax.Span `json:"span"`
	Severity Severity    `json:"severity"`
	Code     string      `json:"code"`              // stable: "OZ1101"; has an entry in Codes or syntax.Codes
	Msg      string      `json:"message"`           // what is wrong, in the writer's words
	Hint     string      `json:"hint,omitempty"`    // what to do: "did you mean <Speak>?"
	Command  string      `json:"command,omitempty"` // the command at fault, as written
	Param    string      `json:"param,omitempty"`   // the parameter at fault, canonical; "" when none is
	Fix      *Fix        `json:"fix,omitempty"`     // a change that cures it and is safe; nil when there is none
}

// A Fix is a change of the source: the text at Span is replaced.
type Fix struct {
	Span syntax.Span `json:"span"`
	Text string      `json:"text"`
	Sure bool        `json:"sure,omitempty"` // one letter is wrong: it may be made unasked
}

// String gives one line: "hello.xml:3:4: error OZ1101: unknown command
// <Spaek>; did you mean <Speak>?".
func (d Diagnostic) String() string {
	where := d.File
	if d.Span.From.IsValid() {
		where += ":" + d.Span.From.String()
	}
	s := fmt.Sprintf("%s: %s %s: %s", where, d.Severity, d.Code, d.Msg)
	if d.Hint != "" {
		s += "; " + d.Hint
	}
	return s
}

// Show gives String and below it the source line with carets under the place.
// f may be nil; then there is no source to show.
func (d Diagnostic) Show(f *syntax.File) string {
	from, to := d.Span.From, d.Span.To
	if f == nil || !from.IsValid() || f.Line(from.Line) == "" {
		return d.String()
	}
	line, caret, _ := strings.Cut(syntax.Caret(f.Line(from.Line), from.Column), "\n")
	if to.Line == from.Line && to.Column-from.Column > 1 {
		caret += strings.Repeat("^", min(to.Column-from.Column, 60)-1)
	}
	num := fmt.Sprint(from.Line)
	return fmt.Sprintf("%s\n  %s | %s\n  %s | %s", d, num, line, strings.Repeat(" ", len(num)), caret)
}

// Diagnose turns the error of syntax.Parse into a Diagnostic.
func Diagnose(err error) (Diagnostic, bool) {
	e, ok := errors.AsType[*syntax.Error](err)
	if !ok {
		return Diagnostic{}, false
	}
	return Diagnostic{File: e.File, Span: syntax.Span{From: e.Pos, To: e.Pos}, Code: e.Code, Msg: e.Msg, Hint: e.Hint}, true
}

// A Fault is an error of a command with a code of its own: a Call or a member
// of the World returns one where the script's author can do something about it.
type Fault struct {
	Code string // OZ12xx or OZ13xx, see Codes
	Msg  string
	Hint string
	Err  error // may be nil
}

func (f *Fault) Unwrap() error { return f.Err }
func (f *Fault) Error() string { return f.Msg }

// The codes of this package; package syntax has OZ10xx. Codes says more.
const (
	CodeUnknownCommand = "OZ1101"
	CodeUnknownParam   = "OZ1102"
	CodeBadParam       = "OZ1103"
	CodeMisplaced      = "OZ1104"
	CodeCapped         = "OZ1105"
	CodeUnknownVar     = "OZ1107"
	CodeNotHere        = "OZ1108"
	CodeNotOffered     = "OZ1109"
	CodeFailed         = "OZ1200"
	CodeUnreachable    = "OZ1201"
	CodeLateReject     = "OZ1202"
	CodeSteps          = "OZ1203"
	CodeJumps          = "OZ1204"
	CodeNeedsCall      = "OZ1205"
	CodeSameKey        = "OZ1206"
	CodeUnknownArray   = "OZ1208"
	CodeOnHangup       = "OZ1209"
	CodeCrash          = "OZ1211"
	CodeSQL            = "OZ1321"
	CodeNoFile         = "OZ1322"
	CodePath           = "OZ1323"
	CodeNoCall         = "OZ1324"
	CodeDial           = "OZ1325"
	CodeRecord         = "OZ1326"
	CodeSpeech         = "OZ1327"
)

// A CodeDoc is what the manual says about a code.
type CodeDoc = syntax.CodeDoc

// Codes lists the codes of this package in ascending order; Refused means that
// it is an error. It is a fresh copy.
func Codes() []CodeDoc {
	all := []CodeDoc{
		{Code: CodeUnknownCommand, Title: "unknown command", Cause: "No command has this name. When the script runs, the element is skipped with a warning and the script goes on.", Cure: "Correct the spelling; letter case does not matter.", Refused: true},
		{Code: CodeUnknownParam, Title: "unknown attribute", Cause: "The command has no parameter of this name. When the script runs, the attribute is ignored with a warning.", Cure: "Correct the spelling, or remove it.", Refused: true},
		{Code: CodeBadParam, Title: "missing or invalid parameter", Cause: "A parameter that the command needs is absent or empty, or its value cannot be used. When the script runs, this command is skipped and the script goes on.", Cure: "See the command's page for its parameters. A value with variables can only be checked when the script runs: look at what the variables held.", Refused: true},
		{Code: CodeMisplaced, Title: "something that does not belong here", Cause: "An element or text stands where the command around it has no use for it.", Cure: "Move it to where it belongs, or remove it."},
		{Code: CodeCapped, Title: "value replaced", Cause: "The value is beyond the cap of this parameter (decisions of the operator), or a format that does not exist; the nearest possible value is used.", Cure: "Write a value within the limits."},
		{Code: CodeUnknownVar, Title: "unknown variable", Cause: "A $name stands in a value, but nothing has set it. It is left as it was typed.", Cure: "Set it with Var before, correct the spelling, or write $$ for a dollar sign. A dot that ends a sentence is no part of the name only if no letter follows it."},
		{Code: CodeNotHere, Title: "command cannot be used here", Cause: "The command exists, but not in this kind of script: Delay is not a command of the HTTP API, ListActiveCalls is nothing else.", Cure: "See \"Where\" on the command's page.", Refused: true},
		{Code: CodeNotOffered, Title: "not offered by this switch", Cause: "The command needs a service that is not configured: outgoing calls, web access, files.", Cure: "Ask the operator of the switch to configure it.", Refused: true},
		{Code: CodeFailed, Title: "command failed", Cause: "The command was tried and failed. The script goes on with the next one.", Cure: "The message says what went wrong.", Refused: true},
		{Code: CodeUnreachable, Title: "never reached", Cause: "The commands before this one never let the script come here.", Cure: "Remove it, or what stands before it."},
		{Code: CodeLateReject, Title: "Reject comes too late", Cause: "Reject refuses a call that still rings, so it must be the first command of an answer to IncomingCall. Elsewhere it is skipped.", Cure: "Make it the first command, or use Hangup.", Refused: true},
		{Code: CodeSteps, Title: "too many steps", Cause: "The script ran more commands than limits.steps without anything being heard and without a key being pressed: it runs in a circle. It was stopped; the caller heard a sentence and was hung up.", Cure: "Put a prompt into the circle, or end it.", Refused: true},
		{Code: CodeJumps, Title: "too many jumps", Cause: "More fetches by GoTo and ForwardToUrl than limits.jumps without anything being heard and without a key being pressed: two documents send the call to each other. It was stopped; the caller heard a sentence and was hung up.", Cure: "Look at the list of fetches of this call.", Refused: true},
		{Code: CodeNeedsCall, Title: "there is no call any more", Cause: "The call is over (or there never was one, as in an answer to IncomingSMS), and this command needs a call. It is skipped.", Cure: "After the end only commands that need no call can run: Call, Var, Array, ForEach and If over them, SendSms, SendEmail, SendMsg, MoveFile, DeleteFile."},
		{Code: CodeSameKey, Title: "the same Key twice", Cause: "Two Inputs of one UserInput have the same Key; the first is taken.", Cure: "Change one of them."},
		{Code: CodeUnknownArray, Title: "unknown array", Cause: "ForEach names an array that does not exist. It is treated as empty.", Cure: "Make it with Array before, or correct the spelling."},
		{Code: CodeOnHangup, Title: "more than one OnHangup", Cause: "A document may say once what is to be done after the call; the first counts.", Cure: "Put all commands into one OnHangup."},
		{Code: CodeCrash, Title: "internal fault", Cause: "A fault of the switch itself while it ran the command. Only this command is concerned.", Cure: "Please report it with the event log of the call.", Refused: true},
		{Code: CodeSQL, Title: "SQL is not offered", Cause: "The switch has no database for scripts: ExecuteSQL and SQL in GoTo are refused.", Cure: "Let a web application do the query: ForwardToUrl, or GoTo with a URL.", Refused: true},
		{Code: CodeNoFile, Title: "no such file", Cause: "The file does not exist, cannot be read or is no sound file of a known kind.", Cure: "Put it below media/ of the data folder and name it relative to that, or give a URL.", Refused: true},
		{Code: CodePath, Title: "path not allowed", Cause: "The path leads out of the folder that scripts may use.", Cure: "Give a path below recordings/ or media/, without \"..\".", Refused: true},
		{Code: CodeNoCall, Title: "no such call", Cause: "No call has this CallId, or it is over.", Cure: "ListActiveCalls lists the calls that are up.", Refused: true},
		{Code: CodeDial, Title: "the call could not be made", Cause: "The number is busy, did not answer, does not exist or has no route.", Cure: "The message says which; see the dial plan.", Refused: true},
		{Code: CodeRecord, Title: "the recording failed", Cause: "The recording could not be started or written.", Cure: "The message says why; see the space on the disk.", Refused: true},
		{Code: CodeSpeech, Title: "the text could not be spoken", Cause: "The voice failed.", Cure: "The message says why; see `ozswitch doctor`.", Refused: true},
	}
	all = slices.Concat(all, oursCodes(), roomCodes(), flowCodes(), webCodes(), messageCodes(), alarmCodes(), switchCodes())
	slices.SortFunc(all, func(a, b CodeDoc) int { return strings.Compare(a.Code, b.Code) })
	return all
}
