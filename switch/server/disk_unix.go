//go:build linux || darwin

package server

import "syscall"

// freeDisk gives the percentage of the disk below dir that is free to us.
func freeDisk(dir string) (float64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return -1, err
	}
	if st.Blocks == 0 {
		return -1, nil
	}
	return 100 * float64(st.Bavail) / float64(st.Blocks), nil
}

// freeBytes gives what is free to us of the disk below dir, -1 when that is not
// known.
func freeBytes(dir string) int64 {
	var st syscall.Statfs_t
	if syscall.Statfs(dir, &st) != nil {
		return -1
	}
	return int64(st.Bavail) * int64(st.Bsize)
}
