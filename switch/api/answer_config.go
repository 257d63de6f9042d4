package api

import "github.com/beevik/etree"

// configPayload writes the payload of a command about configs; false = it is none.
func configPayload(_ *etree.Element, _ any) bool { return false }
