// Package addressbook has the address books of the configuration: contacts that
// stand in it, files (CSV, vCard) and providers that answer over HTTP. The HTTP
// API lists them, and callers of lines get their names from them.
//
// Books starts a goroutine only to read again what callers' names come from, so
// that no call waits for a file or a provider; Close waits for it. Start reading
// at New.
package addressbook

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"ozswitch/ozml"
)

// A Book says where the contacts of one address book are: in Contacts, in File
// or behind URL.
type Book struct {
	Name     string
	Contacts []ozml.Contact
	File     string // .csv or .vcf

	URL            string
	Method         string // GET | POST; "" = GET
	User, Password string // Basic; User "" = none
	Timeout        time.Duration
	Cache          time.Duration // how long an answer is good; 0 = a minute

	Names bool // callers of lines get their names from it
}

// Options are what all books share.
type Options struct {
	// Dial reaches providers; nil = the system's.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	CAs  []byte // PEM, added to the system's authorities
	// Failed is told once when a book cannot be read in the background any more,
	// and with nil when it can again; may be nil.
	Failed func(book string, err error)
}

// Defaults of a Book, and how old a file's contacts may be.
const (
	DefaultTimeout = 5 * time.Second
	DefaultCache   = time.Minute
	fileCache      = 2 * time.Second
	longestRefresh = 30 * time.Second
)

// maxContacts bounds what one book may hold.
const maxContacts = 50_000

// Books are all address books. Use New.
type Books struct {
	o     Options
	all   []*book
	ctx   context.Context
	stop  context.CancelFunc
	tasks sync.WaitGroup
}

// A book keeps what was read of one last.
type book struct {
	c     Book
	fetch func(ctx context.Context) ([]ozml.Contact, error)
	slot  chan struct{} // who reads has it

	mu     sync.Mutex
	was    contacts
	read   time.Time // when was was read; zero = never
	tried  time.Time // when it was last tried in the background
	failed bool      // and failed
}

// New makes the books of a configuration, and reads nothing yet.
func New(list []Book, o Options) (*Books, error) {
	b := &Books{o: o}
	b.ctx, b.stop = context.WithCancel(context.Background())
	client, err := newClient(o)
	if err != nil {
		return nil, err
	}
	for _, c := range list {
		c.Timeout = cmp.Or(c.Timeout, DefaultTimeout)
		one := &book{c: c, slot: make(chan struct{}, 1)}
		switch {
		case c.URL != "":
			one.c.Cache = cmp.Or(c.Cache, DefaultCache)
			one.fetch = func(ctx context.Context) ([]ozml.Contact, error) { return ask(ctx, client, c) }
		case c.File != "":
			one.c.Cache = fileCache
			one.fetch = func(context.Context) ([]ozml.Contact, error) { return readFile(c.File) }
		default:
			one.fetch = func(context.Context) ([]ozml.Contact, error) { return c.Contacts, nil }
			one.c.Cache = 24 * time.Hour // it does not change
			if err := one.refresh(b.ctx); err != nil {
				return nil, fmt.Errorf("addressbook: %s: %w", c.Name, err)
			}
		}
		b.all = append(b.all, one)
	}
	return b, nil
}

// Close ends what is read in the background and waits for it.
func (b *Books) Close() {
	b.stop()
	b.tasks.Wait()
}

// Names lists the books in the order of the configuration.
func (b *Books) Names() []string {
	all := []string{}
	for _, one := range b.all {
		all = append(all, one.c.Name)
	}
	return all
}

// Contacts gives one page of a book. The error is ozml.ErrNoBook, an *ozml.Fault
// that says why the book cannot be read, or the end of ctx.
func (b *Books) Contacts(ctx context.Context, q ozml.ContactQuery) (ozml.ContactList, error) {
	i := slices.IndexFunc(b.all, func(one *book) bool { return strings.EqualFold(one.c.Name, q.Book) })
	if i < 0 {
		return ozml.ContactList{}, ozml.ErrNoBook
	}
	one := b.all[i]
	all, fresh := one.have(time.Now())
	if !fresh {
		if err := one.refresh(ctx); err != nil {
			return ozml.ContactList{}, b.fault(one, err)
		}
		all, _ = one.have(time.Now())
	}
	return ozml.PickContacts(all.list, q), nil
}

