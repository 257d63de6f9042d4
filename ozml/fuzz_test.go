package ozml_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ozswitch/ozml"
	"ozswitch/ozml/command"
	"ozswitch/ozml/ozmltest"
	"ozswitch/ozml/syntax"
	"ozswitch/ozml/trace"
)

// FuzzCheck: the checker takes any tree in any setting, and its remarks print.
func FuzzCheck(f *testing.F) {
	for _, s := range []string{
		`<Response><Speak/></Response>`,
		`<Response><UserInput Digits="x" MinDigits="9" MaxDigits="1"><Inputs><Input/><x/></Inputs><InitialCommands/><InitialCommands a="b"/></UserInput></Response>`,
		`<Response><Array><item a="$b"><c>d</c></item></Array><ForEach><ForEach/></ForEach></Response>`,
		`<Response><UserInput Repeat="true" BackKey="*"><InitialCommands><Play Repeat="true">$a</Play></InitialCommands><Inputs><Input Key="1*"><Record/><Hangup/><Var ID="a"/></Input><Input Key="$b"/></Inputs></UserInput><Array ID="c"><item/></Array><ForEach Source="c"><Var ID="b">$item</Var></ForEach></Response>`,
		`<Response>text<Delay>99999999999999999999</Delay><Reject/><OnHangup/><OnHangup/></Response>`,
	} {
		f.Add(s)
	}
	table := command.Table()
	f.Fuzz(func(t *testing.T, src string) {
		file, err := syntax.Parse("x", []byte(src))
		if err != nil {
			return
		}
		for _, in := range []ozml.Setting{ozml.Extension, ozml.ThirdParty, ozml.API, ozml.Routing} {
			remarks := table.Check(file, in)
			if n := len(src); len(remarks) > n {
				t.Fatalf("%d remarks on %d bytes", len(remarks), n)
			}
			for _, d := range remarks {
				if from, to := d.Span.From.Offset, d.Span.To.Offset; from < 0 || from > to || to > len(file.Source) {
					t.Fatalf("a remark beside the document: %+v", d)
				}
				if d.Code == "" || d.Msg == "" || d.Show(file) == "" {
					t.Fatalf("a remark without code or words: %+v", d)
				}
			}
		}
	})
}

// writer makes a script of bytes.
type writer struct {
	src   []byte
	depth int
	b     strings.Builder
}

func (w *writer) next(n int) int {
	if len(w.src) == 0 {
		return 0
	}
	v := int(w.src[0]) % n
	w.src = w.src[1:]
	return v
}

func (w *writer) commands() {
	if w.depth++; w.depth > 5 {
		w.depth--
		return
	}
	for range w.next(4) {
		w.command()
	}
	w.depth--
}

func (w *writer) command() {
	p := func(format string, a ...any) { fmt.Fprintf(&w.b, format, a...) }
	yes := []string{"false", "true"}[w.next(2)]
	switch n := w.next(5); w.next(14) {
	case 0:
		p(`<Speak>%s</Speak>`, strings.Repeat("word $x ", n))
	case 1:
		p(`<Play Repeat=%q Timeout="%d">a.wav</Play>`, yes, n)
	case 2:
		p(`<Delay>%d</Delay>`, n)
	case 3:
		p(`<Record Duration="%d" Inactivity="%d" FinishDigits="1" FinishedUrl="http://app/%d"/>`, n, w.next(5), n)
	case 4:
		p(`<GoTo>http://app/%d</GoTo>`, n)
	case 5:
		p(`<Var ID="x">$x$x</Var>`)
	case 6:
		p(`<Array ID="a">%s</Array>`, strings.Repeat("<item>1</item>", n))
	case 7:
		p(`<ForEach Source="a">`)
		w.commands()
		p(`</ForEach>`)
	case 8, 9, 10:
		p(`<UserInput Repeat=%q Timeout="%d" Digits="%d" BackKey="*" ForwardToUrl="http://app/%d"><InitialCommands>`, yes, w.next(3), n, w.next(5))
		w.commands()
		p(`</InitialCommands><Inputs>`)
		for i := range w.next(4) {
			p(`<Input Key="%d">`, i)
			w.commands()
			p(`</Input>`)
		}
		p(`</Inputs></UserInput>`)
	case 11:
		p("%s", []string{`<Exit/>`, `<Hangup/>`, `<Reject/>`, `<Beep/>`, `<Nix/>`}[n])
	case 12:
		p(`<Call Url="http://app/x">%d</Call>`, n)
	case 13:
		p(`<OnHangup>`)
		w.commands()
		p(`</OnHangup>`)
	}
}

func (w *writer) script() string {
	w.b.Reset()
	w.b.WriteString("<Response>")
	for range 1 + w.next(4) {
		w.command()
	}
	w.b.WriteString("</Response>")
	return w.b.String()
}

// FuzzRun: any script, whatever the web application and the caller do, ends
// within its limits, and the call has one end.
func FuzzRun(f *testing.F) {
	f.Add([]byte("a script of nothing"))
	f.Add([]byte{3, 1, 2, 8, 3, 1, 1, 4, 2, 8, 8, 8, 1, 2, 3, 4, 5, 6, 7, 8, 9})
	f.Add([]byte{1, 1, 0, 4, 1, 1, 0, 4, 1, 1, 0, 4, 1, 0, 8, 0, 0})
	table := command.Table()
	f.Fuzz(func(t *testing.T, src []byte) {
		w := &writer{src: src}
		script := w.script()
		file, err := syntax.Parse("s.xml", []byte(script))
		if err != nil {
			t.Fatalf("%v\n%s", err, script)
		}
		sc := &ozmltest.Scenario{Leaves: time.Minute, Limits: ozml.Limits{Steps: 300, Jumps: 20}}
		for i := range 5 {
			sc.Web = append(sc.Web, ozmltest.Answer{URL: fmt.Sprintf("http://app/%d", i), Body: w.script(), After: time.Duration(w.next(3)) * 700 * time.Millisecond})
		}
		for range w.next(12) {
			sc.Acts = append(sc.Acts, ozmltest.Act{At: time.Duration(w.next(50)) * time.Second, Key: ozml.Key("0123*1"[w.next(6)])})
		}
		ends, events := 0, 0
		r := ozmltest.Play(t.Context(), ozmltest.Config{Table: table, File: file, Scenario: sc, Sink: trace.SinkFunc(func(e trace.Event) {
			if events++; e.Type == trace.CallEnded {
				ends++
			}
		})})
		if ends != 1 || r.Length > 2*time.Minute {
			t.Errorf("%d ends, %v long, want one end within a minute\n%s", ends, r.Length, script)
		}
		if most := 3000 * 1000; events > most {
			t.Errorf("%d events, want at most %d\n%s", events, most, script)
		}
	})
}
