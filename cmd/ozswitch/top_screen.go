package main

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"ozswitch/ozml/trace"
)

// A topScreen is what top shows and where the user is in it. It reads nothing and
// prints nothing: key and render are all that happens to it.
type topScreen struct {
	state   topState
	id      string // of the chosen call
	at      int    // its place, should it go
	filter  string
	typing  bool   // the filter
	asking  bool   // whether to hang up
	open    string // the call whose events are shown, "" = the table
	ladder  bool
	back    int // lines scrolled back from the end
	trouble string

	want topWant
}

// A topWant is what a key asks for beyond the screen.
type topWant int

const (
	wantNothing topWant = iota
	wantQuit
	wantHangup
	wantEvents
)

// take takes what was read.
func (m *topScreen) take(s topState) { m.state, m.trouble = s, "" }

// note keeps an error to be shown until the next reading succeeds.
func (m *topScreen) note(err error) {
	if err != nil {
		m.trouble = err.Error()
	}
}

// shown are the calls that fit the filter; the chosen one is among them.
func (m *topScreen) shown() (all []topCall) {
	for _, c := range m.state.calls {
		if f := strings.ToLower(m.filter); strings.Contains(strings.ToLower(c.From+" "+c.To+" "+c.Script+" "+c.Doing+" "+c.State), f) {
			all = append(all, c)
		}
	}
	for i, c := range all {
		if c.ID == m.id {
			m.at = i
			return all
		}
	}
	m.at = max(0, min(m.at, len(all)-1))
	if m.id = ""; len(all) > 0 {
		m.id = all[m.at].ID
	}
	return all
}

// key does what a key means; id is the call that m.want is about.
func (m *topScreen) key(k string) (id string) {
	calls := m.shown()
	switch {
	case m.typing:
		switch k {
		case "enter":
			m.typing = false
		case "esc":
			m.typing, m.filter = false, ""
		case "backspace":
			_, n := utf8.DecodeLastRuneInString(m.filter)
			m.filter = m.filter[:len(m.filter)-n]
		default:
			if utf8.RuneCountInString(k) == 1 {
				m.filter += k
			}
		}
		return m.id
	case m.asking:
		if m.asking = false; k == "y" || k == "Y" {
			m.want = wantHangup
		}
		return m.current()
	}
	switch k {
	case "q":
		m.want = wantQuit
	case "esc", "backspace":
		m.open, m.back = "", 0
	case "up", "k", "down", "j", "page up", "page down":
		step := map[string]int{"up": -1, "k": -1, "down": 1, "j": 1, "page up": -10, "page down": 10}[k]
		if m.open != "" {
			m.back = max(0, m.back-step)
		} else if len(calls) > 0 {
			m.id = calls[max(0, min(m.at+step, len(calls)-1))].ID
		}
	case "enter", "l":
		if m.open == "" && m.id != "" {
			m.open, m.back, m.want = m.id, 0, wantEvents
			m.state.events = nil
		}
		m.ladder = k == "l"
	case "h":
		m.asking = m.current() != ""
	case "/":
		m.typing = m.open == ""
	}
	return m.current()
}

// current is the call that a key is about.
func (m *topScreen) current() string {
	if m.open != "" {
		return m.open
	}
	return m.id
}

// render gives the lines of a screen of w columns and h lines.
func (m *topScreen) render(w, h int) []string {
	var all []string
	calls := m.shown()
	if m.open != "" {
		all = append(all, m.state.head())
		body := m.events()
		room := max(1, h-2)
		m.back = max(0, min(m.back, len(body)-room))
		end := len(body) - m.back
		all = append(all, body[max(0, end-room):end]...)
	} else {
		table := m.state.rows(calls, w)
		all = append(all, table[:2]...)
		room := max(1, h-3)
		from := max(0, m.at-room+1)
		for i, l := range table[2:] {
			if i < from || i >= from+room {
				continue
			}
			if i == m.at {
				l = "\x1b[7m" + fit(l, w) + "\x1b[0m"
			}
			all = append(all, l)
		}
		if len(calls) == 0 {
			all = append(all, " no calls"+map[bool]string{true: " that fit the filter"}[m.filter != ""])
		}
	}
	for len(all) < h-1 {
		all = append(all, "")
	}
	for i, l := range all {
		if !strings.HasPrefix(l, "\x1b") {
			all[i] = fit(l, w)
		}
	}
	return append(all, fit(m.foot(), w))
}

