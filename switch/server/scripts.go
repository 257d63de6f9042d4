package server

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"ozswitch/switch/api"
	"ozswitch/switch/eventlog"
	"ozswitch/switch/extension"
	"ozswitch/switch/voicemail"
)

// scripts are the files of data/scripts, those that extensions name elsewhere,
// the built-in one, and the web apps in their place: api.Scripts.
type scripts struct {
	s    *Server
	root *os.Root // data/scripts

	mu sync.Mutex // a script is read and replaced as one
}

// readScript reads the script of an extension: a file of data/scripts, else a
// path, and for hello.xml the built-in one when there is neither.
func (s *Server) readScript(name string) ([]byte, error) {
	if filepath.IsLocal(name) {
		b, err := s.data.scripts.ReadFile(name)
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return b, err
		}
	}
	b, err := os.ReadFile(name)
	if own := builtin(name); errors.Is(err, fs.ErrNotExist) && own != nil {
		return own, nil
	}
	return b, err
}

// builtin gives a script of the program itself, which a file of that name in
// data/scripts replaces; nil if there is none.
func builtin(name string) []byte {
	switch name {
	case helloName:
		return hello
	case voicemail.LeaveName:
		return voicemail.Leave
	case voicemail.MenuName:
		return voicemail.Menu
	}
	return nil
}

// seedHello puts the built-in script into data/scripts, so that it can be edited
// there (dev).
func seedHello(root *os.Root) error {
	f, err := root.OpenFile(helloName, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = f.Write(hello)
	return errors.Join(err, f.Close())
}

// List implements api.Scripts.
func (c *scripts) List() ([]api.Script, error) {
	var all []api.Script
	entries, err := fs.ReadDir(c.root.FS(), ".")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if ext := filepath.Ext(e.Name()); !e.Type().IsRegular() || ext != ".xml" && ext != ".ozml" {
			continue
		}
		if one, err := c.Read(e.Name()); err == nil {
			one.Text = ""
			all = append(all, one)
		}
	}
	for _, e := range c.s.state.Load().exts.All() {
		switch known := func(name string) bool {
			return slices.ContainsFunc(all, func(o api.Script) bool { return o.Name == name })
		}; {
		case e.URL != "":
			if url := eventlog.BlankText(e.URL, false); !known(url) {
				all = append(all, api.Script{Name: url, URL: url, Source: "url", Numbers: c.numbers(func(o extension.Extension) bool { return o.URL == e.URL })})
			}
		case e.RunsScript() && !known(scriptName(e.File)):
			if one, err := c.Read(scriptName(e.File)); err == nil {
				one.Text = ""
				all = append(all, one)
			}
		}
	}
	return all, nil
}

// scriptName is what a file that an extension names is called in lists.
func scriptName(file string) string { return filepath.Base(file) }

func (c *scripts) numbers(runs func(extension.Extension) bool) []string {
	out := []string{}
	for _, e := range c.s.state.Load().exts.All() {
		if e.RunsScript() && runs(e) {
			out = append(out, e.Number)
		}
	}
	return out
}

// file finds a script by its name: where an extension says by a whole path, within
// data/scripts, or below the working directory. Path is "" for the built-in one.
func (c *scripts) file(name string) (path string, inside bool) {
	below := ""
	for _, e := range c.s.state.Load().exts.All() {
		if e.Type != extension.Script || scriptName(e.File) != name {
			continue
		}
		if _, err := os.Stat(e.File); err != nil {
			continue
		}
		if filepath.IsAbs(e.File) {
			return e.File, false
		}
		below = e.File
	}
	if _, err := c.root.Lstat(name); err == nil {
		return name, true
	}
	return below, false
}

// Read implements api.Scripts.
func (c *scripts) Read(name string) (api.Script, error) {
	if filepath.Base(name) != name || !filepath.IsLocal(name) {
		return api.Script{}, fs.ErrNotExist
	}
	one := api.Script{Name: name, Source: "file", Editable: true, Numbers: c.numbers(func(e extension.Extension) bool {
		return e.Type == extension.Script && scriptName(e.File) == name
	})}
	path, inside := c.file(name)
	var b []byte
	var err error
	var st fs.FileInfo
	switch {
	case inside:
		if st, err = c.root.Stat(name); err == nil {
			b, err = c.root.ReadFile(name)
		}
	case path != "":
		if st, err = os.Stat(path); err == nil {
			b, err = os.ReadFile(path)
		}
	case builtin(name) != nil:
		b, one.Source, one.Editable = builtin(name), "builtin", false
	default:
		return one, fs.ErrNotExist
	}
	if err != nil {
		return one, err
	}
	if st != nil {
		one.Modified = st.ModTime()
	}
	one.Text, one.Size, one.ETag = string(b), int64(len(b)), api.ETag(string(b))
	return one, nil
}

// Write implements api.Scripts. A file is replaced as a whole, so that a call
// never reads half of it. To change the built-in script makes a file of it.
func (c *scripts) Write(name, text, was string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.unchanged(name, was); err != nil {
		return err
	}
	const fresh = ".new"
	if path, inside := c.file(name); path != "" && !inside {
		if err := os.WriteFile(path+fresh, []byte(text), 0o640); err != nil {
			return notWritten(err)
		}
		return notWritten(os.Rename(path+fresh, path))
	}
	if err := c.root.WriteFile("."+name+fresh, []byte(text), 0o640); err != nil {
		return notWritten(err)
	}
	return notWritten(c.root.Rename("."+name+fresh, name))
}

// notWritten tells who may not write from other trouble.
func notWritten(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return errors.Join(api.ErrFixed, err)
	}
	return err
}

// Delete implements api.Scripts: only files of data/scripts are ours to remove.
func (c *scripts) Delete(name, was string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.unchanged(name, was); err != nil {
		return err
	}
	if _, inside := c.file(name); !inside {
		return api.ErrFixed
	}
	return notWritten(c.root.Remove(name))
}

// unchanged checks the entity tag. c.mu is held.
func (c *scripts) unchanged(name, was string) error {
	now, err := c.Read(name)
	if errors.Is(err, fs.ErrNotExist) {
		now.ETag, err = "", nil
	}
	if err == nil && now.ETag != was {
		err = api.ErrChanged
	}
	return err
}
