package ozml

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

func itoa(n int) string { return strconv.Itoa(n) }

// sequence follows the commands of a block. prompt: within InitialCommands,
// where a key ends what goes on. later: what comes after the block may end a
// recording.
func (w *walker) sequence(s *sequence, prompt, later bool) reach {
	r := reach{falls: true}
	ends := make([]bool, len(s.steps)+1) // whether a step from here on may end a recording
	ends[len(s.steps)] = later
	for i := len(s.steps) - 1; i >= 0; i-- {
		ends[i] = ends[i+1] || w.cutting(s.steps[i])
	}
	for i, st := range s.steps {
		name := ""
		if st.cmd != nil {
			name = st.cmd.Name
		}
		for _, ref := range st.refs {
			w.read(ref.name, "$"+ref.name, ref.at, name)
		}
		stop := w.step(s, i, prompt, ends[i+1], &r)
		if stop == "" {
			continue
		}
		r.falls = false
		for _, next := range s.steps[i+1:] {
			if next.cmd == nil || next.cmd.Name == "OnHangup" {
				continue
			}
			w.c.remark(Warning, CodeUnreachable, next.el.NameSpan, next.cmd.Name, "never reached: "+stop, "")
			break
		}
		break
	}
	return r
}

// step follows one command, the i-th of s. It returns why nothing after it is
// reached, "" when the script may go on.
func (w *walker) step(s *sequence, i int, prompt, later bool, r *reach) (stop string) {
	st := s.steps[i]
	f, known := st.flow()
	r.steps = min(r.steps+1, 1e9)
	r.leaves = r.leaves || f.Leaves
	r.waits = r.waits || f.Waits
	name := st.el.Name
	if st.cmd != nil {
		name = st.cmd.Name
	}
	switch {
	case f.Menu != nil:
		stop = w.menu(st, f.Menu, later, r)
	case f.Loop != nil:
		w.loop(st, f.Loop, prompt, later, r)
	case f.Choice != nil:
		stop = w.choice(f.Choice, prompt, later, r)
	default:
		for _, k := range st.kids { // OnHangup, and what may happen at any time
			w.all++
			w.sequence(k, false, later)
			w.all--
		}
	}
	if f.Records && w.c.in == Extension {
		w.record(s, i, f, later)
	}
	if !known && len(st.kids) == 0 && st.cmd == nil {
		w.add("*") // who knows what was meant
	}
	if f.Sets != "" {
		w.add(f.Sets)
	}
	if f.Array != "" {
		w.add(f.Array + "[]")
	}
	if en, ok := st.act.(Ender); ok && en.Ends(w.c.in) {
		r.leaves = true
		return name + " ends what stands before"
	}
	if f.Endless && !prompt && w.c.in == Extension {
		return "this " + name + " goes on until the call ends"
	}
	return stop
}

// menu follows a UserInput.
func (w *walker) menu(st *step, m *Menu, later bool, r *reach) (stop string) {
	var own []*sequence
	own = append(own, m.Initial.flow)
	for _, b := range m.Bodies {
		own = append(own, b.flow)
	}
	if m.Repeat {
		for _, s := range own {
			if s != nil {
				w.addAll(s)
				later = later || w.cuts[s]
			}
		}
	}
	w.menus++
	var ini reach
	if m.Initial.flow != nil {
		ini = w.sequence(m.Initial.flow, true, later)
	}
	leaves := m.Unsure || m.Forwards || ini.leaves
	var set [][]string
	for _, s := range own[1:] {
		if s == nil {
			continue
		}
		set = append(set, w.branch(func() {
			leaves = w.sequence(s, false, later).leaves || leaves
		}))
	}
	for _, names := range set {
		for _, n := range names {
			w.add(n)
		}
	}
	w.menus--
	r.leaves = r.leaves || leaves
	r.waits = r.waits || ini.waits || m.Repeat || m.Timeout > 0 || m.Unsure
	if m.Least > m.Longest && m.Longest > 0 && !m.Unsure && !m.Forwards && !w.digit {
		w.c.remark(Warning, CodeDigits, attrSpan(st, "MinDigits", "Digits"), "UserInput", fmt.Sprintf("entries of %d keys fit no Key", m.Least), fmt.Sprintf("the longest Key has %d; leave Digits out, or add ForwardToUrl", m.Longest))
	}
	if !m.Repeat || m.Unsure {
		return ""
	}
	if m.Timeout == 0 && !ini.waits {
		w.c.remark(Warning, CodeCircle, st.el.NameSpan, "UserInput", "this menu goes round and round without a wait", "give it a Timeout, and something to hear in InitialCommands")
	}
	if !leaves && !m.Back {
		w.c.remark(Warning, CodeNoWayOut, st.el.NameSpan, "UserInput", "the caller cannot get out of this menu", "let an Input hang up or GoTo, add a BackKey, or leave out Repeat")
	}
	if m.Forwards || m.Back && w.menus == 0 {
		return ""
	}
	return "this UserInput repeats without end"
}

