package server

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"ozswitch/switch/splice"
)

// An edit changes one extension while the switch runs, in memory and, when there
// is one, in the configuration file.
type edit struct {
	number string
	make   string   // YAML of a new extension; "" = there must be one
	remove bool     // it goes
	set    []setKey // else: these keys of it change, in this order
}

// A setKey is one key that changes.
type setKey struct {
	path  []string
	value string // YAML on one line; "" = the key is taken away
}

// The ways in which an edit does not fit.
var (
	errNoExtension = errors.New("there is no such extension")
	errExtension   = errors.New("there is such an extension already")
)

// An invalidError says why a configuration with the edit would be refused.
type invalidError struct{ why string }

func (e *invalidError) Error() string { return e.why }

// change carries an edit out; on an error nothing has changed. The file, if there
// is one, must be what the switch has loaded.
func (s *Server) change(e edit) error {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	if s.opt.Source == nil {
		next := *s.preset
		next.Extensions = slices.Clone(next.Extensions)
		if err := e.apply(&next); err != nil {
			return err
		}
		next.Fill()
		if ps := next.Validate(); ps.Err() != nil {
			return &invalidError{refusals(ps)}
		}
		return s.run(&next)
	}
	was, err := s.unchanged()
	if err != nil {
		return err
	}
	text, err := e.splice(s.opt.Source, was)
	if err != nil {
		return err
	}
	before, _ := s.opt.Source.parse(was)
	next, err := s.checked(e, was, text)
	if err != nil {
		return err
	}
	d, err := s.opt.Source.write(text, was)
	if err != nil {
		return err
	}
	if err = s.run(next); err == nil {
		if err = d.place(); err == nil {
			s.log.Info("the configuration file was changed by the HTTP API", "file", s.opt.Source.File, "extension", e.number)
			return nil
		}
		err = errors.Join(err, s.run(before))
	}
	d.drop()
	return err
}

// run makes the extensions of a configuration those of the running switch; all
// else that differs waits for a restart already. The caller holds reloading.
func (s *Server) run(c *Config) error {
	_, err := s.reload(c)
	if err != nil {
		return &invalidError{strings.TrimPrefix(err.Error(), "server: ")}
	}
	return nil
}

// checked gives the configuration of an edited text: it must differ from that of
// the text before by the edit and nothing else.
func (s *Server) checked(e edit, was, text []byte) (*Config, error) {
	f := s.opt.Source
	before, _ := parseRaw(f.File, was, f.Getenv)
	after, ps := parseRaw(f.File, text, f.Getenv)
	if before == nil || after == nil {
		return nil, &invalidError{refusals(ps)}
	}
	if err := e.apply(before); err != nil {
		return nil, err
	}
	if !same(before, after) {
		return nil, fmt.Errorf("extension %s cannot be changed within the file as it is written: change it there, and reload it (SIGHUP)", e.number)
	}
	next, ps := f.parse(text)
	if next == nil {
		return nil, &invalidError{refusals(ps)}
	}
	return next, nil
}

// same compares two configurations as a file writes them: an empty list is none.
func same(a, b *Config) bool {
	if len(a.Extensions) != len(b.Extensions) {
		return false
	}
	x, y := *a, *b
	x.Extensions, y.Extensions = nil, nil
	for i := range a.Extensions {
		v, w := a.Extensions[i], b.Extensions[i]
		if len(v.Members)+len(w.Members) == 0 {
			v.Members, w.Members = nil, nil
		}
		if !reflect.DeepEqual(v, w) {
			return false
		}
	}
	return reflect.DeepEqual(x, y)
}

// splice carries the edit out in the text of a file.
func (e edit) splice(f *Source, src []byte) ([]byte, error) {
	raw, ps := parseRaw(f.File, src, f.Getenv)
	if raw == nil {
		return nil, ps
	}
	i := slices.IndexFunc(raw.Extensions, func(x Extension) bool { return x.Number == e.number })
	switch {
	case e.make != "" && i >= 0:
		return nil, errExtension
	case e.make == "" && i < 0:
		return nil, errNoExtension
	}
	open := func() (*splice.List, error) { return splice.Open(src, "extensions") }
	l, err := open()
	switch {
	case err != nil:
		return nil, err
	case e.make != "":
		return l.Add(e.make)
	case e.remove:
		return l.Remove(i)
	}
	for _, k := range e.set {
		if src, err = l.Set(i, k.path, k.value); err == nil {
			l, err = open()
		}
		if err != nil {
			return nil, err
		}
	}
	return src, nil
}

// apply carries the edit out on a Config whose list of extensions is its own.
func (e edit) apply(c *Config) error {
	i := slices.IndexFunc(c.Extensions, func(x Extension) bool { return x.Number == e.number })
	switch {
	case e.make != "" && i >= 0:
		return errExtension
	case e.make == "" && i < 0:
		return errNoExtension
	case e.remove:
		c.Extensions = slices.Delete(c.Extensions, i, i+1)
		return nil
	case e.make != "":
		var x Extension
		if err := decode(e.make, &x); err != nil {
			return err
		}
		c.Extensions = append(c.Extensions, x)
		return nil
	}
	x := c.Extensions[i]
	for _, k := range e.set {
		if k.value == "" {
			field(&x, k.path).SetZero()
			continue
		}
		text := k.value
		for _, key := range slices.Backward(k.path) {
			text = "{" + key + ": " + text + "}"
		}
		if len(k.path) == 1 {
			field(&x, k.path).SetZero() // a map that is given whole is the whole map
		}
		if err := decode(text, &x); err != nil {
			return err
		}
	}
	c.Extensions[i] = x
	return nil
}

// field finds a field by its keys.
func field(x *Extension, path []string) reflect.Value {
	v := reflect.ValueOf(x).Elem()
	for _, key := range path {
		for f, fv := range v.Fields() {
			if f.Tag.Get("yaml") == key {
				v = fv
				break
			}
		}
	}
	return v
}
