package switchtest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ozswitch/media"
	"ozswitch/media/mediatest"
	"ozswitch/ozml/trace"
	"ozswitch/switch/phone"
	"ozswitch/switch/server"
)

// silent tells that nothing of a text was heard.
func (c *Call) silent(text string) {
	c.Phone.w.T.Helper()
	if strings.Contains(c.Text(), text) {
		c.Phone.w.T.Errorf("phone %s heard %q, want nothing of %q", c.Phone.Number, c.Text(), text)
	}
}

// TestBlindTransferOfScript: a script hands its caller on. What stands after it
// is for when nobody comes.
func TestBlindTransferOfScript(t *testing.T) {
	company(t, func(w *World) {
		w.Web.Serve("/ivr", `<Response>
  <Record Format="wav" FinishedUrl="http://app/rec"/>
  <Speak>One moment</Speak>
  <BlindTransfer>777</BlindTransfer>
  <BlindTransfer>1003</BlindTransfer>
  <BlindTransfer RingTime="4">1004</BlindTransfer>
  <Speak>The last one</Speak>
  <BlindTransfer>1002</BlindTransfer>
  <Speak>Never</Speak>
</Response>`)
		w.Web.Serve("/rec", `<Response><Speak>Too late</Speak></Response>`)
		a, b, busy, deaf := w.Phone("1001"), w.Phone("1002"), w.Phone("1003"), w.Phone("1004")
		b.Reply = func() phone.Reply { return phone.Reply{Options: phone.Options{RingFor: 2 * time.Second}} }
		busy.Reply = func() phone.Reply { return phone.Reply{Refuse: 486} }
		deaf.Reply = func() phone.Reply { return phone.Reply{Options: phone.Options{RingFor: time.Hour}} }
		ac := a.Dial("9000")
		ac.Hears("One moment")
		ac.Hears("The last one")
		bc := b.Next()
		w.Pass(4 * time.Second)
		if w.Up() != 1 {
			w.T.Fatalf("%d calls are up, want the transferred one\n%s", w.Up(), w.Transcript(ac.ID()))
		}
		var errs []string
		for _, e := range w.Events(ac.ID()) {
			if e.Type == trace.CommandFail {
				errs = append(errs, e.Text[strings.LastIndex(e.Text, " ")+1:])
			}
		}
		if want := []string{"'NotFound'", "'Busy'", "'NoAnswer'"}; !slices.Equal(errs, want) {
			w.T.Errorf("the transfers that failed: %v, want %v\n%s", errs, want, w.Transcript(ac.ID()))
		}
		if !slices.ContainsFunc(w.Events(ac.ID()), func(e trace.Event) bool { return e.Type == trace.ScriptEnded && e.Reason == "transferred" }) {
			w.T.Error("the script did not end as transferred")
		}
		if p := w.Web.Wait("RecordCompleted", 1); p.Fields.Get("Reason") != "transferred" {
			w.T.Errorf("RecordCompleted says %v, want reason transferred", p.Fields)
		}
		bc.Call.Hangup()
		ac.Over()
		ac.silent("Never")
		ac.silent("Too late")
		w.Until("the call is over", func() bool { return w.Up() == 0 })
		if e := last(w.Events(ac.ID()), trace.CallEnded); e.Reason != "callee" {
			w.T.Errorf("ended by %q, want callee", e.Reason)
		}
	}, "1001", "1002", "1003", "1004")
}

