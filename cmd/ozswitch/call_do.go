package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"ozswitch/switch/phone"
)

// An action is something that a telephone does in a call, besides keys and sound.
type action struct {
	at   time.Duration // after the answer
	name string        // hold, resume, transfer, consult, join
	to   string        // of transfer and consult
}

func (a action) String() string { return strings.TrimSuffix(a.name+":"+a.to, ":") }

// parseActions reads "hold@2s,resume@4s,transfer:1003@6s"; what has no time is done
// a second after what stands before it.
func parseActions(typed []string) (all []action, err error) {
	var last time.Duration
	for _, part := range strings.Split(strings.Join(typed, ","), ",") {
		what, when, timed := strings.Cut(strings.TrimSpace(part), "@")
		a := action{at: last + time.Second}
		var hasTo bool
		a.name, a.to, hasTo = strings.Cut(strings.TrimSpace(what), ":")
		wantsTo := a.name == "transfer" || a.name == "consult"
		if !slices.Contains([]string{"hold", "resume", "transfer", "consult", "join"}, a.name) || wantsTo != (hasTo && a.to != "") {
			return nil, fmt.Errorf("--do %q: want hold, resume, transfer:NUMBER, consult:NUMBER or join, as in hold@2s", part)
		}
		if timed {
			if a.at, err = time.ParseDuration(strings.TrimSpace(when)); err != nil || a.at < 0 {
				return nil, fmt.Errorf("--do %q: want a time after @, as in hold@2s", part)
			}
		}
		last = a.at
		all = append(all, a)
	}
	slices.SortStableFunc(all, func(a, b action) int { return int(a.at - b.at) })
	return all, nil
}

// act does the actions of a call until it or ctx ends.
func (l *line) act(ctx context.Context, c *phone.Call, k *caller, s *transcript) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		<-c.Done()
		stop()
	}()
	if c.Answered(ctx) != nil {
		return
	}
	begun := time.Now()
	var other *phone.Call // whom consult called
	for _, a := range k.actions {
		select {
		case <-time.After(time.Until(begun.Add(a.at))):
		case <-ctx.Done():
			return
		}
		var err error
		switch a.name {
		case "hold", "resume":
			err = c.Hold(ctx, a.name == "hold")
		case "transfer":
			err = c.Refer(ctx, l.uri(a.to))
		case "consult":
			if err = c.Hold(ctx, true); err == nil {
				o := k.options()
				o.Keys, o.HangupAfter, o.Record = nil, 0, false
				if other, err = l.phone.Place(a.to, o); err == nil {
					err = other.Answered(ctx)
				}
			}
		case "join":
			if err = errors.New("join wants a consult before it"); other != nil {
				err = c.ReferTo(ctx, other, l.uri(other.To()))
			}
		}
		s.did(a, err)
		if moved := a.name == "transfer" || a.name == "join"; moved && err == nil { // we are no longer wanted
			c.Hangup()
			if other != nil {
				other.Hangup()
			}
			return
		}
	}
}

// uri is a number at the switch.
func (l *line) uri(number string) string {
	if _, ok := cutScheme(number); ok {
		return number
	}
	return "sip:" + number + "@" + l.host
}
