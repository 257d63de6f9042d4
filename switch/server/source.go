package server

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
)

// A Source is the configuration file of a switch. The switch reads it again when
// it is reloaded, and writes into it what the HTTP API configures.
type Source struct {
	File   string
	Offset int                         // --port-offset
	Getenv func(string) (string, bool) // for env: secrets
}

// Load reads the file as the switch takes it. The Config is nil if a problem is an
// error.
func (f *Source) Load() (*Config, Problems) {
	src, err := os.ReadFile(f.File)
	if err != nil {
		return nil, Problems{{File: f.File, Msg: fmt.Sprintf("cannot be read: %v", err)}}
	}
	return f.parse(src)
}

// parse is Load of bytes.
func (f *Source) parse(src []byte) (*Config, Problems) {
	c, ps := Parse(f.File, src, f.Getenv)
	if c == nil {
		return nil, ps
	}
	if err := c.Shift(f.Offset); err != nil {
		return nil, append(ps, Problem{File: f.File, Msg: err.Error()})
	}
	return c, ps
}

// A mark tells one configuration from another without keeping its secrets.
type mark [sha256.Size]byte

// markKey makes the marks of one process: nothing can be learned from them.
type markKey [32]byte

func newMarkKey() (k markKey) {
	rand.Read(k[:]) // does not fail
	return k
}

func (k markKey) of(c *Config) (m mark) {
	h := hmac.New(sha256.New, k[:])
	spell(h, reflect.ValueOf(c).Elem())
	copy(m[:], h.Sum(nil))
	return m
}

// spell writes all that a value holds: no printing of fmt or JSON does, as secrets
// hide from them.
func spell(w io.Writer, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		fmt.Fprintf(w, "%t ", !v.IsNil())
		if !v.IsNil() {
			spell(w, v.Elem())
		}
	case reflect.Struct:
		if n, ok := reflect.TypeAssert[netip.Prefix](v); ok {
			fmt.Fprintf(w, "%v ", n)
			return
		}
		for i := range v.NumField() {
			spell(w, v.Field(i))
		}
	case reflect.Slice:
		fmt.Fprintf(w, "%d ", v.Len())
		for i := range v.Len() {
			spell(w, v.Index(i))
		}
	case reflect.String:
		fmt.Fprintf(w, "%q ", v.String())
	case reflect.Bool:
		fmt.Fprintf(w, "%t ", v.Bool())
	case reflect.Int, reflect.Int64:
		fmt.Fprintf(w, "%d ", v.Int())
	case reflect.Uint16:
		fmt.Fprintf(w, "%d ", v.Uint())
	case reflect.Float64:
		fmt.Fprintf(w, "%g ", v.Float())
	default:
		panic("server: a configuration holds a " + v.Kind().String())
	}
}

var errChanged = errors.New("the configuration file has changed since it was loaded, or a secret that it names has: reload it first (SIGHUP)")

// unchanged reads the file and tells whether it still is what the switch has
// loaded; comments and order do not count.
func (s *Server) unchanged() (src []byte, err error) {
	f := s.opt.Source
	if src, err = os.ReadFile(f.File); err != nil {
		return nil, fmt.Errorf("the configuration file cannot be read: %v", err)
	}
	if c, _ := f.parse(src); c == nil || s.markKey.of(c) != s.loaded {
		return nil, errChanged
	}
	return src, nil
}

// A draft is a file that is written and not in its place yet.
type draft struct {
	temp, file string
	was        []byte // what stands there now
}

// write puts text beside the file, with its mode and owner, on the disk.
// A symbolic link stays one: what it leads to is replaced.
func (f *Source) write(text, was []byte) (d *draft, err error) {
	file, err := filepath.EvalSymlinks(f.File)
	if err != nil {
		return nil, fmt.Errorf("the configuration file cannot be written: %v", err)
	}
	about, err := os.Stat(file)
	if err != nil {
		return nil, fmt.Errorf("the configuration file cannot be written: %v", err)
	}
	t, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*")
	if err != nil {
		return nil, fmt.Errorf("the configuration file cannot be written: its folder must be writable for the switch: %v", err)
	}
	d = &draft{temp: t.Name(), file: file, was: was}
	_, err = t.Write(text)
	if err == nil {
		err = keepOwner(t, about)
	}
	if err == nil {
		err = t.Chmod(about.Mode().Perm())
	}
	if err == nil {
		err = t.Sync()
	}
	if err = errors.Join(err, t.Close()); err != nil {
		d.drop()
		return nil, fmt.Errorf("the configuration file cannot be written: %v", err)
	}
	return d, nil
}

// place puts the draft in the place of the file, at once and for good.
func (d *draft) place() error {
	now, err := os.ReadFile(d.file)
	switch {
	case err != nil:
		return fmt.Errorf("the configuration file cannot be read: %v", err)
	case !bytes.Equal(now, d.was):
		return errChanged
	}
	if err := os.Rename(d.temp, d.file); err != nil {
		return fmt.Errorf("the configuration file cannot be written: %v", err)
	}
	if dir, err := os.Open(filepath.Dir(d.file)); err == nil {
		_ = dir.Sync() // some file systems cannot
		dir.Close()
	}
	return nil
}

func (d *draft) drop() { _ = os.Remove(d.temp) }

// refusals gives the errors of problems in a line, without places in a file.
func refusals(ps Problems) string {
	var all []string
	for _, p := range ps.Errors() {
		all = append(all, strings.TrimPrefix(p.Path+": "+p.Msg, ": "))
	}
	return strings.Join(all, "; ")
}
