package ozmltest

import "strings"

// An Archive is a file of parts in the txtar form: a comment, then for each
// part a line "-- name --" and its text.
type Archive struct {
	Comment string
	parts   []part
}

type part struct{ name, text string }

// ParseArchive reads an archive; every text is one.
func ParseArchive(s string) *Archive {
	a := &Archive{}
	text := &a.Comment
	for l := range strings.Lines(s) {
		t := strings.TrimSpace(l)
		if strings.HasPrefix(t, "-- ") && strings.HasSuffix(t, " --") && len(t) > 6 {
			a.parts = append(a.parts, part{name: strings.TrimSpace(t[3 : len(t)-3])})
			text = &a.parts[len(a.parts)-1].text
			continue
		}
		*text += l
	}
	return a
}

// Get returns a part.
func (a *Archive) Get(name string) (string, bool) {
	for _, p := range a.parts {
		if p.name == name {
			return p.text, true
		}
	}
	return "", false
}

// Set replaces a part, or adds it at the end.
func (a *Archive) Set(name, text string) {
	for i := range a.parts {
		if a.parts[i].name == name {
			a.parts[i].text = text
			return
		}
	}
	a.parts = append(a.parts, part{name, text})
}

// String prints the archive.
func (a *Archive) String() string {
	var b strings.Builder
	b.WriteString(a.Comment)
	for _, p := range a.parts {
		b.WriteString("-- " + p.name + " --\n" + p.text)
	}
	return b.String()
}
