//go:build !linux && !darwin

package server

// freeDisk is not known on this system: a full disk shows when it is written.
func freeDisk(string) (float64, error) { return -1, nil }

// freeBytes is not known here.
func freeBytes(string) int64 { return -1 }
