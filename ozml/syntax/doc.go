// Package syntax reads OzML documents: XML with places.
//
// It turns the body of a web application's answer into a tree of elements and
// texts in which every name, attribute and text knows its line and column, or
// refuses it whole with a place, a code that has a page in the manual (Codes)
// and a hint for somebody who writes web pages, not XML parsers.
//
// It does not know a single command: meaning is package ozml's. Letter case is
// kept as written and folded only when something is looked up.
//
// Start with Parse and the nodes in syntax.go. parse.go walks the document,
// tag.go and text.go say what is wrong in it, opening.go recognises what is no
// OzML at all (a PHP warning, a web page, JSON), encoding.go makes UTF-8 of it,
// format.go prints the canonical form. The rules are decisions 1.3 to 1.7.
package syntax
