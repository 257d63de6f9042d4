package examples_test

import (
	"flag"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"ozswitch/ozml"
	"ozswitch/ozml/command"
)

var faultSeed = flag.Uint64("fault-seed", 1, "seed of the faults that TestFaults plants")

// A fault is something that a writer does wrong. plant does it in a script and
// gives the line where it then stands, 0 when there is no place for it.
type fault struct {
	name  string
	code  string
	plant func(r *rand.Rand, src string) (string, int)
}

// TestFaults plants faults into the examples, where a seed says: each is found
// at its line, and nothing is found without one.
func TestFaults(t *testing.T) {
	t.Logf("-fault-seed=%d", *faultSeed)
	r := rand.New(rand.NewPCG(*faultSeed, 9))
	names, err := filepath.Glob("*/*.xml")
	if err != nil || len(names) < 4 {
		t.Fatalf("%d scripts (%v)", len(names), err)
	}
	sources := map[string]string{}
	for _, n := range names {
		sources[n] = string(read(t, n))
		for _, d := range lint(n, sources[n]) {
			if d.Severity != ozml.Info || d.Code == ozml.CodeSlowSound {
				t.Errorf("without a fault: %v", d)
			}
		}
	}
	const each = 3 // of every kind
	planted := 0
	for _, f := range faults() {
		n := 0
		for range 500 {
			name := names[r.IntN(len(names))]
			bad, line := f.plant(r, sources[name])
			if line == 0 {
				continue
			}
			planted++
			if !found(lint(name, bad), f.code, line) {
				t.Errorf("%s in %s: no %s in line %d of\n%s\nbut %v", f.name, name, f.code, line, bad, lint(name, bad))
			}
			if n++; n == each {
				break
			}
		}
		if n == 0 {
			t.Errorf("%s: no example has a place for it", f.name)
		}
	}
	if planted < 60 || len(faults()) < 20 {
		t.Errorf("%d faults of %d kinds, want at least 60 of 20", planted, len(faults()))
	}
	t.Logf("%d faults of %d kinds", planted, len(faults()))
}

func lint(name, src string) []ozml.Diagnostic {
	f, err := command.Table().Parse(name, []byte(src))
	if d, refused := ozml.Diagnose(err); refused {
		return []ozml.Diagnostic{d}
	}
	return command.Table().Check(f, ozml.Extension)
}

func found(ds []ozml.Diagnostic, code string, line int) bool {
	for _, d := range ds {
		if d.Code == code && d.Span.From.Line == line {
			return true
		}
	}
	return false
}

// lineOf gives the line of an offset.
func lineOf(src string, offset int) int { return 1 + strings.Count(src[:offset], "\n") }

// swap puts text in place of one of the matches of a pattern; $1 is what its
// group matched. The fault stands where the match begins, add lines below.
func swap(pattern, text string, add int) func(*rand.Rand, string) (string, int) {
	p := regexp.MustCompile(pattern)
	return func(r *rand.Rand, src string) (string, int) {
		all := p.FindAllStringSubmatchIndex(src, -1)
		if len(all) == 0 {
			return "", 0
		}
		m := all[r.IntN(len(all))]
		with := string(p.ExpandString(nil, text, src, m))
		return src[:m[0]] + with + src[m[1]:], lineOf(src, m[0]) + add
	}
}

