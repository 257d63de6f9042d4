//go:build peers

package peers

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestUnitFile has systemd itself read our unit. That it is told READY=1 and that
// its watchdog is fed is shown in cmd/ozswitch by a socket in its place: systemd
// does not run in a container.
func TestUnitFile(t *testing.T) {
	need(t, "systemd-analyze")
	text, err := os.ReadFile("../../packaging/ozswitch.service")
	if err != nil {
		t.Fatal(err)
	}
	unit := filepath.Join(t.TempDir(), "ozswitch.service")
	// It is installed nowhere: the program is the one under test.
	write(t, unit, strings.ReplaceAll(string(text), "/usr/bin/ozswitch", program(t)))
	if out := strings.TrimSpace(run(t, ".", "systemd-analyze", "verify", "--man=no", "--recursive-errors=no", unit)); out != "" {
		t.Errorf("systemd-analyze verify says:\n%s", out)
	}
}
