package syntax

// A CodeDoc is what the manual says about a code.
type CodeDoc struct {
	Code, Title, Cause, Cure string
	Refused                  bool // false: tolerated, a Warning
}

// Codes lists all codes of this package in ascending order. Not to be changed.
var Codes = []CodeDoc{}