// TestTransferToScript: a script hands its caller on to another; two that do so
// to each other come to an end.
func TestTransferToScript(t *testing.T) {
	company(t, func(w *World) {
		w.Config.Extensions = append(w.Config.Extensions, server.Extension{Number: "9001", Type: "api", URL: "http://app/two"})
		w.Web.Serve("/ivr", `<Response><Speak>Number one</Speak><BlindTransfer>9001</BlindTransfer><Speak>Never</Speak></Response>`)
		w.Web.Serve("/two", `<Response><Speak>Number two</Speak></Response>`)
		c := w.Phone("1001").Dial("9000")
		c.Hears("Number one")
		c.Hears("Number two")
		c.Over()
		c.silent("Never")
		if p := w.Web.Wait("IncomingCall", 2); p.Fields.Get("ApiExtension") != "9001" {
			w.T.Errorf("the second IncomingCall says %v", p.Fields)
		}
		w.Web.Serve("/two", `<Response><BlindTransfer>9001</BlindTransfer><Speak>Enough</Speak></Response>`)
		c = w.Phone("1001 b").Dial("9001")
		c.Hears("Enough")
		c.Over()
	}, "1001")
}

// TestThirdParty: what the HTTP API does to a call between two telephones.
func TestThirdParty(t *testing.T) {
	company(t, func(w *World) {
		a, b := w.Phone("1001"), w.Phone("1002")
		ac, bc := w.talk(a, b)
		id := ac.ID()
		ok := func(want string, command string, params ...string) {
			w.T.Helper()
			if got := code(w.API(command, append(params, "CallId", id)...)); got != want {
				w.T.Fatalf("%s %v: %s, want %s\n%s", command, params, got, want, w.Transcript(id))
			}
		}
		ok("200", "Speak", "Text", "Hello caller", "Party", "caller")
		ok("200", "Speak", "Text", "And callee", "Party", "callee")
		ok("200", "Speak", "Text", "Both of you")
		ac.Hears("Hello caller")
		bc.Hears("And callee")
		ac.Hears("Both of you")
		bc.Hears("Both of you")
		ac.silent("And callee")
		bc.silent("Hello caller")
		ok("302", "Speak", "Text", "x", "Party", "everybody")
		ok("302", "Play", "AudioFile", "gone.wav")
		ok("302", "Play", "AudioFile", "../ozswitch.db")
		soundFile(w, "there.wav", time.Second)
		ok("200", "Play", "AudioFile", "there.wav", "Party", "caller")

		ok("200", "SendDTMF", "Keys", "42#", "Party", "callee")
		w.Until("the keys are sent", func() bool { return last(w.Events(id), trace.KeySent).Key == "42#" })

		ok("200", "Hold")
		ok("200", "Hold")
		w.Until("the call is on hold", func() bool { return strings.Contains(w.API("ListActiveCalls"), "<CallState>Hold</CallState>") })
		ok("200", "Unhold")
		w.Until("the call is back", func() bool { return strings.Contains(w.API("ListActiveCalls"), "<CallState>InCall</CallState>") })
		ok("303", "Forward", "Destination", "1002")
		ok("303", "Delay", "Time", "1")

		w.Web.Serve("/rec", `<Response><Speak Party="caller">It is saved</Speak></Response>`)
		ok("200", "Record", "Format", "wav", "FinishedUrl", "http://app/rec")
		ac.Says(time.Second)
		bc.Says(time.Second)
		w.Pass(2 * time.Second)
		ok("200", "Record", "Format", "wav")
		if p := w.Web.Wait("RecordCompleted", 1); p.Fields.Get("Reason") != "replaced" || p.Fields.Get("Duration") != "2.000" {
			w.T.Errorf("RecordCompleted says %v", p.Fields)
		}
		ac.Hears("It is saved")

		ok("200", "Hangup")
		ac.Over()
		bc.Over()
		ok("601", "Speak", "Text", "x")
	}, "1001", "1002")
}

