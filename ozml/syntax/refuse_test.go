package syntax

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

type refusal struct {
	name, src, charset string
	want               string // code line:column
	msg, hint          string // patterns
}

// isCommand is a small language for these tests.
func isCommand(name string) bool {
	switch strings.ToLower(name) {
	case "speak", "play", "delay", "hangup", "request", "senddtmf", "record":
		return true
	}
	return false
}

// refusals holds what web applications really answer.
var refusals = []refusal{
	// nothing
	{"empty", "", "", "OZ1002 1:1", "empty", "error log"},
	{"white space", " \r\n\n", "", "OZ1002 1:1", "empty", "<Response></Response>"},
	{"BOM only", "\uFEFF", "", "OZ1002 1:1", "empty", ""},
	{"declaration only", "<?xml version=\"1.0\"?>\n", "", "OZ1002 2:1", "no element", ""},
	{"comment only", "<!-- nothing -->", "", "OZ1002 1:17", "no element", ""},

	// something printed first
	{"php warning text", "\nWarning: Undefined variable $name in /var/www/html/ivr.php on line 3\n<?xml version=\"1.0\"?>\n<Response/>", "",
		"OZ1003 2:1", `text before the XML: "Warning: Undefined variable \$name in /var/www/html/ivr.php on line 3"`, `line 3 of ivr\.php .*display_errors = Off.*begins with "Warning: Undefined`},
	{"php warning html", "<br />\n<b>Warning</b>:  Undefined array key &quot;digits&quot; in <b>/srv/app/menu.php</b> on line <b>12</b><br />\n<?xml version=\"1.0\"?><Response/>", "",
		"OZ1003 1:1", `Warning: Undefined array key "digits"`, `line 12 of menu\.php`},
	{"php notice of the command line", "PHP Notice:  Undefined index: a in /srv/a.php on line 7\n<Response/>", "", "OZ1003 1:1", "Undefined index: a", `line 7 of a\.php`},
	{"php deprecated on windows", "Deprecated: Optional parameter in C:\\inetpub\\wwwroot\\ivr.php on line 44\n<Response/>", "", "OZ1003 1:1", "", `correct line 44 of ivr\.php \(C:\\inetpub`},
	{"php fatal error text", "PHP Fatal error:  Uncaught Error: Call to undefined function speek() in /srv/ivr.php:5\nStack trace:\n#0 {main}\n  thrown in /srv/ivr.php on line 5\n", "",
		"OZ1003 1:1", `text instead of XML: .*speek`, `line 5 of ivr\.php`},
	{"php fatal error html", "<br />\n<b>Fatal error</b>:  Uncaught TypeError: x in /srv/ivr.php:3\nStack trace:\n#0 {main}\n  thrown in <b>/srv/ivr.php</b> on line <b>3</b><br />\n", "",
		"OZ1003 1:1", "Fatal error", `line 3 of ivr\.php`},
	{"php parse error html", "<br />\n<b>Parse error</b>:  syntax error, unexpected token &quot;;&quot; in <b>/srv/ivr.php</b> on line <b>9</b><br />\n", "", "OZ1003 1:1", "Parse error", `line 9 of ivr\.php`},
	{"xdebug", "<br />\n<font size='1'><table class='xdebug-error xe-warning' dir='ltr'>\n<tr><th><span>( ! )</span> Warning: Undefined variable $x in /srv/x.php on line <i>2</i></th></tr>\n</table></font>\n<Response/>", "",
		"OZ1003 1:1", "Undefined variable", `line 2 of x\.php`},
	{"debug print", "got 5 digits\n<Response><Hangup/></Response>", "", "OZ1003 1:1", `before the XML: "got 5 digits"`, `begins with "got 5 digits"`},
	{"print after the declaration", "<?xml version=\"1.0\"?>\nhello\n<Response/>", "", "OZ1003 2:1", `"hello"`, ""},
	{"plain text", "Internal Server Error", "", "OZ1003 1:1", "instead of XML", "Internal Server Error"},
	{"python", "Traceback (most recent call last):\n  File \"ivr.py\", line 3\nKeyError: 'digits'\n", "", "OZ1003 1:1", "instead", "Python program failed"},
	{"object Object", "[object Object]", "", "OZ1003 1:1", "instead", "JavaScript object"},
	{"escaped", "&lt;Response&gt;&lt;/Response&gt;", "", "OZ1003 1:1", "", "arrived escaped"},

	// other kinds of document
	{"express 404", "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Error</title>\n</head>\n<body>\n<pre>Cannot GET /ivr</pre>\n</body>\n</html>\n", "", "OZ1004 1:1", `HTML instead of OzML: "Error: Cannot GET /ivr"`, "curl -i"},
	{"html without doctype", "<html lang=en><head><title>404 Not Found</title></head>", "", "OZ1004 1:1", "404 Not Found", ""},
	{"html after comment", "<!-- page --><!doctype HTML><title>x</title>", "", "OZ1004 1:14", "", ""},
	{"login page", "<!doctype html><title>Sign in</title><form><input type=\"password\"></form>", "", "OZ1004 1:1", "Sign in", "login page"},
	{"classic asp", "<font face=\"Arial\" size=2>\n<p>Microsoft VBScript runtime </font> <font face=\"Arial\" size=2>error '800a000d'</font>", "", "OZ1004 1:1", "VBScript runtime", ""},
	{"json object", "{\"error\":\"not found\"}", "", "OZ1005 1:1", "not found", "Answer with XML"},
	{"json string", "\"<Response><Hangup/></Response>\"", "", "OZ1005 1:1", "", `inside JSON.*res\.type`},
	{"json cut off", "[{\"a\": 1", "", "OZ1005 1:1", "", ""},
	{"json null", "null", "", "OZ1005 1:1", "null", ""},
	{"php source", "<?php\necho \"<Response/>\";\n", "", "OZ1006 1:1", "<\\?php", "extension"},
	{"php source closed", "<?php $x = 1; ?>\n<?= $x ?>", "", "OZ1006 1:1", "", ""},
	{"asp source", "<%@ Page Language=\"C#\" %>\n<Response/>", "", "OZ1006 1:1", "", ""},
	{"gzip", "\x1F\x8B\x08\x00", "", "OZ1007 1:1", "gzip", "Content-Encoding"},
	{"wav", "RIFF\x00\x00\x00\x00WAVE", "", "OZ1007 1:1", "WAV", "Play"},

	// encodings
	{"unknown in http", "<Response/>", "klingon", "OZ1008 1:1", `unknown encoding "klingon" in the HTTP header`, "UTF-8"},
	{"unknown declared", "<?xml version='1.0' encoding='EBCDIC-CP-US'?><Response/>", "", "OZ1008 1:1", `"EBCDIC-CP-US" in the XML declaration`, ""},
	{"utf-32", "<\x00\x00\x00R\x00\x00\x00", "", "OZ1008 1:1", "UTF-32", ""},
	{"latin 1 in utf-8", "<Response>\n<Speak>caf\xE9</Speak></Response>", "", "OZ1009 2:11", "byte 0xE9 at offset 21 is not UTF-8", `reads "café"`},
	{"after a BOM", "\xEF\xBB\xBF<Response>\xFF</Response>", "", "OZ1009 1:11", "offset 13", ""},
	{"hole in the table", "<Response>\n<Speak>\xD2</Speak></Response>", "windows-1253", "OZ1009 2:8", "0xD2 at offset 18", ""},
	{"half a utf-16 character", "<\x00R\x00\x00\xD8/\x00", "", "OZ1009 1:3", "half a character at offset 4", ""},
	{"odd utf-16", "\xFF\xFE<\x00R", "", "OZ1009 1:2", "half a character at the end at offset 4", ""},

	// characters
	{"vertical tab", "<Response>\n <Speak>a\vb</Speak></Response>", "", "OZ1010 2:10", `U\+000B`, ""},
	{"terminal colour", "<Response>\x1B[31m</Response>", "", "OZ1010 1:11", "", "colour"},
	{"zero byte", "<Response>\x00</Response>", "", "OZ1010 1:11", "", ""},
	{"control reference", "<Response><Speak Text='&#8;'/></Response>", "", "OZ1010 1:24", "&#8;", ""},
	{"surrogate reference", "<Response>&#xD800;</Response>", "", "OZ1010 1:11", "", ""},
	{"bare ampersand in text", "<Response><Speak>Smith & Sons</Speak></Response>", "", "OZ1011 1:24", "", "&amp;"},
	{"bare ampersand in a url", "<Response>\n  <GoTo Url=\"http://h/ivr.php?a=1&b=2\"/></Response>", "", "OZ1011 2:34", "", `http://h/ivr\.php\?a=1&amp;b=2"`},
	{"ampersand at the end of a value", "<Response><Play AudioFile='a&'/></Response>", "", "OZ1011 1:29", "", ""},
	{"nbsp", "<Response>a&nbsp;b</Response>", "", "OZ1012 1:12", "&nbsp;", "&#160;"},
	{"eacute", "<Response><Speak>caf&eacute;</Speak></Response>", "", "OZ1012 1:21", "", `"é" or &#233;`},
	{"AMP", "<Response>&AMP;</Response>", "", "OZ1012 1:11", "", "&amp; in small letters"},
	{"bomb", "<Response>&lol9;</Response>", "", "OZ1012 1:11", "", "&amp;lol9;"},
	{"number without digits", "<Response>&#x;</Response>", "", "OZ1012 1:11", "", ""},

	// tags
	{"typographic quotes", "<Response>\n<Speak Language=“en”>hi</Speak></Response>", "", "OZ1013 2:17", "“.*Language", "keyboard"},
	{"typographic closing quote", "<Response><Speak Language=\"en”>hi</Speak></Response>", "", "OZ1013 1:30", "”", ""},
	{"typographic without equals", "<Response><Array id“x”/></Response>", "", "OZ1013 1:20", "", ""},
	{"unquoted", "<Response><Delay Time=5/></Response>", "", "OZ1014 1:23", "Time", `Time="5"`},
	{"escaped quotes", "<Response><Delay Time=&quot;5&quot;/></Response>", "", "OZ1014 1:23", "", "were escaped"},
	{"backslash quotes", "<Response><Delay Time=\\\"5\\\"/></Response>", "", "OZ1014 1:23", "", "were escaped"},
	{"run together", "<Response><UserInput repeat ='true'digits ='1'/></Response>", "", "OZ1015 1:36", "digits", "space"},
	{"name run together", "<Response><Array =\"x\"/></Response>", "", "OZ1015 1:18", "Array", "space"},
	{"arrayid", "<Response><arrayid=\"x\"/></Response>", "", "OZ1015 1:19", "arrayid", "space"},
	{"no value", "<Response><Record beep/></Response>", "", "OZ1016 1:19", "beep", `beep="true"`},
	{"no equals", "<Response><MoveFile source'x'/></Response>", "", "OZ1016 1:27", `no "="`, "source="},
	{"no name", "<Response><Speak \"hello\"/></Response>", "", "OZ1016 1:18", "", ""},
	{"twice", "<Response><Play Loop='1' Loop='2'/></Response>", "", "OZ1017 1:26", "first at 1:17", "Remove"},
	{"twice in other letters", "<Response><Input key='1'\n Key='2'/></Response>", "", "OZ1017 2:2", "Key twice, first at 1:18", "key and Key are the same"},
	{"twice with a prefix", "<Response><Input key='1' x:key='2'/></Response>", "", "OZ1017 1:26", "", ""},
	{"less in text", "<Response><Speak>1 < 2</Speak></Response>", "", "OZ1018 1:20", "begins no tag", "&lt;"},
	{"less in a value", "<Response><Speak Text='a <b>'/></Response>", "", "OZ1018 1:26", "value of Text", "&lt;"},
	{"php inside a value", "<Response><Speak Text=\"<br />\n<b>Warning</b>:  Undefined variable $x in <b>/srv/ivr.php</b> on line <b>4</b><br />\n\"/></Response>", "", "OZ1018 1:24", "Text", `line 4 of ivr\.php`},
	{"no closing quote", "<Response><Play AudioFile=\"a.wav/><Hangup/></Response>", "", "OZ1026 1:27", "AudioFile is not closed", ""},
	{"closing quote of the next", "<Response><Play AudioFile=\"a.wav/>\n<Speak Text=\"b\"/></Response>", "", "OZ1026 1:27", "", ""},
	{"no end of tag", "<Response><Speak <Hangup/></Response>", "", "OZ1001 1:18", "not closed with >", ""},
	{"slash", "<Response><Speak / ></Response>", "", "OZ1001 1:18", `"/"`, ""},
	{"end tag without end", "<Response><Speak>a</Speak</Response>", "", "OZ1001 1:26", "</Speak is not closed", "</Speak>"},
	{"end tag without name", "<Response></></Response>", "", "OZ1001 1:11", "", ""},
	{"hyphens", "<Response>\n<!-- a -- b --></Response>", "", "OZ1001 2:8", "comment", "hyphens"},
	{"CDATA end", "<Response>a]]>b</Response>", "", "OZ1001 1:12", "", "]]&gt;"},
	{"bad letter in a name", "<Response><a\u00D7/></Response>", "", "OZ1001 1:11", "not well-formed", ""},
	{"two colons", "<Response><a:b:c/></Response>", "", "OZ1001 1:11", "", ""},

	// structure
	{"missing end tag", "<Response>\n  <Speak>hi\n</Response>", "", "OZ1019 3:1", "</Response> found where </Speak> was expected: <Speak> was opened at 2:3", "write </Speak>"},
	{"wrong order", "<Response><a><b></a></b></Response>", "", "OZ1019 1:17", "</b> was expected", ""},
	{"end tag in other letters", "<Response><Speak>hi</speak></Response>", "", "OZ1019 1:20", "", "case.*</Speak>"},
	{"end tag misspelt", "<Response><Speak>hi</Speek></Response>", "", "OZ1019 1:20", "", "did you mean </Speak>"},
	{"end tag of nothing", "<Response><Speak>hi</b></Speak></Response>", "", "OZ1019 1:20", "", "no <b> is open"},
	{"start tag for end tag", "<Response><SendDTMF>1<SendDTMF></Response>", "", "OZ1019 1:32", "", "second <SendDTMF> at 1:22 .*</SendDTMF>"},
	{"cut off in text", "<Response>\n<Speak>hel\n\n", "", "OZ1020 2:11", "before </Speak>: <Speak> was opened at 2:1", "Content-Length"},
	{"cut off in a tag", "<Response><Speak La", "", "OZ1020 1:20", "inside the tag", ""},
	{"cut off in a name", "<Resp", "", "OZ1020 1:6", "inside a tag", ""},
	{"cut off in a value", "<Response><Speak Text='he", "", "OZ1020 1:26", "value of Text", ""},
	{"cut off in an end tag", "<Response></Respon", "", "OZ1020 1:19", "end tag", ""},
	{"cut off in a comment", "<Response><!-- a", "", "OZ1020 1:17", "comment that begins at 1:11", ""},
	{"cut off in CDATA", "<Response><![CDATA[a", "", "OZ1020 1:21", "CDATA", ""},
	{"cut off in the declaration", "<?xml version='1.0'", "", "OZ1020 1:20", "declaration", ""},
	{"php warning after", "<Response/>\n<br />\n<b>Warning</b>:  x in <b>/srv/b.php</b> on line <b>8</b><br />", "", "OZ1021 2:1", "<br>", `line 8 of b\.php`},
	{"text after", "<Response/>\n\nok", "", "OZ1021 3:1", `text after the end of <Response>: "ok"`, "print nothing after"},
	{"two roots", "<Response/><Response/>", "", "OZ1021 1:12", "second element", "one <Response>"},
	{"no root", "<Speak>a</Speak>\n<Hangup/>", "", "OZ1021 2:1", "second element <Hangup> after the end of <Speak>", "put both into <Response>"},
	{"end tag after", "<Response/></Response>", "", "OZ1021 1:12", "without a tag", ""},
	{"CDATA after", "<Response/><![CDATA[x]]>", "", "OZ1021 1:12", "", ""},
	{"doctype", "<?xml version='1.0'?>\n<!DOCTYPE Response SYSTEM 'x'>\n<Response/>", "", "OZ1022 2:1", "document type", "Remove"},
	{"entities", "<!DOCTYPE lolz [<!ENTITY lol \"lol\">]><Response>&lol;</Response>", "", "OZ1022 1:1", "", ""},
	{"doctype inside", "<Response><!DOCTYPE x></Response>", "", "OZ1022 1:11", "", ""},
	{"unknown root", "<Respons><Hangup/></Respons>", "", "OZ1023 1:1", "<Respons>", "did you mean <Response>"},
	{"unknown root, far", "<Reply/>", "", "OZ1023 1:1", "<Reply>", "Put the commands into"},
	{"web method", "<?xml version=\"1.0\"?>\n<string xmlns=\"http://tempuri.org/\">&lt;Response&gt;&lt;/Response&gt;</string>", "", "OZ1023 2:1", "<string>", "as text inside <string>"},
	{"soap", "<soap:Envelope xmlns:soap='x'/>", "", "OZ1023 1:1", "<Envelope>", ""},
	{"declaration after a comment", "<!-- x -->\n<?xml version='1.0'?><Response/>", "", "OZ1024 2:1", "not at the beginning", ""},
	{"two declarations", "<?xml version='1.0'?><?xml version='1.0'?><Response/>", "", "OZ1024 1:22", "", "Two of them"},
	{"XML 2.0", "<?xml version='2.0'?><Response/>", "", "OZ1025 1:16", "2.0", ""},
	{"declaration without quotes", "<?xml version=1.0?><Response/>", "", "OZ1014 1:15", "version", ""},
	{"declaration without end", "<?xml version='1.0'><Response/><!-- ?> -->", "", "OZ1001 1:20", "does not end", ""},
}

