package splice

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// sources are the example configurations and some in every style of YAML, each
// also with Windows line ends, a byte-order mark and no line end at its end.
func sources(t *testing.T) map[string][]byte {
	all := map[string][]byte{
		"block": []byte("# head\nextensions:   # who\n- number: \"1\"   # one\n  name: 'It''s # one'\n  forward:\n    busy: \"2\"  # deep\n    always: ''\n" +
			"  members:\n  - a\n  - \"b\"\n\n  # inside\n  text: |\n    two\n      lines\n  last: 7\n\n# between\n\n-  number: 2\n   url: http://h:80/x#y\n   empty:\n   null: ~\n# foot\nusers: []\n"),
		"flow":     []byte("extensions: [{number: \"1\", name: it's}, {number: 2, deep: {a: 1, b: [x, y]}} , {}] # here\nz: 1\n"),
		"one":      []byte("extensions: [{number: \"1\"}]"),
		"braces":   []byte("{a: 1, extensions: [{number: \"1\", x: \"}\"}], b: 2}\n"),
		"indented": []byte("extensions:\n    - {number: \"1\",\n       name: \"über\",   # ä\n       url: \"http://h/ö\"}\n    - number: \"2\"\nx: 1\n"),
		"anchors":  []byte("extensions:\n  - &a {number: \"1\"}\n  - {number: \"2\", <<: *a, name: &n x}\n"),
	}
	files, err := filepath.Glob("../../examples/*.yaml")
	if err != nil || len(files) < 4 {
		t.Fatalf("examples: %v, %v", files, err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(f)] = b
	}
	for _, name := range sorted(all) {
		b := all[name]
		all[name+" crlf"] = bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n"))
		all[name+" bom"] = append([]byte("\xef\xbb\xbf"), b...)
		all[name+" cut"] = bytes.TrimRight(b, "\n")
	}
	return all
}

