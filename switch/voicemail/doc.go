// Package voicemail keeps what callers leave for people who do not answer, and lets
// those hear it. What is heard and said is OzML (leave.xml, menu.xml), which a user
// can replace: the scripts are given the messages as arrays, and move and delete
// their files by the commands of the language (docs/adr/0015). Go decides whose
// mailbox it is, asks the PIN, and files what was recorded.
//
// Start at visit.go; files are box.go's.
package voicemail

import _ "embed"

// The scripts that run when nobody has made others: Leave on a call to somebody who
// does not answer, Menu on one of the owner of a mailbox.
var (
	//go:embed leave.xml
	Leave []byte
	//go:embed menu.xml
	Menu []byte
)

// The names of the scripts, in events and below data/scripts.
const (
	LeaveName = "voicemail-leave.xml"
	MenuName  = "voicemail-menu.xml"
)
