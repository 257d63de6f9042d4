//go:build linux || darwin

package main

import "syscall"

// openFiles is how many files this process may open at once. Go has raised the
// soft limit to the hard one at start.
func openFiles() (n uint64, ok bool) {
	var l syscall.Rlimit
	err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l)
	return l.Cur, err == nil
}

// diskSpace gives bytes that this user may still write, and all of the disk.
func diskSpace(dir string) (free, total uint64, ok bool) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, 0, false
	}
	return s.Bavail * uint64(s.Bsize), s.Blocks * uint64(s.Bsize), true
}
