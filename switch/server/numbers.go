package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"ozswitch/ozml"
	"ozswitch/ozml/syntax"
	"ozswitch/switch/api"
	"ozswitch/switch/eventlog"
	"ozswitch/switch/extension"
	"ozswitch/switch/notify"
	"ozswitch/switch/splice"
)

// numbers lists the extensions for /v1.
func (s *Server) numbers() (all []api.Number) {
	for _, e := range s.state.Load().exts.All() {
		n := api.Number{
			Number: e.Number, Type: string(e.Type), Name: e.Name, File: e.File, URL: eventlog.BlankText(e.URL, false),
			Registered: []api.Contact{}, LastFailure: s.figures.lastFailure(e.Number),
		}
		if n.File != "" {
			n.File = scriptName(n.File)
		}
		if e.Type == extension.Phone {
			set := s.settings(e.Number)
			n.Settings = &set
		}
		for _, b := range s.sip.Bindings(e.Number) {
			n.Registered = append(n.Registered, api.Contact{
				Contact: b.Contact, Address: b.Source.String(), Transport: b.Transport, UserAgent: b.UserAgent, Expires: b.Expires,
			})
		}
		all = append(all, n)
	}
	return all
}

// kept is a number that was changed in the console of `dev`, one entry of
// data/numbers.yaml.
type kept struct {
	Number string `yaml:"number"`
	Type   string `yaml:"type"`
	File   string `yaml:"file,omitempty"`
	URL    string `yaml:"url,omitempty"`
}

const numbersFile = "numbers.yaml"

// setNumber is api.V1.SetNumber. In `serve` the configuration file keeps the
// change, in `dev` the file of what the console has changed.
func (s *Server) setNumber(number string, to api.NumberChange) error {
	st := s.state.Load()
	e, ok := st.exts.Find(number)
	switch {
	case !ok:
		return &api.Refusal{Status: http.StatusNotFound, Why: "there is no number " + number}
	case !e.RunsScript():
		return &api.Refusal{Status: http.StatusConflict, Why: "number " + number + " runs no script: it is of type " + string(e.Type)}
	}
	err := s.change(edit{number: number, set: []setKey{
		{[]string{"type"}, splice.Quote(to.Type)}, {[]string{"file"}, quoted(to.File)}, {[]string{"url"}, quoted(to.URL)},
	}})
	if bad, ok := errors.AsType[*invalidError](err); ok {
		return &api.Refusal{Status: http.StatusUnprocessableEntity, Why: bad.why}
	} else if err != nil {
		return &api.Refusal{Status: http.StatusConflict, Why: err.Error()}
	}
	if !st.cfg.dev {
		return nil
	}
	if err := keep(filepath.Join(s.data.dir, numbersFile), kept{number, to.Type, to.File, to.URL}); err != nil {
		return fmt.Errorf("server: the change is not kept: %w", err)
	}
	return nil
}

// quoted is a value of a key that is taken away when there is none.
func quoted(s string) string {
	if s == "" {
		return ""
	}
	return splice.Quote(s)
}

// keep writes a change beside the others.
func keep(file string, k kept) error {
	all, err := readKept(file)
	if err != nil {
		return err
	}
	all = append(slices.DeleteFunc(all, func(o kept) bool { return o.Number == k.Number }), k)
	text, err := yaml.Marshal(all)
	if err != nil {
		return err
	}
	text = append([]byte("# Numbers that were changed in the console of `ozswitch dev`. Remove what is not wanted.\n"), text...)
	if err := os.WriteFile(file+".new", text, 0o640); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

func readKept(file string) (all []kept, err error) {
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	d := yaml.NewDecoder(bytes.NewReader(b), yaml.Strict())
	if err := d.Decode(&all); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return all, nil
}

// Kept puts the numbers that the console of an earlier `dev` has changed into
// the preset c, and tells in words which. A script that `dev` was given wins.
func (c *Config) Kept() (told []string, err error) {
	all, err := readKept(filepath.Join(c.Data, numbersFile))
	if err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	for i := range c.Extensions {
		e := &c.Extensions[i]
		for _, k := range all {
			if k.Number != e.Number || e.File+e.URL != "" {
				continue
			}
			e.Type, e.File, e.URL = k.Type, k.File, k.URL
			told = append(told, fmt.Sprintf("%s runs %s, as set in the console: %s", e.Number, eventlog.BlankText(k.File+k.URL, false), filepath.Join(c.Data, numbersFile)))
		}
	}
	return told, nil
}

// fetchSample is api.V1.Fetch: it posts an IncomingCall that is none.
func (s *Server) fetchSample(ctx context.Context, u api.User, url, number string) api.Fetched {
	info := ozml.CallInfo{ID: "sample", Caller: "1001", CallerName: "Sample", Dialed: number, Extension: number, Direction: "Inbound", Started: time.Now()}
	if info.Dialed == "" {
		info.Dialed, info.Extension = mainNumber, mainNumber
	}
	cc := notify.CallContext{Info: info}
	if e, ok := s.state.Load().exts.Find(info.Extension); u.AnyURL || ok && e.URL == url {
		cc.Operator = []string{url}
	}
	a := s.web.ForCall(cc).Try(ctx, ozml.Notification{Name: "IncomingCall", URL: url})
	f := api.Fetched{
		Status: a.Status, ContentType: a.ContentType, MS: float64(a.Took.Microseconds()) / 1000, Raw: a.Body,
		Body: strings.ToValidUTF8(string(a.Body[:min(len(a.Body), 64<<10)]), "\uFFFD"),
	}
	if a.Err != nil {
		if _, bad := errors.AsType[*syntax.Error](a.Err.Err); !bad { // what is wrong with the document stands in Problems
			f.Error, f.Code, f.Hint = a.Err.Msg, a.Err.Code, a.Err.Hint
		}
	}
	return f
}
