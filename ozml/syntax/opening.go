package syntax

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// binary says what a body that is no text is; "" when it may be text.
func binary(b []byte) string {
	for _, m := range []struct{ magic, what string }{
		{"\x1F\x8B", "compressed (gzip)"}, {"PK\x03\x04", "a ZIP archive"}, {"RIFF", "a sound file (WAV)"}, {"ID3", "a sound file (MP3)"},
		{"\xFF\xFB", "a sound file (MP3)"}, {"\xFF\xF3", "a sound file (MP3)"}, {"OggS", "a sound file (Ogg)"}, {"fLaC", "a sound file (FLAC)"},
		{"%PDF-", "a PDF document"}, {"\x89PNG", "a picture (PNG)"}, {"\xFF\xD8\xFF", "a picture (JPEG)"}, {"GIF8", "a picture (GIF)"},
	} {
		if bytes.HasPrefix(b, []byte(m.magic)) {
			return m.what
		}
	}
	return ""
}

// opening reads what stands before the first token: byte-order marks, white
// space, the XML declaration; and recognises what is no OzML at all.
func (p *parser) opening() (int, error) {
	const bom = "\uFEFF"
	at := 0
	for {
		next := p.skip(at)
		if p.has(next, bom) {
			p.warn("OZ1050", next, next+len(bom), "a byte-order mark stands before the document", "")
			next += len(bom)
		}
		if next == at {
			break
		}
		at = next
	}
	if at == len(p.src) {
		return 0, p.fail("OZ1002", 0, "the document is empty", "")
	}
	if err := p.alien(at); err != nil {
		return 0, err
	}
	if nameEnd := at + len("<?xml"); p.has(at, "<?xml") && p.name(at+2) == nameEnd {
		if at > 0 && !blankOrBOM(p.src[:at]) {
			p.warn("OZ1051", 0, at, "white space stands before the XML declaration", "")
		}
		return p.declaration(at, nameEnd)
	}
	p.warn("OZ1052", at, at, "the document has no XML declaration", "")
	return at, nil
}

// blankOrBOM tells whether b is one byte-order mark and nothing else.
func blankOrBOM(b []byte) bool { return string(b) == "\uFEFF" }

func (p *parser) declaration(at, nameEnd int) (int, error) {
	if !bytes.Contains(p.src[at:], []byte("?>")) {
		return 0, p.cutOff("inside the XML declaration")
	}
	tag, err := p.tag(at, nameEnd)
	if err != nil {
		return 0, err
	}
	if !bytes.HasSuffix(p.src[:tag.end], []byte("?>")) {
		return 0, p.fail("OZ1001", tag.end-1, "the XML declaration does not end with ?>", "write <?xml version=\"1.0\"?>")
	}
	for _, a := range tag.attrs {
		version := string(p.src[a.value:a.valueEnd])
		switch {
		case string(p.src[a.name:a.nameEnd]) != "version", version == "1.0":
		case version == "1.1":
			p.warn("OZ1057", a.value, a.valueEnd, "the document says it is XML 1.1", "")
		default:
			return 0, p.fail("OZ1025", a.value, fmt.Sprintf("unknown XML version %s", quote(version)), "")
		}
	}
	return tag.end, nil
}

// alien refuses what plainly is something else than a script.
func (p *parser) alien(at int) error {
	rest := p.src[at:]
	lower := string(bytes.ToLower(rest[:min(len(rest), 512)]))
	switch {
	case strings.HasPrefix(lower, "<!doctype html"):
		return p.webPage(at)
	case strings.HasPrefix(lower, "<%"), strings.HasPrefix(lower, "<?="), strings.HasPrefix(lower, "#!/"), strings.HasPrefix(lower, "<?php") && !p.onlyPHP(at):
		return p.fail("OZ1006", at, "the program arrived instead of its output: "+quote(firstRaw(rest)), "")
	case rest[0] != '<' && isJSON(rest):
		return p.json(at)
	case rest[0] != '<':
		return p.before(at)
	}
	return nil
}

