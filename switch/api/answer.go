package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"time"

	"github.com/beevik/etree"

	"ozswitch/ozml"
)

// The codes of the legacy API (http-api.md A4).
const (
	codeOK             = 200
	codeParse          = 300
	codeNoCommand      = 301
	codeBadParam       = 302
	codeInappropriate  = 303
	codeAuthRequired   = 304
	codeAuthFailed     = 305
	codeForbiddenUser  = 306
	codeForbiddenPlace = 307
	codeNoExtension    = 401
	codeNotConnected   = 402
	codeNoDestination  = 501
	codeNoCall         = 601
	codeNoConfig       = 701
	codeBadConfig      = 702
	codeConfigExists   = 703
)

// messages of the codes, to the letter: clients compare them. That includes
// the spelling of "occured".
var messages = map[int]string{
	codeOK:             "Command successfully executed",
	codeParse:          "Error occured during parsing message: '%s'",
	codeNoCommand:      "Not implemented command: '%s'",
	codeBadParam:       "Missing or invalid parameter '%s' for command '%s'",
	codeInappropriate:  "Command '%s' cannot be used here",
	codeAuthRequired:   "Authentication required",
	codeAuthFailed:     "Authentication failed, bad username or password",
	codeForbiddenUser:  "User is not allowed to use API in ACL",
	codeForbiddenPlace: "Use API from this address is forbidden",
	codeNoExtension:    "API extension '%s' unavailable, please check configuration or permissions",
	codeNotConnected:   "Call connect to '%s' failed with result state '%s'",
	codeNoDestination:  "Destination of the SMS is not found",
	codeNoCall:         "Call not found with ID '%s'",
	codeNoConfig:       "Configuration for type '%s' not found",
	codeBadConfig:      "Invalid configuration for type '%s'",
	codeConfigExists:   "Extension configuration already exists",
}

// An answer is what a command comes to.
type answer struct {
	code    int
	message string
	payload any // ozml.Started, []ozml.ActiveCall or nil

	mistakes []Mistake // of code 302, for those who can be told more
}

// say makes the answer of a code; args fill its message.
func say(code int, args ...any) answer {
	return answer{code: code, message: fmt.Sprintf(messages[code], args...)}
}

// write sends the envelope (http-api.md A3): HTTP 200 whatever the code.
func (a answer) write(w http.ResponseWriter) {
	if form, body, ok := a.otherForm(); ok {
		a.sent(w, form, body)
		return
	}
	doc := a.document()
	doc.WriteSettings.CanonicalText = true // 'q7Lx2', not &apos;q7Lx2&apos;
	doc.Indent(2)
	body, err := doc.WriteToBytes()
	if err != nil { // a document in memory can be written
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	a.sent(w, "application/xml", body)
}

// document makes the envelope with its payload.
func (a answer) document() *etree.Document {
	doc := etree.NewDocument()
	doc.CreateProcInst("xml", `version="1.0"`)
	root := doc.CreateElement("Response")
	root.CreateAttr("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance")
	root.CreateAttr("xmlns:xsd", "http://www.w3.org/2001/XMLSchema")
	child(root, "Code", strconv.Itoa(a.code))
	child(root, "Message", a.message)
	switch p := a.payload.(type) {
	case ozml.Started:
		child(root, "CallId", p.CallID)
	case []ozml.ActiveCall:
		activeCalls(root, p)
	default:
		_ = messagePayload(root, p) || listPayload(root, p) || configPayload(root, p)
	}
	return doc
}

func child(e *etree.Element, name, text string) { e.CreateElement(name).SetText(text) }

// activeCalls is the payload of ListActiveCalls as Ozeki 10 has it (A5).
func activeCalls(root *etree.Element, calls []ozml.ActiveCall) {
	list := root.CreateElement("ActiveCalls")
	for _, c := range calls {
		e := list.CreateElement("Call")
		child(e, "CallId", c.ID)
		child(e, "Source", c.Source)
		child(e, "CallerId", c.CallerID)
		child(e, "Destination", c.Destination)
		child(e, "CallerDialed", c.CallerDialed)
		child(e, "CalleeDialed", c.CalleeDialed)
		child(e, "StartTime", c.Started.Format(ozml.Stamp))
		child(e, "RingDuration", seconds(c.Ring))
		child(e, "TalkDuration", seconds(c.Talk))
		child(e, "CallState", c.State)
	}
}

func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 3, 64) }

// A problem is an error of everything but the legacy API (RFC 9457).
type problem struct {
	Type   string    `json:"type" doc:"about:blank: the status says what kind it is of"`
	Title  string    `json:"title" doc:"the status in words"`
	Status int       `json:"status"`
	Detail string    `json:"detail,omitempty" doc:"what went wrong, and what to do about it"`
	Code   int       `json:"code,omitempty" doc:"that of the legacy API, where it has one: 601 for no such call"`
	Errors []Mistake `json:"errors,omitempty" doc:"of a request that is not as described: all that is wrong with it"`

	quiet  bool          // no WWW-Authenticate: a page asks, and has a form of its own
	after  time.Duration // Retry-After
	bearer string        // what is wrong with the token (RFC 6750, 3.1)
}

// fill writes out what follows from the status.
func (p *problem) fill() *problem {
	p.Type, p.Title = "about:blank", http.StatusText(p.Status)
	return p
}

// GetStatus and the two after it are how package huma knows a problem.
func (p *problem) GetStatus() int { return p.Status }

// ContentType implements huma.ContentTypeFilter.
func (p *problem) ContentType(string) string { return "application/problem+json" }

// GetHeaders implements huma.HeadersError.
func (p *problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.after > 0 {
		h.Set("Retry-After", strconv.Itoa(int(p.after.Seconds()+1)))
	}
	switch {
	case p.bearer != "":
		h.Set("WWW-Authenticate", `Bearer realm="ozswitch", `+p.bearer)
	case p.Status == http.StatusUnauthorized && !p.quiet:
		h.Set("WWW-Authenticate", `Basic realm="ozswitch", charset="UTF-8"`)
	}
	return h
}

func (p *problem) write(w http.ResponseWriter) {
	h := w.Header()
	maps.Copy(h, p.GetHeaders())
	h.Set("Content-Type", p.ContentType(""))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(p.Status)
	json.NewEncoder(w).Encode(p.fill())
}