// fault tells why a book cannot be read.
func (b *Books) fault(one *book, err error) error {
	f := &ozml.Fault{Code: ozml.CodeBook, Msg: fmt.Sprintf("the address book %s cannot be read: %v", one.c.Name, err), Err: err}
	if one.c.URL != "" {
		f.Hint = "see url and timeout of this book under addressbooks"
	}
	return f
}

// have gives what was read last, and whether it is good still.
func (k *book) have(now time.Time) (contacts, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.was, !k.read.IsZero() && now.Sub(k.read) < k.c.Cache
}

// refresh reads a book anew, unless somebody else has meanwhile.
func (k *book) refresh(ctx context.Context) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("internal fault: %v\n%s", v, debug.Stack())
		}
	}()
	select {
	case k.slot <- struct{}{}:
		defer func() { <-k.slot }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if _, fresh := k.have(time.Now()); fresh {
		return nil
	}
	list, err := k.fetch(ctx)
	if err != nil {
		return err
	}
	if len(list) > maxContacts {
		return fmt.Errorf("it has more than %d contacts", maxContacts)
	}
	was := arrange(list)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.was, k.read = was, time.Now()
	return nil
}

// NameOf gives who has a number, by the books whose Names is set, in their order;
// "" = nobody that is known. It never waits: a book that is old, or was never
// read, is read in the background for the next caller.
func (b *Books) NameOf(number string) string {
	name := ""
	for _, one := range b.all {
		if !one.c.Names {
			continue
		}
		all, fresh := one.have(time.Now())
		if !fresh {
			b.later(one)
		}
		if name == "" {
			name = all.nameOf(number)
		}
	}
	return name
}

// Warm reads the books that callers' names come from, in the background.
func (b *Books) Warm() {
	for _, one := range b.all {
		if _, fresh := one.have(time.Now()); one.c.Names && !fresh {
			b.later(one)
		}
	}
}

// later reads a book in the background, once in the time that it would be good.
func (b *Books) later(one *book) {
	now := time.Now()
	one.mu.Lock()
	soon := !one.tried.IsZero() && now.Sub(one.tried) < one.c.Cache
	if !soon {
		one.tried = now
	}
	one.mu.Unlock()
	if soon || b.ctx.Err() != nil {
		return
	}
	b.tasks.Go(func() {
		ctx, cancel := context.WithTimeout(b.ctx, longestRefresh)
		defer cancel()
		err := one.refresh(ctx)
		if b.ctx.Err() != nil {
			return
		}
		one.mu.Lock()
		changed := one.failed != (err != nil)
		one.failed = err != nil
		one.mu.Unlock()
		if changed && b.o.Failed != nil {
			b.o.Failed(one.c.Name, err)
		}
	})
}

// contacts are those of a book, by name, and an index of their numbers.
type contacts struct {
	list []ozml.Contact
	by   map[string]string // number, digits only, without what dials abroad: name
	tail map[string]string // the last digits of it; "" = several people end so
}

// tailDigits are how many digits at the end of a number are the same however it
// is dialled: 0612345678, +3612345678.
const tailDigits = 8

// arrange sorts contacts and indexes their numbers; the first of a number counts.
func arrange(list []ozml.Contact) contacts {
	c := contacts{list: slices.Clone(list), by: map[string]string{}, tail: map[string]string{}}
	slices.SortStableFunc(c.list, func(a, b ozml.Contact) int {
		return cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
	for _, one := range c.list {
		n := plain(one.Number)
		if n == "" || one.Name == "" {
			continue
		}
		if _, ok := c.by[n]; !ok {
			c.by[n] = one.Name
		}
		if len(n) < tailDigits {
			continue
		}
		end := n[len(n)-tailDigits:]
		if was, ok := c.tail[end]; ok && was != one.Name {
			c.tail[end] = ""
		} else {
			c.tail[end] = one.Name
		}
	}
	return c
}

func (c contacts) nameOf(number string) string {
	n := plain(number)
	if name := c.by[n]; name != "" || len(n) < tailDigits {
		return name
	}
	return c.tail[n[len(n)-tailDigits:]]
}

// plain is the digits of a number, without 00 or + in front.
func plain(number string) string {
	n := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, number)
	return strings.TrimPrefix(n, "00")
}

var errFormat = errors.New("want a file whose name ends with .csv or .vcf")
