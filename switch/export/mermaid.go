package export

import (
	"bufio"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"ozswitch/ozml/trace"
)

// Mermaid writes the call as a sequence diagram: SIP between the far end and us,
// HTTP between us and the web apps, keys and commands as notes.
func Mermaid(w io.Writer, c Call) error {
	m := &ladder{apps: map[string]string{}}
	if err := c.events(func(e *trace.Event) error { m.event(e); return nil }); err != nil {
		return err
	}
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "sequenceDiagram\n    participant C as %s\n    participant S as ozswitch\n", escape(m.caller))
	for i, host := range m.hosts {
		fmt.Fprintf(b, "    participant W%d as %s\n", i+1, escape(host))
	}
	for _, l := range m.lines {
		fmt.Fprintf(b, "    %s\n", l)
	}
	return b.Flush()
}

// A ladder is a diagram in the making.
type ladder struct {
	start  time.Time
	caller string
	apps   map[string]string // participants, by host
	hosts  []string
	lines  []string
}

// arrow adds a line: how is "C->>S", or "Note over S".
func (m *ladder) arrow(e *trace.Event, how, format string, a ...any) {
	if m.start.IsZero() {
		m.start = e.T
	}
	m.lines = append(m.lines, fmt.Sprintf("%s: %.2f %s", how, e.T.Sub(m.start).Seconds(), escape(fmt.Sprintf(format, a...))))
}

// app gives the participant of a URL.
func (m *ladder) app(raw string) string {
	host := "web app"
	if u, err := url.Parse(raw); err == nil && u.Host != "" {
		host = u.Host
	}
	if m.apps[host] == "" {
		m.hosts = append(m.hosts, host)
		m.apps[host] = fmt.Sprintf("W%d", len(m.hosts))
	}
	return m.apps[host]
}

func (m *ladder) event(e *trace.Event) {
	switch e.Type {
	case trace.CallStarted:
		m.start, m.caller = e.T, e.From
		if e.Direction == "Outbound" {
			m.caller = e.To
		}
	case trace.SIPReceived:
		m.arrow(e, "C->>S", "%s", startLine(e.Text))
	case trace.SIPSent:
		m.arrow(e, "S->>C", "%s", startLine(e.Text))
	case trace.ScriptFetch, trace.NotifySent, trace.NotifyFail:
		if e.ToPeople() {
			words := "sent"
			if e.Type == trace.NotifyFail {
				words = "not sent: " + e.Text
			}
			m.arrow(e, "Note over S", "%s to %s %s", e.Name, e.To, first(words))
			return
		}
		w := m.app(e.URL)
		sent := *e // the event is of the answer
		sent.T = e.T.Add(-time.Duration(e.MS * float64(time.Millisecond)))
		m.arrow(&sent, "S->>"+w, "%s %s %s", e.Method, pathOf(e.URL), e.Name)
		switch {
		case e.Status != 0:
			m.arrow(e, w+"-->>S", "%d (%.0f ms)", e.Status, e.MS)
		default:
			m.arrow(e, w+"--xS", "%s", first(e.Text+e.Reason))
		}
	case trace.Key:
		m.arrow(e, "Note over C", "key %s", e.Key)
	case trace.CommandStart:
		m.arrow(e, "Note over S", "%d:%d %s %s", e.Line, e.Col, e.Name, first(e.Text))
	case trace.CommandFail:
		m.arrow(e, "Note over S", "%s failed: %s", e.Name, first(e.Text))
	case trace.RecordEnd:
		m.arrow(e, "Note over S", "recording ended: %s, %.1f s", e.Reason, e.Seconds)
	case trace.ScriptRefused, trace.Error:
		m.arrow(e, "Note over S", "%s %s", e.Code, first(e.Text))
	case trace.CallEnded:
		m.arrow(e, "Note over C,S", "call ended: %s, %.1f s", e.Reason, e.Seconds)
	}
}

// startLine is a SIP message's; of a response with the method that it answers.
func startLine(m string) string {
	line, rest, _ := strings.Cut(m, "\r\n")
	if status, ok := strings.CutPrefix(line, "SIP/2.0 "); ok {
		for l := range strings.SplitSeq(rest, "\r\n") {
			if name, v, ok := strings.Cut(l, ":"); ok && strings.EqualFold(strings.TrimSpace(name), "CSeq") {
				if f := strings.Fields(v); len(f) == 2 {
					return fmt.Sprintf("%s (%s)", status, f[1])
				}
			}
		}
		return status
	}
	return strings.TrimSuffix(line, " SIP/2.0")
}

func pathOf(raw string) string {
	if u, err := url.Parse(raw); err == nil && u.Host != "" {
		return u.EscapedPath()
	}
	return raw
}

// first shortens a text to what fits a note.
func first(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:59]) + "…"
	}
	return s
}

// escape makes a text safe for a diagram: what means something to Mermaid (or, in
// a page, to HTML) stands as its entity code, and a text of nothing as a dash.
func escape(s string) string {
	var b strings.Builder
	for _, r := range strings.Join(strings.Fields(s), " ") {
		switch {
		case strings.ContainsRune("#;<>&\"%{}\\`", r):
			fmt.Fprintf(&b, "#%d;", r)
		case r < ' ' || r == 0x7f:
		default:
			b.WriteRune(r)
		}
	}
	if b.Len() == 0 {
		return "-"
	}
	return b.String()
}
