package syntax

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"
)

const decl = `<?xml version="1.0"?>`

// tolerated holds what is read all the same, with the codes of its warnings.
var tolerated = []struct{ name, src, charset, want string }{
	{"all well", decl + "<Response/>", "", ""},
	{"all well, said twice", `<?xml version="1.0" encoding="UTF-8" standalone="yes"?><Response>é</Response>`, "utf-8", ""},
	{"BOM", "\uFEFF" + decl + "<Response/>", "", "OZ1050"},
	{"two BOMs", "\uFEFF\uFEFF" + decl + "<Response/>", "", "OZ1050"},
	{"blank lines before the declaration", "\r\n\n " + decl + "<Response/>", "", "OZ1051"},
	{"BOM of an included file after a blank line", "\n\uFEFF" + decl + "<Response/>", "", "OZ1050 OZ1051"},
	{"no declaration", "\n<Response/>", "", "OZ1052"},
	{"letters of the root", decl + "<response/>", "", "OZ1053"},
	{"letters of the other root", decl + "<ozml/>", "", "OZ1053"},
	{"OzML", decl + "<OzML/>", "", ""},
	{"default namespace", decl + "<Response xmlns='urn:x'/>", "", "OZ1054"},
	{"prefix", decl + "<o:Response xmlns:o='urn:x'><o:Hangup/></o:Response>", "", "OZ1054"},
	{"instance", decl + "<Response xmlns:xsi='u' xsi:schemaLocation='x' xml:lang='en'/>", "", "OZ1054"},
	{"comments", decl + "<!-- a --><Response><!-- b --></Response><!-- c -->", "", "OZ1055"},
	{"instruction", decl + "<Response><?page break?></Response>", "", "OZ1056"},
	{"unused php", "<?php header('Content-Type: text/xml'); ?>\n<Response/>", "", "OZ1052 OZ1056"},
	{"XML 1.1", "<?xml version='1.1'?><Response/>", "", "OZ1057"},
	{"claims UTF-16", "<?xml version='1.0' encoding='utf-16'?><Response>é</Response>", "", "OZ1058"},
	{"HTTP claims UTF-16", decl + "<Response>a</Response>", "UTF-16", "OZ1058"},
	{"HTTP against declaration", "<?xml version='1.0' encoding='UTF-8'?><Response>\xE9</Response>", "iso-8859-1", "OZ1058"},
	{"disagreement without a consequence", "<?xml version='1.0' encoding='UTF-8'?><Response>e</Response>", "iso-8859-1", ""},
	{"php inside", decl + "<Response><Speak>Hello <br />\n<b>Warning</b>:  Undefined variable $n in <b>/srv/a.php</b> on line <b>3</b><br />\n</Speak></Response>", "", "OZ1059"},
	{"lone command", decl + "<Request Url='x'/>", "", "OZ1060"},
}

func TestTolerated(t *testing.T) {
	for _, c := range tolerated {
		f, err := ParseWith(Options{Name: "x", Charset: c.charset, IsCommand: isCommand}, []byte(c.src))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var got []string
		for _, w := range f.Warnings {
			got = append(got, w.Code)
			if w.Msg == "" || w.Hint == "" || !w.Span.From.IsValid() {
				t.Errorf("%s: %+v has no message, hint or place", c.name, w)
			}
		}
		if got := strings.Join(got, " "); got != c.want {
			t.Errorf("%s: warnings %q, want %q", c.name, got, c.want)
		}
	}
}

func wide(big bool, s string) string {
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(s)) {
		if big {
			b.WriteByte(byte(u >> 8))
			b.WriteByte(byte(u))
		} else {
			b.WriteByte(byte(u))
			b.WriteByte(byte(u >> 8))
		}
	}
	return b.String()
}

