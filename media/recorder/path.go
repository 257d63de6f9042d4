package recorder

import (
	"fmt"
	"path"
	"strings"
)

// CleanPath makes a script's RecordPath a folder below the recordings root (decision 4.4): backslashes are slashes, a
// drive letter and leading slashes are dropped; ".." and control characters (NUL among them) are refused. The result
// has slashes, no leading or trailing one, and is empty for the root itself. Links out of the root are refused later,
// by the os.Root through which every file is opened.
func CleanPath(p string) (string, error) {
	s := strings.ReplaceAll(strings.TrimSpace(p), `\`, "/")
	if len(s) >= 2 && s[1] == ':' && ('a' <= s[0]|0x20 && s[0]|0x20 <= 'z') {
		s = s[2:]
	}
	for part := range strings.SplitSeq(s, "/") {
		if part == ".." {
			return "", fmt.Errorf("recorder: path %q leads out of the recordings folder", p)
		}
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7F }) {
		return "", fmt.Errorf("recorder: path %q contains a control character", p)
	}
	s = strings.TrimPrefix(path.Clean("/"+s), "/")
	if len(s) > 1024 {
		return "", fmt.Errorf("recorder: path of %d bytes, at most 1024", len(s))
	}
	return s, nil
}