// faults are all kinds. Patterns fit the way in which the examples are written.
func faults() []fault {
	const command = `<(?:Speak|Beep|Delay|Hangup)\b[^>]*?(?:/>|>[^<]*</\w+>)`
	const first = `<Response>`
	return []fault{
		{"misspelt command", ozml.CodeUnknownCommand, swap(`<Speak>([^<]*)</Speak>`, `<Spaek>$1</Spaek>`, 0)},
		{"misspelt attribute", ozml.CodeUnknownParam, swap(`Timeout="`, `Timeuot="`, 0)},
		{"empty Speak", ozml.CodeBadParam, swap(`<Speak>[^<]*</Speak>`, `<Speak></Speak>`, 0)},
		{"words for a number", ozml.CodeBadParam, swap(`(Timeout|Duration|Inactivity)="\d+"`, `$1="five"`, 0)},
		{"no boolean", ozml.CodeBadParam, swap(`Repeat="true"`, `Repeat="yes"`, 0)},
		{"half a URL", ozml.CodeBadParam, swap(`"http://127[^"]*"`, `"app.php"`, 0)},
		{"letters for keys", ozml.CodeBadParam, swap(`(FinishDigits|Key)="[^"]"`, `$1="x"`, 0)},
		{"text beside commands", ozml.CodeMisplaced, swap(command, "Hello\n$0", 0)},
		{"beyond the cap", ozml.CodeCapped, swap(`Timeout="\d+"`, `Timeout="999999"`, 0)},
		{"unknown format", ozml.CodeCapped, swap(`Format="\w+"`, `Format="ogg"`, 0)},
		{"misspelt variable", ozml.CodeUnknownVar, swap(`<Speak>`, `<Speak>$$callr `, 0)},
		{"a command of another kind", ozml.CodeNotHere, swap(command, "<ListActiveCalls/>\n$0", 0)},
		{"SQL", "OZ1321", swap(`<UserInput `, `<UserInput ExecuteSQL="select 1" `, 0)},
		{"the same Key twice", ozml.CodeSameKey, swap(`<Input Key="(\d)">`, "<Input Key=\"$1\"><Beep/></Input>\n<Input Key=\"$1\">", 1)},
		{"a Key with the BackKey", ozml.CodeHiddenKey, func(_ *rand.Rand, src string) (string, int) {
			at := strings.Index(src, `BackKey="*"`)
			if at < 0 {
				return "", 0
			}
			key := at + strings.Index(src[at:], `<Input Key="`)
			if key < at || strings.Contains(src[at:key], "</UserInput>") { // of another menu
				return "", 0
			}
			return src[:key] + `<Input Key="1*"><Beep/></Input>` + src[key:], lineOf(src, key)
		}},
		{"a count that fits no Key", ozml.CodeDigits, swap(`<UserInput Timeout="3"`, `<UserInput Timeout="3" Digits="4"`, 0)},
		{"a Key longer than Digits", ozml.CodeDigits, swap(`(<UserInput Timeout="3" Repeat="true")((?:.|\n)*?<Inputs>)`, "${1} Digits=\"1\"$2<Input Key=\"45\"><Hangup/></Input>", 4)},
		{"no way out", ozml.CodeNoWayOut, func(_ *rand.Rand, src string) (string, int) {
			at := strings.Index(src, "<UserInput ")
			head, _, _ := strings.Cut(src[max(at, 0):], ">")
			if at < 0 || !strings.Contains(src, "<Hangup/>") || !strings.Contains(head, `Repeat="true"`) || strings.Contains(src, "ForwardToUrl") || strings.Contains(src, "<BlindTransfer") {
				return "", 0 // it has another way out, or is no circle
			}
			if tag, _, _ := strings.Cut(src[at:], ">"); !strings.Contains(tag, `Repeat="true"`) {
				return "", 0 // the script goes on after such a menu
			}
			return strings.ReplaceAll(src, "<Hangup/>", ""), lineOf(src, at)
		}},
		{"a menu without a wait", ozml.CodeCircle, swap(`<UserInput [^>]*?>\s*<InitialCommands>(?:.|\n)*?</InitialCommands>`, `<UserInput Repeat="true">`, 0)},
		{"a loop without a wait", ozml.CodeCircle, swap(first, first+`<Array ID="a">`+strings.Repeat("<item/>", 101)+"</Array>\n"+`<ForEach Source="a"><ForEach Source="a"><Var ID="b">1</Var></ForEach></ForEach>`, 1)},
		{"a recording cut at once", ozml.CodeCutRecord, swap(`(<Record [^>]*>(?:</Record>)?)(?:\s*<Delay>\d+</Delay>)?(?:\s*<Hangup></Hangup>)?`, "$1<Hangup/>", 0)},
		{"a recording without an end", ozml.CodeEndless, swap(`<Response>(?:.|\n)*<Record (?:.|\n)*`, "<Response>\n<Record/>\n<Speak>Talk</Speak></Response>\n", 1)},
		{"a variable read too early", ozml.CodeUnset, swap(first, first+"\n<Speak>Dear $$friend</Speak><Var ID=\"friend\">Ann</Var>", 1)},
		{"an array read too early", ozml.CodeUnset, swap(first, first+"<Beep/>\n<ForEach Source=\"a\"><Beep/></ForEach><Array ID=\"a\"><item/></Array>", 1)},
		{"a late Reject", ozml.CodeLateReject, swap(`</Speak>`, "</Speak>\n<Reject/>", 1)},
		{"after Hangup", ozml.CodeUnreachable, swap(`<Hangup ?(?:/>|></Hangup>)`, "$0\n<Speak>Bye</Speak>", 1)},
		{"after endless music", ozml.CodeUnreachable, swap(first, first+"<Play Repeat=\"true\">a.wav</Play>\n<Beep/>", 1)},
		{"after a menu that goes on", ozml.CodeUnreachable, func(_ *rand.Rand, src string) (string, int) {
			const end = "</UserInput>\n</Response>"
			at := strings.Index(src, end)
			if at < 0 || strings.Contains(src, "ForwardToUrl") { // whose failure leads on
				return "", 0
			}
			return src[:at] + "</UserInput><Beep/>" + src[at+len("</UserInput>"):], lineOf(src, at)
		}},
		{"a second OnHangup", ozml.CodeOnHangup, swap(first, first+"<OnHangup/>\n<OnHangup/>", 1)},
		{"the switch's own machine", ozml.CodeNotAllowed, swap(first, first+"\n<Call Url=\"http://10.0.0.7/\">1001</Call>", 1)},
		{"a late first sound", ozml.CodeSlowSound, swap(first, first+"\n<Delay>30</Delay>", 1)},
		{"a bare &", "OZ1011", swap(`<Speak>`, `<Speak>you & `, 0)},
		{"a warning before the XML", "OZ1003", func(_ *rand.Rand, src string) (string, int) { return "Warning: x in y\n" + strings.TrimSpace(src), 1 }},
		{"an attribute twice", "OZ1017", swap(`Timeout="`, `Timeout="1" timeout="`, 0)},
		{"no quotes", "OZ1014", swap(`Repeat="true"`, `Repeat=true`, 0)},
		{"a wrong end tag", "OZ1019", swap(`</Speak>`, `</Speek>`, 0)},
		{"an entity of HTML", "OZ1012", swap(`<Speak>`, `<Speak>&nbsp;`, 0)},
	}
}
