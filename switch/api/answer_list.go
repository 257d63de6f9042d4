package api

import "github.com/beevik/etree"

// listPayload writes the payload of a command about lists; false = it is none.
func listPayload(_ *etree.Element, _ any) bool { return false }
