package server

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"ozswitch/ozml"
	"ozswitch/ozml/trace"
	"ozswitch/switch/addressbook"
	"ozswitch/switch/call"
	"ozswitch/switch/exchange"
	"ozswitch/switch/extension"
	"ozswitch/switch/notify"
)

// openBooks puts the address books of a configuration in place of those before.
func (s *Server) openBooks(c *Config) error {
	var list []addressbook.Book
	for i := range c.AddressBooks {
		list = append(list, c.AddressBooks[i].book())
	}
	cas, err := addressbook.ReadAuthorities(c.Web.CAFile)
	if err != nil {
		return fmt.Errorf("server: web.ca_file: %w", err)
	}
	dial := s.opt.DialWeb
	if dial == nil {
		dial = notify.OperatorDial(time.Duration(c.Web.Timeout))
	}
	next, err := addressbook.New(list, addressbook.Options{Dial: dial, CAs: cas, Failed: s.bookFailed})
	if err != nil {
		return err
	}
	if was := s.books.Swap(next); was != nil {
		was.Close()
	}
	return nil
}

// bookFailed tells that callers get no names from a book, or get them again.
func (s *Server) bookFailed(book string, err error) {
	if err == nil {
		s.log.Info("an address book can be read again", "book", book)
		return
	}
	s.log.Warn("an address book cannot be read: callers' names are missing or old", "book", book, "err", err)
	s.events.Emit(trace.Event{Type: trace.Error, Code: ozml.CodeBook, Name: book, Text: fmt.Sprintf("the address book %s cannot be read: %v", book, err)})
}

// ownBook is the book that the switch keeps itself: everybody who has a phone.
const ownBook = "Extensions"

// Books implements ozml.Lists.
func (l *lists) Books() ozml.BookNames {
	names := l.s.books.Load().Names()
	if !slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, ownBook) }) {
		names = append(names, ownBook)
	}
	return ozml.BookNames{Names: names}
}

// Contacts implements ozml.Lists.
func (l *lists) Contacts(ctx context.Context, q ozml.ContactQuery) (ozml.ContactList, error) {
	list, err := l.s.books.Load().Contacts(ctx, q)
	if err != ozml.ErrNoBook || !strings.EqualFold(q.Book, ownBook) {
		return list, err
	}
	st := l.s.state.Load()
	var all []ozml.Contact
	for _, e := range st.exts.All() {
		if e.Type != extension.Phone {
			continue
		}
		c := ozml.Contact{Name: e.Name, Number: e.Number}
		if own := st.cfg.find(e.Number); own != nil {
			c.Email = own.Mailbox.Email
		}
		all = append(all, c)
	}
	slices.SortStableFunc(all, func(a, b ozml.Contact) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	return ozml.PickContacts(all, q), nil
}

// named is the exchange for incoming calls: who calls by a line and shows no name
// gets the one that an address book has.
type named struct {
	*exchange.Exchange
	s *Server
}

// Invited implements sip.Exchange.
func (n named) Invited(in call.Invited) (func(call.Event) bool, *call.Respond) {
	if in.Line != "" && !in.Private && (in.FromName == "" || in.FromName == in.From) {
		if name := n.s.books.Load().NameOf(in.From); name != "" {
			in.FromName = name
		}
	}
	return n.Exchange.Invited(in)
}
