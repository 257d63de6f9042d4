package syntax

import "fmt"

// An Error says why a document was refused.
type Error struct {
	File string
	Code string // "OZ1003"; see Codes
	Pos  Pos    // its Offset is that of the bytes as received when the encoding is at fault
	Msg  string // what is wrong
	Hint string // what to do about it; never empty
	Line string // the source line of Pos; print it with Caret
}

// Error returns "file:line:column: what is wrong".
func (e *Error) Error() string { return fmt.Sprintf("%s:%v: %s", e.File, e.Pos, e.Msg) }
