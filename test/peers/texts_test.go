//go:build peers

package peers

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLinphoneTexts: what one linphonec writes to another that is away waits for it,
// and comes when it registers; then they write to each other (MESSAGE, RFC 3428).
func TestLinphoneTexts(t *testing.T) {
	need(t, "linphonec", "sox")
	n := serveGuests(t, "none", "http://127.0.0.1:9/", deskExtension+strings.Replace(deskExtension, "1001", "1002", 1))
	silence := tone(t, filepath.Join(t.TempDir(), "microphone.wav"), 440, 1)
	registered := func(s *softphone, user string) {
		t.Helper()
		s.tell("register sip:" + user + "@" + n.sip + " sip:" + n.sip + " " + deskPassword)
		asked := 0
		eventually(t, user+" is registered", func() bool {
			if asked++; asked%20 == 1 {
				s.tell("status register")
			}
			return strings.Contains(s.out.String(), "registered, identity=sip:"+user+"@")
		})
	}
	a := newSoftphone(t, silence)
	registered(a, "1001")
	a.tell("chat sip:1002@" + n.sip + " waits-for-you")
	eventually(t, "the text is kept", func() bool {
		for _, name := range []string{"ozswitch.db", "ozswitch.db-wal"} {
			if b, err := os.ReadFile(filepath.Join(n.data, name)); err == nil && bytes.Contains(b, []byte("waits-for-you")) {
				return true
			}
		}
		return false
	})
	b := newSoftphone(t, silence)
	registered(b, "1002")
	b.says("Message received from sip:1001@localhost: waits-for-you")
	a.tell("chat sip:1002@" + n.sip + " and-at-once")
	b.says("Message received from sip:1001@localhost: and-at-once")
	b.tell("chat sip:1001@" + n.sip + " back")
	a.says("Message received from sip:1002@localhost: back")
	for _, s := range []*softphone{a, b} {
		s.tell("quit")
		eventually(t, "linphonec ended", s.ended)
	}
	n.close(t)
}
