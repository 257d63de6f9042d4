package ozml_test

import (
	"testing"

	"ozswitch/ozml"
	"ozswitch/ozml/command"
)

// TestFix: what a remark offers cures it, and is offered only where it is sure.
func TestFix(t *testing.T) {
	table := command.Table()
	tests := []struct{ src, want string }{
		{`<Response><Spaek>Hi <x></Spaek></Response>`, ""}, // not well-formed
		{`<Response><Spaek>Hi</Spaek></Response>`, `<Response><Speak>Hi</Speak></Response>`},
		{`<Response><Spaek>é</Spaek ></Response>`, `<Response><Speak>é</Speak ></Response>`},
		{`<Response><Deley Time="1"/></Response>`, `<Response><Delay Time="1"/></Response>`},
		{`<Response><Record Formt="wav"/></Response>`, `<Response><Record Format="wav"/></Response>`},
		{`<Response><Record Formt="mp3" Format="wav"/></Response>`, ""}, // two of one name
		{`<Response><Zzzzzzz/></Response>`, ""},
	}
	for _, tt := range tests {
		f, err := table.Parse("x.xml", []byte(tt.src))
		if err != nil {
			if tt.want != "" {
				t.Errorf("%s: %v", tt.src, err)
			}
			continue
		}
		got := ""
		for _, d := range table.Check(f, ozml.Extension) {
			if d.Fix != nil {
				got = tt.src[:d.Fix.Span.From.Offset] + d.Fix.Text + tt.src[d.Fix.Span.To.Offset:]
			}
		}
		if got != tt.want {
			t.Errorf("%s: fixed to %q, want %q", tt.src, got, tt.want)
			continue
		}
		if got == "" {
			continue
		}
		if f, err = table.Parse("x.xml", []byte(got)); err != nil {
			t.Errorf("%s: %v", got, err)
		} else if left := table.Check(f, ozml.Extension); len(left) > 0 {
			for _, d := range left {
				if d.Code == ozml.CodeUnknownCommand || d.Code == ozml.CodeUnknownParam {
					t.Errorf("%s: still %v", got, d)
				}
			}
		}
	}
}
