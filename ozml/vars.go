package ozml

import (
	"maps"
	"strconv"
	"strings"
	"unicode"
)

// Vars are the variables of one call (decisions 6). Names are
// case-insensitive.
type Vars struct {
	text   map[string]string
	arrays map[string][]Item
	items  []Item                           // of the loops that run, innermost last
	given  func(name string) ([]Item, bool) // predefined arrays, in lower case; may be nil
}

// An Item is one entry of an array: a text, and fields where it has any.
type Item struct {
	Text   string
	Fields map[string]string // keys in lower case
}

// NewVars makes variables of the given ones; the map is not kept.
func NewVars(text map[string]string) *Vars {
	v := &Vars{text: map[string]string{}, arrays: map[string][]Item{}}
	for n, s := range text {
		v.Set(n, s)
	}
	return v
}

// callVars are the predefined variables of a call.
func callVars(i CallInfo) map[string]string {
	return map[string]string{
		"callid": i.ID, "caller": i.Caller, "callername": i.CallerName, "dialed": i.Dialed,
		"extension": i.Extension, "direction": i.Direction, "digits": "",
	}
}

// Set sets a variable, over an older one.
func (v *Vars) Set(name, text string) { v.text[strings.ToLower(name)] = text }

// Own gives a copy of the variables that were set, without the predefined ones
// and arrays.
func (v *Vars) Own() map[string]string {
	own := maps.Clone(v.text)
	for n := range callVars(CallInfo{}) {
		delete(own, n)
	}
	return own
}

// SetArray sets an array, over an older one.
func (v *Vars) SetArray(name string, items []Item) { v.arrays[strings.ToLower(name)] = items }

// Array returns the items of an array and whether it exists.
func (v *Vars) Array(name string) ([]Item, bool) {
	name = strings.ToLower(name)
	a, ok := v.arrays[name]
	if !ok && v.given != nil {
		return v.given(name)
	}
	return a, ok
}

// Push makes i the $item until the next Pop.
func (v *Vars) Push(i Item) { v.items = append(v.items, i) }

// Pop ends what Push began.
func (v *Vars) Pop() { v.items = v.items[:len(v.items)-1] }

func (v *Vars) get(name, field string) (string, bool) {
	name = strings.ToLower(name)
	if name == "item" && len(v.items) > 0 {
		i := v.items[len(v.items)-1]
		if field == "" {
			return i.Text, true
		}
		s, ok := i.Fields[strings.ToLower(field)]
		return s, ok
	}
	if strings.EqualFold(field, "count") {
		a, ok := v.Array(name)
		return strconv.Itoa(len(a)), ok
	}
	if field != "" {
		return "", false
	}
	s, ok := v.text[name]
	return s, ok
}

// Expand replaces the variables in s, once: what a variable held is not looked
// at again. unknown is called with each reference that means nothing, as it was
// written; it stays in the text. unknown may be nil.
func (v *Vars) Expand(s string, unknown func(ref string)) string {
	if strings.IndexByte(s, '$') < 0 {
		return s
	}
	var b strings.Builder
	references(s, func(text, name, field string) {
		if name == "" {
			b.WriteString(text)
			return
		}
		val, ok := v.get(name, field)
		if !ok {
			val = text
			if unknown != nil {
				unknown(text)
			}
		}
		b.WriteString(val)
	})
	return b.String()
}

// references cuts s into plain pieces (name empty; $$ has become $) and
// references to variables, in order.
func references(s string, piece func(text, name, field string)) {
	for s != "" {
		i := strings.IndexByte(s, '$')
		if i < 0 {
			piece(s, "", "")
			return
		}
		if i > 0 {
			piece(s[:i], "", "")
			s = s[i:]
		}
		if strings.HasPrefix(s, "$$") {
			piece("$", "", "")
			s = s[2:]
			continue
		}
		n := 1 + nameLen(s[1:])
		if n == 1 { // a price, or the end
			piece("$", "", "")
			s = s[1:]
			continue
		}
		name, field := s[1:n], ""
		if n < len(s) && s[n] == '.' {
			if f := nameLen(s[n+1:]); f > 0 {
				field = s[n+1 : n+1+f]
				n += 1 + f
			}
		}
		piece(s[:n], name, field)
		s = s[n:]
	}
}

// nameLen returns how many bytes at the start of s are a name.
func nameLen(s string) int {
	for i, r := range s {
		if r == '_' || unicode.IsLetter(r) || i > 0 && unicode.IsDigit(r) {
			continue
		}
		return i
	}
	return len(s)
}

// isName tells whether s may be the name of a variable.
func isName(s string) bool { return s != "" && nameLen(s) == len(s) }