// TestTransferByAPI: one party of a call is replaced, and the end is told once.
func TestTransferByAPI(t *testing.T) {
	for _, leaves := range []string{"caller", "callee"} {
		t.Run(leaves, func(t *testing.T) {
			company(t, func(w *World) {
				a, b, third, busy := w.Phone("1001"), w.Phone("1002"), w.Phone("1003"), w.Phone("1004")
				third.Reply = func() phone.Reply { return phone.Reply{Options: phone.Options{RingFor: 2 * time.Second}} }
				busy.Reply = func() phone.Reply { return phone.Reply{Refuse: 486} }
				ac, bc := w.talk(a, b)
				id := ac.ID()
				w.Web.Serve("/done", "")
				for _, c := range []struct {
					want   string
					params []string
				}{
					{"302", []string{"Target", "1003"}},
					{"302", []string{"Target", "1003", "TransferorParty", "all"}},
					{"402", []string{"Target", "777", "TransferorParty", leaves, "FinishedUrl", "http://app/done"}},
					{"200", []string{"Target", "1004", "TransferorParty", leaves, "FinishedUrl", "http://app/done"}},
				} {
					if got := code(w.API("BlindTransfer", append(c.params, "CallId", id)...)); got != c.want {
						w.T.Fatalf("%v: %s, want %s\n%s", c.params, got, c.want, w.Transcript(id))
					}
				}
				w.Pass(2 * time.Second)
				if got := code(w.API("BlindTransfer", "CallId", id, "Target", "1003", "TranferorParty", leaves, "FinishedUrl", "http://app/done")); got != "200" {
					w.T.Fatalf("BlindTransfer: %s\n%s", got, w.Transcript(id))
				}
				tc := third.Next()
				gone, stays, number := ac, bc, "1002"
				if leaves == "callee" {
					gone, stays, number = bc, ac, "1001"
				}
				gone.Over()
				w.Pass(5 * time.Second)
				tc.Call.Hangup()
				stays.Over()
				p := w.Web.Wait("TransferCompleted", 1)
				w.Pass(time.Minute)
				want := [2]string{number, "1003"}
				if leaves == "caller" { // who stays is still the callee
					want = [2]string{"1003", number}
				}
				if got := [2]string{p.Fields.Get("Caller"), p.Fields.Get("Callee")}; got != want || len(w.Web.Posted("TransferCompleted")) != 1 {
					w.T.Errorf("TransferCompleted says %v, want caller and callee %v; posted %d times, want once", p.Fields, want, len(w.Web.Posted("TransferCompleted")))
				}
			}, "1001", "1002", "1003", "1004")
		})
	}
}

// TestAttendedTransferByAPI: 1002 has called 1003 while 1001 is on hold, and
// leaves both.
func TestAttendedTransferByAPI(t *testing.T) {
	company(t, func(w *World) {
		a, b, third := w.Phone("1001"), w.Phone("1002"), w.Phone("1003")
		ac, bc := w.talk(a, b)
		second, tc := w.talk(b, third)
		for want, params := range map[string][]string{
			"302": {"TargetCallId", second.ID()},
			"601": {"TransferredCallId", ac.ID(), "TargetCallId", "nix"},
		} {
			if got := code(w.API("AttendedTransfer", params...)); got != want {
				w.T.Errorf("AttendedTransfer %v: %s, want %s", params, got, want)
			}
		}
		if got := w.API("AttendedTransfer", "TranferredCallId", ac.ID(), "TargetCallId", second.ID()); code(got) != "200" {
			w.T.Fatalf("AttendedTransfer: %s\n%s", got, w.Transcript(""))
		}
		bc.Over()
		second.Over()
		w.Until("one call is left", func() bool { return w.Up() == 1 })
		tc.Call.Hangup()
		ac.Over()
	}, "1001", "1002", "1003")
}

