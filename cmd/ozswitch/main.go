// Command ozswitch is the softswitch: run it with demo, dev or serve, place
// calls with call, try a script on paper with run, check it with vet.
//
// One file a subcommand; each parses flags and prints, and decides nothing.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(execute(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// errNo is the answer "it ran, and the answer is no": exit status 1 with
// nothing more to say.
var errNo = errors.New("no")

// execute runs one command line and gives its exit status: 0 done, 1 failed or
// the answer is no, 2 wrong usage.
func execute(ctx context.Context, args []string, in io.Reader, out, diag io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(diag)
	ran := false
	root.PersistentPreRun = func(*cobra.Command, []string) { ran = true }
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errNo):
		return 1
	}
	fmt.Fprintln(diag, "ozswitch:", err)
	if _, usage := errors.AsType[usageError](err); usage || !ran {
		fmt.Fprintln(diag, "Try 'ozswitch --help' or 'ozswitch COMMAND --help'.")
		return 2
	}
	return 1
}

// A usageError is a command line that makes no sense: exit status 2.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }
