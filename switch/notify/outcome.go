package notify

import (
	"bytes"
	"fmt"
	"runtime/debug"

	"ozswitch/ozml"
	"ozswitch/ozml/syntax"
)

// An Outcome of a notification, as decisions 2 tells them apart.
type Outcome uint8

// The outcomes.
const (
	Document Outcome = iota // 2xx with a document
	Refused                 // no 2xx, or a document that is refused
	Plain                   // 2xx with an empty body, or one that does not begin with <
)

// A Step is what follows from an outcome.
type Step uint8

// The steps.
const (
	Run      Step = iota // run the document
	Fallback             // the ladder: the call has no script yet
	HangUp               // hang up and send an Error notification
	GoOn                 // error event, Error notification, the script goes on after the command
	DialPlan             // the dial plan decides
	Retry                // try again later; the call does not notice
	Ignore               // delivered; nothing to run
)

func (s Step) String() string {
	return [...]string{"run", "fallback", "hang up", "go on", "dial plan", "retry", "ignore"}[s]
}

// After is the table of decisions 2. fallbacks says whether the extension has a
// fallback_url or a fallback_script.
func After(name string, o Outcome, fallbacks bool) Step {
	if o == Document {
		return Run
	}
	switch name {
	case "IncomingCall":
		return Fallback
	case "CallConnected":
		if fallbacks {
			return Fallback
		}
		return HangUp
	case "DtmfEntered", "GoTo":
		return GoOn
	case "RoutingInterception":
		return DialPlan
	}
	if o == Refused {
		return Retry // reports and states
	}
	return Ignore
}

// read makes a document of an answer, or says which fault it is. It is a
// recover boundary around the reader of outside bytes.
func (c *Client) read(name, charset string, body []byte) (f *syntax.File, o Outcome, fa *fault) {
	defer func() {
		if v := recover(); v != nil {
			c.panicked("reading "+name, v)
			f, o, fa = nil, Refused, &fault{code: "OZ1001", cause: "the switch cannot read this document: a fault of the switch",
				hint: "please report it with the document", err: fmt.Errorf("panic: %v\n%s", v, debug.Stack())}
		}
	}()
	first := firstByteOf(body)
	if first == 0 {
		return nil, Plain, newFault(ozml.CodeEmpty, "the answer is empty")
	}
	f, err := syntax.ParseWith(syntax.Options{Name: name, Charset: charset, Limits: c.cfg.Limits, IsCommand: c.cfg.IsCommand}, body)
	switch {
	case err == nil:
		return f, Document, nil
	case first != '<':
		return nil, Plain, syntaxFault(err)
	}
	return nil, Refused, syntaxFault(err)
}

// firstByteOf gives the first byte that is neither white space, nor part of a
// byte-order mark, nor half of a character in UTF-16; 0 when there is none.
func firstByteOf(b []byte) byte {
	for _, bom := range []string{"\xef\xbb\xbf", "\xff\xfe", "\xfe\xff"} {
		b = bytes.TrimPrefix(b, []byte(bom))
	}
	if b = bytes.TrimLeft(b, " \t\r\n\x00"); len(b) == 0 {
		return 0
	}
	return b[0]
}