// TestForwardByAPI: a call that rings is sent to another number.
func TestForwardByAPI(t *testing.T) {
	company(t, func(w *World) {
		a, b, third := w.Phone("1001"), w.Phone("1002"), w.Phone("1003")
		b.Reply = func() phone.Reply { return phone.Reply{Options: phone.Options{RingFor: time.Hour}} }
		ac := a.Place("1002", phone.Options{})
		bc := b.Next()
		w.Pass(3 * time.Second)
		for _, command := range []string{"Hold", "Unhold"} {
			if got := code(w.API(command, "CallId", ac.ID())); got != "303" {
				w.T.Errorf("%s of a call that rings: %s, want 303", command, got)
			}
		}
		if got := code(w.API("Speak", "CallId", ac.ID(), "Text", "x")); got != "303" {
			w.T.Errorf("Speak into a call that rings: %s, want 303", got)
		}
		if got := code(w.API("Forward", "CallId", ac.ID(), "Destination", "777")); got != "402" {
			w.T.Errorf("Forward to nobody: %s, want 402", got)
		}
		if got := code(w.API("ForwardCall", "CallId", ac.ID(), "Destination", "1003")); got != "200" {
			w.T.Fatalf("Forward: %s\n%s", got, w.Transcript(ac.ID()))
		}
		tc := third.Next()
		bc.Over()
		active := w.API("ListActiveCalls")
		for _, want := range []string{"<Source>1001</Source>", "<Destination>1003</Destination>", "<CallerDialed>1002</CallerDialed>", "<CalleeDialed>1003</CalleeDialed>"} {
			if !strings.Contains(active, want) {
				w.T.Errorf("ListActiveCalls has no %s:\n%s", want, active)
			}
		}
		if err := ac.Answered(context.Background()); err != nil {
			w.T.Fatalf("%v\n%s", err, w.Transcript(ac.ID()))
		}
		if got := code(w.API("Forward", "CallId", ac.ID(), "Destination", "1002")); got != "303" {
			w.T.Errorf("Forward of a call that is up: %s, want 303", got)
		}
		tc.Call.Hangup()
		ac.Over()
	}, "1001", "1002", "1003")
}

// TestCallChangedAnswers: the commands of an answer to CallChanged run on the
// call, beside whatever is on it, one answer after the other.
func TestCallChangedAnswers(t *testing.T) {
	company(t, func(w *World) {
		w.Config.CallChangedURL = "http://app/changed"
		w.Web.Handle("/changed", func(p Post) Answer {
			if p.Fields.Get("CallState") == "InCall" {
				return Answer{Body: `<Response><Speak>This call is recorded</Speak><SendDTMF Party="callee" Keys="1"/><Speak Party="callee">You first</Speak><BlindTransfer TransferorParty="callee" Target="1003"/><Speak Party="caller">Connected</Speak><Delay>1</Delay></Response>`}
			}
			return Answer{}
		})
		a, b, third := w.Phone("1001"), w.Phone("1002"), w.Phone("1003")
		ac, bc := w.talk(a, b)
		ac.Hears("This call is recorded")
		bc.Hears("This call is recorded")
		bc.Hears("You first")
		tc := third.Next()
		bc.Over()
		ac.Hears("Connected")
		w.Pass(time.Second)
		if w.Up() != 1 {
			w.T.Fatalf("the end of an answer ended the call\n%s", w.Transcript(ac.ID()))
		}
		tc.Call.Hangup()
		ac.Over()
		if text := w.Transcript(ac.ID()); !strings.Contains(text, "Command 'Delay' cannot be used here") {
			w.T.Errorf("Delay is for extensions only:\n%s", text)
		}
	}, "1001", "1002", "1003")
}

// TestVisitors: commands of the HTTP API wait for each other, and not for the
// call's script, whose clock goes on.
func TestVisitors(t *testing.T) {
	company(t, func(w *World) {
		soundFile(w, "quiet.wav", 9*time.Second)
		w.Web.Serve("/ivr", `<Response><Play>quiet.wav</Play><Speak>The script goes on</Speak><Delay>5</Delay></Response>`)
		c := w.Phone("1001").Dial("9000")
		begun := time.Now()
		for _, text := range []string{"The first visitor speaks", "The second visitor speaks"} {
			if got := code(w.API("Speak", "CallId", c.ID(), "Text", text)); got != "200" {
				w.T.Fatalf("Speak: %s", got)
			}
		}
		if got := code(w.API("Speak", "CallId", c.ID(), "Text", "x", "Party", "callee")); got != "302" {
			w.T.Errorf("Speak to the script: %s, want 302", got)
		}
		if took := time.Since(begun); took > time.Second {
			w.T.Errorf("the commands were answered after %v, want at once", took)
		}
		c.Hears("The first visitor speaks")
		c.Hears("The second visitor speaks")
		c.Hears("The script goes on")
		c.Over()
		want := 14*time.Second + Length("The script goes on")
		if took := time.Since(begun); took < want-100*time.Millisecond || took > want+100*time.Millisecond {
			w.T.Errorf("the call took %v, want %v", took, want)
		}
	}, "1001")
}

