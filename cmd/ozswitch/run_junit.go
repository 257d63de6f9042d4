package main

import (
	"errors"
	"fmt"
	"time"

	"ozswitch/ozml/trace"
)

// reported runs a script and, with --junit, writes what came of it as a report of
// one test: what makes the exit status 1 is its failure.
func (r *run) reported(name string, do func(name string) error) error {
	begun := time.Now()
	err := do(name)
	if r.junit == "" || err != nil && !errors.Is(err, errNo) && r.tape == nil {
		return err // not a call at all: a wrong flag, a scenario that cannot be read
	}
	if name == "" {
		name = r.fromLog
	}
	took := time.Since(begun)
	v := verdict{Name: name, File: name, Passed: err == nil, Seconds: took.Seconds()}
	if err != nil {
		switch {
		case r.other != "":
			v.Failures = append(v.Failures, r.other)
		case r.log == nil:
			v.Failures = append(v.Failures, r.tape.why...)
		}
		if len(v.Failures) == 0 {
			v.Failures = []string{err.Error()}
		}
	}
	if failed := writeJUnit(r.junit, []verdict{v}, took); failed != nil {
		return fmt.Errorf("run: --junit: %w", failed)
	}
	return err
}

// badLine is an event that makes the exit status 1, in one line.
func badLine(e trace.Event) string {
	at := e.Doc
	if e.Line > 0 {
		at = fmt.Sprintf("%s:%d:%d", e.Doc, e.Line, e.Col)
	}
	text := e.Text
	if e.Type == trace.ScriptFetch {
		text = fmt.Sprintf("%s answered %d %s", e.URL, e.Status, e.Text)
	}
	return fmt.Sprintf("%s: %s %s", at, e.Code, text)
}
