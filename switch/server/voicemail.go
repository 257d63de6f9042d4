package server

import (
	"os"
	"path/filepath"

	"ozswitch/ozml/trace"
	"ozswitch/switch/exchange"
	"ozswitch/switch/extension"
	"ozswitch/switch/voicemail"
)

// voicemailTask is exchange.Info.Task of a call to voicemail: its number.
type voicemailTask string

// newVoicemail makes the mailboxes of all phones, and lets telephones know what
// waits in them.
func (s *Server) newVoicemail() (err error) {
	v := &s.services
	if v.root, err = os.OpenRoot(s.data.dir); err != nil {
		return err
	}
	v.boxes = &voicemail.Boxes{Data: v.root, Changed: s.phones.MailboxChanged}
	s.phones.SetMailboxes(v.boxes)
	v.voicemail = voicemail.New(voicemail.Parts{
		Scripts: s.scripts, Boxes: v.boxes, Find: s.mailbox, Mail: v.outbox.Mail,
		Filing: func(l *exchange.Line, saved func(trace.Event) bool) {
			if c, ok := l.Sink().(*counted); ok {
				c.file(saved)
			}
		},
	})
	return nil
}

// mailbox is the one of a telephone.
func (s *Server) mailbox(number string) (b voicemail.Box, ok bool) {
	e := s.state.Load().cfg.find(number)
	if e == nil || e.Type != string(extension.Phone) {
		return b, false
	}
	m := e.Mailbox
	return voicemail.Box{Number: number, Name: e.Name, PIN: string(m.PIN), Email: m.Email, Greeting: m.Greeting}, true
}

// toVoicemail puts a number in the place of the word voicemail.
func (c *Config) toVoicemail(f *Forward) {
	for _, e := range c.Extensions {
		if e.Type != string(extension.Voicemail) {
			continue
		}
		for _, to := range []*string{&f.Always, &f.Busy, &f.NoAnswer, &f.Unavailable} {
			if *to == string(extension.Voicemail) {
				*to = e.Number
			}
		}
		return
	}
}

// voicemailScript gives what runs on a call to voicemail.
func (s *Server) voicemailScript(l *exchange.Line, number voicemailTask) exchange.Script {
	n := voicemail.Names{Leave: voicemail.LeaveName, Menu: voicemail.MenuName}
	if e := s.state.Load().cfg.find(string(number)); e != nil && e.File != "" { // a folder of one's own
		n = voicemail.Names{Leave: filepath.Join(e.File, "leave.xml"), Menu: filepath.Join(e.File, "menu.xml")}
	}
	return s.services.voicemail.Script(l, n)
}

// file names who takes the call's recordings away, once they are whole.
func (c *counted) file(take func(trace.Event) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.take = take
}

// taken tells whether somebody has taken the recording of a recording.saved event.
func (c *counted) taken(e trace.Event) bool {
	c.mu.Lock()
	take := c.take
	c.mu.Unlock()
	return take != nil && take(e)
}
