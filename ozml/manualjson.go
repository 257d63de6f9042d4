package ozml

import (
	"encoding/json"
	"strings"

	"ozswitch/ozml/syntax"
)

// ManualJSON gives all of the manual as one JSON document, for editors and for
// pages of others.
func (t Table) ManualJSON() (string, error) {
	type notification struct {
		Name   string  `json:"name"`
		When   string  `json:"when"`
		To     string  `json:"to"`
		Answer string  `json:"answer,omitempty"`
		Fields []Field `json:"fields,omitempty"`
	}
	type code struct {
		Code    string `json:"code"`
		Title   string `json:"title"`
		Cause   string `json:"cause"`
		Cure    string `json:"cure"`
		IsError bool   `json:"error"`
	}
	all := struct {
		Commands      []Page         `json:"commands"`
		CommonFields  []Field        `json:"common_fields"`
		Notifications []notification `json:"notifications"`
		Codes         []code         `json:"codes"`
	}{Commands: t.Manual(), CommonFields: CommonFields()}
	for _, n := range Notifications() {
		all.Notifications = append(all.Notifications, notification{n.Name, n.When, n.To, n.Answer, n.Fields})
	}
	for _, c := range append(append([]CodeDoc{}, syntax.Codes...), Codes()...) {
		all.Codes = append(all.Codes, code{c.Code, c.Title, c.Cause, c.Cure, c.Refused})
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	err := e.Encode(all)
	return b.String(), err
}
