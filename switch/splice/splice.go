// Package splice changes one entry of a list in a YAML text and leaves every
// other byte as it is: comments, order, quotes, white space and line ends.
//
// It edits `extensions:` and what is like it: a list of maps below a key of the
// outermost map, in block style (a line of its own for each entry) or in flow
// style (between brackets). The parser tells where things begin, this package
// where they end. What it does not understand it refuses; who edits a file reads
// the result with the parser and compares, as switch/server does.
//
// Start reading at Open.
package splice

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// A List is a list of maps in a text.
type List struct {
	text
	key     string
	windows bool // lines end with \r\n; text has them without \r
	root    *ast.MappingNode
	pair    *ast.MappingValueNode // nil = the key is not there
	seq     *ast.SequenceNode     // nil = there is nothing after it
}

// out gives a text that was made its line ends back.
func (l *List) out(b []byte, err error) ([]byte, error) {
	if l.windows && err == nil {
		b = bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n"))
	}
	return b, err
}

// errRefused begins every refusal.
var errRefused = errors.New("splice")

func refuse(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errRefused, fmt.Sprintf(format, args...))
}

// Open finds the list of that key. A text without the key has an empty one.
func Open(src []byte, key string) (l *List, err error) {
	defer func() {
		if v := recover(); v != nil { // the parser's, on a hostile text
			l, err = nil, refuse("the text cannot be read: %v", v)
		}
	}()
	l = &List{key: key}
	if n := bytes.Count(src, []byte("\r")); n > 0 { // the parser counts these lines wrongly
		if n != bytes.Count(src, []byte("\r\n")) || n != bytes.Count(src, []byte("\n")) {
			return nil, refuse("the text has line ends of several kinds")
		}
		l.windows, src = true, bytes.ReplaceAll(src, []byte("\r\n"), []byte("\n"))
	}
	l.text = newText(src)
	file, err := parser.ParseBytes(src[l.bom:], 0)
	if err != nil {
		return nil, refuse("the text cannot be read: %v", err)
	}
	for _, d := range file.Docs {
		switch body := d.Body.(type) {
		case nil, *ast.NullNode, *ast.CommentGroupNode:
		case *ast.MappingNode:
			if l.root != nil {
				return nil, refuse("the text has two documents")
			}
			l.root = body
		case *ast.MappingValueNode:
			if l.root != nil {
				return nil, refuse("the text has two documents")
			}
			l.root = ast.Mapping(token.New("", "", body.GetToken().Position), false, body)
		default:
			return nil, refuse("the text is no map of keys")
		}
	}
	if l.root == nil {
		return l, nil
	}
	for _, kv := range l.root.Values {
		if kv.Key.GetToken().Value == key {
			l.pair = kv
		}
	}
	if l.pair == nil {
		return l, nil
	}
	switch v := bare(l.pair.Value).(type) {
	case nil, *ast.NullNode:
	case *ast.SequenceNode:
		l.seq = v
	default:
		return nil, refuse("%s is no list, or an alias of one", key)
	}
	return l, nil
}

// bare takes an anchor or a tag off.
func bare(n ast.Node) ast.Node {
	for {
		switch v := n.(type) {
		case *ast.AnchorNode:
			n = v.Value
		case *ast.TagNode:
			n = v.Value
		default:
			return n
		}
	}
}

// Len is how many entries there are.
func (l *List) Len() int {
	if l.seq == nil {
		return 0
	}
	return len(l.seq.Values)
}

// Add gives the text with one more entry at the end of the list. entry is its
// YAML on one line, such as {number: "1005", type: phone}.
func (l *List) Add(entry string) ([]byte, error) { return l.out(l.add(entry)) }

func (l *List) add(entry string) ([]byte, error) {
	switch {
	case l.pair == nil && l.root != nil && l.root.IsFlowStyle:
		return nil, refuse("the text is one map in braces and has no %s", l.key)
	case l.pair == nil:
		at := len(l.src)
		return l.splice(at, at, l.fresh(at)+l.key+":\n  - "+entry+"\n"), nil
	case l.seq == nil:
		return l.first(entry)
	case l.seq.IsFlowStyle:
		return l.addFlow(entry)
	}
	last := l.seq.Entries[len(l.seq.Entries)-1]
	dash, err := l.at(last.Start, "-")
	if err != nil {
		return nil, err
	}
	end, err := l.end(last.Value, false)
	if err != nil {
		return nil, err
	}
	return l.addLine(max(end, dash+1), l.indent(dash)+"- "+entry), nil
}

// first puts an entry below a key that has none.
func (l *List) first(entry string) ([]byte, error) {
	from, to, err := l.value(l.pair, l.root.IsFlowStyle)
	if err != nil {
		return nil, err
	}
	if l.root.IsFlowStyle || l.pair.Value != bare(l.pair.Value) {
		return l.splice(from, to, " ["+entry+"]"), nil
	}
	if to > from { // a word for nothing: null, ~
		l.text = newText(l.splice(from, to, ""))
	}
	key := l.indent(l.lineStart(from))
	return l.addLine(from, key+"  - "+entry), nil
}

func (l *List) addFlow(entry string) ([]byte, error) {
	if len(l.seq.Values) == 0 {
		open, err := l.at(l.seq.Start, "[")
		if err != nil {
			return nil, err
		}
		return l.splice(open+1, open+1, entry), nil
	}
	end, err := l.end(l.seq.Values[len(l.seq.Values)-1], true)
	if err != nil {
		return nil, err
	}
	return l.splice(end, end, ", "+entry), nil
}