// onlyPHP tells whether <?php ... ?> is followed by an element: then it is an
// instruction to be ignored, as any other.
func (p *parser) onlyPHP(at int) bool {
	n := bytes.Index(p.src[at:], []byte("?>"))
	if n < 0 {
		return false
	}
	next := p.skip(at + n + 2)
	return next+1 < len(p.src) && p.src[next] == '<' && p.src[next+1] != '?' && !p.has(next, "<%")
}

// before refuses text before the root, or text that is all there is.
func (p *parser) before(at int) error {
	first := firstLine(p.src[at:])
	if m, ok := findPHP(p.src[at:min(len(p.src), at+8192)]); ok && m.offset < 512 {
		first = shorten(m.text+" in "+m.file+" on line "+m.line, 160)
	}
	msg := "text before the XML: " + quote(first)
	if n := bytes.IndexByte(p.src[at:], '<'); n < 0 {
		msg = "text instead of XML: " + quote(first)
	}
	hint := cure("OZ1003")
	_, php := findPHP(p.src)
	switch {
	case php: // refuse says the rest
		hint = ""
	case strings.Contains(first, "[object Object]"):
		hint = "a JavaScript object was sent: send the text of the script, such as res.type('xml').send(xml)"
	case strings.HasPrefix(strings.ToLower(string(p.src[at:min(len(p.src), at+16)])), "&lt;"):
		hint = "the script arrived escaped (&lt; instead of <): print it as it is, without htmlspecialchars, and in templates without automatic escaping"
	case strings.HasPrefix(first, "Traceback (most recent call last)"):
		hint = "the Python program failed: its last line says why. " + hint
	}
	return p.fail("OZ1003", at, msg, strings.TrimSpace("the answer begins with "+quote(first)+". "+hint))
}

// outside refuses text before or after the root element.
func (p *parser) outside(at int) error {
	if p.file.Root == nil {
		return p.before(at)
	}
	return p.fail("OZ1021", at, fmt.Sprintf("text after the end of <%s>: %s", p.outermost(), quote(firstLine(p.src[at:]))), "")
}

// second refuses a second root element.
func (p *parser) second(at int, name string) error {
	hint := ""
	if p.file.Lone {
		hint = "put both into <Response>...</Response>"
	}
	return p.fail("OZ1021", at, fmt.Sprintf("a second element <%s> after the end of <%s>", name, p.outermost()), hint)
}

// outermost returns the name of the root as it stands in the document.
func (p *parser) outermost() string {
	if p.file.Lone {
		return p.file.Root.Children[0].(*Element).Name
	}
	return p.file.Root.Name
}

func (p *parser) doctype(at int) error {
	if strings.EqualFold(string(p.src[at:min(len(p.src), at+len("<!doctype html"))]), "<!doctype html") && p.file.Root == nil {
		return p.webPage(at)
	}
	if strings.EqualFold(string(p.src[at:min(len(p.src), at+len("<!doctype"))]), "<!doctype") {
		return p.fail("OZ1022", at, "a document type declaration is not allowed", "")
	}
	if bytes.IndexByte(p.src[at:], '>') < 0 {
		return p.cutOff("inside a tag")
	}
	return p.fail("OZ1022", at, `a declaration "<!" is not allowed`, "comments are written <!-- ... -->")
}

// htmlNames are the elements web pages and error messages in HTML begin with.
var htmlNames = []string{"html", "head", "body", "title", "meta", "link", "script", "style", "br", "b", "p", "div", "span", "font",
	"table", "center", "pre", "h1", "h2", "h3", "ul", "img", "hr", "form", "strong"}

// foreignNames are roots of other kinds of XML.
var foreignNames = []string{"rss", "feed", "svg", "envelope", "error", "errors", "fault", "string", "xml", "urlset", "vxml", "plist", "exception", "problem"}

