package ozmltest_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"ozswitch/ozml/command"
	"ozswitch/ozml/ozmltest"
	"ozswitch/ozml/syntax"
	"ozswitch/ozml/trace"
)

func ExamplePlay() {
	f, err := syntax.Parse("hello.xml", []byte(`<Response>
  <Speak>Press one</Speak>
  <UserInput Timeout="5"><Inputs><Input Key="1"><Speak>Thank you</Speak></Input></Inputs></UserInput>
</Response>`))
	if err != nil {
		fmt.Println(err)
		return
	}
	caller, err := ozmltest.Parse("caller", "at 2s press 1", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	p := trace.NewPrinter(os.Stdout)
	ozmltest.Play(context.Background(), ozmltest.Config{Table: command.Table(), File: f, Scenario: caller, Sink: p})
	// Output:
	//     0.00  2:3  Speak "Press one" (0.5 s)
	//     2.00  key 1
	//     2.00  3:49 Speak "Thank you" (0.5 s)
	//     2.50  call ended: script, 2.5 s
}

// played plays a script and gives its transcript and its events.
func played(t *testing.T, f *syntax.File, sc *ozmltest.Scenario) (string, []trace.Event) {
	var b strings.Builder
	var es []trace.Event
	p := trace.NewPrinter(&b)
	ozmltest.Play(t.Context(), ozmltest.Config{Table: command.Table(), File: f, Scenario: sc, Sink: trace.SinkFunc(func(e trace.Event) {
		es = append(es, e)
		p.Emit(e)
	})})
	return b.String(), es
}

// TestFromLog: the log of a call, played again, gives the same transcript.
func TestFromLog(t *testing.T) {
	f, err := syntax.Parse("s.xml", []byte(`<Response><UserInput Timeout="5" Repeat="true" ForwardToUrl="http://app/a"><InitialCommands><Speak>Press a key</Speak></InitialCommands></UserInput></Response>`))
	if err != nil {
		t.Fatal(err)
	}
	sc, err := ozmltest.Parse("caller", "call 1001 -> 9000\nat 1s press 4\nat 9s press 5 by info\nat 20s hangup\nwhen POST http://app/a DtmfDigits=4 after 1s status 200\nwhen POST http://app/a fail refused", nil)
	if err != nil {
		t.Fatal(err)
	}
	want, events := played(t, f, sc)
	if got, _ := played(t, f, ozmltest.FromLog(events)); got != want || !strings.Contains(got, "key 4") {
		t.Errorf("from the log:\n%swant\n%s", got, want)
	}
}

// TestFromLogRecords: a log does not have the caller's voice, so it says itself
// which recording ended by silence, and when.
func TestFromLogRecords(t *testing.T) {
	f, err := syntax.Parse("s.xml", []byte(`<Response><Record Inactivity="2" FinishDigits="1"/><Delay>10</Delay><Record Inactivity="2" FinishDigits="1"/><Delay>9</Delay></Response>`))
	if err != nil {
		t.Fatal(err)
	}
	sc, err := ozmltest.Parse("caller", "at 1s say 4s\nat 10s say 8s\nat 14s press 1", nil)
	if err != nil {
		t.Fatal(err)
	}
	want, events := played(t, f, sc)
	if got, _ := played(t, f, ozmltest.FromLog(events)); got != want || !strings.Contains(want, "7.00  1:11 Record ended: inactivity") || !strings.Contains(want, "digit 1, 4.0 s") {
		t.Errorf("from the log:\n%swant\n%s", got, want)
	}
}