// foot is the last line: what the keys do, or what is asked.
func (m *topScreen) foot() string {
	switch {
	case m.trouble != "":
		return " " + clean(m.trouble)
	case m.typing:
		return " /" + m.filter + "_   <enter> keep  <esc> all"
	case m.asking:
		return " hang up this call? <y> yes, any other key no"
	case m.open != "":
		return " <enter> transcript  <l> ladder  <h> hang up  <esc> back  <q> quit"
	case m.filter != "":
		return " filter: " + m.filter + "   </> change  <enter> transcript  <h> hang up  <q> quit"
	}
	return " <enter> transcript  <h> hang up  <l> ladder  </> filter  <q> quit"
}

// head is the first line.
func (s *topState) head() string {
	st := s.status
	if st.Version == "" {
		return fmt.Sprintf(" ozswitch  calls %d", len(s.calls))
	}
	line := fmt.Sprintf(" ozswitch %s  up %s  calls %d  cps %.1f  reg %d  fetch p95 %.0fms  lag p99 %.1fms",
		clean(st.Version), short(time.Duration(st.Up*float64(time.Second))), len(s.calls), st.PerSecond, st.Registrations, st.FetchP95, st.LagP99)
	if st.Sentence != "" && st.Sentence != "All well" {
		line += "  " + clean(st.Sentence)
	}
	return line
}

// table is what is printed without a terminal.
func (s *topState) table(w int) []string { return s.rows(s.calls, w) }

// rows gives the head, the names of the columns and a line for each call. Two
// columns take the room that there is.
func (s *topState) rows(calls []topCall, w int) []string {
	wide := max(10, min(24, (w-47)/2))
	format := fmt.Sprintf(" %%-10s %%-8s %%-%ds %%-7s %%-%ds %%6s  %%s", wide, wide)
	all := []string{s.head(), fmt.Sprintf(format, "FROM", "TO", "SCRIPT", "LINE", "DOING", "TIME", "STATE")}
	for _, c := range calls {
		line, doing, ok := strings.Cut(clean(c.Doing), " ")
		if !ok {
			line, doing = "", clean(c.Doing)
		}
		script := clean(c.Script)
		if i := strings.LastIndexByte(script, '/'); i >= 0 && i+1 < len(script) {
			script = script[i+1:]
		}
		t := time.Duration((c.Talk + c.Ring) * float64(time.Second))
		all = append(all, fmt.Sprintf(format, fit(clean(c.From), 10), fit(clean(c.To), 8), fit(script, wide), fit(line, 7), fit(doing, wide),
			fmt.Sprintf("%02d:%02d", int(t.Minutes()), int(t.Seconds())%60), clean(c.State)))
	}
	return all
}

// events gives the open call's transcript, or its messages.
func (m *topScreen) events() []string {
	es := m.state.events
	if len(es) == 0 {
		return []string{" nothing yet"}
	}
	if !m.ladder {
		var b strings.Builder
		p := trace.NewPrinter(&b)
		for _, e := range es {
			p.Emit(e)
		}
		_ = p.Flush() // a Builder takes all
		all := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
		for i := range all {
			all[i] = clean(all[i])
		}
		return all
	}
	var all []string
	for _, e := range es {
		arrow, text := "", ""
		switch e.Type {
		case trace.SIPReceived, trace.SIPSent:
			text, _, _ = strings.Cut(e.Text, "\r\n")
			arrow = map[bool]string{true: "phone <------ ozswitch", false: "phone ------> ozswitch"}[e.Type == trace.SIPSent]
		case trace.ScriptFetch, trace.NotifySent, trace.NotifyFail:
			if e.ToPeople() {
				continue
			}
			arrow = "              ozswitch <-----> web app"
			text = fmt.Sprintf("%s %s: %d (%.0f ms)", e.Method, e.URL, e.Status, e.MS)
		default:
			continue
		}
		all = append(all, fmt.Sprintf("%8.2f  %-38s  %s", e.T.Sub(es[0].T).Seconds(), arrow, clean(text)))
	}
	return all
}

// fit cuts or fills a text to n columns.
func fit(s string, n int) string {
	if k := utf8.RuneCountInString(s); k <= n {
		return s + strings.Repeat(" ", n-k)
	}
	return string([]rune(s)[:max(0, n-1)]) + "…"
}

// clean takes out of what others chose all that a terminal would obey.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError || unicode.Is(unicode.Bidi_Control, r) {
			return '·'
		}
		return r
	}, s)
}

// short is a time in its largest unit.
func short(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%.0fs", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%.0fm", d.Minutes())
	case d < 48*time.Hour:
		return fmt.Sprintf("%.0fh", d.Hours())
	}
	return fmt.Sprintf("%.0fd", d.Hours()/24)
}