func sorted[V any](m map[string]V) (names []string) {
	for n := range m {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// read gives the list of a text as the library reads it, and all of it.
func read(t *testing.T, src []byte) (list []any, all map[string]any) {
	t.Helper()
	if err := yaml.Unmarshal(bytes.TrimPrefix(src, []byte("\xef\xbb\xbf")), &all); err != nil {
		t.Fatalf("%v in\n%s", err, src)
	}
	list, _ = all["extensions"].([]any)
	delete(all, "extensions")
	return list, all
}

func open(t *testing.T, src []byte) *List {
	t.Helper()
	l, err := Open(src, "extensions")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// same tells of two texts that differ.
func same(t *testing.T, what string, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got\n%s\nwant\n%s", what, got, want)
	}
}

const entry = `{number: "77", name: "a, b: {c}", forward: {busy: "2"}}`

// TestAddRemove: what is added is read back and nothing else has changed; taken
// out again, every byte is as before.
func TestAddRemove(t *testing.T) {
	for name, src := range sources(t) {
		before, rest := read(t, src)
		added, err := open(t, src).Add(entry)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		after, restNow := read(t, added)
		want := append(slices.Clone(before), map[string]any{"number": "77", "name": "a, b: {c}", "forward": map[string]any{"busy": "2"}})
		if !reflect.DeepEqual(after, want) || !reflect.DeepEqual(restNow, rest) {
			t.Errorf("%s: after Add:\n%s", name, added)
		}
		if strings.Contains(name, "crlf") && bytes.Count(added, []byte("\r\n")) != bytes.Count(added, []byte("\n")) {
			t.Errorf("%s: mixed line ends", name)
		}
		removed, err := open(t, added).Remove(len(after) - 1)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		same(t, name+": Add, Remove", removed, src)
	}
}

// TestRemove: without an entry, the text is what was before and behind it.
func TestRemove(t *testing.T) {
	for name, src := range sources(t) {
		list, rest := read(t, src)
		for i := range list {
			got, err := open(t, src).Remove(i)
			if err != nil {
				t.Errorf("%s %d: %v", name, i, err)
				continue
			}
			lead := 0
			for lead < len(got) && got[lead] == src[lead] {
				lead++
			}
			tail := 0
			for tail < len(got)-lead && got[len(got)-1-tail] == src[len(src)-1-tail] {
				tail++
			}
			if lead+tail != len(got) {
				t.Errorf("%s %d: more was changed than one piece taken out:\n%s", name, i, got)
			}
			if strings.Contains(name, "anchors") && i == 0 {
				continue // its alias hangs in the air: Parse refuses
			}
			after, restNow := read(t, got)
			if want := slices.Delete(slices.Clone(list), i, i+1); len(after)+len(want) > 0 && !reflect.DeepEqual(after, want) || !reflect.DeepEqual(restNow, rest) {
				t.Errorf("%s %d: %v, want %v in\n%s", name, i, after, want, got)
			}
		}
	}
}

// TestSet: random changes of keys, there or not, at two depths, are read back as
// they were meant; everything else is as it was.
func TestSet(t *testing.T) {
	const seed = 6
	r := rand.New(rand.NewPCG(seed, seed))
	all := sources(t)
	for _, name := range sorted(all) {
		src := all[name]
		list, _ := read(t, src)
		for round := range 100 {
			if len(list) == 0 {
				break
			}
			i := r.IntN(len(list))
			e, _ := list[i].(map[string]any)
			path := []string{[]string{"name", "url", "forward", "members", "number", "new", "last"}[r.IntN(7)]}
			if r.IntN(3) == 0 {
				path = []string{[]string{"forward", "voicemail", "fresh"}[r.IntN(3)], []string{"busy", "pin", "always", "other"}[r.IntN(4)]}
			}
			value := []string{"", `"a: b # c"`, `[a, "b"]`, `{k: "}"}`, "12"}[r.IntN(5)]
			if len(path) > 1 {
				if inner, there := e[path[0]]; there {
					if _, isMap := inner.(map[string]any); !isMap {
						continue
					}
				}
			}
			got, err := open(t, src).Set(i, path, value)
			if err != nil {
				t.Fatalf("%s %d: %v = %s: %v", name, round, path, value, err)
			}
			if strings.HasPrefix(name, "anchors") {
				continue // what an alias brings is in the map as well
			}
			after, _ := read(t, got)
			if want := changed(list, i, path, value); !reflect.DeepEqual(after, want) {
				t.Fatalf("%s %d (seed %d): entry %d, %v = %s:\n%v, want\n%v in\n%s", name, round, seed, i, path, value, after, want, got)
			}
		}
	}
}

// changed gives the list with a key changed.
func changed(list []any, i int, path []string, value string) []any {
	var v any
	_ = yaml.Unmarshal([]byte(value), &v)
	out := slices.Clone(list)
	e := map[string]any{}
	for k, x := range list[i].(map[string]any) {
		e[k] = x
	}
	out[i] = e
	if len(path) == 2 {
		inner := map[string]any{}
		was, there := e[path[0]].(map[string]any)
		if !there && value == "" {
			return out
		}
		for k, x := range was {
			inner[k] = x
		}
		e[path[0]], e, path = inner, inner, path[1:]
	}
	if value == "" {
		delete(e, path[0])
	} else {
		e[path[0]] = v
	}
	return out
}

// TestKeeps: what stands around a value stays.
func TestKeeps(t *testing.T) {
	const src = "extensions:\n  - number: \"1\"   # one\n    name: Ann      # her name\n    # a thought\n    dnd: true\n"
	for _, c := range []struct {
		path  []string
		value string
		want  string
	}{
		{[]string{"name"}, `"Bob"`, "extensions:\n  - number: \"1\"   # one\n    name: \"Bob\"      # her name\n    # a thought\n    dnd: true\n"},
		{[]string{"dnd"}, "", "extensions:\n  - number: \"1\"   # one\n    name: Ann      # her name\n    # a thought\n"},
		{[]string{"url"}, "x", "extensions:\n  - number: \"1\"   # one\n    name: Ann      # her name\n    # a thought\n    dnd: true\n    url: x\n"},
		{[]string{"a", "b"}, "x", "extensions:\n  - number: \"1\"   # one\n    name: Ann      # her name\n    # a thought\n    dnd: true\n    a: {b: x}\n"},
	} {
		got, err := open(t, []byte(src)).Set(0, c.path, c.value)
		if err != nil {
			t.Error(err)
		}
		same(t, fmt.Sprint(c.path), got, []byte(c.want))
	}
}

// TestNone: a list that is not there, or empty, begins.
func TestNone(t *testing.T) {
	for src, want := range map[string]string{
		"":                               "extensions:\n  - {a: 1}\n",
		"# only\n":                       "# only\nextensions:\n  - {a: 1}\n",
		"x: 1":                           "x: 1\nextensions:\n  - {a: 1}\n",
		"extensions:\nx: 1\n":            "extensions:\n  - {a: 1}\nx: 1\n",
		"extensions: ~ # none\nx: 1\n":   "extensions: # none\n  - {a: 1}\nx: 1\n",
		"extensions: []\n":               "extensions: [{a: 1}]\n",
		"extensions: [ ]":                "extensions: [{a: 1} ]",
		"---\nx: 1\nextensions:   # c\n": "---\nx: 1\nextensions:   # c\n  - {a: 1}\n",
	} {
		got, err := open(t, []byte(src)).Add("{a: 1}")
		if err != nil {
			t.Errorf("%q: %v", src, err)
			continue
		}
		same(t, fmt.Sprintf("%q", src), got, []byte(want))
	}
	for _, src := range []string{"- a\n", "a: 1\n---\nb: 2\n", "extensions: {a: b}\n", "extensions: x\n", "{a: 1}\n", "a: [\n"} {
		l, err := Open([]byte(src), "extensions")
		if err == nil {
			_, err = l.Add("{a: 1}")
		}
		if err == nil {
			t.Errorf("%q is edited", src)
		}
	}
}

func TestQuote(t *testing.T) {
	for _, s := range []string{"", "abc", "true", "Yes", "0044", "+36", "a b", "x: y", "a#b", "#", "it's", `say "hi"`, `back\slash`, "tab\tline\n", "ünï", "\u2028", "null", "-", "- a", "*a", "&a", "!t", "%d", "@x", "1e3", "0x10", "1_000", "2026-01-01", "env:X", "a, b", "{", "☎ \U0001F600"} {
		var got struct{ A any }
		if err := yaml.Unmarshal([]byte("a: "+Quote(s)), &got); err != nil || got.A != s {
			t.Errorf("Quote(%q) = %s, read as %#v, %v", s, Quote(s), got.A, err)
		}
		var list map[string][]string
		if err := yaml.Unmarshal([]byte("{a: ["+Quote(s)+", x]}"), &list); err != nil || list["a"][0] != s {
			t.Errorf("Quote(%q) in brackets is read as %q, %v", s, list["a"], err)
		}
	}
}

// FuzzSplice: no text ends the program, and what is taken out is all that
// changes.
func FuzzSplice(f *testing.F) {
	f.Add([]byte("extensions:\n- a: 1\n  b: |\n   x\n- {c: [d]}\n"), 0)
	f.Add([]byte("extensions: [{a: 'b'}, {c: \"d\"}]"), 1)
	f.Add([]byte("extensions:\n- &a {b: *c}\n"), 0)
	f.Fuzz(func(t *testing.T, src []byte, i int) {
		l, err := Open(src, "extensions")
		if err != nil {
			return
		}
		_, _ = l.Add("{a: 1}")
		_, _ = l.Set(i, []string{"a", "b"}, "1")
		if got, err := l.Remove(i); err == nil && len(got) > len(src) {
			t.Errorf("Remove(%d) of %q is longer: %q", i, src, got)
		}
	})
}
