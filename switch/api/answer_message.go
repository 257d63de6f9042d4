package api

import "github.com/beevik/etree"

// messagePayload writes the payload of a command about messages; false = it is none.
func messagePayload(_ *etree.Element, _ any) bool { return false }
