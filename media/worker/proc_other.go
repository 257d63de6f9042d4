//go:build !linux

package worker

import "os/exec"

func isolate(*exec.Cmd) {}

// lower does nothing here: without the kernel's priorities the engines compete with the switch as equals.
func lower(pid, nice int) error { return nil }

// Tie does nothing on systems whose kernel does not kill orphans.
func Tie(*exec.Cmd) {}
