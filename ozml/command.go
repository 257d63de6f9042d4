package ozml

import (
	"context"
	"fmt"
	"sort"
	"strings"

	"ozswitch/ozml/syntax"
)

// A Setting is where a command is used; the same word may take other
// parameters in another setting. Settings combine with |.
type Setting uint8

// The settings.
const (
	Extension  Setting = 1 << iota // on the call of an API or script extension
	ThirdParty                     // on a call between others: an answer to CallChanged
	API                            // a request of the HTTP API
	Routing                        // an answer to RoutingInterception
)

func (s Setting) String() string {
	var names []string
	for i, n := range [...]string{"extension", "third party", "HTTP API", "routing"} {
		if s&(1<<i) != 0 {
			names = append(names, n)
		}
	}
	return strings.Join(names, ", ")
}

// A Command is one word of the language. It is data, except for New.
type Command struct {
	Name    string   // canonical spelling
	Also    []string // other spellings
	Title   string   // one line, no full stop
	Doc     string   // paragraphs of Markdown
	Notes   []string // choices of ours where the public pages are silent or disagree
	Example string   // a script; run as a test, printed in the manual
	In      Setting  // where it may be used
	NoCall  bool     // also runs when there is no call, or no longer (decisions 3.4)
	Admin   bool     // over the HTTP API for users with admin: true only; code 306 for others
	Ours    bool     // an extension of ozswitch: other switches do not know the word
	Sounds  bool     // a media command: when it was heard, the step budget begins anew (decisions 3.7)
	New     func(p *Params) Action
}

// An Action is a command with its parameters bound.
type Action interface {
	// Do carries the command out. It returns nil when the script may go on; an
	// error that is none of the machine's own (Stop, Back, the cause of ctx ...)
	// is reported with the command's place, and the script goes on as well.
	Do(ctx context.Context, m *Machine) error
}

// A Teller is an Action that tells in a few words what it is about to do, for
// the event log and the transcript: the text that is spoken, the file played.
type Teller interface{ Tell() string }

// A Table holds the commands, keyed by their names in lower case.
type Table map[string]*Command

// NewTable makes a Table. A name that occurs twice is a programming error and
// panics.
func NewTable(cs ...*Command) Table {
	t := make(Table, len(cs))
	for _, c := range cs {
		for _, n := range append([]string{c.Name}, c.Also...) {
			k := strings.ToLower(n)
			if t[k] != nil {
				panic(fmt.Sprintf("ozml: command %s twice in a table", n))
			}
			t[k] = c
		}
	}
	return t
}

// Lookup returns the command of that name in any letter case, or nil.
func (t Table) Lookup(name string) *Command { return t[strings.ToLower(name)] }

// Commands lists the commands by name.
func (t Table) Commands() []*Command {
	var cs []*Command
	for k, c := range t {
		if k == strings.ToLower(c.Name) {
			cs = append(cs, c)
		}
	}
	sort.Slice(cs, func(i, j int) bool { return cs[i].Name < cs[j].Name })
	return cs
}

// nearest returns the spelling that was probably meant, "" if none is near.
func (t Table) nearest(name string) string {
	var names []string
	for _, c := range t.Commands() {
		names = append(append(names, c.Name), c.Also...)
	}
	return syntax.Nearest(name, names)
}

// Parse reads a document in which a command of the table may stand alone
// (decisions 1.6). The error is a *syntax.Error.
func (t Table) Parse(name string, src []byte) (*syntax.File, error) {
	return syntax.ParseWith(syntax.Options{Name: name, IsCommand: func(n string) bool { return t.Lookup(n) != nil }}, src)
}

// HasCommands tells whether a document has any element to run; one without
// means "nothing to do", not a fault.
func HasCommands(f *syntax.File) bool {
	for _, c := range f.Root.Children {
		if _, ok := c.(*syntax.Element); ok {
			return true
		}
	}
	return false
}

// A Value is one parameter of a command that does not come from a document.
type Value struct{ Name, Value string }

// OneCommand makes a document of one command, as the HTTP API needs it. Values
// keep their order; empty ones are left out (empty = absent, decisions 11).
func OneCommand(name string, params []Value) *syntax.File {
	e := &syntax.Element{Name: name}
	for _, p := range params {
		if p.Value != "" {
			e.Attrs = append(e.Attrs, syntax.Attr{Name: p.Name, Value: p.Value})
		}
	}
	root := &syntax.Element{Name: "Response", Children: []syntax.Node{e}}
	return &syntax.File{Name: name, Root: root, Lone: true}
}

// A Block is a sequence of commands inside an element. The zero Block is empty.
type Block struct {
	doc   string
	nodes []syntax.Node
	flow  *sequence // what Check found out; nil to run
}

// Empty tells whether the block holds no command.
func (b Block) Empty() bool {
	for _, n := range b.nodes {
		if _, ok := n.(*syntax.Element); ok {
			return false
		}
	}
	return true
}

// File makes a document of the block.
func (b Block) File() *syntax.File {
	return &syntax.File{Name: b.doc, Root: &syntax.Element{Name: "Response", Children: b.nodes}}
}

// MarshalText gives the words of String.
func (s Setting) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
