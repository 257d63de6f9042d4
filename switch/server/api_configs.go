package server

import (
	"ozswitch/ozml"
	"ozswitch/switch/api"
)

// configs is what a user of the HTTP API may do about configs.
func (s *Server) configs(api.User) ozml.Configs { return nil }
