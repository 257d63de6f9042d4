//go:build peers

package peers

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBestEffortSound: SRTP is optional. A baresip that offers keys beside plain RTP
// (srtp) has its leg encrypted; the one it calls, which knows of none, hears it all
// the same; and the other way round.
func TestBestEffortSound(t *testing.T) {
	need(t, "baresip", "sox")
	n := serveGuests(t, "none", "http://127.0.0.1:9/", strings.ReplaceAll(matrixExtensions, deskPassword+", name: ", deskPassword+", srtp: optional, name: "))
	ann := newDeskPartyWith(t, n, "1001", tone1001, ";mediaenc=srtp")
	bob := newDeskPartyWith(t, n, "1002", tone1002, "")
	for i, pair := range [][2]*deskParty{{ann, bob}, {bob, ann}} {
		from, to := pair[0], pair[1]
		from.dial([]string{"1002", "1001"}[i])
		to.rings()
		to.answer()
		to.talks()
		from.talks()
		ann.hears(tone1002)
		bob.hears(tone1001)
		from.hangup()
		to.idle()
		from.idle()
	}
	leave(ann, bob)
	n.close(t)
	// Our offers and answers with keys, as the event log has them: without the keys.
	described, told := 0, 0
	err := filepath.WalkDir(filepath.Join(n.data, "calls"), func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".jsonl") {
			return err
		}
		b, err := os.ReadFile(name)
		for line := range strings.Lines(string(b)) {
			if strings.Contains(line, `"sip.sent"`) && strings.Contains(line, "a=crypto:") {
				described++
			}
			if i := strings.Index(line, "inline:"); i >= 0 && !strings.HasPrefix(line[i:], "inline:***") {
				told++
			}
		}
		return err
	})
	if err != nil || described < 2 || told > 0 {
		t.Errorf("%d messages of ours with keys, want one a call at least; %d tell a key; %v", described, told, err)
	}
}
