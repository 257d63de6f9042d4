//go:build unix

package main

import (
	"os"
	"syscall"
)

func group() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func interrupt(p *os.Process, s syscall.Signal) error { return syscall.Kill(-p.Pid, s) }
