package api

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// A vault has the hashes of an Access's users, and remembers which credentials
// were good: a program sends them with every request, and argon2 is slow by
// design. It goes with its Access, so a reload forgets what was good.
type vault struct {
	once   sync.Once
	hashes []hash // of Access.Users; the zero hash lets nobody in
	decoy  hash   // looked at for a name that nobody has
	key    []byte // of known

	mu      sync.Mutex
	looking map[secret]*looking // passwords that are looked at now
	known   map[secret]int      // HMAC of name and password: index of the user, -1 = nobody
}

const maxKnown = 1000

// A busyError says that a place has tried too many passwords.
type busyError struct{ after time.Duration }

func (b *busyError) Error() string {
	return fmt.Sprintf("too many bad passwords from this address: try again in %.0f s", b.after.Seconds()+1)
}

var errPassword = fmt.Errorf("api: %s", messages[codeAuthFailed])

// Prepare seals the users whose passwords are plain still, and ends the sessions
// and
// tokens of users that are no more. Call it before the first request.
func (a *Access) Prepare() {
	a.vault.once.Do(a.hashAll)
	if a.Sessions != nil {
		a.Sessions.keep(func(user string) bool { return a.find(user) >= 0 })
	}
	if a.Tokens != nil {
		// That the store does not forget them is no matter until the next start,
		// which comes here again.
		_ = a.Tokens.Keep(func(user string) bool { return a.find(user) >= 0 })
	}
}

func (a *Access) hashAll() {
	v := &a.vault
	v.key = make([]byte, 32)
	rand.Read(v.key) // does not fail
	v.known, v.looking = map[secret]int{}, map[secret]*looking{}
	v.hashes = make([]hash, len(a.Users))
	for i := range a.Users {
		u := &a.Users[i]
		u.Seal()
		v.hashes[i], _ = parseHash(u.Password) // CheckPassword has told; the zero hash is nobody's
		if v.decoy.key == nil {
			v.decoy = v.hashes[i] // as slow as a user's
		}
	}
	if v.decoy.key == nil {
		v.decoy = running.of(string(v.key))
	}
}

// find gives the index of the user of a name, in any letter case; -1 = nobody.
func (a *Access) find(name string) int {
	for i, u := range a.Users {
		if strings.EqualFold(u.Name, name) {
			return i
		}
	}
	return -1
}

// user gives the user of a name and password that came from an address. A name
// that nobody has takes as long as a wrong password. The error is errPassword, a
// *busyError, or the end of ctx.
func (a *Access) user(ctx context.Context, at netip.Addr, name, password string) (User, error) {
	a.vault.once.Do(a.hashAll)
	v := &a.vault
	m := hmac.New(sha256.New, v.key)
	fmt.Fprintf(m, "%q\x00%s", strings.ToLower(name), password)
	mac := secret(m.Sum(nil))
	for {
		v.mu.Lock()
		i, known := v.known[mac]
		l := v.looking[mac]
		first := !known && l == nil
		if first {
			l = &looking{done: make(chan struct{})}
			v.looking[mac] = l
		}
		v.mu.Unlock()
		switch {
		case first:
			a.lookFor(ctx, at, name, password, mac, l)
		case !known:
			select {
			case <-l.done:
			case <-ctx.Done():
				return User{}, context.Cause(ctx)
			}
			if l.left {
				continue
			}
		}
		if !known {
			if i = l.i; l.err != nil {
				return User{}, l.err
			}
		}
		if i < 0 {
			return User{}, errPassword
		}
		return a.Users[i], nil
	}
}

// A looking is one look at a name and password. Requests with the same ones that
// come meanwhile wait for it: a program that begins with many at once has not
// guessed.
type looking struct {
	done chan struct{} // closed when the rest is known
	i    int           // as look gives it
	err  error
	left bool // the request that looked has gone away: look again
}

// lookFor looks, for all who wait.
func (a *Access) lookFor(ctx context.Context, at netip.Addr, name, password string, mac secret, l *looking) {
	v := &a.vault
	l.i, l.left = -1, true
	defer func() {
		v.mu.Lock()
		delete(v.looking, mac)
		if l.err == nil && !l.left && (l.i >= 0 || a.Off) { // with auth off a guess is worth nothing
			if len(v.known) >= maxKnown {
				clear(v.known)
			}
			v.known[mac] = l.i
		}
		v.mu.Unlock()
		close(l.done)
	}()
	l.i, l.err = a.look(ctx, at, name, password)
	l.left = l.err != nil && ctx.Err() != nil
}

// look compares a password with the hash of the name's user, slowly and not
// many at once. It gives the user's index, -1 for nobody.
func (a *Access) look(ctx context.Context, at netip.Addr, name, password string) (int, error) {
	g := &a.alone
	if a.Sessions != nil {
		g = &a.Sessions.gate
	}
	if !a.Off {
		wait, ok := g.enter(at, time.Now())
		if !ok {
			return -1, &busyError{wait}
		}
		if err := pause(ctx, wait); err != nil {
			return -1, err
		}
	}
	done, err := g.slot(ctx)
	if err != nil {
		return -1, err
	}
	defer done()
	h, i := a.vault.decoy, a.find(name)
	if i >= 0 && a.vault.hashes[i].key != nil {
		h = a.vault.hashes[i]
	} else {
		i = -1
	}
	if !h.is(password) || i < 0 {
		return -1, nil
	}
	g.good(at)
	return i, nil
}

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
