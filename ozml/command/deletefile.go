package command

import (
	"context"

	"ozswitch/ozml"
)

// DeleteFile deletes a file.
func DeleteFile() *ozml.Command {
	return &ozml.Command{
		Name:  "DeleteFile",
		Title: "delete a file",
		Doc:   "Files are deleted below media/, recordings/ and voicemail/ of the data folder only. Paths are those of MoveFile.",
		Notes: []string{
			"The public pages name the command and do not describe it; SourceFile is that of MoveFile.",
			"Any other place is refused with an error event, and so are folders and a recording that still runs.",
		},
		Example: `<Response><DeleteFile>recordings/message.wav</DeleteFile></Response>`,
		In:      ozml.Extension,
		NoCall:  true,
		New: func(p *ozml.Params) ozml.Action {
			var c deleteFile
			p.String(&c.file, "SourceFile", "path of the file", ozml.FromBody, ozml.Required)
			return &c
		},
	}
}

type deleteFile struct{ file string }

func (c *deleteFile) Tell() string { return c.file }

// Flow implements ozml.Steerer.
func (c *deleteFile) Flow() ozml.Flow { return ozml.Flow{} }

func (c *deleteFile) Do(_ context.Context, m *ozml.Machine) error {
	if m.Files == nil {
		return noFiles()
	}
	return m.Files.Delete(c.file)
}
