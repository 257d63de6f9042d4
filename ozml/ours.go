package ozml

import "ozswitch/ozml/syntax"

// Extensions of ozswitch: commands and parameters that OzML does not have. Their
// mark stands in the table (Command.Ours, the option Ours), and everything that
// says so comes from there: the manual, the schema, the remark of Check.

// CodeOurs is the remark on the use of an extension: a note, which `ozswitch vet
// --strict` takes for an error.
const CodeOurs = "OZ1110"

// CodeNoRecording is of PauseRecord and ResumeRecord.
const CodeNoRecording = "OZ1328"

// notOzML says that a thing is an extension, in the manual and the schema.
const notOzML = "Extension of ozswitch, not in OzML"

const oursHint = "other switches do not know it"

// oursCodes says what the manual says about the code.
func oursCodes() []CodeDoc {
	return []CodeDoc{{
		Code: CodeOurs, Title: "extension of ozswitch",
		Cause: "The command or the parameter is not part of OzML: it is an addition of ozswitch. Here it works; another switch for the same scripts skips it. It is a note, and with `ozswitch vet --strict` an error.",
		Cure:  "None is needed for scripts that run on ozswitch. For others, leave it out.",
	}, {
		Code: CodeNoRecording, Title: "no recording runs", Refused: true,
		Cause: "PauseRecord or ResumeRecord came when no recording was running on the call: none was started, or it has ended. Nothing happens; over HTTP the code is 303.",
		Cure:  "Start it with Record before. Its Duration, Inactivity or FinishDigits may have ended it.",
	}}
}

// oursCommand remarks on the use of a command that is an extension.
func (c *checker) oursCommand(cmd *Command, e *syntax.Element) {
	if cmd.Ours {
		c.remark(Info, CodeOurs, e.NameSpan, cmd.Name, "<"+cmd.Name+"> is an extension of ozswitch, not in OzML", oursHint)
	}
}

// ours remarks on the use of a parameter that is an extension, when the document
// is checked.
func (p *Params) ours(d *Param) {
	if p.el == nil || p.b.refs == nil || p.b.in == API { // only to check, and what comes by HTTP is another matter
		return
	}
	for _, a := range p.el.Attrs {
		if match(a.Name, d.Name, d.Also) {
			at := syntax.Span{From: a.NamePos, To: a.NamePos}
			at.To.Column += len(a.Name)
			at.To.Offset += len(a.Name)
			p.remark(Info, CodeOurs, d.Name, at, d.Name+" of <"+p.name+"> is an extension of ozswitch, not in OzML", oursHint)
		}
	}
}
