package notify

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"
	"unicode"

	"ozswitch/ozml"
	"ozswitch/ozml/syntax"
)

// A fault is why an exchange gave no document, in words for the author of the
// web app.
type fault struct {
	code  string
	cause string // what happened, without the URL
	hint  string // "" = the cure of the code
	early bool   // the connection failed before a byte of the answer came
	pos   syntax.Pos
	line  string // the source line of pos
	err   error
}

func newFault(code, cause string, args ...any) *fault {
	return &fault{code: code, cause: fmt.Sprintf(cause, args...), hint: ozml.Cure(code)}
}

func (f *fault) with(hint string) *fault { f.hint = hint; return f }

// fetchError is the fault as a script's author sees it.
func (f *fault) fetchError(method, url string, status int) *ozml.FetchError {
	e := &ozml.FetchError{URL: Blank(url), Status: status, Code: f.code, Pos: f.pos, Hint: f.hint, Err: f.err}
	switch {
	case f.pos.IsValid():
		e.Msg = fmt.Sprintf("%s:%s: %s", e.URL, f.pos, f.cause)
	case method == "":
		e.Msg = fmt.Sprintf("%s: %s", e.URL, f.cause)
	default:
		e.Msg = fmt.Sprintf("%s %s: %s", method, e.URL, f.cause)
	}
	return e
}

// quiet is the same fault without a word of the answer, which may hold what the
// caller entered.
func (f *fault) quiet() *fault {
	q := *f
	q.line, q.err = "", nil
	for _, d := range syntax.Codes {
		if d.Code == f.code {
			q.cause, q.hint = d.Title, d.Cure
		}
	}
	return &q
}

// syntaxFault is what syntax refused.
func syntaxFault(err error) *fault {
	if e, ok := errors.AsType[*syntax.Error](err); ok {
		return &fault{code: e.Code, cause: e.Msg, hint: e.Hint, pos: e.Pos, line: e.Line, err: e}
	}
	return &fault{code: "OZ1001", cause: err.Error(), err: err}
}

// transportFault names what a round trip failed with. host is the URL's
// host:port; got is how far it came.
func transportFault(err error, host string, got phase, limit time.Duration) *fault {
	f := nameFault(err, host, got, limit)
	f.early = got < firstByte && f.code != ozml.CodeTimeout && f.code != ozml.CodeNotAllowed && f.code != ozml.CodeTLS
	f.err = err
	return f
}

const selfHint = "a script controls the switch by commands, and reaches a recording by its RecordURL; web.allow does not open the switch itself"

func nameFault(err error, host string, got phase, limit time.Duration) *fault {
	if r, ok := errors.AsType[*refusal](err); ok {
		if r.self {
			return newFault(ozml.CodeNotAllowed, "%v", r).with(selfHint)
		}
		// The line stands in the message, because an Error notification has no hint.
		return newFault(ozml.CodeNotAllowed, "%s is a %s address and not allowed; to allow it: %s", r.addr, r.kind, Line(r.addr)).
			with("if the switch shall reach it, add this to the configuration: " + Line(r.addr))
	}
	if f := tlsFault(err); f != nil {
		return f
	}
	if d, ok := errors.AsType[*net.DNSError](err); ok && !d.IsTimeout {
		if d.IsNotFound {
			return newFault(ozml.CodeNoHost, "no such host: %s", d.Name)
		}
		return newFault(ozml.CodeNoHost, "the name %s cannot be resolved: %s", d.Name, d.Err)
	}
	var timeout interface{ Timeout() bool }
	text := err.Error()
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return newFault(ozml.CodeTimeout, "no answer within %s: %s", limit.Round(100*time.Millisecond), got.words(host))
	case errors.Is(err, syscall.ECONNREFUSED):
		return newFault(ozml.CodeRefused, "connection refused: nothing listens on %s", host)
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EADDRNOTAVAIL):
		return newFault(ozml.CodeNetwork, "%s cannot be reached from here", host)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE),
		errors.Is(err, net.ErrClosed), strings.Contains(text, "server closed idle connection"):
		if got >= firstByte {
			return newFault(ozml.CodeBroken, "the connection broke off in the middle of the answer")
		}
		return newFault(ozml.CodeBroken, "the connection was closed without an answer")
	case strings.Contains(text, "malformed HTTP"), strings.Contains(text, "malformed MIME"), strings.Contains(text, "bad Content-Length"):
		return newFault(ozml.CodeNotHTTP, "what %s answers is not HTTP", host)
	case strings.Contains(text, "response headers exceeded"):
		return newFault(ozml.CodeTooLarge, "the headers of the answer are larger than 64 KiB")
	}
	return newFault(ozml.CodeNetwork, "%s", lastWords(err))
}

func tlsFault(err error) *fault {
	if e, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		who := "its issuer"
		if e.Cert != nil {
			who = e.Cert.Issuer.String()
		}
		return newFault(ozml.CodeTLS, "the certificate is signed by %s, which is not trusted here", who).
			with("set web.ca_file to the issuer's certificate, or use http on a network that you trust")
	}
	if e, ok := errors.AsType[x509.HostnameError](err); ok {
		return newFault(ozml.CodeTLS, "the certificate is for another name than %s", e.Host)
	}
	if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		if e.Reason == x509.Expired {
			return newFault(ozml.CodeTLS, "the certificate is out of date or not valid yet").with("renew it; check the clocks of both machines")
		}
		return newFault(ozml.CodeTLS, "the certificate is not valid: %s", strings.TrimPrefix(e.Error(), "x509: "))
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return newFault(ozml.CodeTLS, "the certificate is not valid: %s", lastWords(err))
	}
	_, isRecord := errors.AsType[tls.RecordHeaderError](err)
	if isRecord || strings.Contains(err.Error(), "HTTP response to HTTPS client") {
		return newFault(ozml.CodeTLS, "the other side speaks no TLS").with("write http:// instead of https://, or check the port")
	}
	if _, ok := errors.AsType[tls.AlertError](err); ok || strings.Contains(err.Error(), "tls: ") {
		return newFault(ozml.CodeTLS, "no secure connection: %s", lastWords(err))
	}
	return nil
}

// lastWords is the innermost message, which is the one without our own URL.
func lastWords(err error) string {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err.Error()
		}
		err = next
	}
}

// statusFault says that the answer is not 2xx.
func statusFault(status int, head http.Header, body []byte) *fault {
	cause, hint := ozml.StatusWords(status, http.StatusText(status))
	f := newFault(ozml.CodeStatus, "%s", cause).with(hint)
	if q := firstLine(body); q != "" {
		f.cause += fmt.Sprintf(": %q", q)
	}
	if status >= 300 && status < 400 && head.Get("Location") == "" {
		f.cause += ", without a Location"
	}
	return f
}

// firstLine is what is worth quoting of a body: the title of a page, else the
// first line that is not empty.
func firstLine(body []byte) string {
	text := strings.ToValidUTF8(string(body), "?")
	if low := strings.ToLower(text); len(low) == len(text) {
		if i := strings.Index(low, "<title>"); i >= 0 {
			if j := strings.Index(low[i:], "</title>"); j >= 0 {
				text = text[i+len("<title>") : i+j]
			}
		}
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(strings.Map(func(r rune) rune {
			if unicode.IsControl(r) {
				return ' '
			}
			return r
		}, line))
		if line == "" {
			continue
		}
		if r := []rune(line); len(r) > 120 {
			line = string(r[:120]) + "…"
		}
		return line
	}
	return ""
}
