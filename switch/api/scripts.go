package api

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io/fs"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// A Script is one that numbers run, or may run.
type Script struct {
	Name     string    `json:"name"`
	Numbers  []string  `json:"numbers"` // that run it
	Size     int64     `json:"size"`
	Modified time.Time `json:"modified,omitzero"`
	Problems int       `json:"problems"` // errors and warnings
	Editable bool      `json:"editable"`
	Source   string    `json:"source"` // file | builtin | url
	URL      string    `json:"url,omitempty"`
	Text     string    `json:"text,omitempty"`
	ETag     string    `json:"etag,omitempty"`
}

// Scripts keeps them. All methods may be used at once.
type Scripts interface {
	// List gives all without Text.
	List() ([]Script, error)
	// Read gives one; an error that is fs.ErrNotExist when there is none.
	Read(name string) (Script, error)
	// Write makes or replaces one, if it is still as the entity tag was says ("" =
	// there is none); ErrChanged when it is not, ErrFixed when it cannot be written.
	Write(name, text, was string) error
	// Delete removes one, as Write does.
	Delete(name, was string) error
}

var (
	// ErrChanged says that a script is not what its writer has seen.
	ErrChanged = errors.New("the script has changed meanwhile")
	// ErrFixed says that a script cannot be changed here.
	ErrFixed = errors.New("this script cannot be changed here")
)

// ETag gives the entity tag of a script.
func ETag(text string) string {
	sum := sha256.Sum256([]byte(text))
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
}

// scriptName is what a script may be called: a file's name and no path.
var scriptName = regexp.MustCompile(`^[0-9A-Za-z_][0-9A-Za-z_. -]{0,95}\.(xml|ozml)$`)

// script reads one.
func (v *V1) script(name string) (Script, error) {
	if v.Scripts == nil || name == "" {
		return Script{}, notFound("there is no script %q", name)
	}
	s, err := v.Scripts.Read(name)
	if errors.Is(err, fs.ErrNotExist) {
		return s, notFound("there is no script %q", name)
	}
	return s, err
}

func (v *V1) getScripts(_ context.Context, in *Pages) (*paged[Script], error) {
	all, err := v.Scripts.List()
	if err != nil {
		return nil, err
	}
	for i, s := range all {
		if s.Source == "url" {
			continue
		}
		one, err := v.Scripts.Read(s.Name)
		if err != nil {
			continue // it went meanwhile
		}
		all[i].Problems = v.problems(one)
	}
	return pageOf("/v1/scripts", all, in, func(s Script) string { return s.Name })
}

// problems counts errors and warnings.
func (v *V1) problems(s Script) (n int) {
	_, all := v.Lint(s.Name, s.Text)
	for _, d := range all {
		if d.Severity != "note" {
			n++
		}
	}
	return n
}

// A ScriptPath is a script of a path.
type ScriptPath struct {
	Name string `path:"name" doc:"its file's name: hello.xml"`
}

// An IfMatch says which version of a script its writer has seen.
type IfMatch struct {
	Match string `header:"If-Match" doc:"the ETag of the version that was seen, or *; needed where the script exists"`
	None  string `header:"If-None-Match" doc:"*: only if there is none"`
}

// tagged is an answer with an entity tag.
type tagged[T any] struct {
	ETag string `header:"ETag"`
	Body T
}

func (v *V1) getScript(_ context.Context, in *ScriptPath) (*tagged[Script], error) {
	s, err := v.script(in.Name)
	if err != nil {
		return nil, err
	}
	s.Problems = v.problems(s)
	return &tagged[Script]{s.ETag, s}, nil
}

type putScript struct {
	Text string `json:"text"`
}

type scriptSaved struct {
	ETag     string `json:"etag"`
	Problems []Diag `json:"problems"`
}

// putScript saves a text. A script with mistakes is saved as well: it is the
// writer's, and a call says what is wrong with it.
func (v *V1) putScript(_ context.Context, in *struct {
	ScriptPath
	IfMatch
	Body putScript
}) (*tagged[scriptSaved], error) {
	name, text := in.Name, in.Body.Text
	if !scriptName.MatchString(name) {
		return nil, badRequest("a script is called like hello.xml: letters, digits, dots, dashes, and .xml or .ozml at its end")
	}
	if most := max(v.Document.Body, 1<<20); len(text) > most {
		return nil, &problem{Status: http.StatusRequestEntityTooLarge, Detail: "the script is larger than limits.body"}
	}
	was, err := v.precondition(in.IfMatch, name)
	if err != nil {
		return nil, err
	}
	if err := v.Scripts.Write(name, text, was); err != nil {
		return nil, scriptError(err)
	}
	tag := ETag(text)
	_, problems := v.Lint(name, text)
	return &tagged[scriptSaved]{tag, scriptSaved{tag, problems}}, nil
}

func (v *V1) deleteScript(_ context.Context, in *struct {
	ScriptPath
	IfMatch
}) (*nothing, error) {
	name := in.Name
	if _, err := v.script(name); err != nil {
		return nil, err
	}
	was, err := v.precondition(in.IfMatch, name)
	if err != nil {
		return nil, err
	}
	return &nothing{}, scriptError(v.Scripts.Delete(name, was))
}

// precondition gives the entity tag that a script must have to be changed, ""
// for one that must not exist (RFC 9110, 13.1). Who would replace a script has
// to say which one (RFC 6585, 3).
func (v *V1) precondition(in IfMatch, name string) (was string, err error) {
	match := strings.TrimSpace(in.Match)
	now, err := v.script(name)
	if err != nil && match == "" {
		return "", nil
	}
	switch {
	case err != nil, in.None == "*":
		return "", &problem{Status: http.StatusPreconditionFailed, Detail: ErrChanged.Error()}
	case match == "":
		return "", &problem{Status: http.StatusPreconditionRequired, Detail: "the script exists: say with If-Match which version of it you have seen"}
	case match == "*":
		return now.ETag, nil
	}
	return match, nil
}

func scriptError(err error) error {
	switch {
	case errors.Is(err, ErrChanged):
		return &problem{Status: http.StatusPreconditionFailed, Detail: err.Error()}
	case errors.Is(err, ErrFixed):
		return &problem{Status: http.StatusConflict, Detail: err.Error()}
	case errors.Is(err, fs.ErrNotExist):
		return notFound("there is no such script")
	}
	return err
}
