package trace

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// A Printer writes the transcript of one call (contract.md "Transcript"): a
// line for what is worth seeing, with the seconds since the first event and the
// place in the script. It is a Sink; it is not safe for concurrent use.
//
// A line that tells how long something was heard is complete only when that has
// ended, so it and all lines after it are held back until then, or until the
// call ends or Flush is called. With Live such a line is printed at once,
// without the length.
type Printer struct {
	Live bool
	w    io.Writer
	err  error
	base time.Time
	held []line
}

type line struct {
	at   time.Time
	ev   Event  // of a line whose length is not known yet
	open bool   // it is such a line
	text string // with its place
}

// NewPrinter returns a Printer that writes to w.
func NewPrinter(w io.Writer) *Printer { return &Printer{w: w} }

// Since sets the time that is 0.00; else it is that of the first event.
func (p *Printer) Since(t time.Time) { p.base = t }

// Emit takes an event.
func (p *Printer) Emit(e Event) {
	if p.base.IsZero() {
		p.base = e.T
	}
	switch {
	case e.Type == CommandStart && lasts(e.Name):
		p.held = append(p.held, line{at: e.T, ev: e, open: !p.Live, text: place(e) + what(e)})
	case (e.Type == CommandEnd || e.Type == CommandFail) && lasts(e.Name):
		p.heard(e)
	default:
		if s := describe(e); s != "" {
			p.held = append(p.held, line{at: e.T, text: s})
		}
	}
	if e.Type == CallEnded { // what still sounded was heard until now
		for i := range p.held {
			p.held[i].close(e.T)
		}
	}
	p.release(false)
}

// heard completes the line of a command that ended.
func (p *Printer) heard(e Event) {
	for i := len(p.held) - 1; i >= 0; i-- {
		l := &p.held[i]
		if !l.open || l.ev.Name != e.Name || l.ev.Line != e.Line || l.ev.Col != e.Col || l.ev.Doc != e.Doc {
			continue
		}
		if e.Type == CommandFail {
			p.held = append(p.held[:i], p.held[i+1:]...) // nothing was heard; the failure tells what
			break
		}
		l.close(e.T)
		return
	}
	if e.Type == CommandFail {
		p.held = append(p.held, line{at: e.T, text: describe(e)})
	}
}

// close completes a line whose length was not known.
func (l *line) close(end time.Time) {
	if l.open {
		l.open = false
		l.text += fmt.Sprintf(" (%.1f s)", end.Sub(l.at).Seconds())
	}
}

// release writes the lines that are complete, or all.
func (p *Printer) release(all bool) {
	n := 0
	for n < len(p.held) && (all || !p.held[n].open) {
		l := p.held[n]
		if _, err := fmt.Fprintf(p.w, "%8.2f  %s\n", l.at.Sub(p.base).Seconds(), l.text); err != nil && p.err == nil {
			p.err = err
		}
		n++
	}
	p.held = append(p.held[:0], p.held[n:]...)
}

// Flush writes what is held back and returns the first error of writing.
func (p *Printer) Flush() error {
	p.release(true)
	return p.err
}

// lasts names the commands whose line tells how long they were heard.
func lasts(name string) bool {
	switch name {
	case "Speak", "Play", "Beep", "SendDTMF":
		return true
	}
	return false
}

// silent names the commands that are seen by what they lead to.
func silent(name string) bool {
	switch name {
	case "UserInput", "ForEach", "Delay", "Record", "PauseRecord", "ResumeRecord", "Var", "Array", "GoTo", "OnHangup", "ListActiveCalls":
		return true
	}
	return false
}

func place(e Event) string {
	if e.Line == 0 {
		return ""
	}
	return fmt.Sprintf("%-4s ", fmt.Sprintf("%d:%d", e.Line, e.Col))
}

func what(e Event) string {
	switch {
	case e.Text == "":
		return e.Name
	case e.Name == "Speak":
		return e.Name + ` "` + Short(e.Text) + `"`
	}
	return e.Name + " " + Short(e.Text)
}

// describe gives the line of an event, "" when it is not worth one.
func describe(e Event) string {
	switch e.Type {
	case CallStarted:
		return fmt.Sprintf("call %s -> %s", e.From, e.To)
	case CallBridged:
		return e.From + " talks with " + e.To
	case CallRouted:
		return e.Text
	case CallHeld:
		return "on hold"
	case CallResumed:
		return "no longer on hold"
	case CallTransferred:
		if e.Text != "" {
			return e.To + " " + e.Text
		}
		return "transferred: " + e.To + " in place of " + e.From
	case LegRinging:
		return e.To + " rings"
	case LegFailed:
		return fmt.Sprintf("%s: %d %s", e.To, e.Status, e.Reason)
	case CallEnded:
		return fmt.Sprintf("call ended: %s, %.1f s", e.Reason, e.Seconds)
	case ScriptFetch:
		if e.Reason == GivenUp {
			return ""
		}
		return exchange("fetch", e)
	case ScriptRefused:
		return place(e) + "refused " + problem(e)
	case ScriptWarning:
		if e.Reason == "note" {
			return ""
		}
		return place(e) + "warning " + problem(e)
	case NotifySent, NotifyFail:
		if e.ToPeople() {
			return message(e)
		}
		if e.Type == NotifyFail {
			return place(e) + prefix(e) + problem(e)
		}
		return exchange("notify "+e.Name, e)
	case MessageReceived:
		return "message from " + e.From + quoted(e.Text)
	case Error, RecordFail, CommandFail:
		return place(e) + prefix(e) + problem(e)
	case CommandStart:
		if silent(e.Name) {
			return ""
		}
		return place(e) + what(e)
	case Key:
		return "key " + orStars(e.Key, 1)
	case KeySent:
		return "keys sent " + orStars(e.Key, 1) + " by " + e.Source
	case Input:
		return entry(e)
	case RecordStart:
		return place(e) + "Record started " + e.File
	case RecordPause:
		return place(e) + "Record paused"
	case RecordResume:
		return place(e) + "Record resumed"
	case RecordEnd:
		reason := e.Reason
		if e.Key != "" {
			reason += " " + e.Key
		}
		if e.Reason == "error" && e.Text != "" {
			reason += ": " + Short(e.Text)
		}
		return place(e) + fmt.Sprintf("Record ended: %s, %.1f s", reason, e.Seconds)
	case Conference, Queue, Voicemail:
		return service(e)
	case Alarm:
		return place(e) + alarm(e)
	case LogDropped:
		return fmt.Sprintf("%d events of the log were dropped", e.Count)
	}
	return ""
}

