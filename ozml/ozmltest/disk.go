package ozmltest

import (
	"path"
	"time"

	"ozswitch/ozml"
)

// files are the files on paper: those that the scenario names, and any other
// that nobody has deleted.
type files struct{ c *Call }

// Move moves a file.
func (f files) Move(source, dir string) error {
	f.c.did("", "Move", source, dir)
	if err := f.there(source); err != nil {
		return err
	}
	if err := ozml.InFolders("TargetDirectory", dir); err != nil {
		return err
	}
	d, known := f.c.sc.Files[source]
	f.c.sc.Files[source] = -1
	to := path.Join(dir, path.Base(source))
	if delete(f.c.sc.Files, to); known {
		f.c.sc.Files[to] = d
	}
	return nil
}

// Delete deletes a file.
func (f files) Delete(source string) error {
	f.c.did("", "Delete", source)
	if err := f.there(source); err != nil {
		return err
	}
	f.c.sc.Files[source] = -1
	return nil
}

func (f files) there(source string) error {
	if err := ozml.InFolders("SourceFile", source); err != nil {
		return err
	}
	if d, known := f.c.sc.Files[source]; known && d < 0 {
		return &ozml.Fault{Code: ozml.CodeNoFile, Msg: "no such file: " + source}
	}
	if f.c.sc.Files == nil {
		f.c.sc.Files = map[string]time.Duration{}
	}
	return nil
}
