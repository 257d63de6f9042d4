package eventlog

import (
	"os"

	"golang.org/x/sys/unix"
)

// few is up to how many files are made to last one by one. An fsync of each of
// many is a commit of the file system's journal each, and one syncfs (sync(2)) is
// one for all; but it also waits for what other programs have written.
const few = 8

// syncAll makes files last that lie below dir (nil = one by one) and tells fail of
// each that does not.
func syncAll(dir *os.File, files []*os.File, fail func(name string, err error)) {
	if len(files) > few && dir != nil && unix.Syncfs(int(dir.Fd())) == nil {
		return
	}
	syncEach(files, fail)
}
