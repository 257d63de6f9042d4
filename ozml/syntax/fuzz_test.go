package syntax

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// equal compares two trees without their positions.
func equal(a, b *Element) bool {
	if a.Name != b.Name || len(a.Attrs) != len(b.Attrs) || len(a.Children) != len(b.Children) {
		return false
	}
	for i, x := range a.Attrs {
		if y := b.Attrs[i]; x.Name != y.Name || x.Value != y.Value {
			return false
		}
	}
	for i, x := range a.Children {
		switch x := x.(type) {
		case *Element:
			if y, ok := b.Children[i].(*Element); !ok || !equal(x, y) {
				return false
			}
		case *Text:
			if y, ok := b.Children[i].(*Text); !ok || x.Value != y.Value {
				return false
			}
		}
	}
	return true
}

// checkPlaces fails when a place is not that of what it belongs to.
func checkPlaces(t *testing.T, f *File, e *Element) {
	t.Helper()
	inside := func(s Span) bool {
		return 0 <= s.From.Offset && s.From.Offset < s.To.Offset && s.To.Offset <= len(f.Source) &&
			s.From == f.index.pos(s.From.Offset) && s.To == f.index.pos(s.To.Offset)
	}
	if !inside(e.Span) || !inside(e.NameSpan) || f.Source[e.Span.From.Offset] != '<' || f.Source[e.Span.To.Offset-1] != '>' {
		t.Errorf("<%s> is said to stand at %+v, its name at %+v", e.Name, e.Span, e.NameSpan)
	}
	for _, a := range e.Attrs {
		quote := f.Source[a.ValuePos.Offset-1]
		if !bytes.HasSuffix(f.Source[:a.End.Offset], []byte{quote}) || quote != '"' && quote != '\'' || a.NamePos.Offset >= a.ValuePos.Offset {
			t.Errorf("attribute %s is said to stand at %+v", a.Name, a)
		}
	}
	for _, c := range e.Children {
		switch c := c.(type) {
		case *Element:
			checkPlaces(t, f, c)
		case *Text:
			if !inside(c.Span) || c.Value == "" {
				t.Errorf("text %q is said to stand at %+v", c.Value, c.Span)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*.xml")
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds in testdata: %v", err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, "")
	}
	for _, c := range refusals {
		f.Add([]byte(c.src), c.charset)
	}
	f.Add([]byte("<Speak>caf\xE9 <!-- a -->\r\n b&#13;&#32;<![CDATA[ <b> ]]]]>&gt;</Speak> <!-- end -->"), "windows-1252")
	f.Fuzz(func(t *testing.T, src []byte, charset string) {
		file, err := ParseWith(Options{Name: "x", Charset: charset}, src)
		if err != nil {
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Code == "" || e.Hint == "" || e.Msg == "" || !e.Pos.IsValid() {
				t.Fatalf("ParseWith(%q) = %#v, want an *Error with code, place and hint", src, err)
			}
			Caret(e.Line, e.Pos.Column)
			return
		}
		checkPlaces(t, file, file.Root)
		once := file.Format()
		again, err := Parse("x", once)
		if err != nil {
			if e, ok := errors.AsType[*Error](err); ok && e.Code >= "OZ1030" && e.Code <= "OZ1034" {
				t.Skip("the formatted text is over a limit")
			}
			t.Fatalf("Parse(Format(%q)): %v\n%s", src, err, once)
		}
		if !equal(file.Root, again.Root) {
			t.Errorf("Parse(Format(%q)) has another tree:\n%s", src, once)
		}
		if twice := again.Format(); !bytes.Equal(once, twice) {
			t.Errorf("Format(Parse(%q)) is not stable:\n%s\n--- then\n%s", once, once, twice)
		}
	})
}
