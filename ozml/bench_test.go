package ozml_test

import (
	"fmt"
	"strings"
	"testing"

	"ozswitch/ozml"
	"ozswitch/ozml/command"
)

// large makes a document of at most 20,000 elements, a sound one or one with a
// fault in every element.
func large(bad bool) []byte {
	var b strings.Builder
	b.WriteString("<Response>")
	for i := 0; i < 19_000; i += 9 {
		if bad {
			fmt.Fprintf(&b, `<Spaek%d/><Speak Langage="x">$v%d</Speak><Var ID="v%d"/><Speka/><Deley/><UserInput Repeat="true" Foo="$v%[1]d"/><Record/><Hangup/><Play Repeat="true">a</Play>`, i, i, i+7)
			continue
		}
		fmt.Fprintf(&b, `<Var ID="v%d">x</Var><Speak>$v%[1]d</Speak><UserInput Timeout="3"><InitialCommands><Speak>Go</Speak></InitialCommands><Inputs><Input Key="1"><Speak>$v%[1]d</Speak></Input></Inputs></UserInput><Delay>1</Delay>`, i)
	}
	b.WriteString("</Response>")
	return []byte(b.String())
}

// BenchmarkCheck: the largest documents that may come.
func BenchmarkCheck(b *testing.B) {
	table := command.Table()
	for _, bad := range []bool{false, true} {
		b.Run(fmt.Sprintf("bad=%v", bad), func(b *testing.B) {
			f, err := table.Parse("x.xml", large(bad))
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				table.Check(f, ozml.Extension)
			}
		})
	}
	b.Run("deep", func(b *testing.B) {
		const menu = `<UserInput Repeat="true" Timeout="1" BackKey="*"><InitialCommands><Speak>$x</Speak></InitialCommands><Inputs><Input Key="1"><Var ID="x">1</Var>`
		one := strings.Repeat(menu, 30) + strings.Repeat(`</Input></Inputs></UserInput>`, 30)
		f, err := table.Parse("x.xml", []byte("<Response>"+strings.Repeat(one, 95)+"</Response>"))
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			table.Check(f, ozml.Extension)
		}
	})
	b.Run("inputs", func(b *testing.B) {
		var s strings.Builder
		for i := range 19_000 {
			fmt.Fprintf(&s, `<Input Key="%d"/>`, i)
		}
		f, err := table.Parse("x.xml", []byte("<UserInput><Inputs>"+s.String()+"</Inputs></UserInput>"))
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			table.Check(f, ozml.Extension)
		}
	})
}
