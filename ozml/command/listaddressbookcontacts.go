package command

import (
	"context"
	"errors"
	"strings"

	"ozswitch/ozml"
)

// ListAddressbookContacts lists the contacts of an address book.
func ListAddressbookContacts() *ozml.Command {
	return &ozml.Command{
		Name:  "ListAddressbookContacts",
		Title: "list the contacts of an address book",
		Doc:   "The answer holds `<TotalRecords>`, how many contacts fit the filters in all, and `<Contacts>` with a `<Contact>` for each of one page, by name: Name, PhoneNumber, Email. Who has several numbers is there with each.",
		Notes: []string{
			"A filter finds a part of the field, in any letter case; of numbers only the digits count, so +36 (1) 234-5678 is found by 3612345.",
			"A name that no book has is code 302. The public pages give no code for a book whose provider does not answer: it is 300, with the reason.",
			"RowsPerPage is at most 1000; 0 is the default. A page beyond the last has no contacts.",
		},
		Example: `command=ListAddressbookContacts&AddressbookName=Extensions&FullName=ann`,
		In:      ozml.API,
		NoCall:  true,
		New: func(p *ozml.Params) ozml.Action {
			var c listContacts
			p.String(&c.q.Book, "AddressbookName", "which book, in any letter case", ozml.Required)
			p.String(&c.q.Name, "FullName", "a part of the name")
			p.String(&c.q.Email, "Email", "a part of the address of mail")
			p.String(&c.q.Number, "PhoneNumber", "a part of the number")
			pages(p, &c.q.Page, &c.q.Rows)
			c.q.Book = strings.TrimSpace(c.q.Book)
			return &c
		},
	}
}

type listContacts struct{ q ozml.ContactQuery }

func (c *listContacts) Do(ctx context.Context, m *ozml.Machine) error {
	if m.Lists == nil {
		return noLists()
	}
	list, err := m.Lists.Contacts(ctx, c.q)
	if errors.Is(err, ozml.ErrNoBook) {
		return m.BadParam("AddressbookName", "there is no address book "+c.q.Book)
	}
	if err != nil {
		return err
	}
	m.Reply(list)
	return nil
}
