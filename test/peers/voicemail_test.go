//go:build peers

package peers

import (
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestVoicemail: a telephone that is away, a message for it, the mail with its sound
// at a real SMTP server, and the owner who hears it and deletes it by keys.
func TestVoicemail(t *testing.T) {
	need(t, "baresip", "sox", "aiosmtpd")
	smtp, box := fmt.Sprintf("127.0.0.1:%d", freePort(t)), filepath.Join(t.TempDir(), "mail")
	server := start(t, t.TempDir(), nil, "aiosmtpd", "-n", "-l", smtp, "-c", "aiosmtpd.handlers.Mailbox", box)
	eventually(t, "the SMTP server listens", func() bool {
		if server.ended() {
			t.Fatalf("aiosmtpd ended: %v\n%s", server.err, server.out.String())
		}
		c, err := net.Dial("tcp", smtp)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	n := serveGuests(t, "none", "http://127.0.0.1:9/", `  - {number: "1001", type: phone, password: `+deskPassword+`, name: Ann, forward: {unavailable: "9300"}, voicemail: {pin: "8642", email: ann@example.org}}
  - {number: "1002", type: phone, password: `+deskPassword+`, name: Bob}
  - {number: "9300", type: voicemail}
mail: {server: "`+smtp+`", from: pbx@example.org}
users:
  - {name: HTTP_User_1, password: orange-lantern, api: true, admin: true}
`)
	bob := newDeskParty(t, n, "1002", tone1002)
	bob.dial("1001")
	bob.talks()
	eventually(t, "two seconds of a message are there", func() bool { // after the greeting
		parts, _ := filepath.Glob(filepath.Join(n.data, "recordings", "*.part"))
		if len(parts) == 0 {
			return false
		}
		i, err := os.Stat(parts[0])
		return err == nil && i.Size() > 2*16000
	})
	bob.press('#')
	bob.idle()

	var letters []string
	eventually(t, "the mail is there", func() bool {
		letters, _ = filepath.Glob(filepath.Join(box, "new", "*"))
		return len(letters) == 1
	})
	text, sound := letter(t, letters[0])
	t.Logf("the mail says: %s", strings.Join(strings.Fields(text), " "))
	if !strings.Contains(text, "1002") {
		t.Errorf("the mail does not say who called: %q", text)
	}
	wantTone(t, sound, 0.5, 1, tone1002)

	ann := newDeskParty(t, n, "1001", tone1001)
	messages := func() (files []string) {
		files, _ = filepath.Glob(filepath.Join(n.data, "voicemail", "1001", "*", "*.wav"))
		return files
	}
	if len(messages()) != 1 {
		t.Fatalf("messages %q, want one", messages())
	}
	ann.dial("9300")
	ann.talks()
	for _, key := range "8642#" {
		ann.tell("sndcode", string(key))
	}
	eventually(t, "the menu runs", func() bool { return n.ran("voicemail-menu.xml") })
	ann.press('1')
	ann.hears(tone1002)
	ann.press('3')
	eventually(t, "the message is deleted", func() bool { return len(messages()) == 0 })
	ann.hangup()
	ann.idle()
	leave(ann, bob)
	n.close(t)
}

// ran tells whether a script has begun on some call.
func (n *node) ran(doc string) (yes bool) {
	_ = filepath.WalkDir(filepath.Join(n.data, "calls"), func(name string, _ os.DirEntry, err error) error {
		b, _ := os.ReadFile(name)
		for line := range strings.Lines(string(b)) {
			yes = yes || strings.Contains(line, `"command.started"`) && strings.Contains(line, doc)
		}
		return err
	})
	return yes
}

// letter reads a mail: its text, and its sound as a file.
func letter(t *testing.T, file string) (text, sound string) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := mail.ReadMessage(f)
	if err != nil {
		t.Fatal(err)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || !strings.HasPrefix(kind, "multipart/") {
		t.Fatalf("the mail is %s (%v), want parts", kind, err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := parts.NextPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(p) // quoted-printable is undone by the package
		if err != nil {
			t.Fatal(err)
		}
		if strings.EqualFold(p.Header.Get("Content-Transfer-Encoding"), "base64") {
			if b, err = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(b)), "")); err != nil {
				t.Fatal(err)
			}
		}
		if strings.HasPrefix(p.Header.Get("Content-Type"), "text/plain") {
			text += string(b)
		} else {
			sound = filepath.Join(t.TempDir(), "message.wav")
			if err := os.WriteFile(sound, b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	if sound == "" {
		t.Fatal("the mail has no sound")
	}
	return text, sound
}
