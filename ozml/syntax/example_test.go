package syntax_test

import (
	"errors"
	"fmt"

	"ozswitch/ozml/syntax"
)

func ExampleParse() {
	_, err := syntax.Parse("menu.xml", []byte("<Response>\n  <GoTo Url=\"menu.php?a=1&b=2\"/>\n</Response>\n"))
	if e, ok := errors.AsType[*syntax.Error](err); ok {
		fmt.Println(e.Code, e)
		fmt.Println(syntax.Caret(e.Line, e.Pos.Column))
		fmt.Println(e.Hint)
	}
	// Output:
	// OZ1011 menu.xml:2:26: a "&" that stands for itself
	//   <GoTo Url="menu.php?a=1&b=2"/>
	//                          ^
	// write &amp; for it: "menu.php?a=1&amp;b=2". PHP: htmlspecialchars($text, ENT_XML1 | ENT_QUOTES)
}

func ExampleFile_Format() {
	f, err := syntax.Parse("hello.xml", []byte("<Response><Speak  Language='en'>\n  Hello </Speak> <!-- then -->\n<Hangup></Hangup></Response>"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s", f.Format())
	// Output:
	// <?xml version="1.0" encoding="UTF-8"?>
	// <Response>
	//   <Speak Language="en">Hello</Speak> <!-- then -->
	//   <Hangup/>
	// </Response>
}
