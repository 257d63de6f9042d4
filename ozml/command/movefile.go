package command

import (
	"context"

	"ozswitch/ozml"
)

// MoveFile moves a file into a folder.
func MoveFile() *ozml.Command {
	return &ozml.Command{
		Name:  "MoveFile",
		Title: "move a file into a folder",
		Doc: `Files are moved within media/, recordings/ and voicemail/ of the data folder, and between them; the file keeps its name, and the folder is made if it does not exist. A file of that name that is there already is replaced.

A path that begins with recordings/ or voicemail/, as RecordPath of RecordCompleted does, is relative to the data folder; any other is below media/. A whole path must lie below one of the three.`,
		Notes: []string{
			"Any other place is refused with an error event, and so is a recording that still runs.",
		},
		Example: `<Response><MoveFile SourceFile="recordings/message.wav" TargetDirectory="recordings/heard"/></Response>`,
		In:      ozml.Extension,
		NoCall:  true,
		New: func(p *ozml.Params) ozml.Action {
			var c moveFile
			p.String(&c.file, "SourceFile", "path of the file", ozml.Required)
			p.String(&c.dir, "TargetDirectory", "path of the folder", ozml.Required)
			return &c
		},
	}
}

type moveFile struct{ file, dir string }

func (c *moveFile) Tell() string { return c.file + " to " + c.dir }

// Flow implements ozml.Steerer.
func (c *moveFile) Flow() ozml.Flow { return ozml.Flow{} }

func (c *moveFile) Do(_ context.Context, m *ozml.Machine) error {
	if m.Files == nil {
		return noFiles()
	}
	return m.Files.Move(c.file, c.dir)
}

func noFiles() error {
	return &ozml.Fault{Code: ozml.CodeNotOffered, Msg: "files cannot be reached from here"}
}
