package ozmltest

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"ozswitch/ozml"
	"ozswitch/ozml/syntax"
)

// did notes what a script asked of a call, of the switch or of the world: one
// line with the time, the id of the call unless it is the script's own, the verb,
// and all that was said with it.
func (c *Call) did(call, verb string, args ...any) {
	if call != "" {
		verb = call + ": " + verb
	}
	l := fmt.Sprintf("%8.2f  %s", c.now.Sub(epoch).Seconds(), verb)
	for _, a := range args {
		if s := words(reflect.ValueOf(a)); s != "" {
			l += " " + s
		}
	}
	c.asked = append(c.asked, l)
}

// inside is a document in one line, without its root.
func inside(f *syntax.File) string {
	s := strings.Join(strings.Fields(string(f.Format())), " ")
	if _, in, ok := strings.Cut(s, "<Response>"); ok {
		s, _, _ = strings.Cut(in, "</Response>")
	}
	return strings.TrimSpace(s)
}

// words prints what a value holds, name=value for the fields of a struct; what is
// zero, where it stands in the script, and what is no data is left out.
func words(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case time.Duration:
		return x.String()
	case ozml.Place:
		return ""
	case ozml.Call:
		return x.Info().ID
	case *ozml.States:
		if x == nil {
			return ""
		}
		var names []string
		for name, f := range x.On {
			names = append(names, "On"+name+"="+strconv.Quote(inside(f)))
		}
		slices.Sort(names)
		return strings.Join(names, ",")
	case ozml.Keys:
		return string(x)
	}
	switch v.Kind() {
	case reflect.Struct:
		var parts []string
		for i := range v.NumField() {
			f, val := v.Type().Field(i), v.Field(i)
			if !f.IsExported() || val.IsZero() || val.Kind() == reflect.Func {
				continue
			}
			switch s := words(val); {
			case s == "":
			case f.Anonymous:
				parts = append(parts, s)
			default:
				parts = append(parts, f.Name+"="+s)
			}
		}
		return strings.Join(parts, " ")
	case reflect.String:
		if s := v.String(); s == "" || strings.ContainsAny(s, " \t\n\"") {
			return strconv.Quote(s)
		}
		return v.String()
	case reflect.Slice:
		var parts []string
		for i := range v.Len() {
			parts = append(parts, words(v.Index(i)))
		}
		return strings.Join(parts, ",")
	case reflect.Map:
		var parts []string
		for _, k := range v.MapKeys() {
			parts = append(parts, words(k)+":"+words(v.MapIndex(k)))
		}
		slices.Sort(parts)
		return strings.Join(parts, ",")
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return ""
		}
		return words(v.Elem())
	case reflect.Func, reflect.Chan:
		return ""
	}
	return fmt.Sprint(v.Interface())
}