func TestEncodings(t *testing.T) {
	declared := func(e string) string { return "<?xml version='1.0' encoding='" + e + "'?><Response>" }
	const end = "</Response>"
	for _, c := range []struct{ name, src, charset, encoding, text string }{
		{"default", "<Response>árvíz" + end, "", "UTF-8", "árvíz"},
		{"declared windows-1252", declared("windows-1252") + "\x80 caf\xE9" + end, "", "windows-1252", "€ café"},
		{"declared windows-1250", declared("Windows-1250") + "\xE1rv\xEDzt\xFBr\xF5" + end, "", "windows-1250", "árvíztűrő"},
		{"declared ISO-8859-2", declared("iso-8859-2") + "\xE1rv\xEDzt\xFBr\xF5" + end, "", "ISO-8859-2", "árvíztűrő"},
		{"declared ISO-8859-1 with the marks of windows", declared("ISO-8859-1") + "\x93hi\x94" + end, "", "windows-1252", "“hi”"},
		{"declared after a blank line", "\n" + declared("latin2") + "\xF5" + end, "", "ISO-8859-2", "ő"},
		{"cp1251", declared("cp1251") + "\xEF\xF0\xE8\xE2\xE5\xF2" + end, "", "windows-1251", "привет"},
		{"koi8-r", "<Response>\xD0\xD2\xC9" + end, "KOI8-R", "KOI8-R", "при"},
		{"HTTP wins over the declaration", declared("UTF-8") + "\xF5" + end, "ISO-8859-2", "ISO-8859-2", "ő"},
		{"HTTP in quotes", "<Response>\xE9" + end, `"ISO-8859-15"`, "ISO-8859-15", "é"},
		{"BOM wins over HTTP", "\uFEFF<Response>é" + end, "ISO-8859-2", "UTF-8", "é"},
		{"UTF-16LE with BOM", "\xFF\xFE" + wide(false, declared("UTF-16")+"ő😀"+end), "", "UTF-16LE", "ő😀"},
		{"UTF-16BE with BOM", "\xFE\xFF" + wide(true, declared("UTF-16")+"ő😀"+end), "", "UTF-16BE", "ő😀"},
		{"UTF-16LE without BOM", wide(false, declared("UTF-16")+"ő"+end), "", "UTF-16LE", "ő"},
		{"UTF-16BE without BOM", wide(true, "<Response>ő"+end), "", "UTF-16BE", "ő"},
		{"UTF-16 that claims UTF-8", wide(false, "<Response>ő"+end), "utf-8", "UTF-16LE", "ő"},
		{"UTF-8 that claims UTF-16", declared("utf-16") + "ő" + end, "", "UTF-8", "ő"},
		{"windows-1250 of which HTTP claims UTF-16", declared("windows-1250") + "\xF5" + end, "utf-16", "windows-1250", "ő"},
	} {
		f, err := ParseWith(Options{Name: "x", Charset: c.charset}, []byte(c.src))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := f.Root.Text(); f.Encoding != c.encoding || got != c.text {
			t.Errorf("%s: %s, text %q; want %s, %q", c.name, f.Encoding, got, c.encoding, c.text)
		}
	}
}

