package api

import (
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

func (v *V1) getScripts(http.ResponseWriter, *http.Request) (any, error) {
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
	return append([]Script{}, all...), nil
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

func (v *V1) getScript(w http.ResponseWriter, r *http.Request) (any, error) {
	s, err := v.script(r.PathValue("name"))
	if err != nil {
		return nil, err
	}
	s.Problems = v.problems(s)
	w.Header().Set("ETag", s.ETag)
	return s, nil
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
func (v *V1) putScript(w http.ResponseWriter, r *http.Request) (any, error) {
	name := r.PathValue("name")
	if !scriptName.MatchString(name) {
		return nil, badRequest("a script is called like hello.xml: letters, digits, dots, dashes, and .xml or .ozml at its end")
	}
	var in putScript
	if err := read(w, r, v.scriptBody(), &in); err != nil {
		return nil, err
	}
	if most := max(v.Document.Body, 1<<20); len(in.Text) > most {
		return nil, &problem{Status: http.StatusRequestEntityTooLarge, Detail: "the script is larger than limits.body"}
	}
	was, err := v.precondition(r, name)
	if err != nil {
		return nil, err
	}
	if err := v.Scripts.Write(name, in.Text, was); err != nil {
		return nil, scriptError(err)
	}
	tag := ETag(in.Text)
	w.Header().Set("ETag", tag)
	_, problems := v.Lint(name, in.Text)
	return scriptSaved{tag, problems}, nil
}

func (v *V1) deleteScript(_ http.ResponseWriter, r *http.Request) (any, error) {
	name := r.PathValue("name")
	if _, err := v.script(name); err != nil {
		return nil, err
	}
	was, err := v.precondition(r, name)
	if err != nil {
		return nil, err
	}
	return nil, scriptError(v.Scripts.Delete(name, was))
}

// precondition gives the entity tag that a script must have to be changed, ""
// for one that must not exist (RFC 9110, 13.1). Who would replace a script has
// to say which one (RFC 6585, 3).
func (v *V1) precondition(r *http.Request, name string) (was string, err error) {
	match := strings.TrimSpace(r.Header.Get("If-Match"))
	now, err := v.script(name)
	if err != nil && match == "" {
		return "", nil
	}
	switch {
	case err != nil, r.Header.Get("If-None-Match") == "*":
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