// TestCallSetup: the first phone rings, then the second for it.
func TestCallSetup(t *testing.T) {
	company(t, func(w *World) {
		w.Web.Serve("/err", "")
		a, b := w.Phone("1001"), w.Phone("1002")
		a.Reply = func() phone.Reply { return phone.Reply{Options: phone.Options{RingFor: 2 * time.Second}} }
		busy := 0
		b.Reply = func() phone.Reply { return phone.Reply{Refuse: busy} }
		if got := w.API("CallSetup", "Caller", "1001", "Callee", "1002"); code(got) != "200" {
			w.T.Fatalf("CallSetup: %s", got)
		}
		ac, bc := a.Next(), b.Next()
		if ac.From() != "1002" || bc.From() != "1001" {
			w.T.Errorf("they see %s and %s, want each other", ac.From(), bc.From())
		}
		w.Pass(5 * time.Second)
		bc.Call.Hangup()
		ac.Over()
		if got := code(w.API("CallSetup", "Caller", "777", "Callee", "1002")); got != "402" {
			w.T.Errorf("CallSetup of nobody: %s, want 402", got)
		}
		busy = 486
		w.API("CallSetup", "Caller", "1001", "Callee", "1002", "ErrorUrl", "http://app/err")
		a.Next().Over()
		if p := w.Web.Wait("Error", 1); !strings.Contains(p.Fields.Get("ErrorMessage"), "'Busy'") {
			w.T.Errorf("Error says %v", p.Fields)
		}
	}, "1001", "1002")
}

// TestRequest: the commands for each state of a call run, in the order of the
// states; those of the talking states are its script.
func TestRequest(t *testing.T) {
	company(t, func(w *World) {
		b := w.Phone("1002")
		r := phone.Reply{Options: phone.Options{RingFor: 2 * time.Second}}
		b.Reply = func() phone.Reply { return r }
		var doc strings.Builder // each state calls a number that nobody has, which the log tells
		doc.WriteString("<Request>")
		for i, s := range []string{"Setup", "Ringing", "Busy", "Cancelled", "Completed", "Error", "Hold"} {
			fmt.Fprintf(&doc, `<On%s><Call Url="http://app/x">770%d</Call></On%s>`, s, i, s)
		}
		doc.WriteString(`<OnInCall><Speak>Then this</Speak><Delay>9</Delay></OnInCall><OnAnswered><Speak>First this</Speak></OnAnswered></Request>`)
		called := func() (states string) {
			w.Pass(time.Second)
			for _, e := range w.Events(w.Dialled("9000")[len(w.Dialled("9000"))-1]) {
				if e.Type == trace.CommandStart && e.Name == "Call" {
					states += e.Text[3:]
				}
			}
			return states
		}
		if got := w.API("Request", "DialedAddress", "1002@localhost", "ExtensionAddress", "9000@localhost", "RequestOzML", doc.String()); code(got) != "200" {
			w.T.Fatalf("Request: %s", got)
		}
		c := b.Next()
		c.Hears("First this")
		c.Hears("Then this")
		id := w.Dialled("9000")[0]
		w.API("Hold", "CallId", id)
		w.Pass(time.Second)
		w.API("Unhold", "CallId", id)
		c.Over()
		if got := called(); got != "0164" {
			w.T.Errorf("states of a call that was answered: %s, want 0164\n%s", got, w.Transcript(id))
		}
		r = phone.Reply{Refuse: 486}
		if got := w.API("Request", "DialedAddress", "1002", "ExtensionAddress", "9000", "RequestOzML", doc.String()); code(got) != "402" {
			w.T.Errorf("Request of one that is busy: %s, want 402", got)
		}
		if got := called(); got != "02" {
			w.T.Errorf("states of a call to one that is busy: %s, want 02", got)
		}
		r = phone.Reply{Options: phone.Options{RingFor: time.Hour}}
		w.API("Request", "DialedAddress", "1002", "ExtensionAddress", "9000", "RequestOzML", doc.String(), "RingTime", "5")
		b.Next().Over()
		if got := called(); got != "012" {
			w.T.Errorf("states of a call that is not answered: %s, want 012", got)
		}
		if got := w.API("Request", "DialedAddress", "777", "RequestOzML", `<Request><OnError><Call Url="http://app/x">1002</Call></OnError></Request>`); code(got) != "402" {
			w.T.Errorf("Request of nobody: %s, want 402", got)
		}
		b.Next() // OnError has called it
	}, "1002")
}

