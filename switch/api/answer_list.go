package api

import (
	"strconv"

	"github.com/beevik/etree"

	"ozswitch/ozml"
)

// listPayload writes the payload of a command about lists; false = it is none.
func listPayload(root *etree.Element, payload any) bool {
	switch p := payload.(type) {
	case ozml.CallHistory:
		callHistory(root, p)
	case ozml.ExtensionList:
		list := root.CreateElement("Extensions")
		for _, x := range p.Extensions {
			e := list.CreateElement("ExtensionSummary")
			child(e, "Id", x.ID)
			child(e, "PhoneNumber", x.Number)
			child(e, "Type", x.Type)
			child(e, "State", x.State)
		}
	case ozml.ExtensionTypes:
		list := root.CreateElement("ExtensionTypes")
		for _, t := range p.Types {
			child(list, "ExtensionType", t)
		}
	case ozml.BookNames:
		list := root.CreateElement("AddressbookNames")
		for _, n := range p.Names {
			child(list, "Name", n)
		}
	case ozml.ContactList:
		child(root, "TotalRecords", strconv.Itoa(p.Total))
		list := root.CreateElement("Contacts")
		for _, c := range p.Contacts {
			e := list.CreateElement("Contact")
			child(e, "Name", c.Name)
			child(e, "PhoneNumber", c.Number)
			child(e, "Email", c.Email)
		}
	case ozml.SecurityToken:
		child(root, "SecurityToken", p.Token)
	default:
		return false
	}
	return true
}

// callHistory is the payload of ListCallHistory as Ozeki 10 has it, or of
// GetCallHistory as XE has it (A5): the fields of a call are the same.
func callHistory(root *etree.Element, h ozml.CallHistory) {
	total, all := "TotalRecords", "CallHistory"
	if h.XE {
		total, all = "NumberOfCalls", "Calls"
	}
	child(root, total, strconv.Itoa(h.Total))
	list := root.CreateElement(all)
	for _, c := range h.Calls {
		e := list.CreateElement("Call")
		child(e, "StartTime", c.Started.Format(ozml.Stamp))
		child(e, "Direction", c.Direction)
		child(e, "Source", c.Source)
		child(e, "Destination", c.Destination)
		child(e, "State", c.State)
		child(e, "Dialed", c.Dialed)
		child(e, "CallerId", c.CallerID)
		child(e, "Type", c.Type)
		child(e, "CallId", c.ID)
	}
}