// root decides on the outermost element; lone means that it is a command.
func (p *parser) root(at, end int, name string) (lone bool, err error) {
	for _, r := range []string{"Response", "OzML"} {
		if strings.EqualFold(name, r) {
			if name != r {
				p.warn("OZ1053", at+1, end, fmt.Sprintf("the root is written <%s>", name), "write <"+r+">")
			}
			return false, nil
		}
	}
	lower := strings.ToLower(name)
	switch {
	case p.IsCommand != nil && p.IsCommand(name):
	case slices.Contains(htmlNames, lower):
		if m, ok := findPHP(p.src); ok && m.offset < at+1024 {
			return false, p.before(at)
		}
		return false, p.webPage(at)
	case p.IsCommand != nil, slices.Contains(foreignNames, lower):
		return false, p.unknownRoot(at, name)
	}
	p.warn("OZ1060", at, end, fmt.Sprintf("the command <%s> stands without <Response> around it", name), "")
	return true, nil
}

func (p *parser) unknownRoot(at int, name string) error {
	hint := ""
	if n := Nearest(name, []string{"Response", "OzML"}); n != "" {
		hint = "did you mean <" + n + ">?"
	} else if escaped := bytes.ToLower(p.src[at:min(len(p.src), at+4096)]); bytes.Contains(escaped, []byte("&lt;response")) || bytes.Contains(escaped, []byte("&lt;?xml")) {
		hint = fmt.Sprintf("the script arrived as text inside <%s>: send it as it is. ASP.NET: Content(xml, \"text/xml\") or Response.Write, not a web method that returns a string", name)
	}
	return p.fail("OZ1023", at, fmt.Sprintf("unknown root element <%s>", name), hint)
}

// webPage refuses HTML and quotes its title.
func (p *parser) webPage(at int) error {
	msg, hint := "HTML instead of OzML", ""
	if m, ok := findPHP(p.src); ok {
		msg += ": " + quote(shorten(m.text, 100))
	} else if title := p.title(at); title != "" {
		msg += ": " + quote(title)
	}
	page := bytes.ToLower(p.src[at:])
	if bytes.Contains(page, []byte(`type="password"`)) || bytes.Contains(page, []byte("type=password")) {
		hint = "this is a login page: the switch has no session. Let this address answer without login, or give its user and password in the URL"
	}
	return p.fail("OZ1004", at, msg, hint)
}

// title returns what names a web page: its title, or its first words.
func (p *parser) title(at int) string {
	page := p.src[at:min(len(p.src), at+8192)]
	lower := bytes.Map(func(r rune) rune { // letters of one byte only: the places must stay
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, page)
	found := ""
	for _, tag := range []string{"title", "h1", "pre"} {
		from := bytes.Index(lower, []byte("<"+tag))
		if from < 0 {
			continue
		}
		to := bytes.Index(lower[from:], []byte("</"+tag))
		if to < 0 {
			continue
		}
		if s := shorten(plain(page[from:from+to]), 80); s != "" && s != found {
			if found != "" {
				return found + ": " + s
			}
			found = s
		}
	}
	if found == "" {
		found = firstLine(page)
	}
	return found
}

func isJSON(b []byte) bool {
	if json.Valid(b) {
		return true
	}
	if b[0] != '{' && b[0] != '[' { // may be cut off
		return false
	}
	next := bytes.TrimLeft(b[1:], blanks)
	return len(next) > 0 && (next[0] == '"' || next[0] == '{')
}

func (p *parser) json(at int) error {
	rest := p.src[at:]
	hint := ""
	if lower := bytes.ToLower(rest); bytes.Contains(lower, []byte("<response")) || bytes.Contains(lower, []byte(`u003cresponse`)) {
		hint = "the script arrived inside JSON: send the text itself. Node: res.type('xml').send(xml), not res.json(xml); .NET: Content(xml, \"text/xml\"); PHP: echo $xml, not json_encode($xml)"
	}
	return p.fail("OZ1005", at, "JSON instead of OzML: "+quote(firstRaw(rest)), hint)
}

// firstRaw returns the first line of b as it is.
func firstRaw(b []byte) string {
	line, _, _ := bytes.Cut(b[:min(len(b), 400)], []byte("\n"))
	return shorten(strings.TrimSpace(strings.ToValidUTF8(string(line), "")), 80)
}
