package worker

import (
	"os/exec"
	"syscall"
)

// isolate gives the child a process group of its own, so that Ctrl-C at the terminal reaches the switch only and its
// engines live until the last call has ended, and lets the kernel kill it when the thread that started it dies.
func isolate(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// lower gives every thread of the child's group lower priority; threads born later inherit it.
func lower(pid, nice int) error { return syscall.Setpriority(syscall.PRIO_PGRP, pid, nice) }

// Tie has the kernel kill a program that a worker executes when the worker dies. The caller's goroutine must be locked
// to its thread until the program has ended.
func Tie(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
