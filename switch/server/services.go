package server

import (
	"os"
	"sync"

	"ozswitch/switch/conference"
	"ozswitch/switch/exchange"
	"ozswitch/switch/message"
	"ozswitch/switch/voicemail"
	"ozswitch/switch/waiting"
)

// services are what runs in Go on extensions that are neither telephones nor
// scripts.
type services struct {
	conferences *conference.Rooms
	queues      *waiting.Queues
	voicemail   *voicemail.Service
	boxes       *voicemail.Boxes
	outbox      *message.Outbox
	sms         smsSide
	senders     senders
	reports     sync.WaitGroup // delivery reports that are looked for in the store
	root        *os.Root       // the data folder
}

func (s *Server) newServices() error {
	s.newConferences()
	s.newQueues()
	if err := s.newOutbox(); err != nil {
		return err
	}
	return s.newVoicemail()
}

// close gives back what newServices opened.
func (v *services) close() {
	if v.root != nil {
		v.root.Close()
	}
}

// wait returns when all of them have ended; the calls end before that.
func (v *services) wait() {
	v.conferences.Wait()
	v.queues.Wait()
}

// serve makes the script of a call to a service.
func (s *Server) serve(l *exchange.Line) (exchange.Script, bool) {
	switch t := l.Info().Task.(type) {
	case conferenceTask:
		return s.conference(l, t), true
	case queueTask:
		c, _ := s.queue(string(t))
		return s.services.queues.Script(l, c), true
	case voicemailTask:
		return s.voicemailScript(l, t), true
	}
	return nil, false
}

// secretKeys tells whether what callers of an extension press is never written
// down: where it says so, and where it asks for a PIN.
func (s *Server) secretKeys(number string) bool {
	e := s.state.Load().cfg.find(number)
	return e != nil && (e.SensitiveInput || e.PIN != "" || e.AdminPIN != "" || e.Type == "voicemail")
}

// v1Queues and v1Rooms are arrays for /v1, also when they are empty.
func (s *Server) v1Queues() any { return append([]waiting.Status{}, s.Queues()...) }
func (s *Server) v1Rooms() any  { return append([]conference.State{}, s.Conferences()...) }
