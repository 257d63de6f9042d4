package console

import (
	"os"
	"os/exec"
	"testing"
)

// TestWeb runs the tests of the pages' pure parts (web/src/**/*.test.ts) with
// node. Its modules come with `make assets`, which every stage of `make test`
// has before it; without them there is nothing that could be tested.
func TestWeb(t *testing.T) {
	if _, err := os.Stat("node_modules/esbuild"); err != nil {
		t.Fatalf("the pages' modules are not there (%v): run make assets", err)
	}
	out, err := exec.CommandContext(t.Context(), "node", "test.mjs").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
