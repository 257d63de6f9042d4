package phone

import (
	"cmp"
	"context"
	"time"
)

// The times of a registration.
const (
	bindFor   = 10 * time.Minute
	againIn   = 30 * time.Second // after a try that failed
	backIn    = time.Second      // after our connection was lost
	leaveTime = 2 * time.Second  // for saying goodbye
)

// register keeps us bound until ctx ends, and gives the binding up then.
func (p *Phone) register(ctx context.Context) {
	target := "sip:" + p.c.Register
	if p.c.Transport != "" {
		target += ";transport=" + p.c.Transport
	}
	place, err := p.ua.Enrol(p.c.User, target)
	if err != nil {
		p.registered(err)
		return
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	bound := false
	for {
		select {
		case <-ctx.Done():
			if bound {
				last, stop := context.WithTimeout(context.WithoutCancel(ctx), leaveTime)
				defer stop()
				_, _ = place.Register(last, 0) // else it runs out
			}
			return
		case <-p.lost:
			if bound {
				timer.Reset(backIn)
			}
			continue
		case <-timer.C:
		}
		granted, err := place.Register(ctx, cmp.Or(p.c.Expires, bindFor))
		if ctx.Err() != nil && err != nil {
			continue
		}
		bound = bound || err == nil
		p.registered(err)
		if err != nil {
			timer.Reset(againIn)
		} else {
			timer.Reset(granted / 2)
		}
	}
}

func (p *Phone) registered(err error) {
	if err != nil {
		p.log.Warn("phone: not registered", "err", err)
	}
	if p.c.Registered != nil {
		p.c.Registered(err)
	}
}
