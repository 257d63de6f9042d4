package phone

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ozswitch/media"
	"ozswitch/media/codec"
	"ozswitch/media/dtmf"
	"ozswitch/switch/call"
)

func tones(t *testing.T, keys string) media.Source {
	t.Helper()
	s, err := dtmf.Keys(8000, keys, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func has(t *testing.T, who string, l *log, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(l.String(), w) {
			t.Errorf("%s's events lack %q:\n%s", who, w, l)
		}
	}
}

// TestHold: the far end is held, sends nothing meanwhile, and is taken back.
func TestHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c, err := w.ann.Dial(t.Context(), "sip:1002@"+bobAddr, Options{Record: true})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if err := c.Hold(t.Context(), true); err != nil {
			t.Errorf("hold: %v", err)
		}
		from := time.Since(c.began)
		time.Sleep(2 * time.Second)
		until := time.Since(c.began)
		if err := c.Hold(t.Context(), false); err != nil {
			t.Errorf("take back: %v", err)
		}
		time.Sleep(time.Second)
		c.Hangup()
		r := c.Wait(t.Context())
		during := 0
		for _, p := range r.Heard.Packets {
			if p.At > from+50*time.Millisecond && p.At < until {
				during++
			}
		}
		if during != 0 || r.Stats.PacketsIn < 95 {
			t.Errorf("%d packets came while bob was held, %d in all", during, r.Stats.PacketsIn)
		}
		(<-w.bobCalls).Wait(t.Context())
		has(t, "bob", &w.bobLog, "held", "resumed")
		w.stop()
	})
}

// TestReoffer: a call changes its codec; what each says before and after is heard.
func TestReoffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		pcmu, pcma := codec.ByName("PCMU", 8000), codec.ByName("PCMA", 8000)
		w.bobOptions = Options{Say: []Say{{At: 100 * time.Millisecond, Source: tones(t, "1")}, {At: 2 * time.Second, Source: tones(t, "5")}}}
		c, err := w.ann.Dial(t.Context(), "sip:1002@"+bobAddr, Options{Record: true, Events: w.annLog.add, Codecs: []*codec.Codec{pcmu}})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if err := c.Reoffer(t.Context(), pcma, pcmu); err != nil {
			t.Errorf("Reoffer: %v", err)
		}
		if err := c.Reoffer(t.Context(), codec.ByName("opus", 48000)); err != nil {
			t.Errorf("Reoffer opus: %v", err)
		}
		if err := c.Reoffer(t.Context(), pcma); err != nil {
			t.Errorf("Reoffer PCMA again: %v", err)
		}
		time.Sleep(3 * time.Second)
		c.Hangup()
		r := c.Wait(t.Context())
		if keys, err := dtmf.ReadKeys(media.Samples(r.Heard.Rate, r.Heard.PCM)); err != nil || keys != "15" {
			t.Errorf("ann heard %q, %v, want 15", keys, err)
		}
		last := r.Heard.Packets[len(r.Heard.Packets)-1]
		if r.Heard.Packets[0].PT != 0 || last.PT != 8 {
			t.Errorf("payload types %d first, %d last, want 0 and 8", r.Heard.Packets[0].PT, last.PT)
		}
		(<-w.bobCalls).Wait(t.Context())
		has(t, "ann", &w.annLog, "codec PCMA", "codec opus")
		has(t, "bob", &w.bobLog, "codec PCMA", "codec opus")
		w.stop()
	})
}

// TestEarlySound: what is played before the answer is heard, and the call goes on
// by the same sound after it.
func TestEarlySound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.bobOptions = Options{RingFor: 2 * time.Second, Early: []Say{{At: 500 * time.Millisecond, Source: tones(t, "7")}},
			Say: []Say{{At: 500 * time.Millisecond, Source: tones(t, "9")}}}
		c, err := w.ann.Dial(t.Context(), "sip:1002@"+bobAddr, Options{Record: true, Events: w.annLog.add, HangupAfter: 2 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		r := c.Wait(t.Context())
		if keys, err := dtmf.ReadKeys(media.Samples(r.Heard.Rate, r.Heard.PCM)); err != nil || keys != "79" {
			t.Errorf("ann heard %q, %v, want 79", keys, err)
		}
		if r.Cause != HungUp || r.Setup < 2*time.Second {
			t.Errorf("the call was %v, set up in %v", r, r.Setup)
		}
		has(t, "ann", &w.annLog, "ringing 180", "ringing 183", "early sound", "answered")
		w.stop()
	})
}

// TestNobodyMovesACall: a telephone takes no REFER, and says where to call
// instead when it is told to.
func TestNobodyMovesACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c, err := w.ann.Dial(t.Context(), "sip:1002@"+bobAddr, Options{Headers: []call.Header{{Name: "Alert-Info", Value: "<urn:x>"}}})
		if err != nil {
			t.Fatal(err)
		}
		var refused *Refused
		if err := c.Refer(t.Context(), "sip:x@"+bobAddr); !errors.As(err, &refused) || refused.Code != 403 {
			t.Errorf("Refer = %v, want 403", err)
		}
		if d, ok := c.Dialog(); !ok || d.CallID == "" || d.LocalTag == "" || d.RemoteTag == "" {
			t.Errorf("Dialog = %+v, %v", d, ok)
		}
		c.Hangup()
		c.Wait(t.Context())
		if err := c.Refer(t.Context(), "sip:x@"+bobAddr); err == nil {
			t.Error("Refer after the end went well")
		}
		if _, err := w.ann.Dial(t.Context(), "sip:1002@"+bobAddr, Options{Headers: []call.Header{{Name: "Via", Value: "x"}}}); !errors.As(err, &refused) || refused.Code != 400 {
			t.Errorf("a header that is not ours to set: %v, want 400", err)
		}
		w.bobRefuses = 302
		if _, err := w.ann.Dial(t.Context(), "sip:1002@"+bobAddr, Options{}); !errors.As(err, &refused) || refused.Code != 480 {
			t.Errorf("sent nowhere: %v, want 480", err)
		}
		w.bobTo = "sip:1003@" + bobAddr
		if _, err := w.ann.Dial(t.Context(), "sip:1002@"+bobAddr, Options{}); !errors.As(err, &refused) || refused.Code != 302 {
			t.Errorf("sent elsewhere: %v, want 302", err)
		}
		w.stop()
	})
}
