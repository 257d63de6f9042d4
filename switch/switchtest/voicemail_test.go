package switchtest

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/mail"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"ozswitch/media"
	"ozswitch/media/mediatest"
	"ozswitch/media/wav"
	"ozswitch/ozml/trace"
	"ozswitch/switch/phone"
	"ozswitch/switch/server"
)

// An inbox is a real SMTP server in the bubble.
type inbox struct {
	mu    sync.Mutex
	mails [][]byte
}

const mailAddr = "10.0.0.4:587"

// serve runs it until the World ends.
func (b *inbox) serve(w *World) {
	l, err := w.Net.Listen(mailAddr)
	if err != nil {
		w.T.Fatal(err)
	}
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{b}, nil }))
	s.Domain = "mail.test"
	w.parts.Go(func() { _ = s.Serve(l) })
	stop := w.stop
	w.stop = func() { s.Close(); stop() }
}

type session struct{ *inbox }

func (*session) Reset()                               {}
func (*session) Logout() error                        { return nil }
func (*session) Mail(string, *smtp.MailOptions) error { return nil }
func (*session) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (s *session) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mails = append(s.mails, b)
	return err
}

// attachment is the first file of a mail, and its subject.
func attachment(t *testing.T, raw []byte) (subject, name string, data []byte) {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		t.Fatal(err)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := parts.NextRawPart()
		if err != nil {
			t.Fatalf("the mail has no attachment: %v", err)
		}
		if p.FileName() == "" {
			continue
		}
		data, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, p))
		if err != nil {
			t.Fatal(err)
		}
		return subject, p.FileName(), data
	}
}

// heard is what was said in a wav file.
func heardIn(t *testing.T, file []byte) string {
	t.Helper()
	r, err := wav.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	pcm, err := media.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return mediatest.Text(pcm, r.Rate())
}

func (c *Call) spells(text string) {
	c.Phone.w.T.Helper()
	c.Play(media.Samples(8000, mediatest.Spell(text, 8000)))
}

// box are the events of a mailbox: "left", "mailed".
func (w *World) box(number string) (all []trace.Event) {
	for _, e := range w.Events("") {
		if e.Type == trace.Voicemail && e.Name == number {
			all = append(all, e)
		}
	}
	return all
}

// records waits until the n-th recording has begun.
func (w *World) records(n int) {
	w.T.Helper()
	w.Until("a recording begins", func() bool {
		begun := 0
		for _, e := range w.Events("") {
			if e.Type == trace.RecordStart {
				begun++
			}
		}
		return begun == n
	})
}

// TestVoicemail: a phone is not answered; the caller leaves a message, which goes
// out as mail; the owner hears it by keys, keeps it, hears it among the old ones,
// deletes it, and records a greeting, which the next caller hears.
func TestVoicemail(t *testing.T) {
	company(t, func(w *World) {
		t := w.T
		box := &inbox{}
		box.serve(w)
		w.Options = func(o *server.Options) {
			o.DialMail = func(ctx context.Context, network, _ string) (net.Conn, error) {
				return w.Net.DialContext(netip.MustParseAddr(switchHost))(ctx, network, mailAddr)
			}
		}
		w.Config.Mail = server.Mail{Server: mailAddr, From: "switch@example.test"}
		for i := range w.Config.Extensions {
			if e := &w.Config.Extensions[i]; e.Number == "1002" {
				e.Forward = server.Forward{NoAnswer: "9300", After: server.Duration(3 * time.Second), Busy: "9300", Unavailable: "9300"}
				e.Mailbox = server.Mailbox{PIN: "8642", Email: "bob@example.test"}
			}
		}
		w.Config.Extensions = append(w.Config.Extensions, server.Extension{Number: "9300", Type: "voicemail"})
		ann, bob := w.Phone("1001"), w.Phone("1002")
		bob.Reply = func() phone.Reply { return phone.Reply{Options: phone.Options{RingFor: time.Hour}} }

		c := ann.Dial("1002")
		c.Hears("phone 1002 is not available please leave a message after the tone")
		w.records(1)
		c.spells("please call me back")
		w.Pass(3 * time.Second)
		c.Press("#")
		c.Over()
		w.Until("the message is filed and mailed", func() bool { return len(w.box("1002")) == 2 })
		left := w.box("1002")[0]
		if left.Reason != "left" || left.Seconds < 2 || !strings.HasPrefix(left.File, "voicemail/1002/new/") {
			t.Errorf("filed as %+v", left)
		}
		if got := heardIn(t, w.File(left.File)); got != "please call me back" {
			t.Errorf("the message says %q", got)
		}
		w.Until("the mail has come", func() bool { box.mu.Lock(); defer box.mu.Unlock(); return len(box.mails) == 1 })
		subject, name, sound := attachment(t, box.mails[0])
		if subject != "Voice message from 1001" || !strings.HasSuffix(left.File, name) || heardIn(t, sound) != "please call me back" {
			t.Errorf("the mail is %q with %s, which says %q", subject, name, heardIn(t, sound))
		}

		// Who hangs up at the tone has left nothing.
		c = ann.Dial("1002")
		c.Hears("after the tone")
		w.records(2)
		c.HangUp()
		w.Until("that is told", func() bool { return len(w.box("1002")) == 3 && w.box("1002")[2].Reason == "empty" })

		c = bob.Dial("9300")
		c.Hears("please enter your pin")
		c.Press("8642#")
		c.Hears("you have 1 new messages and 0 old messages")
		c.Press("1")
		c.Hears("from 1001")
		c.Hears("please call me back")
		c.Press("2")
		c.Hears("please call me back")
		c.Press("1") // next: it is an old one now
		c.Hears("there are no more new messages")
		c.Hears("you have 0 new messages and 1 old messages")
		c.Press("2")
		c.Hears("please call me back")
		c.Press("3")
		c.Hears("deleted")
		c.Hears("you have 0 new messages and 0 old messages")
		c.Press("0")
		c.Hears("say your greeting after the tone")
		w.records(3)
		c.spells("bob is fishing")
		w.Pass(2 * time.Second)
		c.Press("#")
		c.Hears("your greeting is saved")
		c.Press("9")
		c.Over()
		w.Until("the greeting is filed", func() bool { e := w.box("1002"); return e[len(e)-1].Reason == "greeting" })

		c = ann.Dial("1002")
		c.Hears("bob is fishing")
		c.HangUp()

		// Nobody else gets in.
		c = ann.Dial("9300")
		c.Hears("you have 0 new messages") // Ann's own, which has no PIN
		c.HangUp()
		c = bob.Dial("9300")
		for range 3 {
			c.Hears("please enter your pin")
			c.Press("1234#")
		}
		c.Hears("you cannot be let in")
		c.Ends()
		for _, e := range w.Events("") {
			if e.Type == trace.Key && strings.ContainsAny(e.Key, "8642") && strings.Contains(w.Transcript(e.Call), "9300") && e.Key != "2" {
				t.Errorf("a key of the PIN is written down: %+v", e)
			}
		}
	}, "1001", "1002")
}

