//go:build !race

package alarms

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ozswitch/media/pace"
	"ozswitch/ozml/contactid"
	"ozswitch/ozml/trace"
	"ozswitch/switch/server"
	"ozswitch/switch/switchtest"
)

// loop gives a world whose number 650 leads out by a line and back in to 9650, an
// application that takes alarms: an alarm goes through the whole switch twice, as
// packets, by two legs.
func loop(w *switchtest.World, codec string) {
	w.Config.Extensions = append(w.Config.Extensions, server.Extension{Number: "9650", Type: "api", URL: "http://app/receive"})
	w.Config.Lines = []server.Line{{Name: "loop", Address: server.Names{w.Config.SIP.Listen[0].Address}, Ping: server.Every(-1), Codecs: []string{codec}}}
	w.Config.Dialplan = []server.Rule{
		{From: "script", Match: "650", To: server.Names{"loop"}},
		{From: "loop", Match: "650", To: server.Names{"9650"}},
	}
	w.Web.Serve("/receive", `<OzML><ReceiveAlarmNotification><Received/></ReceiveAlarmNotification></OzML>`)
	w.Web.Serve("/result", "")
}

// report asks for an alarm to be sent.
func report(w *switchtest.World, m contactid.Message) {
	w.T.Helper()
	answer := w.API("SendAlarmNotification", "PhoneNumber", "650", "AccountNumber", m.Account, "EventQualifier", m.Qualifier.String(),
		"EventCode", m.Event, "PartitionNumber", m.Partition, "ZoneNumber", m.Zone, "ResultUrl", "http://app/result")
	if !strings.Contains(answer, "<Code>200</Code>") {
		w.T.Errorf("SendAlarmNotification: %s", answer)
	}
}

// received are the digits of the alarms that calls received.
func received(w *switchtest.World) (all []string) {
	for _, e := range w.Events("") {
		if e.Type == trace.Alarm && e.Reason == "received" {
			all = append(all, e.Key)
		}
	}
	return all
}

// A lossy wire loses a part of the packets that it is to send.
type lossy struct {
	pace.Wire
	part float64
	rnd  *rand.Rand
	lost *atomic.Int64
}

// Send implements pace.Wire.
func (l *lossy) Send(b []byte) error {
	if l.rnd.Float64() < l.part {
		l.lost.Add(1)
		return nil
	}
	return l.Wire.Send(b)
}

// TestTwoHundredAlarms is the promise of alarms, on real calls: all come without
// loss; with one packet of a hundred lost none is wrong and nearly all come, and of
// the others the sender knows, with the reason.
func TestTwoHundredAlarms(t *testing.T) {
	for _, c := range []struct {
		codec        string
		loss         float64
		calls, least int
	}{
		{"PCMU", 0, 200, 200},
		{"PCMA", 0.01, 200, 195},
		{"PCMU", 0.25, 20, 0}, // hopeless, yet nothing is wrong and all is known
	} {
		t.Run(fmt.Sprintf("%s, %g %% lost", c.codec, 100*c.loss), func(t *testing.T) {
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			switchtest.Run(t, func(w *switchtest.World) {
				rnd := rand.New(rand.NewPCG(seed, 1))
				var lost, wires atomic.Int64
				w.Options = func(o *server.Options) {
					listen := o.ListenRTP
					o.ListenRTP = func() (pace.Wire, error) {
						wire, err := listen()
						return &lossy{wire, c.loss, rand.New(rand.NewPCG(seed, uint64(wires.Add(1)))), &lost}, err
					}
				}
				loop(w, c.codec)
				sent := map[string]contactid.Message{}
				for i := range c.calls {
					digits := func(n int) (s string) {
						for range n {
							s += string(contactid.Alphabet[rnd.IntN(len(contactid.Alphabet))])
						}
						return s
					}
					q := []contactid.Qualifier{contactid.NewEvent, contactid.NewRestore, contactid.StatusReport}[i%3]
					m := contactid.Message{Account: fmt.Sprintf("%04d", i), Qualifier: q, Event: digits(3), Partition: digits(2), Zone: digits(3)}
					sent[m.Account] = m
					report(w, m)
					w.Pass(time.Second)
				}
				w.Until("all calls are over", func() bool { return w.Up() == 0 })
				got := map[string]int{}
				for _, d := range received(w) {
					m, err := contactid.Parse(d)
					if err != nil || sent[m.Account] != m {
						t.Errorf("received %s, which was never sent", d)
					}
					got[m.Account]++
				}
				delivered, failed := 0, 0
				for i, p := range w.Web.Posted("AlarmNotificationResult") {
					account, result, reason := p.Fields.Get("AccountNumber"), p.Fields.Get("Result"), p.Fields.Get("Reason")
					switch {
					case result == "Success" && got[account] == 1 && reason == "":
						delivered++
					case result == "Failed" && got[account] <= 1 && reason != "":
						failed++
						t.Logf("%s: %s (received %d times)", account, reason, got[account])
					default:
						t.Errorf("result %d: %v, and it was received %d times", i, p.Fields, got[account])
					}
				}
				t.Logf("%d packets lost: %d delivered, %d failed", lost.Load(), delivered, failed)
				if delivered < c.least || delivered+failed != c.calls {
					t.Errorf("%d delivered and %d failed of %d, want at least %d", delivered, failed, c.calls, c.least)
				}
				if (lost.Load() > 0) != (c.loss > 0) {
					t.Errorf("%d packets lost: the line is not what it says", lost.Load())
				}
			})
		})
	}
}
