package server

import (
	"ozswitch/ozml"
	"ozswitch/switch/api"
)

// lists is what a user of the HTTP API may do about lists.
func (s *Server) lists(api.User) ozml.Lists { return nil }
