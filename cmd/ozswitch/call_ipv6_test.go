package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ozswitch/media/mediatest"
)

// TestCallIPv6: a whole call over IPv6, signalling by UDP and by TCP: the switch
// hears the caller's key and answers it, and both sides' sound is what was said.
func TestCallIPv6(t *testing.T) {
	s, _ := startSwitchAt(t, "[::1]:0", `<Response>
  <Record Format="wav"/>
  <UserInput Timeout="60">
    <InitialCommands><Speak>choose</Speak></InitialCommands>
    <Inputs><Input Key="5"><Speak>five</Speak></Input></Inputs>
  </UserInput>
  <Delay>1</Delay>
  <Hangup/>
</Response>`)
	addrs := map[string]string{}
	for _, a := range s.SIPAddrs() {
		transport, addr, _ := strings.Cut(a, "://")
		addrs[transport] = addr
	}
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			addr := addrs[transport]
			if !strings.HasPrefix(addr, "[::1]:") {
				t.Fatalf("the switch listens at %q by %s, want [::1]", addr, transport)
			}
			dir := t.TempDir()
			said, heard := filepath.Join(dir, "say.wav"), filepath.Join(dir, "heard.wav")
			tone(t, said, 8000, 440, 500*time.Millisecond)
			out, _ := calls(t, t.Context(), 0, "9000", "--server", addr, "--transport", transport, "--press", "5@1500ms",
				"--say", said+"@200ms", "--record", heard, "--hangup-after", "30s", "--json")
			var sum callSummary
			lastJSON(t, out, &sum)
			if !sum.OK || sum.Cause != "far end hung up" || sum.In < 50 || sum.Lost != 0 {
				t.Errorf("summary %+v, want a call with sound that the far end hung up", sum)
			}
			for _, want := range []string{"choose", "five"} {
				if text := mediatest.Text(readWAV(t, heard), telephone); !understood(text, want) {
					t.Errorf("heard %q, want %q in it", text, want)
				}
			}
		})
	}
}