func TestPlaces(t *testing.T) {
	src := "<Response>\r\n" +
		"  <Record Format=\"wav\"\n" +
		"\t  x:FinishDigits = '#é'  Beep=\"&amp;\"\n" +
		"  />\n" +
		"  <Speak>\n" +
		"    Hello <!-- c -->\n" +
		"    world <![CDATA[ & ]]>\n" +
		"  </Speak>\n" +
		"  é<Hangup/>\n" +
		"</Response>\n"
	f, err := Parse("x", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	var walk func(n Node)
	walk = func(n Node) {
		switch n := n.(type) {
		case *Text:
			got = append(got, fmt.Sprintf("%q %v-%v", n.Value, n.Pos(), n.End()))
		case *Element:
			got = append(got, fmt.Sprintf("<%s> %v-%v name %v-%v", n.Name, n.Pos(), n.End(), n.NameSpan.From, n.NameSpan.To))
			for _, a := range n.Attrs {
				got = append(got, fmt.Sprintf("%s=%q %v %v-%v", a.Name, a.Value, a.NamePos, a.ValuePos, a.End))
			}
			for _, c := range n.Children {
				walk(c)
			}
		}
	}
	walk(f.Root)
	want := []string{
		`<Response> 1:1-10:12 name 1:2-1:10`,
		`<Record> 2:3-4:5 name 2:4-2:10`,
		`Format="wav" 2:11 2:19-2:23`,
		`FinishDigits="#é" 3:4 3:22-3:26`,
		`Beep="&" 3:28 3:34-3:40`,
		`<Speak> 5:3-8:11 name 5:4-5:9`,
		`"Hello \n    world  &" 6:5-7:26`,
		`"é" 9:3-9:5`,
		`<Hangup> 9:5-9:14 name 9:6-9:12`,
	}
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("got\n%s\nwant\n%s", g, w)
	}
	checkPlaces(t, f, f.Root)
	if a, ok := f.Root.Children[0].(*Element).Attr("FINISHDIGITS"); !ok || a.Value != "#é" {
		t.Errorf("Attr(FINISHDIGITS) = %+v, %v", a, ok)
	}
	if _, ok := f.Root.Attr("x"); ok {
		t.Error("Attr(x) of the root: found, want nothing")
	}
	for _, src := range []struct {
		line int
		want string
	}{{0, ""}, {1, "<Response>"}, {4, "  />"}, {10, "</Response>"}, {11, ""}, {12, ""}} {
		if got := f.Line(src.line); got != src.want {
			t.Errorf("Line(%d) = %q, want %q", src.line, got, src.want)
		}
		if got := Line(f.Source, src.line); got != src.want {
			t.Errorf("Line(src, %d) = %q, want %q", src.line, got, src.want)
		}
	}
}

func TestLone(t *testing.T) {
	f, err := Parse("x", []byte("\n<Request Url='a'><Hangup/></Request>\n"))
	if err != nil {
		t.Fatal(err)
	}
	e, ok := f.Root.Children[0].(*Element)
	if !f.Lone || f.Root.Name != "Response" || !ok || e.Name != "Request" || f.Root.Span != e.Span || e.Span.From.String() != "2:1" || e.Span.To.String() != "2:37" {
		t.Errorf("got root %+v around %+v", f.Root, e)
	}
}

func TestCaret(t *testing.T) {
	long := strings.Repeat("x", 200)
	for _, c := range []struct {
		line   string
		column int
		want   string
	}{
		{"", 1, "\n^"},
		{"  <Speek/>", 4, "  <Speek/>\n   ^"},
		{"\té<a>", 4, "\té<a>\n\t ^"},
		{"ab", 9, "ab\n  ^"},
		{long, 150, "…" + long[:60] + long[:39] + "…\n" + strings.Repeat(" ", 61) + "^"}, // 60 before, the rest of 100 after
	} {
		if got := Caret(c.line, c.column); got != c.want {
			t.Errorf("Caret(%q, %d) =\n%s\nwant\n%s", c.line, c.column, got, c.want)
		}
	}
}

func TestNearest(t *testing.T) {
	words := []string{"Speak", "Play", "Delay", "Record", "UserInput", "SendSms", "SendEmail", "To"}
	for _, c := range []struct{ word, want string }{
		{"Spaek", "Speak"}, {"SPEEK", "Speak"}, {"Dealy", "Delay"}, {"speak", "Speak"}, {"UserInptu", "UserInput"},
		{"SendSMS2", "SendSms"}, {"Hangup", ""}, {"", ""}, {"Tp", ""}, {"Plau", "Play"}, {strings.Repeat("a", 1000), ""},
	} {
		if got := Nearest(c.word, words); got != c.want {
			t.Errorf("Nearest(%q) = %q, want %q", c.word, got, c.want)
		}
	}
}

// Budget: a menu of 4 kB in half a millisecond.
func BenchmarkParse(b *testing.B) {
	src := []byte("<Response>" + strings.Repeat("\n  <UserInput Timeout=\"5\" Digits='1'><Speak Language=\"en\">Press one</Speak></UserInput>", 500) + "</Response>")
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse("x", src); err != nil {
			b.Fatal(err)
		}
	}
}
