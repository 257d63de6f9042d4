package message

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
)

// A Fault says why a message was not sent. All errors of Mailer.Send,
// Service.Send and Outbox are of this type, but for context.Cause of a context
// that ended.
type Fault struct {
	Place string // "mail server smtp.example.org:587", "Subject", "recipient 2"
	Cause string
	Cure  string // "" when there is nothing to do but wait
	Code  int    // SMTP reply, HTTP status or SMPP command_status; 0 = none
	Final bool   // the same message would fail again: do not retry
	Err   error  // what it came from, may be nil
}

// Error gives place, cause and cure in one line.
func (f *Fault) Error() string {
	s := "message: " + f.Place + ": " + f.Cause
	if f.Cure != "" {
		s += "; " + f.Cure
	}
	return s
}

// Unwrap gives Err.
func (f *Fault) Unwrap() error { return f.Err }

// IsFinal tells whether it is of no use to try again after err.
func IsFinal(err error) bool {
	f, ok := errors.AsType[*Fault](err)
	return ok && f.Final
}

// wrong is the fault of a field that its author has to mend.
func wrong(place, cure, cause string, args ...any) *Fault {
	return &Fault{Place: place, Cause: fmt.Sprintf(cause, args...), Cure: cure, Final: true}
}

// netFault names what a connection failed with. key is the configuration's
// word for the address.
func netFault(place, key string, err error) *Fault {
	f := &Fault{Place: place, Err: err}
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		f.Cause, f.Cure = "no such host: "+dns.Name, "correct "+key
	case errors.Is(err, syscall.ECONNREFUSED):
		f.Cause, f.Cure = "nobody listens there", "start it, or correct "+key
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		f.Cause, f.Cure = "no answer in time", "see whether it is overloaded, or a firewall drops packets"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.ErrClosedPipe):
		f.Cause, f.Cure = "it closed the connection", "its log says why"
	default:
		f.Cause = plain(err.Error())
	}
	return f
}

// plain makes words that came from outside fit for one line of a log: no
// control characters, at most 200 bytes.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	if len(s) > 200 {
		s = strings.ToValidUTF8(s[:200], "") + "…"
	}
	return strings.TrimSpace(s)
}
