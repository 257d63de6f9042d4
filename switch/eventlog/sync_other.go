//go:build !linux

package eventlog

import "os"

// syncAll makes files last one by one: only Linux has syncfs.
func syncAll(_ *os.File, files []*os.File, fail func(name string, err error)) {
	syncEach(files, fail)
}
