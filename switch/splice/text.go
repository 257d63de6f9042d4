package splice

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// A text is the bytes and where their lines begin.
type text struct {
	src   []byte
	bom   int // bytes of the byte-order mark
	lines []int
}

func newText(src []byte) text {
	t := text{src: src}
	if bytes.HasPrefix(src, []byte("\xef\xbb\xbf")) {
		t.bom = 3
	}
	t.lines = []int{t.bom}
	for i, b := range src {
		if b == '\n' {
			t.lines = append(t.lines, i+1)
		}
	}
	return t
}

// splice gives the bytes with those from one place to another replaced.
func (t *text) splice(from, to int, by string) []byte {
	return slices.Concat(t.src[:from], []byte(by), t.src[to:])
}

// lineStart is where the line of a place begins, lineEnd where it ends, without
// its line end.
func (t *text) lineStart(at int) int {
	return max(bytes.LastIndexByte(t.src[:at], '\n')+1, t.bom)
}

func (t *text) lineEnd(at int) int {
	i := bytes.IndexByte(t.src[at:], '\n')
	if i < 0 {
		return len(t.src)
	}
	return at + i
}

// nextLine is where the next line begins, for the end of one.
func (t *text) nextLine(end int) int {
	if i := bytes.IndexByte(t.src[end:], '\n'); i >= 0 {
		return end + i + 1
	}
	return len(t.src)
}

// indent gives the white space before a place on its line.
func (t *text) indent(at int) string {
	line := t.src[t.lineStart(at):t.lineEnd(at)]
	return string(line[:len(line)-len(bytes.TrimLeft(line, " "))])
}

// fresh is what must go before a new line at the end of the text.
func (t *text) fresh(at int) string {
	if at == t.bom || t.src[at-1] == '\n' {
		return ""
	}
	return "\n"
}

// addLine puts a line below that of a place.
func (t *text) addLine(at int, line string) []byte {
	end := t.lineEnd(at)
	return t.splice(end, end, "\n"+line)
}

// at gives where a token stands; it must begin with those bytes. The parser's
// lines and columns are good, its offsets are not.
func (t *text) at(tk *token.Token, with string) (int, error) {
	if tk == nil || tk.Position == nil || tk.Position.Line < 1 || tk.Position.Line > len(t.lines) {
		return 0, refuse("a place is not known")
	}
	i := t.lines[tk.Position.Line-1]
	for range tk.Position.Column - 1 {
		_, n := utf8.DecodeRune(t.src[i:])
		i += n
	}
	if !bytes.HasPrefix(t.src[i:], []byte(with)) {
		return 0, refuse("line %d: %q was looked for", tk.Position.Line, with)
	}
	return i, nil
}

// start is where a node begins, its anchor or tag included.
func (t *text) start(n ast.Node) (int, error) {
	switch v := n.(type) {
	case *ast.AnchorNode:
		return t.at(v.Start, "&")
	case *ast.TagNode:
		return t.at(v.Start, "!")
	case *ast.MappingNode:
		if v.IsFlowStyle {
			return t.at(v.Start, "{")
		}
		if len(v.Values) > 0 {
			return t.at(v.Values[0].Key.GetToken(), "")
		}
	case *ast.MappingValueNode:
		return t.at(v.Key.GetToken(), "")
	}
	if n == nil {
		return 0, refuse("a place is not known")
	}
	return t.at(n.GetToken(), "")
}

// value gives where the value of a pair stands: from right behind the colon to
// its end.
func (t *text) value(kv *ast.MappingValueNode, flow bool) (from, to int, err error) {
	key, err := t.at(kv.Key.GetToken(), "")
	if err != nil {
		return 0, 0, err
	}
	if from, err = t.scalar(key, kv.Key.GetToken(), flow); err != nil {
		return 0, 0, err
	}
	for from < len(t.src) && t.src[from] == ' ' {
		from++
	}
	if from >= len(t.src) || t.src[from] != ':' {
		return 0, 0, refuse("line %d: the colon was looked for", kv.Key.GetToken().Position.Line)
	}
	from++
	if _, null := bare(kv.Value).(*ast.NullNode); kv.Value == nil || null {
		rest := t.src[from:t.lineEnd(from)]
		word := bytes.TrimLeft(rest, " ")
		for _, w := range []string{"null", "Null", "NULL", "~"} {
			if bytes.HasPrefix(word, []byte(w)) {
				return from, from + len(rest) - len(word) + len(w), nil
			}
		}
		return from, from, nil
	}
	to, err = t.end(kv.Value, flow)
	return from, to, err
}