// loop follows a ForEach.
func (w *walker) loop(st *step, l *Loop, prompt, later bool, r *reach) {
	if l.Source != "" {
		w.read(strings.ToLower(l.Source)+"[]", "array "+l.Source, attrSpan(st, "Source"), "ForEach")
	}
	if l.Body.flow == nil {
		return
	}
	w.addAll(l.Body.flow)
	b := w.sequence(l.Body.flow, prompt, later || w.cuts[l.Body.flow])
	r.leaves = r.leaves || b.leaves
	r.waits = r.waits || b.waits
	n, known := w.items[strings.ToLower(l.Source)]
	if !known || b.waits || b.leaves {
		return
	}
	turns := n * (1 + b.steps) // 1e4 by 1e9 at most
	if most := w.c.b.limits.Steps; turns > most {
		w.c.remark(Warning, CodeCircle, st.el.NameSpan, "ForEach", fmt.Sprintf("this loop runs more than %d commands without a wait", most), "such a script is stopped; say something in the loop")
		turns = 0 // once is enough
	}
	r.steps = min(r.steps+turns, 1e9)
}

// choice follows both ways of an If. What either sets may be set afterwards.
func (w *walker) choice(c *Choice, prompt, later bool, r *reach) (stop string) {
	var set [][]string
	falls, steps := false, 0
	for _, s := range []*sequence{c.Then.flow, c.Else.flow} {
		if s == nil { // no Else
			falls = true
			continue
		}
		var one reach
		set = append(set, w.branch(func() { one = w.sequence(s, prompt, later) }))
		falls = falls || one.falls
		r.leaves, r.waits = r.leaves || one.leaves, r.waits || one.waits
		steps = max(steps, one.steps)
	}
	r.steps = min(r.steps+steps, 1e9)
	for _, names := range set {
		for _, n := range names {
			w.add(n)
		}
	}
	if falls {
		return ""
	}
	return "the script does not go on after either branch of the If"
}

// record remarks on a recording that is cut at once, or has no end.
func (w *walker) record(s *sequence, i int, f *Flow, later bool) {
	st := s.steps[i]
	for _, next := range s.steps[i+1:] {
		n, _ := next.flow()
		if n.HangsUp || n.Records {
			w.c.remark(Warning, CodeCutRecord, st.el.NameSpan, "Record", "this recording is cut at once by the "+next.el.Name+" in line "+itoa(next.el.NameSpan.From.Line), "Record does not wait: put a Delay or a prompt between them, or end the script with Exit, which waits for it")
			return
		}
		if n.Waits || n.Menu != nil || n.Loop != nil || n.Choice != nil {
			break
		}
	}
	if f.NoEnd && !later {
		w.c.remark(Warning, CodeEndless, st.el.NameSpan, "Record", "nothing ends this recording but the caller's hanging up", "add Duration, Inactivity or FinishDigits")
	}
}

// slow is how long a caller may wait for the first sound without a remark, and
// fetch how long a web application may take (web.timeout).
const slow, fetch = 10 * time.Second, 10 * time.Second

// sound follows the document to its first sound and remarks when that may come
// late. d is how long it has been; it returns false when there is no more to
// say.
func (w *walker) sound(s *sequence, d time.Duration) (time.Duration, bool) {
	for _, st := range s.steps {
		f, known := st.flow()
		_, ends := st.act.(Ender)
		switch {
		case f.Heard, !known, ends, f.Loop != nil, st.open && f.Waits:
			return d, false
		case f.Menu != nil:
			if f.Menu.Initial.flow != nil {
				more := false
				if d, more = w.sound(f.Menu.Initial.flow, d); !more {
					return d, false
				}
			}
			d += f.Menu.Timeout
		case f.Choice != nil:
			more := false
			if d, more = w.soundOf(f.Choice, d); !more {
				return d, false
			}
		default:
			d += f.Takes
		}
		if d > slow {
			w.c.remark(Info, CodeSlowSound, st.el.NameSpan, st.cmd.Name, fmt.Sprintf("%g s may go by before the caller hears anything", d.Seconds()), "say something first; a web app may take up to 10 s to answer")
			return d, false
		}
		if f.Menu != nil {
			return d, false
		}
	}
	return d, true
}

// soundOf follows both ways of an If; the slower one counts.
func (w *walker) soundOf(c *Choice, d time.Duration) (time.Duration, bool) {
	worst, goes := d, c.Else.flow == nil
	for _, s := range []*sequence{c.Then.flow, c.Else.flow} {
		if s == nil {
			continue
		}
		if t, more := w.sound(s, d); more {
			worst, goes = max(worst, t), true
		}
	}
	return worst, goes
}