// Remove gives the text without entry i. A comment on its lines goes with it,
// those around it stay.
func (l *List) Remove(i int) ([]byte, error) { return l.out(l.remove(i)) }

func (l *List) remove(i int) ([]byte, error) {
	if i < 0 || i >= l.Len() {
		return nil, refuse("%s has no entry %d", l.key, i)
	}
	if l.seq.IsFlowStyle {
		return l.cut(i, len(l.seq.Values), func(i int) (int, int, error) {
			from, err := l.start(l.seq.Values[i])
			if err != nil {
				return 0, 0, err
			}
			to, err := l.end(l.seq.Values[i], true)
			return from, to, err
		})
	}
	e := l.seq.Entries[i]
	dash, err := l.at(e.Start, "-")
	if err != nil {
		return nil, err
	}
	end, err := l.end(e.Value, false)
	if err != nil {
		return nil, err
	}
	return l.cutLines(dash, max(end, dash+1))
}

// Set gives the text with one key of entry i changed: path leads to it through
// maps within the entry, value is YAML on one line, "" takes the key away.
func (l *List) Set(i int, path []string, value string) ([]byte, error) {
	if i < 0 || i >= l.Len() {
		return nil, refuse("%s has no entry %d", l.key, i)
	}
	return l.out(l.set(l.seq.Values[i], path, value))
}

func (l *List) set(n ast.Node, path []string, value string) ([]byte, error) {
	pairs, flow, ok := mapping(bare(n))
	if !ok {
		return nil, refuse("what holds %s is no map, or an alias of one", path[0])
	}
	i := slices.IndexFunc(pairs, func(kv *ast.MappingValueNode) bool { return kv.Key.GetToken().Value == path[0] })
	switch {
	case i < 0 && value == "":
		return l.src, nil
	case i < 0:
		for _, inner := range slices.Backward(path[1:]) {
			value = "{" + inner + ": " + value + "}"
		}
		return l.addPair(n, pairs, flow, path[0]+": "+value)
	case len(path) > 1:
		if _, _, ok := mapping(bare(pairs[i].Value)); ok {
			return l.set(pairs[i].Value, path[1:], value)
		}
		if value == "" {
			return l.src, nil
		}
		for _, inner := range slices.Backward(path[1:]) {
			value = "{" + inner + ": " + value + "}"
		}
	case value == "":
		return l.removePair(pairs, i, flow)
	}
	from, to, err := l.value(pairs[i], flow)
	if err != nil {
		return nil, err
	}
	return l.splice(from, to, " "+value), nil
}

// mapping gives the pairs of a map.
func mapping(n ast.Node) (pairs []*ast.MappingValueNode, flow, ok bool) {
	switch m := n.(type) {
	case *ast.MappingNode:
		return m.Values, m.IsFlowStyle, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{m}, false, true
	}
	return nil, false, false
}

func (l *List) addPair(n ast.Node, pairs []*ast.MappingValueNode, flow bool, pair string) ([]byte, error) {
	if len(pairs) == 0 {
		open, err := l.at(bare(n).(*ast.MappingNode).Start, "{")
		if err != nil {
			return nil, err
		}
		return l.splice(open+1, open+1, pair), nil
	}
	_, end, err := l.value(pairs[len(pairs)-1], flow)
	if err != nil {
		return nil, err
	}
	if flow {
		return l.splice(end, end, ", "+pair), nil
	}
	first, err := l.at(pairs[0].Key.GetToken(), "")
	if err != nil {
		return nil, err
	}
	return l.addLine(end, strings.Repeat(" ", first-l.lineStart(first))+pair), nil
}

func (l *List) removePair(pairs []*ast.MappingValueNode, i int, flow bool) ([]byte, error) {
	extent := func(i int) (int, int, error) {
		from, err := l.at(pairs[i].Key.GetToken(), "")
		if err != nil {
			return 0, 0, err
		}
		_, to, err := l.value(pairs[i], flow)
		return from, to, err
	}
	if !flow && len(pairs) == 1 {
		from, to, err := extent(0)
		return l.splice(from, to, "{}"), err
	}
	if flow || i == 0 { // the first of a block stands behind the dash: the next takes its place
		return l.cut(i, len(pairs), extent)
	}
	from, to, err := extent(i)
	if err != nil {
		return nil, err
	}
	return l.cutLines(from, to)
}

// cut takes one of n things out that stand one after another, with what parts it
// from its neighbour.
func (l *List) cut(i, n int, extent func(int) (int, int, error)) ([]byte, error) {
	from, to, err := extent(i)
	if err != nil {
		return nil, err
	}
	switch {
	case i > 0:
		if _, from, err = extent(i - 1); err != nil {
			return nil, err
		}
	case n > 1:
		if to, _, err = extent(1); err != nil {
			return nil, err
		}
	}
	return l.splice(from, to, ""), nil
}

// cutLines takes the whole lines out that lie between two places.
func (l *List) cutLines(from, to int) ([]byte, error) {
	start := l.lineStart(from)
	if len(bytes.TrimSpace(l.src[start:from])) > 0 {
		return nil, refuse("something stands before it on its line")
	}
	if rest := bytes.TrimSpace(l.src[to:l.lineEnd(to)]); len(rest) > 0 && rest[0] != '#' {
		return nil, refuse("something stands behind it on its line")
	}
	end := l.lineEnd(to)
	switch {
	case end < len(l.src):
		end = l.nextLine(end)
	case start > 0: // the last line has no line end: it takes that of the line before
		start--
	}
	return l.splice(start, end, ""), nil
}
