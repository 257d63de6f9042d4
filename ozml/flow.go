package ozml

import (
	"strings"
	"time"

	"ozswitch/ozml/syntax"
)

// A Steerer is an Action that says how it steers the script, so that Check sees
// the flow. Of an Action that does not, Check takes that it may do anything.
type Steerer interface{ Flow() Flow }

// A Flow is how an Action steers the script, as far as that is known before it
// runs. The zero Flow takes no time and goes on.
type Flow struct {
	Waits   bool          // time passes before the next command
	Heard   bool          // the caller hears something
	Takes   time.Duration // how long nothing is heard, at most
	Endless bool          // only a key within InitialCommands, or the end of the call, ends it
	Leaves  bool          // the document may end here: GoTo, a transfer
	HangsUp bool          // a recording is cut
	MayCut  bool          // a recording may end, who knows
	Records bool          // a recording starts, and one that runs ends
	NoEnd   bool          // this recording has no end of its own
	Sets    string        // the variable that is set
	Array   string        // the array that is made
	Items   int           // of Array
	Loop    *Loop
	Menu    *Menu
	Choice  *Choice
}

// A Choice runs one of two blocks.
type Choice struct{ Then, Else Block }

// A Loop runs its body for each item of an array.
type Loop struct {
	Source string
	Body   Block
}

// A Menu asks for keys.
type Menu struct {
	Initial  Block
	Bodies   []Block // what the entries lead to
	Repeat   bool
	Back     bool // a BackKey leads out
	Forwards bool // an entry may be posted to a web application
	Unsure   bool // a Key holds a variable
	Timeout  time.Duration
	Least    int // how many keys an entry must have that is no Key; 0 = not said
	Longest  int // of the Keys; 0 = there are none
}

// A step is an element with what is known of it, a sequence is a block.
type step struct {
	el   *syntax.Element
	cmd  *Command // nil: unknown
	act  Action   // nil: it will not run as it stands
	open bool     // a parameter holds a variable
	refs []varRef
	f    Flow        // of act
	sure bool        // act said f
	kids []*sequence // the blocks inside
}

type sequence struct{ steps []*step }

type varRef struct {
	name string // lower case
	at   syntax.Span
}

// learn asks the action how it steers the script.
func (s *step) learn() (f Flow, sure bool) {
	if st, is := s.act.(Steerer); is {
		f = st.Flow()
		if s.open {
			f.Endless, f.NoEnd, f.Takes = false, false, 0
			if f.Menu != nil {
				f.Menu.Unsure = true
			}
		}
		return f, true
	}
	return anything, false
}

var anything = Flow{Waits: true, Leaves: true, MayCut: true}

// flow gives what is known of a step; ok is false when it may do anything.
func (s *step) flow() (f *Flow, ok bool) { return &s.f, s.sure }

// A reach is what a sequence comes to.
type reach struct {
	falls  bool // the script may come to its end
	leaves bool // the document may end within
	waits  bool // time passes
	steps  int  // that it runs
}

// A walker follows the flow of one document.
type walker struct {
	c     *checker
	menus int            // that stand within each other
	set   map[string]int // what may be set here; arrays end with []
	trail []string       // keys of set in the order they came
	all   int            // > 0: anything may be set
	first map[string]int // the line that sets it first
	items map[string]int // of an array, the smallest
	cuts  map[*sequence]bool
	digit bool // something reads $digits
}

// flow remarks on how the commands of a document follow each other.
func (c *checker) flow(s *sequence) {
	w := &walker{c: c, set: map[string]int{}, first: map[string]int{}, items: map[string]int{}, cuts: map[*sequence]bool{}}
	w.collect(s)
	for n := range callVars(CallInfo{}) {
		delete(w.first, n) // set from the start
	}
	delete(w.first, "item")
	w.sequence(s, false, false)
	if c.in == Extension {
		w.sound(s, 0)
	}
}

// collect finds what the document sets at all.
func (w *walker) collect(s *sequence) {
	for _, st := range s.steps {
		f, ok := st.flow()
		line := st.el.NameSpan.From.Line
		if f.Sets != "" {
			w.note(f.Sets, line)
		}
		if f.Array != "" {
			w.note(f.Array+"[]", line)
			k := strings.ToLower(f.Array)
			if n, there := w.items[k]; !there || f.Items < n {
				w.items[k] = f.Items
			}
		}
		for _, r := range st.refs {
			w.digit = w.digit || r.name == "digits"
		}
		cut := !ok || f.HangsUp || f.MayCut || f.Records || f.Menu != nil && (f.Menu.Forwards || f.Menu.Unsure)
		for _, k := range st.kids {
			w.collect(k)
			cut = cut || w.cuts[k]
		}
		if cut {
			w.cuts[s] = true
		}
	}
}

func (w *walker) note(name string, line int) {
	name = strings.ToLower(name)
	if _, there := w.first[name]; !there {
		w.first[name] = line
	}
}

// cutting tells whether a step may end a recording.
func (w *walker) cutting(st *step) bool {
	f, ok := st.flow()
	if !ok || f.HangsUp || f.MayCut || f.Records || f.Menu != nil && (f.Menu.Forwards || f.Menu.Unsure) {
		return true
	}
	for _, k := range st.kids {
		if w.cuts[k] {
			return true
		}
	}
	return false
}

// add makes a name known from here on.
func (w *walker) add(name string) {
	if name = strings.ToLower(name); w.set[name] == 0 {
		w.set[name] = 1
		w.trail = append(w.trail, name)
	}
}

// branch follows one of several ways and gives what it set, which is not set
// beside it.
func (w *walker) branch(f func()) []string {
	mark := len(w.trail)
	f()
	names := append([]string(nil), w.trail[mark:]...)
	for _, n := range names {
		delete(w.set, n)
	}
	w.trail = w.trail[:mark]
	return names
}

// addAll makes known what a loop sets: its next turn has it.
func (w *walker) addAll(s *sequence) {
	for _, st := range s.steps {
		f, ok := st.flow()
		if f.Sets != "" {
			w.add(f.Sets)
		}
		if f.Array != "" {
			w.add(f.Array + "[]")
		}
		if !ok {
			w.add("*")
		}
		for _, k := range st.kids {
			w.addAll(k)
		}
	}
}

// read remarks on a variable that the document sets, but not before this place.
func (w *walker) read(name, shown string, at syntax.Span, cmd string) {
	line, sets := w.first[name]
	if !sets || w.all > 0 || w.set["*"] > 0 || w.set[name] > 0 {
		return
	}
	w.c.remark(Warning, CodeUnset, at, cmd, shown+" is read before it is set", "it is set in line "+itoa(line)+"; an earlier document of the call may have set it")
	w.set[name] = 1 // once is enough
	w.trail = append(w.trail, name)
}
