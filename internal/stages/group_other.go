//go:build !unix

package main

import (
	"os"
	"syscall"
)

func group() *syscall.SysProcAttr { return nil }

func interrupt(p *os.Process, _ syscall.Signal) error { return p.Kill() }
