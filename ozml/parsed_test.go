package ozml_test

import (
	"strings"
	"testing"

	"ozswitch/ozml"
	"ozswitch/ozml/command"
	"ozswitch/ozml/ozmltest"
	"ozswitch/ozml/trace"
)

// TestParsedBody: the event of a script carries it, cut to 64 KiB, and not at
// all where what the caller enters is a secret.
func TestParsedBody(t *testing.T) {
	const short = `<Response><Hangup/></Response>`
	long := `<Response><!--x` + strings.Repeat("é", 40<<10) + `--><Hangup/></Response>`
	for _, tt := range []struct {
		src       string
		sensitive bool
		want      int
	}{{short, false, len(short)}, {short, true, 0}, {long, false, 64<<10 - 1}} { // half a letter is left out
		f, err := command.Table().Parse("x.xml", []byte(tt.src))
		if err != nil {
			t.Fatal(err)
		}
		var got []trace.Event
		ozmltest.Play(t.Context(), ozmltest.Config{
			Table: command.Table(), File: f, Scenario: &ozmltest.Scenario{Sensitive: tt.sensitive, Info: ozml.CallInfo{ID: "paper"}},
			Sink: trace.SinkFunc(func(e trace.Event) {
				if e.Type == trace.ScriptParsed {
					got = append(got, e)
				}
			}),
		})
		if len(got) != 1 || len(got[0].Body) != tt.want || !strings.HasPrefix(tt.src, got[0].Body) || got[0].Size != int64(len(tt.src)) {
			t.Errorf("%.20s (sensitive %v): %d events, body of %d bytes, want %d", tt.src, tt.sensitive, len(got), len(got[0].Body), tt.want)
		}
	}
}
