package ozml_test

import (
	"strings"
	"testing"

	"ozswitch/ozml"
	"ozswitch/ozml/command"
)

// TestNotes: what is only remarked, since another switch may see it otherwise.
func TestNotes(t *testing.T) {
	table := command.Table()
	for _, tt := range []struct{ src, want string }{
		{`<GoTo>http://127.0.0.1:8000/</GoTo>`, `x.xml:1:17: info OZ1307: 127.0.0.1 is a loopback address, which serve refuses unless the configuration allows it; web.allow: ["127.0.0.1:8000"]`},
		{`<GoTo>https://LocalHost/</GoTo>`, `web.allow: ["localhost:443"]`},
		{`<GoTo>http://[::1]/</GoTo>`, `web.allow: ["[::1]:80"]`},
		{`<GoTo>http://[::ffff:10.1.2.3]/</GoTo>`, "private"},
		{`<Play>http://192.168.1.9/a.wav</Play>`, "private"},
		{`<Play>http/192.168.1.9/a.wav</Play>`, ""},
		{`<Record Duration="1" FinishedUrl="http://169.254.169.254/latest"/>`, "metadata"},
		{`<Call Url="http://169.254.1.1/">1</Call>`, "link-local"},
		{`<Call Url="http://224.0.0.1/">1</Call>`, "multicast"},
		{`<Call Url="http://0.0.0.0/">1</Call>`, "reserved"},
		{`<Call Url="http://app.example/">1</Call>`, ""},
		{`<Call Url="http://93.184.216.34/">1</Call>`, ""},
		{`<Call Url="$url">1</Call>`, ""},
		{`<Delay>10</Delay><Speak>Hi</Speak>`, ""},
		{`<Delay>4</Delay><Var ID="a">1</Var><Delay>6.5</Delay><Speak>Hi</Speak>`, `x.xml:1:47: info OZ1219: 10.5 s may go by before the caller hears anything`},
		{`<GoTo>http://app.example/</GoTo><Speak>Hi</Speak>`, ""},
		{`<GoTo>http://app.example/</GoTo><GoTo>http://app.example/</GoTo>`, "OZ1219: 20 s"},
		{`<UserInput Timeout="30"><InitialCommands><Delay>1</Delay></InitialCommands></UserInput>`, "OZ1219: 31 s"},
		{`<UserInput Timeout="30"><InitialCommands><Speak>Hi</Speak></InitialCommands></UserInput><Delay>60</Delay>`, ""},
		{`<Delay>$long</Delay><Delay>60</Delay>`, ""},
	} {
		f, err := table.Parse("x.xml", []byte("<Response>"+tt.src+"</Response>"))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, d := range table.Check(f, ozml.Extension) {
			if d.Severity != ozml.Info {
				t.Errorf("%s: %v, want notes only", tt.src, d)
			}
			if d.Code == ozml.CodeSlowSound || d.Code == ozml.CodeNotAllowed {
				got = append(got, d.String())
			}
		}
		if all := strings.Join(got, "\n"); tt.want == "" && all != "" || !strings.Contains(all, tt.want) {
			t.Errorf("%s: remarks %q, want %q", tt.src, all, tt.want)
		}
	}
}
