package main

import (
	"context"
	"fmt"

	"ozswitch/switch/phone"
)

// expect makes the phone register and take one call.
func (l *line) expect(c *phone.Config) {
	c.Register = l.host
	c.Registered = func(err error) {
		select {
		case l.waiting <- err:
		default: // only the first outcome is of interest
		}
	}
	c.Incoming = func(call *phone.Call) phone.Reply {
		o := l.options.Swap(nil)
		if o == nil {
			return phone.Reply{Refuse: 486} // not ready, or in a call already
		}
		l.taken <- call
		return phone.Reply{Options: *o}
	}
}

// called registers, says so, and gives the call that comes.
func (l *line) called(ctx context.Context, o phone.Options, s *transcript) (*phone.Call, error) {
	l.options.Store(&o)
	for {
		select {
		case err := <-l.waiting:
			if err != nil {
				return nil, fmt.Errorf("register %s at %s: %w", s.k.user, l.host, err)
			}
			s.registered()
		case call := <-l.taken:
			s.k.number = call.From()
			return call, nil
		case <-ctx.Done():
			return nil, fmt.Errorf("nobody called: %w", context.Cause(ctx))
		}
	}
}