// ToPeople tells whether a NotifySent or NotifyFail is about something that a
// script sends to people, and not about a notification to a web app.
func (e Event) ToPeople() bool {
	switch e.Name {
	case "sms", "mail", "message", "inbox":
		return e.Method == ""
	}
	return false
}

// message tells of a message that was sent, or why it was not.
func message(e Event) string {
	if e.Name == "inbox" {
		return fmt.Sprintf("%d from %s, %s", e.Count, e.To, e.Reason)
	}
	s := e.Name + " to " + e.To
	if e.Type == NotifyFail {
		s += " failed: " + problem(e)
		if e.Reason == "retry" {
			s += "; it is tried again"
		}
		return s
	}
	s += quoted(e.Text)
	if e.From != "" {
		s += " from " + e.From
	}
	if e.Extension != "" {
		s += " by " + e.Extension
	}
	if e.File != "" {
		s += " with " + e.File
	}
	if e.URL != "" {
		s += ", report to " + e.URL
	}
	if e.Body != "" {
		s += ": " + Short(e.Body)
	}
	return s
}

func quoted(s string) string {
	if s == "" {
		return ""
	}
	return ` "` + Short(s) + `"`
}

// service tells what a conference, a queue or a voicemail did.
func service(e Event) string {
	s := string(e.Type) + " " + e.Name + " " + e.Reason
	if e.Count > 0 {
		s += fmt.Sprintf(" at %d", e.Count)
	}
	if e.To != "" {
		s += " " + e.To
	}
	if e.Text != "" {
		s += ": " + Short(e.Text)
	}
	return s
}

// alarm tells of an alarm that was received or sent.
func alarm(e Event) string {
	if e.To == "" {
		return "alarm " + e.Reason + ": " + e.Text
	}
	return "alarm " + e.Reason + " to " + e.To + ": " + e.Text
}

// entry tells of a UserInput's entry; one key that was just pressed and is a
// Key needs no second line.
func entry(e Event) string {
	switch {
	case e.Text == "back":
		return place(e) + "UserInput <- " + orStars(e.Key, int(e.Count)) + " (back)"
	case e.Text != "" && e.Count == 0:
		return place(e) + "UserInput " + e.Text
	case e.Text != "":
		return place(e) + "UserInput <- " + orStars(e.Key, int(e.Count)) + " (" + e.Text + ")"
	case e.Count == 1 && e.Key == e.Reason:
		return ""
	case e.Reason != "":
		return place(e) + "UserInput <- " + e.Key + " (key " + e.Reason + ")"
	}
	return place(e) + "UserInput <- " + orStars(e.Key, int(e.Count))
}

// orStars stands in for keys that were blanked at the source.
func orStars(keys string, n int) string {
	if keys == "" {
		return strings.Repeat("•", n)
	}
	return keys
}

func exchange(lead string, e Event) string {
	method := e.Method
	if method == "" {
		method = "POST"
	}
	s := lead + " " + method + " " + e.URL
	if e.Status == 0 {
		return s + " failed: " + Short(e.Text)
	}
	return s + fmt.Sprintf(" %d (%.0f ms)", e.Status, e.MS)
}

func prefix(e Event) string {
	switch e.Type {
	case NotifyFail:
		return "notify " + e.Name + " POST " + e.URL + " failed "
	case RecordFail:
		return "Record failed "
	}
	return "error "
}

func problem(e Event) string {
	s := strings.TrimSpace(e.Code + ": " + e.Text)
	if e.Code == "" {
		s = e.Text
	}
	if e.Hint != "" {
		s += "; " + e.Hint
	}
	return strings.ReplaceAll(s, "\n", " ")
}

// shortest a text may become when it is cut at the end of a sentence.
const (
	long     = 60
	sentence = 15
)

// Short gives a text in one line of about 60 characters: cut after a sentence
// where one ends, else after a word, with … in place of the rest.
func Short(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) <= long {
		return s
	}
	head := string([]rune(s)[:long+1])
	best := 0
	for _, end := range []string{". ", "! ", "? "} {
		best = max(best, strings.LastIndex(head, end))
	}
	if best >= sentence {
		return head[:best] + "…"
	}
	if i := strings.LastIndexByte(head, ' '); i >= sentence {
		return head[:i] + "…"
	}
	return string([]rune(s)[:long]) + "…"
}
