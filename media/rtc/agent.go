package rtc

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/logging"
)

// newAgent makes the wire's ICE agent. It never gives up by itself: how long there
// may be no way is decided by look.
func (w *Wire) newAgent() error {
	a, err := ice.NewAgentWithOptions(
		ice.WithICELite(!w.c.Full),
		ice.WithCandidateTypes([]ice.CandidateType{ice.CandidateTypeHost}),
		ice.WithNetworkTypes([]ice.NetworkType{ice.NetworkTypeUDP4, ice.NetworkTypeUDP6}),
		ice.WithUDPMux(w.mux),
		ice.WithIncludeLoopback(),
		ice.WithMulticastDNSMode(ice.MulticastDNSModeDisabled),
		ice.WithLocalCredentials(w.ours.Ufrag, w.ours.Pwd),
		ice.WithDisconnectedTimeout(w.c.Consent),
		ice.WithFailedTimeout(0),
		ice.WithKeepaliveInterval(min(4*time.Second, w.c.Consent/4)), // RFC 7675, 5.1: about 5 s
		ice.WithPrflxAcceptanceMinWait(0),
		ice.WithLoggerFactory(quiet{}),
	)
	if err != nil {
		return fmt.Errorf("rtc: make an ICE agent: %w", err)
	}
	w.agent = a
	return a.OnSelectedCandidatePairChange(func(_, remote ice.Candidate) {
		if ip, err := netip.ParseAddr(remote.Address()); err == nil {
			w.selected(netip.AddrPortFrom(ip, uint16(remote.Port())))
		}
	})
}

// gather lets the agent have its candidates, at the start and after a restart.
func (w *Wire) gather() error {
	done := make(chan struct{})
	if err := w.agent.OnCandidate(func(c ice.Candidate) {
		if c == nil {
			close(done)
		}
	}); err != nil {
		return fmt.Errorf("rtc: gather: %w", err)
	}
	if err := w.agent.GatherCandidates(); err != nil {
		return fmt.Errorf("rtc: gather: %w", err)
	}
	select {
	case <-done:
		return nil
	case <-time.After(2 * time.Second): // it has nothing to wait for but the scheduler
		return errors.New("rtc: gathering took too long")
	}
}

// Offer describes us as the one who offers: at the start, or again within a call.
func (w *Wire) Offer() Description {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.started {
		w.offered = true
	}
	d := w.ours
	d.Setup = actpass // RFC 8842, 5.2
	return d
}

// Answer describes us in answer to an offer, the first or a later one. A later one
// may begin ICE anew (RFC 8445, 9); then we do too. The error is in words for the
// far end.
func (w *Wire) Answer(theirs Description) (Description, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := theirs.check(); err != nil {
		return Description{}, err
	}
	if !w.started {
		if theirs.Lite && !w.c.Full {
			return Description{}, errors.New("rtc: both ends are ICE-lite")
		}
		role, err := answer(theirs.Setup)
		if err != nil {
			return Description{}, err
		}
		w.ours.Setup = role
	} else {
		if theirs.hash() != w.theirs.hash() {
			return Description{}, errors.New("rtc: the certificate may not change within a call")
		}
		if theirs.Ufrag != w.theirs.Ufrag || theirs.Pwd != w.theirs.Pwd {
			if err := w.restart(); err != nil {
				return Description{}, err
			}
		}
	}
	w.ours.Mid, w.ours.Bundle = theirs.Mid, theirs.Bundle
	return w.ours, nil
}

// Restart begins ICE anew and gives the offer that tells the far end so. Sound
// goes on meanwhile where it went.
func (w *Wire) Restart() (Description, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.restart(); err != nil {
		return Description{}, err
	}
	d := w.ours
	d.Setup = actpass
	return d, nil
}

func (w *Wire) restart() error {
	old := w.ours.Ufrag
	w.ours.Ufrag, w.ours.Pwd = random(8), random(24)
	w.ours.Candidates = w.p.candidates() // our addresses may be others now
	w.pwds.Store(&pwds{ours: w.ours.Pwd})
	w.p.mu.Lock()
	delete(w.p.ufrags, old)
	w.p.ufrags[w.ours.Ufrag] = w
	w.p.mu.Unlock()
	if err := w.agent.Restart(w.ours.Ufrag, w.ours.Pwd); err != nil {
		return fmt.Errorf("rtc: restart ICE: %w", err)
	}
	return w.gather()
}

