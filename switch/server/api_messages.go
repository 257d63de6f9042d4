package server

import (
	"ozswitch/ozml"
	"ozswitch/switch/api"
)

// messages is what a user of the HTTP API may do about messages.
func (s *Server) messages(api.User) ozml.Messages { return nil }