func TestRefusals(t *testing.T) {
	for _, c := range refusals {
		t.Run(c.name, func(t *testing.T) {
			f, err := ParseWith(Options{Name: "ivr.xml", Charset: c.charset, IsCommand: isCommand}, []byte(c.src))
			e, ok := errors.AsType[*Error](err)
			if !ok {
				t.Fatalf("ParseWith(%q) = %v, %v; want an *Error", c.src, f, err)
			}
			if got := fmt.Sprintf("%s %v", e.Code, e.Pos); got != c.want {
				t.Errorf("%q is refused with %s (%s), want %s", c.src, got, e.Msg, c.want)
			}
			if !regexp.MustCompile(c.msg).MatchString(e.Msg) {
				t.Errorf("message %q, want a match of %q", e.Msg, c.msg)
			}
			if e.Hint == "" || !regexp.MustCompile(c.hint).MatchString(e.Hint) {
				t.Errorf("hint %q, want a match of %q", e.Hint, c.hint)
			}
			if want := fmt.Sprintf("ivr.xml:%v: %s", e.Pos, e.Msg); e.Error() != want {
				t.Errorf("Error() = %q, want %q", e.Error(), want)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	r := strings.Repeat
	for _, c := range []struct{ name, fits, breaks, want string }{
		{"depth", r("<Response>", 100) + r("</Response>", 100), r("<Response>", 101) + r("</Response>", 101), "OZ1031 1:1001"},
		{"depth of a lone command", r("<Speak>", 99) + r("</Speak>", 99), r("<Speak>", 100) + r("</Speak>", 100), "OZ1031 1:694"},
		{"depth, never closed", "<Response/>", r("<Response>", 1000), "OZ1031 1:1001"},
		{"elements", "<Response>" + r("<a/>", 19_999) + "</Response>", "<Response>" + r("<a/>", 20_000) + "</Response>", "OZ1032 1:80007"},
		{"attributes", "<Response" + attrs(64) + "/>", "<Response" + attrs(65) + "/>", "OZ1033 1:459"},
		{"attribute value", "<Response a='" + r("x", 64<<10) + "'/>", "<Response a='" + r("x", 64<<10+1) + "'/>", "OZ1034 1:14"},
		{"text", "<Response>" + r("x", 64<<10) + "</Response>", "<Response>" + r("x", 64<<10+1) + "</Response>", "OZ1034 1:11"},
		{"text in pieces", "<Response/>", "<Response>" + r("x<!-- -->", 64<<10+1) + "</Response>", "OZ1034 1:11"},
		{"body", "<Response>" + r("\n", 1<<20-21) + "</Response>", "<Response>" + r("\n", 1<<20-20) + "</Response>", "OZ1030 1:1"},
	} {
		if _, err := Parse("x", []byte(c.fits)); err != nil {
			t.Errorf("%s: just fitting document: %v", c.name, err)
		}
		_, err := Parse("x", []byte(c.breaks))
		e, ok := errors.AsType[*Error](err)
		if !ok || fmt.Sprintf("%s %v", e.Code, e.Pos) != c.want {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
	_, err := ParseWith(Options{Limits: Limits{Depth: 1}}, []byte("<Response><a/></Response>"))
	if e, ok := errors.AsType[*Error](err); !ok || e.Code != "OZ1031" {
		t.Errorf("with Depth 1: %v, want OZ1031", err)
	}
}

func attrs(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, " a%02d='1'", i)
	}
	return strings.ReplaceAll(b.String(), "'1'", "''")
}

func TestCodes(t *testing.T) {
	seen := map[string]bool{}
	last := ""
	for _, c := range Codes {
		if c.Code <= last || c.Title == "" || c.Cause == "" || c.Cure == "" || c.Refused != (c.Code < "OZ1050") {
			t.Errorf("Codes: %+v comes after %s or is not complete", c, last)
		}
		last = c.Code
		seen[c.Code] = true
	}
	tested := map[string]bool{"OZ1030": true, "OZ1031": true, "OZ1032": true, "OZ1033": true, "OZ1034": true} // TestLimits
	for _, c := range refusals {
		tested[c.want[:6]] = true
	}
	for _, c := range tolerated {
		for _, code := range strings.Fields(c.want) {
			tested[code] = true
		}
	}
	for code := range seen {
		if !tested[code] {
			t.Errorf("no test brings about %s", code)
		}
	}
	for code := range tested {
		if !seen[code] {
			t.Errorf("%s is missing from Codes", code)
		}
	}
}
