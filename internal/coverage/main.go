// Coverage asks whether anybody would notice. One at a time, it makes each
// command do nothing, and each parameter count as not written, and plays that
// command's tests: a cell of its table has a mark only if a test then fails. The
// tests are those of ozml/command/testdata that have the command's name, and the
// scenarios of ozml/conformance that use it, on paper.
//
// go run ./internal/coverage, in the project's folder, writes docs/coverage.md. What
// the specification grants is in granted.txt.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"ozswitch/ozml/command"
)

func main() {
	root := flag.String("root", ".", "the folder of the project")
	flag.Parse()
	if err := write(*root); err != nil {
		fmt.Fprintln(os.Stderr, "coverage:", err)
		os.Exit(1)
	}
}

//go:generate go run . -root ../..

func write(root string) error {
	r, err := measure(root, command.Table())
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, page), []byte(r.markdown()), 0o666)
}
