package syntax

// A CodeDoc is what the manual says about a code.
type CodeDoc struct {
	Code, Title, Cause, Cure string
	Refused                  bool // false: tolerated, a Warning
}

// Codes lists all codes of this package in ascending order. Not to be changed.
var Codes = []CodeDoc{
	{"OZ1001", "not well-formed XML", "The document breaks a rule of XML that has no code of its own.", "Look at the marked place. Printing the script with an XML library (DOMDocument, XmlWriter, xmlbuilder) instead of by hand prevents this.", true},
	{"OZ1002", "empty document", "The application answered without a body, or with white space only, or with no element. Typically the program ended before it printed anything, with its error messages switched off.", "Open the address with `curl -i` and look into the error log of the web server. To do nothing, answer <Response></Response>.", true},
	{"OZ1003", "text before the XML", "Something was printed before the script, or instead of it: typically a PHP warning, a debug print or a stack trace.", "Remove what prints it. On a live server send messages to a log instead of the answer; PHP: display_errors = Off and log_errors = On.", true},
	{"OZ1004", "HTML instead of OzML", "The address answered with a web page: an error page, a login page, or the wrong address.", "Open the address with `curl -i`. The switch has no cookies and no session: the address must answer without a login form.", true},
	{"OZ1005", "JSON instead of OzML", "The address answered with JSON.", "Answer with XML: <Response>...</Response>. An application that holds the script in a string must send the string itself, not json_encode or JSON.stringify of it.", true},
	{"OZ1006", "program instead of its output", "The web server sent the source of the page and did not run it.", "Check that the file has the right extension (.php, .aspx), that its language is installed, and that it is opened through the web server, not as a file.", true},
	{"OZ1007", "binary data instead of OzML", "The body is a sound, an archive or a picture.", "An answer is a script; to play a file answer <Response><Play AudioFile=\"...\"/></Response>. Compressed answers need the header Content-Encoding.", true},
	{"OZ1008", "unknown encoding", "The HTTP header or the XML declaration names an encoding that is not read here.", "Use UTF-8. Also read: windows-1250 to 1258, ISO-8859-1 to 16, KOI8-R, KOI8-U, UTF-16.", true},
	{"OZ1009", "wrong bytes for the encoding", "The body contains bytes that do not exist in its encoding. Typically text from a file or database in windows-1252 inside a page in UTF-8.", "Save the file as UTF-8 and convert what comes from elsewhere (mb_convert_encoding), or name the true encoding in the header Content-Type.", true},
	{"OZ1010", "control character", "XML does not allow control characters other than tab and line ends, not even as &#...;.", "Remove it. Typical sources: terminal colours in the output of a program, text copied from a PDF, C strings with their final zero.", true},
	{"OZ1011", "bare &", "A & begins a reference in XML and cannot stand for itself. Typically it stands in a URL with parameters.", "Write &amp; for it. PHP: htmlspecialchars($text, ENT_XML1 | ENT_QUOTES).", true},
	{"OZ1012", "unknown entity", "XML knows only &amp; &lt; &gt; &quot; &apos; and numbers such as &#233;. The names of HTML are not among them.", "Write the character itself, or its number.", true},
	{"OZ1013", "typographic quotes", "A value stands between typographic quotes. Typically the text went through a word processor, a chat or a web page.", "Write \" or '.", true},
	{"OZ1014", "value without quotes", "A value of an attribute stands without quotes.", "Write \" before and after the value.", true},
	{"OZ1015", "no space between attributes", "Two attributes, or an element and its first attribute, run together.", "Put a space between them.", true},
	{"OZ1016", "attribute without a value", "An attribute has no = or no value. HTML allows that, XML does not.", "Write Name=\"value\"; a switch is Name=\"true\".", true},
	{"OZ1017", "attribute given twice", "The same attribute stands twice in one tag. Letter case does not count: Key and key are the same.", "Remove one of them.", true},
	{"OZ1018", "unescaped <", "A < begins a tag in XML and cannot stand for itself.", "Write &lt; for it. PHP: htmlspecialchars($text, ENT_XML1 | ENT_QUOTES).", true},
	{"OZ1019", "wrong end tag", "An end tag does not fit the tag that was opened last: an end tag is missing, misspelt, or in the wrong order.", "Close each tag, the last opened first. Upper and lower case must be the same in both tags.", true},
	{"OZ1020", "document ends too early", "The body ends in the middle. Typically the program died while printing, or its header Content-Length is too small, or an end tag is missing.", "Look into the error log of the web server. Do not set Content-Length by hand; if you must, count bytes, not characters.", true},
	{"OZ1021", "something after the end", "Text or a second element stands after the end of the root element.", "Put all commands into one <Response>, and print nothing after </Response>.", true},
	{"OZ1022", "DOCTYPE", "A document type declaration is not allowed, because it can make the reader fetch files and grow without bound.", "Remove the line.", true},
	{"OZ1023", "unknown root element", "The outermost element is neither Response nor OzML nor a command.", "Put the commands into <Response>...</Response>.", true},
	{"OZ1024", "misplaced XML declaration", "The line <?xml ...?> stands elsewhere than at the beginning.", "Move it to the beginning, or remove it. Two of them: two scripts were printed one after the other.", true},
	{"OZ1025", "unknown XML version", "The XML declaration names a version other than 1.0 and 1.1.", "Write <?xml version=\"1.0\"?>.", true},
	{"OZ1026", "closing quote missing", "The quote that ends a value is missing, so the value runs on into the next tags.", "Write the closing quote. If the value contains the same quote, write &quot; for it.", true},
	{"OZ1030", "document too large", "The body is larger than limits.body.", "Send less, or raise the limit in the configuration.", true},
	{"OZ1031", "nested too deeply", "More elements within elements than limits.depth.", "Use GoTo for the inner menus. Typically a program that never closes its tags.", true},
	{"OZ1032", "too many elements", "The document has more elements than limits.elements.", "Use GoTo or ForEach.", true},
	{"OZ1033", "too many attributes", "One element has more attributes than limits.attributes.", "Remove some.", true},
	{"OZ1034", "value too long", "One attribute or text is longer than limits.value.", "Split it.", true},
	{"OZ1050", "byte-order mark", "The document begins with a byte-order mark. It does no harm here; elsewhere it is a frequent cause of trouble.", "Save the file as UTF-8 without BOM.", false},
	{"OZ1051", "white space before the XML declaration", "XML wants <?xml ...?> at the very beginning. Typically an included file has empty lines outside of <?php ... ?>.", "Remove the white space, or the declaration.", false},
	{"OZ1052", "no XML declaration", "The document does without <?xml version=\"1.0\"?>. That is allowed.", "Nothing to do.", false},
	{"OZ1053", "letter case of the root", "The root is Response or OzML in other letters.", "Write <Response>.", false},
	{"OZ1054", "namespace", "Namespaces mean nothing here: only local names count, declarations and the attributes xml:... and xsi:... are ignored.", "Remove it.", false},
	{"OZ1055", "comment", "The document contains comments. Whoever reads the answer of your server can read them.", "Nothing to do.", false},
	{"OZ1056", "processing instruction", "An instruction <?...?> is ignored.", "Remove it.", false},
	{"OZ1057", "XML 1.1", "The declaration says version 1.1; the document was read by the rules of 1.0.", "Write version=\"1.0\".", false},
	{"OZ1058", "contradictory encodings", "The HTTP header, the XML declaration and the bytes do not agree on the encoding.", "Send UTF-8, and say so in both places or in neither. .NET: a StringWriter always declares UTF-16; override its Encoding.", false},
	{"OZ1059", "PHP message inside the script", "PHP printed a message into the middle of the script: the caller may hear it.", "Correct the fault. On a live server display_errors = Off and log_errors = On.", false},
	{"OZ1060", "lone command", "The document is one command without <Response> around it.", "Put it into <Response>...</Response>.", false},
}

func cure(code string) string {
	for _, c := range Codes {
		if c.Code == code {
			return c.Cure
		}
	}
	return ""
}
