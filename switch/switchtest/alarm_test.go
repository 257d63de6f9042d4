package switchtest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"ozswitch/media"
	"ozswitch/media/codec"
	"ozswitch/media/dtmf"
	"ozswitch/ozml"
	"ozswitch/ozml/trace"
	"ozswitch/switch/phone"
	"ozswitch/switch/server"
)

// alarms gives a world whose number 650 leads out by a line and back in to 9650, an
// application that takes alarms: an alarm goes through the whole switch twice, as
// packets, by two legs.
func alarms(w *World) {
	w.Config.Extensions = append(w.Config.Extensions, server.Extension{Number: "9650", Type: "api", URL: "http://app/receive"})
	w.Config.Lines = []server.Line{{Name: "loop", Address: server.Names{sipAddr}, Ping: server.Every(-1)}}
	w.Config.Dialplan = []server.Rule{
		{From: "script", Match: "650", To: server.Names{"loop"}},
		{From: "loop", Match: "650", To: server.Names{"9650"}},
		{From: "extension", Match: "9650", To: server.Names{"9650"}},
		{From: "extension", Match: "*", To: server.Names{"9000"}},
	}
	w.Web.Serve("/receive", `<OzML><ReceiveAlarmNotification><Received/></ReceiveAlarmNotification></OzML>`)
	w.Web.Serve("/result", "")
}

// received are the digits of the alarms that calls received.
func received(w *World) (all []string) {
	for _, e := range w.Events("") {
		if e.Type == trace.Alarm && e.Reason == "received" {
			all = append(all, e.Key)
		}
	}
	return all
}

// panel gives a world in which 9000 takes alarms and hands each on to 650.
func panel(w *World) {
	alarms(w)
	w.Web.Serve("/ivr", `<Response>
  <ReceiveAlarmNotification>
    <Received>
      <Speak>the panel does not listen</Speak>
      <SendAlarmNotification PhoneNumber="650" AccountNumber="$account" EventQualifier="$eventqualifier" EventCode="$eventcode" PartitionNumber="$partition" ZoneNumber="$zone" ResultUrl="http://app/result"/>
    </Received>
  </ReceiveAlarmNotification>
  <Speak>this number is for alarms</Speak>
</Response>`)
}

