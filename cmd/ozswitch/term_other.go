//go:build !(linux || darwin || freebsd || netbsd || openbsd)

package main

import "io"

// terminalWidth takes nothing for a terminal: without colours and with the
// usual width everything can be read everywhere.
func terminalWidth(io.Writer) (columns int, ok bool) { return 0, false }