// TestTransfersOfScriptCalls: calls that scripts have with telephones are handed on
// and joined by the HTTP API, and the scripts leave.
func TestTransfersOfScriptCalls(t *testing.T) {
	company(t, func(w *World) {
		w.Web.Serve("/ivr", `<Response><Speak>Please wait</Speak><Delay>600</Delay></Response>`)
		a, b, third := w.Phone("1001"), w.Phone("1002"), w.Phone("1003")
		var ids []string
		for _, to := range []string{"1001", "1002"} {
			got := w.API("Call", "Dialed", to, "ApiExtension", "9000", "Url", "http://app/ivr")
			if code(got) != "200" {
				w.T.Fatalf("Call: %s", got)
			}
			ids = append(ids, callIDIn.FindStringSubmatch(got)[1])
		}
		ac, bc := a.Next(), b.Next()
		ac.Hears("Please wait")
		bc.Hears("Please wait")
		if got := code(w.API("AttendedTransfer", "TransferredCallId", ids[0], "TargetCallId", ids[1])); got != "200" {
			w.T.Fatalf("AttendedTransfer: %s\n%s", got, w.Transcript(""))
		}
		w.Until("one call is left", func() bool { return w.Up() == 1 })
		w.Pass(3 * time.Second)
		bc.Call.Hangup()
		ac.Over()

		c := w.Phone("1004").Dial("9000")
		c.Hears("Please wait")
		if got := code(w.API("BlindTransfer", "CallId", c.ID(), "Target", "1003", "TransferorParty", "caller")); got != "302" {
			w.T.Errorf("BlindTransfer of the script: %s, want 302", got)
		}
		if got := code(w.API("BlindTransfer", "CallId", c.ID(), "Target", "1003", "TransferorParty", "callee")); got != "200" {
			w.T.Fatalf("BlindTransfer: %s\n%s", got, w.Transcript(""))
		}
		tc := third.Next()
		w.Until("the script has left", func() bool { return last(w.Events(c.ID()), trace.ScriptEnded).Reason == "transferred" })
		w.Pass(3 * time.Second)
		tc.Call.Hangup()
		c.Over()
	}, "1001", "1002", "1003", "1004")
}

// TestTransferGivenUp: a key of a menu, or the caller, ends the ringing.
func TestTransferGivenUp(t *testing.T) {
	company(t, func(w *World) {
		w.Web.Serve("/ivr", `<Response><UserInput><InitialCommands><BlindTransfer>1002</BlindTransfer></InitialCommands>
  <Inputs><Input Key="1"><Speak>As you like</Speak><BlindTransfer>1002</BlindTransfer></Input></Inputs></UserInput></Response>`)
		a, b := w.Phone("1001"), w.Phone("1002")
		b.Reply = func() phone.Reply { return phone.Reply{Options: phone.Options{RingFor: time.Hour}} }
		c := a.Dial("9000")
		first := b.Next()
		w.Pass(2 * time.Second)
		c.Press("1")
		first.Over()
		c.Hears("As you like")
		second := b.Next()
		w.Pass(2 * time.Second)
		c.HangUp()
		second.Over()
		w.Until("the call is over", func() bool { return w.Up() == 0 })
		if e := last(w.Events(c.ID()), trace.ScriptEnded); e.Reason != "gone" {
			w.T.Errorf("the script ended: %q, want gone", e.Reason)
		}
	}, "1001", "1002")
}

