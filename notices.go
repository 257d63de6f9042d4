// Package ozswitch holds what must travel with the program: its licence and
// the notices of what it is built from. The program itself is cmd/ozswitch.
package ozswitch

import (
	"embed"
	"io/fs"
)

// notices are LICENSE and, once it is there, THIRD_PARTY_NOTICES; the pattern
// matches both, because a name that is missing would not compile.
//
//go:embed [LT]*[ES]
var notices embed.FS

// License is the text of the licence.
func License() string { return text("LICENSE") }

// ThirdPartyNotices are the licences of what is built in, "" when the file was
// not there at build time.
func ThirdPartyNotices() string { return text("THIRD_PARTY_NOTICES") }

func text(name string) string {
	b, err := fs.ReadFile(notices, name)
	if err != nil {
		return ""
	}
	return string(b)
}