// tones are the keys of an alarm, 55 ms each.
func tones(t *testing.T, digits string) media.Source {
	t.Helper()
	keys := strings.NewReplacer("B", "*", "C", "#", "D", "A", "E", "B", "F", "C").Replace(digits)
	src, err := dtmf.Keys(8000, keys, 55*time.Millisecond, 55*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// TestPanel: a panel's report is taken as tones and as the packets that an adapter
// makes of them; the panel hangs up, and what Received has to do is done.
func TestPanel(t *testing.T) {
	const digits = "1234181131010158"
	for name, o := range map[string]phone.Options{
		"tones":   {Say: []phone.Say{{At: 2 * time.Second, Source: tones(t, digits)}}},
		"packets": {Keys: []phone.Press{{At: 2 * time.Second, Keys: digits}}},
		"packets, and what an adapter lets through": {
			Keys: []phone.Press{{At: 2 * time.Second, Keys: digits}}, Say: []phone.Say{{At: 1980 * time.Millisecond, Source: tones(t, digits[:1])}},
		},
		"twice": {Say: []phone.Say{{At: 2 * time.Second, Source: tones(t, "1234181131010157")}, {At: 8 * time.Second, Source: tones(t, digits)}}},
	} {
		t.Run(name, func(t *testing.T) {
			Run(t, func(w *World) {
				panel(w)
				o.HangupAfter, o.Record = 11*time.Second, true
				o.Codecs = []*codec.Codec{codec.PCMA}
				c := w.Phone("1001").Place("9000", o)
				heard := c.Over().Heard
				p := w.Web.Wait("AlarmNotificationResult", 1)
				if p.Fields.Get("Result") != "Success" || p.Fields.Get("AccountNumber") != "1234" {
					t.Errorf("the result was %v\n%s", p.Fields, w.Transcript(""))
				}
				if got := received(w); !slices.Equal(got, []string{digits, digits}) {
					t.Errorf("received %q, want it here and at 650\n%s", got, w.Transcript(""))
				}
				if n := count(w.Events(c.ID()), trace.Key); n != 0 {
					t.Errorf("%d keys of the panel are in the log", n)
				}
				if kiss := longest(heard.PCM, 1400); kiss < 800*time.Millisecond || kiss > 900*time.Millisecond {
					t.Errorf("the panel heard %v of 1400 Hz, want a kiss-off of 850 ms", kiss)
				}
				w.Until("all calls are over", func() bool { return w.Up() == 0 })
			})
		})
	}
}

// longest is how long a tone sounds without a break.
func longest(pcm []int16, hz float64) (most time.Duration) {
	now := time.Duration(0)
	for ; len(pcm) >= 80; pcm = pcm[80:] {
		if now += 10 * time.Millisecond; dtmf.Power(pcm[:80], 8000, hz) < 1e-3 {
			now = 0
		}
		most = max(most, now)
	}
	return most
}

// TestNoPanel: somebody who is no panel, or whose codec is none for tones.
func TestNoPanel(t *testing.T) {
	for _, c := range []struct {
		name  string
		codec *codec.Codec
		why   string
		after time.Duration
	}{
		{"nothing comes", codec.PCMU, "no message came after 5 handshakes", 22500 * time.Millisecond},
		{"no codec for tones", codec.G722, "the call speaks G722: the tones of an alarm need G.711 (PCMU or PCMA)", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			Run(t, func(w *World) {
				panel(w)
				call := w.Phone("1001").Place("9000", phone.Options{Codecs: []*codec.Codec{c.codec}})
				r := call.Over()
				if want := c.after + Length("this number is for alarms"); (r.Length - want).Abs() > 100*time.Millisecond {
					t.Errorf("the call lasted %v, want %v", r.Length, want)
				}
				e := last(w.Events(call.ID()), trace.CommandFail)
				if !strings.HasPrefix(e.Text, c.why) || e.Code != ozml.CodeAlarmIn {
					t.Errorf("failed: %s %q, want %q", e.Code, e.Text, c.why)
				}
			})
		})
	}
}

// TestAlarmFails: whatever becomes of the call, AlarmNotificationResult says it,
// once.
func TestAlarmFails(t *testing.T) {
	for _, c := range []struct {
		name   string
		number string
		reply  phone.Reply
		code   string // of the API
		reason string
	}{
		{"busy", "1002", phone.Reply{Refuse: 486}, "402", "result state 'Busy'"},
		{"nobody", "7777", phone.Reply{}, "402", "result state 'NotFound'"},
		{"rings out", "1002", phone.Reply{Options: phone.Options{RingFor: time.Hour}}, "200", "result state 'NoAnswer'"},
		{"no receiver", "1002", phone.Reply{}, "200", "no handshake was heard in 30s"},
		{"hangs up", "1002", phone.Reply{Options: phone.Options{HangupAfter: 3 * time.Second}}, "200", "the other side hung up, 0 of 1 messages confirmed"},
		{"no codec for tones", "1002", phone.Reply{}, "200", "the call speaks G722: the tones of an alarm need G.711"},
	} {
		t.Run(c.name, func(t *testing.T) {
			Run(t, func(w *World) {
				alarms(w)
				w.Config.Dialplan = append([]server.Rule{{From: "script", Match: "1002", To: server.Names{"1002"}}}, w.Config.Dialplan...)
				if strings.Contains(c.reason, "G722") {
					w.Config.Codecs = []string{"G722"} // the switch has nothing else
				}
				bob := withPhone(w)
				bob.Reply = func() phone.Reply { return c.reply }
				answer := w.API("SendAlarmNotification", "Phone number", c.number, "AccountNumber", "4021", "EventCode", "110", "PartitionNumber", "1", "ZoneNumber", "15", "ResultUrl", "http://app/result")
				if code(answer) != c.code {
					t.Errorf("answered %s, want %s", answer, c.code)
				}
				w.Pass(2 * time.Minute)
				all := w.Web.Posted("AlarmNotificationResult")
				if len(all) != 1 || all[0].Fields.Get("Result") != "Failed" || !strings.Contains(all[0].Fields.Get("Reason"), c.reason) || all[0].Fields.Get("PhoneNumber") != c.number {
					t.Errorf("told %v, want %q once", all, c.reason)
				}
				for _, e := range w.Events("") {
					if e.Type == trace.SIPSent && strings.HasPrefix(e.Text, "INVITE") && w.Config.Codecs[0] == "PCMU" && (!strings.Contains(e.Text, "PCMU") || strings.Contains(e.Text, "G722")) {
						t.Errorf("offered more than G.711:\n%s", e.Text)
					}
				}
				if w.Up() != 0 {
					t.Error("a call is still up")
				}
			})
		})
	}
}