// Connect goes on with what the far end said: its offer, which Answer was given, or
// its answer to our Offer. What is not new changes nothing.
func (w *Wire) Connect(theirs Description) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := theirs.check(); err != nil {
		return err
	}
	first := !w.started
	again := !first && (theirs.Ufrag != w.theirs.Ufrag || theirs.Pwd != w.theirs.Pwd)
	switch {
	case first:
		if w.ours.Setup == actpass { // we offered
			switch theirs.Setup {
			case active, actpass, "": // the latter two are mistakes; see RFC 8842, 5.3
				w.ours.Setup = passive
			case passive:
				w.ours.Setup = active
			default:
				return fmt.Errorf("rtc: the far end answered a=setup:%s", theirs.Setup)
			}
		}
	case theirs.hash() != w.theirs.hash():
		return errors.New("rtc: the certificate may not change within a call")
	case !again:
		w.theirs = theirs
		return nil
	}
	w.theirs = theirs
	w.pwds.Store(&pwds{ours: w.ours.Pwd, theirs: theirs.Pwd})
	if err := w.agent.SetRemoteICELite(theirs.Lite); err != nil {
		return err
	}
	if again {
		if err := w.agent.SetRemoteCredentials(theirs.Ufrag, theirs.Pwd); err != nil {
			return err
		}
	}
	if w.c.Full {
		w.addCandidates(theirs.Candidates)
	}
	if again {
		return nil
	}
	var err error
	if w.c.Full && (w.offered || theirs.Lite) { // RFC 8445, 6.1.1
		_, err = w.agent.StartDial(theirs.Ufrag, theirs.Pwd)
	} else {
		_, err = w.agent.StartAccept(theirs.Ufrag, theirs.Pwd)
	}
	if err != nil {
		return fmt.Errorf("rtc: start ICE: %w", err)
	}
	w.started, w.begun = true, time.Now()
	role, hash := w.ours.Setup, theirs.hash()
	w.wg.Go(func() { w.shake.run(role == active, hash) })
	return nil
}

// addCandidates tells the agent where the far end may be. Those of other
// components, transports and of names (a browser hides its addresses behind
// them) are left out: such a far end knocks at ours.
func (w *Wire) addCandidates(lines []string) {
	for _, l := range lines {
		f := strings.Fields(l)
		if len(f) < 8 || f[1] != "1" || !strings.EqualFold(f[2], "udp") || strings.HasSuffix(f[4], ".local") {
			continue
		}
		if c, err := ice.UnmarshalCandidate(l); err == nil {
			_ = w.agent.AddRemoteCandidate(c)
		}
	}
}

// whyLate says what is missing.
func (w *Wire) whyLate() error {
	if w.path.Load() == nil {
		return fmt.Errorf("rtc: no ICE check of the far end reached UDP port %d at %v: is there a firewall, or does the page offer no address that reaches us?", w.p.local.Port(), w.p.addresses())
	}
	return fmt.Errorf("rtc: the DTLS handshake with %v did not end in time", *w.path.Load())
}

// random is an ice-char string of n letters with 6 bits each (RFC 8839, 5.4).
func random(n int) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	b := make([]byte, n)
	rand.Read(b)
	for i := range b {
		b[i] = letters[b[i]&63]
	}
	return string(b)
}

// quiet is a log that nobody reads: what counts is told by Failed and Lost.
type quiet struct{}

func (quiet) NewLogger(string) logging.LeveledLogger { return quiet{} }
func (quiet) Trace(string)                           {}
func (quiet) Tracef(string, ...any)                  {}
func (quiet) Debug(string)                           {}
func (quiet) Debugf(string, ...any)                  {}
func (quiet) Info(string)                            {}
func (quiet) Infof(string, ...any)                   {}
func (quiet) Warn(string)                            {}
func (quiet) Warnf(string, ...any)                   {}
func (quiet) Error(string)                           {}
func (quiet) Errorf(string, ...any)                  {}
