package server

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Load reads a configuration file over Default, looks up its secrets and
// validates it. getenv serves env: secrets (os.LookupEnv). The Config is nil if
// any of the problems is an error.
func Load(file string, getenv func(string) (string, bool)) (*Config, Problems) {
	src, err := os.ReadFile(file)
	if err != nil {
		return nil, Problems{{File: file, Msg: fmt.Sprintf("cannot be read: %v", err)}}
	}
	return Parse(file, src, getenv)
}

// Check gives what Load has to say about a file: `config check`.
func Check(file string, getenv func(string) (string, bool)) Problems {
	_, ps := Load(file, getenv)
	return ps
}

// Parse is Load of what was read already; paths in it are relative to the
// folder of name.
func Parse(name string, src []byte, getenv func(string) (string, bool)) (*Config, Problems) {
	return parse(name, src, getenv, true)
}

// parseRaw is Parse without what only shows when all is known: the values are
// those that are written, or the zero ones, and may not fit each other.
func parseRaw(name string, src []byte, getenv func(string) (string, bool)) (*Config, Problems) {
	return parse(name, src, getenv, false)
}

func newLoader(name string, src []byte) *loader {
	return &loader{name: name, lines: strings.Split(string(src), "\n"), places: map[string]*token.Token{}}
}

func parse(name string, src []byte, getenv func(string) (string, bool), whole bool) (c *Config, ps Problems) {
	l := newLoader(name, src)
	defer func() {
		if p := recover(); p != nil { // the library's, on a hostile file
			c, ps = nil, Problems{{File: name, Msg: fmt.Sprintf("cannot be read as YAML: %v", p)}}
		}
	}()
	c = Default()
	l.read(src, c)
	if l.problems.Err() == nil {
		l.secrets(reflect.ValueOf(c).Elem(), "", getenv)
	}
	if whole && l.problems.Err() == nil {
		c.Fill()
		for _, p := range c.Validate() {
			l.add(l.find(p.Path), p)
		}
	}
	slices.SortStableFunc(l.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	if l.problems.Err() != nil {
		c = nil
	}
	return c, l.problems
}

type loader struct {
	name     string
	lines    []string
	places   map[string]*token.Token // by path
	problems Problems
}

// add keeps a problem, its place taken from tk.
func (l *loader) add(tk *token.Token, p Problem) {
	p.File = l.name
	if tk != nil && tk.Position != nil {
		p.Line, p.Column = tk.Position.Line, tk.Position.Column
		if i := p.Line - 1; i >= 0 && i < len(l.lines) {
			p.Source = hide(strings.TrimRight(l.lines[i], "\r"))
		}
	}
	l.problems = append(l.problems, p)
}

// find gives the place of a path, or of the nearest that stands in the file.
func (l *loader) find(path string) *token.Token {
	for path != "" {
		if tk := l.places[path]; tk != nil {
			return tk
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return nil
}

// secretLine finds the values of secrets, so that a line can be shown.
var secretLine = regexp.MustCompile(`(?i)((?:password|secret|pin)["']?\s*:\s*)("[^"]*"|'[^']*'|[^,}\s]+)`)

func hide(line string) string {
	return secretLine.ReplaceAllStringFunc(line, func(m string) string {
		g := secretLine.FindStringSubmatch(m)
		if v := strings.Trim(g[2], `"'`); strings.HasPrefix(v, "file:") || strings.HasPrefix(v, "env:") {
			return m
		}
		return g[1] + strings.Repeat("*", len([]rune(g[2])))
	})
}

// read fills c from the file.
func (l *loader) read(src []byte, c *Config) {
	file, err := parser.ParseBytes(bytes.TrimPrefix(src, []byte("\xef\xbb\xbf")), 0)
	if err != nil {
		l.fail(err)
		return
	}
	var docs []ast.Node
	for _, d := range file.Docs {
		if d.Body != nil && d.Body.Type() != ast.NullType && d.Body.Type() != ast.CommentType {
			docs = append(docs, d.Body)
		}
	}
	switch {
	case len(docs) == 0:
		return
	case len(docs) > 1:
		l.add(docs[1].GetToken(), Problem{Msg: "a second document begins here; the file must have one"})
		return
	}
	if root, ok := docs[0].(ast.MapNode); !ok {
		l.add(docs[0].GetToken(), Problem{Msg: "want keys such as sip: and http: here"})
		return
	} else if root == nil {
		return
	}
	node := l.walk(docs[0], reflect.TypeFor[Config](), "")
	if l.problems.Err() != nil {
		return
	}
	if err := yaml.NodeToValue(node, c, yaml.Strict()); err != nil {
		l.fail(err)
	}
}

// decode reads the keys of one extension over x. It looks up no secret.
func decode(text string, x *Extension) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("cannot be read as YAML: %v", p)
		}
	}()
	file, err := parser.ParseBytes([]byte(text), 0)
	if err != nil || len(file.Docs) != 1 {
		return errors.Join(err, errors.New("want the keys of one extension"))
	}
	l := newLoader("", []byte(text))
	node := l.walk(file.Docs[0].Body, reflect.TypeFor[Extension](), "")
	if err := l.problems.Err(); err != nil {
		return &invalidError{refusals(l.problems)}
	}
	if err := yaml.NodeToValue(node, x, yaml.Strict()); err != nil {
		l.fail(err)
		return &invalidError{refusals(l.problems)}
	}
	return nil
}

