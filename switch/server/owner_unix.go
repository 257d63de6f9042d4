//go:build unix

package server

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// keepOwner gives a new file the owner and group of the one that it replaces.
func keepOwner(t *os.File, was fs.FileInfo) error {
	about, err := t.Stat()
	if err != nil {
		return err
	}
	now, ok1 := about.Sys().(*syscall.Stat_t)
	old, ok2 := was.Sys().(*syscall.Stat_t)
	if !ok1 || !ok2 || now.Uid == old.Uid && now.Gid == old.Gid {
		return nil
	}
	if t.Chown(int(old.Uid), int(old.Gid)) != nil {
		return errors.New("it belongs to another user or group, which the switch cannot keep: give it to the user that the switch runs as")
	}
	return nil
}
