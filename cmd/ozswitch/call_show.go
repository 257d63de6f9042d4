package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"ozswitch/switch/phone"
)

// A transcript prints one call as it happens. Its method event belongs to the call's
// goroutine; what it leaves is read after the call's end.
type transcript struct {
	k    *caller
	out  io.Writer
	st   style
	host string

	answered time.Duration // when, since the call began
	said     int           // sounds played
	pressed  int           // of k.keys
	mu       sync.Mutex    // guards out and what follows
	trouble  string        // the first thing that could not be done
	heard    string        // file
}

// did tells what came of an action; it belongs to another goroutine than event.
func (s *transcript) did(a action, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil && s.trouble == "" {
		s.trouble = a.String() + ": " + err.Error()
	}
	switch {
	case s.k.json && err != nil:
		_ = jsonLine(s.out, callEvent{Type: "trouble", Text: s.trouble})
	case s.k.json:
		_ = jsonLine(s.out, callEvent{Type: "done", Text: a.String()})
	case err != nil:
		fmt.Fprintf(s.out, "%8s  %s%s: %v\n", "", s.st.yellow("trouble: "), a, err)
	default:
		fmt.Fprintf(s.out, "%8s  done: %s\n", "", a)
	}
}

// event prints what happened.
func (s *transcript) event(e phone.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch e.Kind {
	case phone.Answered:
		s.answered = e.At
	case phone.Said:
		if s.said < len(s.k.sounds) {
			e.Text = s.k.sounds[s.said].name
		}
		s.said++
	case phone.KeySent:
		s.pressed++
	case phone.Trouble:
		if s.trouble == "" {
			s.trouble = e.Text
		}
	}
	if s.k.json {
		_ = jsonLine(s.out, newCallEvent(e)) // an error comes again at the summary
		return
	}
	fmt.Fprintf(s.out, "%8.2f  %s\n", e.At.Seconds(), s.line(e))
	if e.Kind == phone.Over && s.answered > 0 {
		for _, p := range s.k.keys[min(s.pressed, len(s.k.keys)):] {
			fmt.Fprintf(s.out, "%8s  not pressed: %s, due %.1f s after the answer\n", "", p.Keys, p.At.Seconds())
		}
	}
}

// registered says that the telephone can be called.
func (s *transcript) registered() {
	if s.k.json {
		_ = jsonLine(s.out, callEvent{Type: "registered", Text: s.k.user})
		return
	}
	fmt.Fprintf(s.out, "registered as %s at %s\n", s.k.user, s.host)
}

// line is an event in words.
func (s *transcript) line(e phone.Event) string {
	switch e.Kind {
	case phone.Dialled:
		text := fmt.Sprintf("call %s -> %s", s.k.from, e.Text)
		if _, isURI := cutScheme(e.Text); !isURI {
			text += " at " + s.host
		}
		return text
	case phone.Ringing:
		if s.k.wait {
			return "call from " + e.Text
		}
		return fmt.Sprintf("%d %s", e.Code, e.Text)
	case phone.Answered:
		return fmt.Sprintf("answered after %s", millis(e.At))
	case phone.KeySent:
		return "pressed " + e.Text
	case phone.KeyHeard:
		return "heard key " + string(rune(e.Key))
	case phone.Said:
		return "played " + e.Text
	case phone.Moved:
		return fmt.Sprintf("transfer: %d %s", e.Code, e.Text)
	case phone.Trouble:
		return s.st.yellow("trouble: ") + e.Text
	case phone.Over:
		text := "call ended: " + e.Text
		if s.answered > 0 {
			text += fmt.Sprintf(", %.1f s", (e.At - s.answered).Seconds())
		}
		return text
	}
	return e.Kind.String() // sound, held, resumed
}

// summary prints how the call went; why says why it failed.
func (s *transcript) summary(r phone.Result, why, hint string) error {
	if s.k.json {
		sum := callSummary{Type: "summary", Number: s.k.number, Server: s.host, OK: why == "", Why: why, Hint: hint,
			Cause: r.Cause.String(), Code: r.Code, Reason: r.Reason, Answered: s.answered > 0, Setup: r.Setup.Seconds(), Length: r.Length.Seconds(),
			Out: r.Stats.PacketsOut, In: r.Stats.PacketsIn, Lost: r.Stats.Lost, Late: r.Stats.Late,
			Jitter: r.Stats.Jitter.Seconds(), Lag: r.Stats.Lag.Seconds(), Heard: s.heard}
		return jsonLine(s.out, sum)
	}
	head := s.st.green("ok")
	if why != "" {
		head = s.st.red("failed") + "  " + why
	}
	if s.answered > 0 {
		sep := "  "
		if why != "" {
			sep = " · "
		}
		head += fmt.Sprintf("%s%.1f s · %d packets out, %d in, %d lost", sep, r.Length.Seconds(), r.Stats.PacketsOut, r.Stats.PacketsIn, r.Stats.Lost)
	}
	if s.heard != "" {
		head += " · heard: " + s.heard
	}
	_, err := fmt.Fprintln(s.out, head)
	return err
}

// A callEvent is an event as JSON.
type callEvent struct {
	Type string  `json:"type"`
	At   float64 `json:"at"` // seconds since the call began
	Code int     `json:"code,omitempty"`
	Key  string  `json:"key,omitempty"`
	Text string  `json:"text,omitempty"`
}

func newCallEvent(e phone.Event) callEvent {
	j := callEvent{Type: strings.ReplaceAll(e.Kind.String(), " ", "_"), At: e.At.Seconds(), Code: e.Code, Text: e.Text}
	if e.Key != 0 {
		j.Key = string(rune(e.Key))
	}
	return j
}

// A callSummary is the last line of --json. Times are seconds.
type callSummary struct {
	Type     string  `json:"type"` // summary
	Number   string  `json:"number"`
	Server   string  `json:"server"`
	OK       bool    `json:"ok"`
	Why      string  `json:"why,omitempty"` // it is not ok
	Hint     string  `json:"hint,omitempty"`
	Cause    string  `json:"cause"`
	Code     int     `json:"code,omitempty"` // SIP status
	Reason   string  `json:"reason,omitempty"`
	Answered bool    `json:"answered"`
	Setup    float64 `json:"setup_seconds"`
	Length   float64 `json:"length_seconds"`
	Out      int64   `json:"packets_out"`
	In       int64   `json:"packets_in"`
	Lost     int64   `json:"packets_lost"`
	Late     int64   `json:"packets_late"`
	Jitter   float64 `json:"jitter_seconds"`
	Lag      float64 `json:"lag_seconds"` // how late the caller itself was at worst
	Heard    string  `json:"heard,omitempty"`
}

// millis is a short time in words: 2.4 ms, 1.25 s.
func millis(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%.1f ms", d.Seconds()*1000)
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}
