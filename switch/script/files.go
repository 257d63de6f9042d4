package script

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"ozswitch/ozml"
)

// What MoveFile and DeleteFile may reach (decisions 10): every access goes
// through the handle of one folder, so that no link leads out of it.

// folder is one of the folders of scripts.
type folder struct {
	name string
	root *os.Root
}

func (l *Library) folders() []folder {
	all := []folder{{"media", l.Media}, {"recordings", l.Recordings}}
	if l.Voicemail != nil {
		all = append(all, folder{"voicemail", l.Voicemail})
	}
	return all
}

// place finds the folder of a path, and the path within it; "." is the folder.
func (l *Library) place(name string) (*os.Root, string, error) {
	rel := filepath.FromSlash(strings.ReplaceAll(strings.TrimSpace(name), `\`, "/"))
	whole := filepath.IsAbs(rel)
	if whole {
		dir, err := filepath.Abs(l.Dir)
		if err != nil {
			return nil, "", err
		}
		if rel, err = filepath.Rel(dir, rel); err != nil {
			return nil, "", outside(name)
		}
	}
	first, rest, _ := strings.Cut(filepath.ToSlash(rel), "/")
	for _, f := range l.folders() {
		if first == f.name && (whole || f.name != "media") {
			return f.root, path.Clean(rest), nil
		}
	}
	if whole {
		return nil, "", outside(name)
	}
	return l.Media, rel, nil
}

func outside(name string) error {
	return &ozml.Fault{Code: ozml.CodePath, Msg: fmt.Sprintf("%s is not below the folders media and recordings", name), Hint: "give the path below media/"}
}

// file finds a file that a script may move or delete.
func (l *Library) file(name string) (*os.Root, string, error) {
	if err := ozml.InFolders("SourceFile", name); err != nil {
		return nil, "", err
	}
	root, rel, err := l.place(name)
	if err != nil {
		return nil, "", err
	}
	if strings.HasSuffix(strings.ToLower(rel), ".part") {
		return nil, "", &ozml.Fault{Code: ozml.CodePath, Msg: name + " is a recording that still runs"}
	}
	info, err := root.Lstat(rel)
	if err == nil && !info.Mode().IsRegular() {
		return nil, "", &ozml.Fault{Code: ozml.CodePath, Msg: name + " is no file"}
	}
	return root, rel, unreachable(name, err)
}

// Find gives the path below the data folder of a file that a script may use, such
// as one that it attaches to a mail.
func (l *Library) Find(name string) (string, error) {
	root, rel, err := l.file(name)
	if err != nil {
		return "", err
	}
	for _, f := range l.folders() {
		if f.root == root {
			return path.Join(f.name, filepath.ToSlash(rel)), nil
		}
	}
	return "", outside(name)
}

// unreachable is why a file cannot be used, nil when it can.
func unreachable(name string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return &ozml.Fault{Code: ozml.CodeNoFile, Msg: "no such file: " + name}
	}
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		err = p.Err
	}
	return &ozml.Fault{Code: ozml.CodePath, Msg: fmt.Sprintf("%s: %v", name, err), Hint: ozml.FolderHint, Err: err}
}

// Move implements ozml.Files.
func (l *Library) Move(source, dir string) error {
	from, file, err := l.file(source)
	if err != nil {
		return err
	}
	if err := ozml.InFolders("TargetDirectory", dir); err != nil {
		return err
	}
	to, folder, err := l.place(dir)
	if err != nil {
		return err
	}
	if err := to.MkdirAll(folder, 0o750); err != nil {
		return unreachable(dir, err)
	}
	target := path.Join(folder, path.Base(filepath.ToSlash(file)))
	if from == to {
		return unreachable(source, from.Rename(file, target))
	}
	if err := transfer(from, file, to, target); err != nil {
		return unreachable(source, err)
	}
	return unreachable(source, from.Remove(file))
}

// transfer copies a file to another folder; it is there whole or not at all.
func transfer(from *os.Root, file string, to *os.Root, target string) (err error) {
	src, err := from.Open(file)
	if err != nil {
		return err
	}
	defer src.Close()
	tmp := target + ".new"
	dst, err := to.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o640)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	if err = errors.Join(err, dst.Close()); err == nil {
		err = to.Rename(tmp, target)
	}
	if err != nil {
		_ = to.Remove(tmp)
	}
	return err
}

// Delete implements ozml.Files.
func (l *Library) Delete(source string) error {
	root, file, err := l.file(source)
	if err != nil {
		return err
	}
	return unreachable(source, root.Remove(file))
}

var _ ozml.Files = (*Library)(nil)
