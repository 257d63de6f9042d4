package command_test

import (
	"flag"
	"testing"

	"ozswitch/ozml/command"
	"ozswitch/ozml/ozmltest"
)

var _ = flag.Bool("update", false, "rewrite the golden files")

func TestScripts(t *testing.T) { ozmltest.Run(t, "testdata", command.Table()) }