// fail turns an error of the library into a problem.
func (l *loader) fail(err error) {
	var y yaml.Error
	if !errors.As(err, &y) {
		l.add(nil, Problem{Msg: err.Error()})
		return
	}
	msg := y.GetMessage()
	if te, ok := errors.AsType[*yaml.TypeError](err); ok {
		msg = fmt.Sprintf("want %s here, not %s", kindWord(te.DstType), kindWord(te.SrcType))
	}
	if strings.Contains(msg, "invalid key") {
		msg += "; put quotes around a value that has colons"
	}
	l.add(y.GetToken(), Problem{Msg: msg})
}

func kindWord(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a text"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "keys and values"
	case reflect.Float32, reflect.Float64:
		return "a number"
	}
	return "a whole number"
}

var unmarshaler = reflect.TypeFor[yaml.NodeUnmarshaler]()

// walk compares a node with the type that it is for: every unknown key is a
// problem of its own, the place of every value is noted, and what is to be a
// text becomes one as it stands in the file (0044, +36 and yes are texts).
func (l *loader) walk(n ast.Node, t reflect.Type, path string) ast.Node {
	if n == nil {
		return n
	}
	if _, known := l.places[path]; !known {
		l.places[path] = n.GetToken()
	}
	if a, ok := n.(*ast.AnchorNode); ok {
		a.Value = l.walk(a.Value, t, path)
		return a
	}
	if reflect.PointerTo(t).Implements(unmarshaler) {
		if s, ok := n.(*ast.SequenceNode); ok {
			for i, v := range s.Values {
				s.Values[i] = whole(v)
				l.places[fmt.Sprintf("%s[%d]", path, i)] = v.GetToken()
			}
		}
		return n
	}
	switch t.Kind() {
	case reflect.Struct:
		var pairs []*ast.MappingValueNode
		switch m := n.(type) {
		case *ast.MappingNode:
			pairs = m.Values
		case *ast.MappingValueNode:
			pairs = []*ast.MappingValueNode{m}
		}
		for _, kv := range pairs {
			l.key(kv, t, path)
		}
	case reflect.Slice:
		if s, ok := n.(*ast.SequenceNode); ok {
			for i := range s.Values {
				if t.Elem().Kind() != reflect.Struct || reflect.PointerTo(t.Elem()).Implements(unmarshaler) {
					s.Values[i] = whole(s.Values[i])
				}
				s.Values[i] = l.walk(s.Values[i], t.Elem(), fmt.Sprintf("%s[%d]", path, i))
			}
		}
	case reflect.String:
		switch n.(type) {
		case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
			return &ast.StringNode{BaseNode: &ast.BaseNode{Path: n.GetPath()}, Token: n.GetToken(), Value: n.GetToken().Value}
		}
	}
	return n
}

// whole mends a fault of the library: within {}, it takes a:80 in a list for a
// key and a value, though no space follows the colon (YAML 1.2, 7.3.3).
func whole(n ast.Node) ast.Node {
	text, tk := joined(n)
	if tk == nil || !pair(n) {
		return n
	}
	return &ast.StringNode{BaseNode: &ast.BaseNode{Path: n.GetPath()}, Token: &token.Token{Type: token.StringType, Value: text, Origin: text, Position: tk.Position}, Value: text}
}

// joined gives the text of a node and its first token, nil if it is no text.
func joined(n ast.Node) (string, *token.Token) {
	if m, ok := n.(*ast.MappingNode); ok && pair(n) {
		n = m.Values[0]
	}
	kv, ok := n.(*ast.MappingValueNode)
	if !ok {
		if n == nil || n.GetToken() == nil {
			return "", nil
		}
		return n.GetToken().Value, n.GetToken()
	}
	rest, tk := joined(kv.Value)
	first := kv.Key.GetToken()
	if tk == nil || kv.Start == nil || tk.Position.Line != kv.Start.Position.Line || tk.Position.Column != kv.Start.Position.Column+1 {
		return "", nil
	}
	return first.Value + ":" + rest, first
}

// pair tells a key and a value without {} around them.
func pair(n ast.Node) bool {
	m, ok := n.(*ast.MappingNode)
	if ok {
		return len(m.Values) == 1 && m.Start.Type != token.MappingStartType
	}
	_, ok = n.(*ast.MappingValueNode)
	return ok
}

// key walks into one key of a struct.
func (l *loader) key(kv *ast.MappingValueNode, t reflect.Type, path string) {
	word := kv.Key.GetToken().Value
	if kv.Key.IsMergeKey() {
		return
	}
	var names []string
	for f := range t.Fields() {
		name := f.Tag.Get("yaml")
		if name == "" {
			continue
		}
		if name == word {
			l.keep(kv, f.Type, strings.TrimPrefix(path+"."+word, "."))
			return
		}
		names = append(names, name)
	}
	msg := fmt.Sprintf("unknown key %q", word)
	if near := nearest(word, names); near != "" {
		msg += fmt.Sprintf("; did you mean %q?", near)
	} else {
		msg += "; known here: " + strings.Join(names, ", ")
	}
	l.add(kv.Key.GetToken(), Problem{Path: strings.TrimPrefix(path+"."+word, "."), Msg: msg})
}

func (l *loader) keep(kv *ast.MappingValueNode, t reflect.Type, path string) {
	l.places[path] = kv.Key.GetToken()
	if kv.Value != nil && kv.Value.Type() != ast.NullType {
		switch kv.Value.(type) {
		case *ast.MappingNode, *ast.MappingValueNode, *ast.SequenceNode:
		default:
			l.places[path] = kv.Value.GetToken()
		}
	}
	kv.Value = l.walk(kv.Value, t, path)
}

// secrets looks up file: and env:.
func (l *loader) secrets(v reflect.Value, path string, getenv func(string) (string, bool)) {
	switch {
	case v.Type() == reflect.TypeFor[Secret]():
		s, err := l.secret(v.String(), getenv)
		if err != nil {
			l.add(l.find(path), Problem{Path: path, Msg: err.Error()})
			return
		}
		v.SetString(s)
	case v.Kind() == reflect.Struct:
		for f, fv := range v.Fields() {
			if f.Tag.Get("yaml") != "" {
				l.secrets(fv, strings.TrimPrefix(path+"."+f.Tag.Get("yaml"), "."), getenv)
			}
		}
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			l.secrets(v.Index(i), fmt.Sprintf("%s[%d]", path, i), getenv)
		}
	}
}

func (l *loader) secret(s string, getenv func(string) (string, bool)) (string, error) {
	if name, ok := strings.CutPrefix(s, "env:"); ok {
		if getenv != nil {
			if v, ok := getenv(name); ok && v != "" {
				return v, nil
			}
		}
		return "", fmt.Errorf("the environment variable %s is not set", name)
	}
	file, ok := strings.CutPrefix(s, "file:")
	if !ok {
		return s, nil
	}
	if !filepath.IsAbs(file) {
		file = filepath.Join(filepath.Dir(l.name), file)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("the secret cannot be read: %v", err)
	}
	if s = strings.TrimRight(string(b), "\r\n"); s == "" {
		return "", fmt.Errorf("the secret's file %s is empty", file)
	}
	return s, nil
}
