package main

import (
	"bytes"
	"testing"

	"ozswitch/ozml"
	"ozswitch/ozml/command"
)

// FuzzMend: whatever comes, what is mended can be read, and once is enough.
func FuzzMend(f *testing.F) {
	for _, s := range []string{
		`<response><Spaek Languag="x">a</Spaek><deley Time="1"/></response>`,
		`<a:Response xmlns:a="x"><a:speak>b</a:speak></a:Response>`,
		`<spaek><spaek/></spaek>`,
		"\uFEFF<Response><userinput DIGITS='1' digit='2'><inputs><input key=\"1\"/></inputs></userinput></Response>",
		`<Response><array id="a"><ITEM speak="1"/></array><Play><![CDATA[</play>]]></Play></Response>`,
	} {
		f.Add([]byte(s))
	}
	table := command.Table()
	f.Fuzz(func(t *testing.T, src []byte) {
		d := document{name: "x", src: bytes.Clone(src)}
		out, made, err := mend(d, table, ozml.Extension)
		if !bytes.Equal(d.src, src) {
			t.Fatal("the source was changed in place")
		}
		if err != nil || len(made) == 0 {
			if err == nil && !bytes.Equal(out.src, src) {
				t.Fatalf("%q became %q without a word", src, out.src)
			}
			return
		}
		if _, err := out.parse(table); err != nil {
			t.Fatalf("%q became %q: %v", src, out.src, err)
		}
		again, more, err := mend(out, table, ozml.Extension)
		if err != nil || len(more) > 0 && len(made) < mostPasses {
			t.Fatalf("%q became %q and then %q (%v)", src, out.src, again.src, err)
		}
	})
}