// TestTransferOfScriptToldOnce: the web app that hands a script's caller on is told
// of the end of the call, and the extension too.
func TestTransferOfScriptToldOnce(t *testing.T) {
	company(t, func(w *World) {
		for i := range w.Config.Extensions {
			if e := &w.Config.Extensions[i]; e.Number == "9000" {
				e.FinishedURL = "http://app/finished"
			}
		}
		w.Web.Serve("/ivr", `<Response><Delay>600</Delay><OnHangup><Call Url="http://app/x">777</Call></OnHangup></Response>`)
		w.Web.Serve("/finished", "")
		w.Web.Serve("/done", "")
		a, b := w.Phone("1001"), w.Phone("1002")
		c := a.Dial("9000")
		w.Pass(time.Second)
		if got := w.API("BlindTransfer", "CallId", c.ID(), "Target", "1002", "TransferorParty", "callee", "FinishedUrl", "http://app/done"); code(got) != "200" {
			w.T.Fatalf("BlindTransfer: %s", got)
		}
		bc := b.Next()
		w.Pass(10 * time.Second)
		if n := len(w.Web.Posted("TransferCompleted")) + len(w.Web.Posted("CallCompleted")); n != 0 {
			w.T.Errorf("%d ends were told while they talk", n)
		}
		bc.Call.Hangup()
		c.Over()
		p := w.Web.Wait("TransferCompleted", 1)
		if d := p.Fields.Get("Duration"); p.Fields.Get("Callee") != "1002" || p.Fields.Get("Caller") != "1001" || !strings.HasPrefix(d, "10.") && !strings.HasPrefix(d, "9.9") {
			w.T.Errorf("TransferCompleted says %v", p.Fields)
		}
		w.Web.Wait("CallCompleted", 1)
		w.Pass(time.Minute)
		if t, c := len(w.Web.Posted("TransferCompleted")), len(w.Web.Posted("CallCompleted")); t != 1 || c != 1 {
			w.T.Errorf("told %d and %d times, want once each", t, c)
		}
		if text := w.Transcript(c.ID()); strings.Count(text, "Call 777") != 1 {
			w.T.Errorf("want OnHangup once:\n%s", text)
		}
	}, "1001", "1002")
}

// TestRecordOfTwo: a recording of two telephones has what both say, and what a
// visitor says to one of them.
func TestRecordOfTwo(t *testing.T) {
	company(t, func(w *World) {
		w.Web.Serve("/rec", "")
		ac, bc := w.talk(w.Phone("1001"), w.Phone("1002"))
		if got := code(w.API("Record", "CallId", ac.ID(), "Format", "wav", "FinishedUrl", "http://app/rec")); got != "200" {
			w.T.Fatalf("Record: %s", got)
		}
		w.Pass(time.Second)
		say := func(c *Call, text string) {
			c.Play(media.Samples(rate, mediatest.Spell(text, rate)))
			w.Pass(Length(text) + time.Second)
		}
		say(ac, "the caller")
		say(bc, "the callee")
		w.API("Speak", "CallId", ac.ID(), "Party", "caller", "Text", "the switch")
		w.Pass(Length("the switch") + time.Second)
		ac.HangUp()
		bc.Over()
		r := recording(w, 1)
		at := 0
		for _, text := range []string{"the caller", "the callee", "the switch"} {
			i := strings.Index(r.text[at:], mediatest.Normal(text))
			if i < 0 {
				w.T.Fatalf("the recording says %q, want %q", r.text, text)
			}
			at += i
		}
		if got := r.Fields.Get("Reason"); got != "hangup" {
			w.T.Errorf("it ended by %q, want hangup", got)
		}
	}, "1001", "1002")
}