// TestVoicemailChain: voicemail behind a phone in the dial plan, with a script of
// one's own; the message is for the phone that rang. A phone that is not there, and
// forwards to the word voicemail, has its mailbox too.
func TestVoicemailChain(t *testing.T) {
	company(t, func(w *World) {
		t := w.T
		w.Config.Extensions = append(w.Config.Extensions,
			server.Extension{Number: "9300", Type: "voicemail"},
			server.Extension{Number: "1003", Type: "phone", Password: "pw-1003", Forward: server.Forward{Unavailable: "voicemail"}})
		w.Config.Dialplan = []server.Rule{
			{From: "extension", Match: "0", To: server.Names{"1002", "9300"}, Ring: "order", RingTime: server.Duration(3 * time.Second)},
			{From: "extension", Match: "*", To: server.Names{"*"}},
		}
		own := filepath.Join(w.Config.Data, "scripts", "voicemail-leave.xml")
		if err := errors.Join(os.MkdirAll(filepath.Dir(own), 0o750), os.WriteFile(own,
			[]byte(`<Response><Speak>This is the box of $mailbox</Speak><Record Format="wav" FinishDigits="#" Duration="20"/></Response>`), 0o640)); err != nil {
			t.Fatal(err)
		}
		ann, bob := w.Phone("1001"), w.Phone("1002")
		bob.Reply = func() phone.Reply { return phone.Reply{Options: phone.Options{RingFor: time.Hour}} }
		for n, dialled := range map[string]string{"1002": "0", "1003": "1003"} {
			c := ann.Dial(dialled)
			c.Hears("this is the box of " + n)
			w.Pass(2 * time.Second)
			c.Press("#")
			c.Over()
			w.Until("the message for "+n+" is filed", func() bool { return len(w.box(n)) == 1 && w.box(n)[0].Reason == "left" })
		}
	}, "1001", "1002")
}

// TestVoicemailLamp: the telephone's lamp follows what is left and what is heard.
func TestVoicemailLamp(t *testing.T) {
	company(t, func(w *World) {
		t := w.T
		w.Config.Extensions = append(w.Config.Extensions, server.Extension{Number: "9300", Type: "voicemail"})
		for i := range w.Config.Extensions {
			if e := &w.Config.Extensions[i]; e.Number == "1002" {
				e.Forward = server.Forward{Unavailable: "voicemail"}
			}
		}
		ann, lamp := w.Phone("1001"), w.desk("1002", "10.1.9.1")
		defer lamp.close()
		if got := lamp.ask("SUBSCRIBE", "1002", "Event: message-summary\r\nExpires: 600\r\n", ""); got != "200 OK" {
			t.Fatalf("watching: %s", got)
		}
		lamp.lit("at first", "acti 0/0 (0/0)")
		c := ann.Dial("1002")
		w.records(1)
		w.Pass(3 * time.Second)
		c.HangUp()
		lamp.lit("a message was left", "acti 1/0 (0/0)")
		c = w.Phone("1002").Dial("9300")
		c.Hears("you have 1 new messages")
		c.Press("1")
		c.Hears("from 1001")
		c.Press("1")
		c.Hears("you have 0 new messages and 1 old messages")
		c.HangUp()
		lamp.lit("it was heard", "acti 0/1 (0/0)")
	}, "1001", "1002")
}