// end is where a node ends, after its last byte.
func (t *text) end(n ast.Node, flow bool) (int, error) {
	switch v := bare(n).(type) {
	case *ast.MappingNode:
		if v.IsFlowStyle {
			at, err := t.at(v.End, "}")
			return at + 1, err
		}
		if len(v.Values) > 0 {
			_, to, err := t.value(v.Values[len(v.Values)-1], false)
			return to, err
		}
	case *ast.MappingValueNode:
		_, to, err := t.value(v, flow)
		return to, err
	case *ast.SequenceNode:
		if v.IsFlowStyle {
			at, err := t.at(v.End, "]")
			return at + 1, err
		}
		if len(v.Entries) > 0 {
			last := v.Entries[len(v.Entries)-1]
			dash, err := t.at(last.Start, "-")
			if err != nil {
				return 0, err
			}
			to, err := t.end(last.Value, false)
			return max(to, dash+1), err
		}
	case *ast.LiteralNode:
		return t.blockScalar(v)
	case *ast.AliasNode:
		at, err := t.at(v.Start, "*")
		if err != nil {
			return 0, err
		}
		return at + 1 + len(plain(t.src[at+1:], flow)), nil
	case *ast.NullNode, nil:
		return 0, nil
	default:
		at, err := t.at(v.GetToken(), "")
		if err != nil {
			return 0, err
		}
		return t.scalar(at, v.GetToken(), flow)
	}
	return 0, refuse("the end of something is not known")
}

// scalar gives the end of what begins at a place and is tk.
func (t *text) scalar(at int, tk *token.Token, flow bool) (int, error) {
	rest := t.src[at:]
	switch {
	case len(rest) == 0:
	case rest[0] == '"':
		for i := 1; i < len(rest); i++ {
			switch rest[i] {
			case '\\':
				i++
			case '"':
				return at + i + 1, nil
			}
		}
	case rest[0] == '\'':
		for i := 1; i < len(rest); i++ {
			if rest[i] != '\'' {
				continue
			}
			if i+1 == len(rest) || rest[i+1] != '\'' {
				return at + i + 1, nil
			}
			i++
		}
	default:
		if word := plain(rest, flow); string(word) == strings.TrimSpace(tk.Value) || string(word) == strings.TrimSpace(tk.Origin) {
			return at + len(word), nil
		}
	}
	return 0, refuse("line %d: the end of %.20q is not known", tk.Position.Line, tk.Value)
}

// plain gives the plain scalar that text begins with, on one line (YAML 1.2,
// 7.3.3).
func plain(text []byte, flow bool) []byte {
	i := 0
	for ; i < len(text); i++ {
		c := text[i]
		next := byte(' ')
		if i+1 < len(text) {
			next = text[i+1]
		}
		switch {
		case c == '\n':
		case c == '#' && i > 0 && (text[i-1] == ' ' || text[i-1] == '\t'):
		case c == ':' && (next == ' ' || next == '\n' || flow && strings.IndexByte(",[]{}", next) >= 0):
		case flow && strings.IndexByte(",[]{}", c) >= 0:
		default:
			continue
		}
		break
	}
	return bytes.TrimRight(text[:i], " \t")
}

// blockScalar gives the end of a text of several lines, | or >.
func (t *text) blockScalar(n *ast.LiteralNode) (int, error) {
	at, err := t.at(n.Start, "")
	if err != nil {
		return 0, err
	}
	end := t.lineEnd(at)
	indent := -1
	for line := t.nextLine(end); line < len(t.src); line = t.nextLine(t.lineEnd(line)) {
		body := t.src[line:t.lineEnd(line)]
		trimmed := bytes.TrimLeft(body, " ")
		in := len(body) - len(trimmed)
		switch {
		case len(bytes.TrimSpace(body)) == 0:
			continue
		case indent < 0:
			if indent = in; in <= len(t.indent(at)) {
				return end, nil // an empty one
			}
		case in < indent:
			return end, nil
		}
		end = t.lineEnd(line)
	}
	return end, nil
}

// Quote gives a text as a YAML scalar that is read as this text everywhere.
func Quote(s string) string {
	if s != "" && len(s) < 40 && !slices.Contains(words, strings.ToLower(s)) && unicode.IsLower(rune(s[0])) &&
		strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_-") == "" {
		return s
	}
	return strconv.Quote(s)
}

// words are no texts to some reader of YAML 1.1 or 1.2.
var words = []string{"true", "false", "yes", "no", "on", "off", "y", "n", "null", "inf", "nan"}
