package switchtest

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"ozswitch/ozml"
	"ozswitch/ozml/command"
	"ozswitch/ozml/ozmltest"
	"ozswitch/ozml/syntax"
	"ozswitch/ozml/trace"
	"ozswitch/switch/phone"
	"ozswitch/switch/server"
)

// TestExamplesAsOnPaper makes the call of each example for real and on paper:
// the transcripts are the same to the nanosecond (ADR 0009).
func TestExamplesAsOnPaper(t *testing.T) {
	dirs, err := filepath.Glob("../../examples/*/script.xml")
	if err != nil || len(dirs) < 4 {
		t.Fatalf("examples: %v, %v", dirs, err)
	}
	for _, name := range dirs {
		dir := filepath.Dir(name)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			if filepath.Base(dir) == "alarm" {
				t.Skip("the panel is the scenario's on paper: see TestPanel")
			}
			asOnPaper(t, func(file string) (string, error) {
				if file == "caller" {
					file = "caller.txt"
				}
				b, err := os.ReadFile(filepath.Join(dir, file))
				return string(b), err
			})
		})
	}
}

// otherwise are the scripts of ozml/command/testdata that cannot be compared
// here, and why. A name that ends in _ stands for all that begin with it.
var otherwise = map[string]string{
	"api_":                       "no call",
	"call_":                      "what numbers do is the scenario's on paper: see TestCallByScript",
	"callsetup_":                 "what numbers do is the scenario's on paper: see TestCallSetup",
	"senddtmf_":                  "keys go out between two frames: see TestThirdParty",
	"hangup_other_call":          "the other call is the scenario's",
	"listactivecalls_":           "the other calls are the scenario's",
	"attendedtransfer_":          "the other calls are the scenario's",
	"blindtransfer_":             "what numbers do is the scenario's on paper: see TestBlindTransferOfScript",
	"forward_":                   "not the setting of a call's own script: see TestForwardByAPI",
	"speak_nobody":               "not the setting of a call's own script",
	"sendsms_":                   "what becomes of messages is the scenario's on paper: see TestSendFromScript",
	"sendemail_":                 "what becomes of messages is the scenario's on paper: see TestSendFromScript",
	"sendmsg_":                   "what becomes of messages is the scenario's on paper: see TestSendMsgAndWait",
	"waitformsg_":                "what comes is the scenario's on paper: see TestSendMsgAndWait",
	"sendalarmnotification_":     "who receives is the scenario's on paper: see TestAlarmFails and test/alarms",
	"receivealarmnotification_":  "the panel is the scenario's on paper: see TestPanel",
	"request_":                   "what numbers do is the scenario's on paper: see TestRequest",
	"route_":                     "no call: see TestRoutingInterception",
	"speak_other_call":           "the other call is the scenario's",
	"reject_connected":           "a call that the switch made",
	"userinput_duplicate_source": "keys of two sources",
	"userinput_sensitive":        "blanked keys cannot be taken from the log: see TestSensitive",
	"conference_full":            "the room is the scenario's on paper: see TestConferenceByScript",
	"conference_parameters":      "the room is the scenario's on paper: see TestConferenceByScript",
	"enqueue_":                   "the queue is the scenario's on paper: see TestEnqueue",
	"record_trim":                "when a voice begins is heard, not known: see TestRecordTrim",
	"pauserecord_trim":           "when a voice begins is heard, not known: see TestRecordTrim",
	"pauserecord_thirdparty":     "not the setting of a call's own script: see TestPauseRecordByAPI",
	"record_inactivity":          "when a voice stops is heard, not known: see TestRecordInactivity",
	"delay_capped":               "lasts a day",
	"goto_fails":                 "the words of a failed connection are the network's",
	"userinput_forward_fails":    "the words of a failed connection are the network's",
}

func skipped(name string) string {
	for prefix, why := range otherwise {
		if strings.HasPrefix(name, prefix) && (strings.HasSuffix(prefix, "_") || prefix == name) {
			return why
		}
	}
	return ""
}

// TestScriptsAsOnPaper does the same with the scripts of all commands.
func TestScriptsAsOnPaper(t *testing.T) {
	names, err := filepath.Glob("../../ozml/command/testdata/*.txtar")
	if err != nil || len(names) < 100 {
		t.Fatalf("scripts: %d, %v", len(names), err)
	}
	for _, name := range names {
		short := strings.TrimSuffix(filepath.Base(name), ".txtar")
		t.Run(short, func(t *testing.T) {
			if why := skipped(short); why != "" {
				t.Skip(why)
			}
			src, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			a := ozmltest.ParseArchive(string(src))
			if _, ok := a.Get("want"); !ok {
				t.Skip("is only checked")
			}
			if caller, _ := a.Get("caller"); strings.Contains("\n"+caller, "\nsetting ") {
				t.Skip("not the setting of a call's own script")
			}
			t.Parallel() // each is a switch of its own
			asOnPaper(t, func(file string) (string, error) {
				s, ok := a.Get(file)
				if !ok && file != "caller" {
					return "", fmt.Errorf("no part %s", file)
				}
				return s, nil
			})
		})
	}
}

// asOnPaper makes a call whose script and caller open gives ("script.xml",
// "caller"), then plays it on paper with the keys, the end and the answers when
// they really came, and compares.
func asOnPaper(t *testing.T, open func(string) (string, error)) {
	src, err := open("script.xml")
	if err != nil {
		t.Fatal(err)
	}
	caller, err := open("caller")
	if err != nil {
		t.Fatal(err)
	}
	read := func() *ozmltest.Scenario {
		sc, err := ozmltest.Parse("caller", caller, open)
		if err != nil {
			t.Fatal(err)
		}
		return sc
	}
	Run(t, func(w *World) {
		live, base := beginning(liveCall(w, read(), src))
		got, gotEnds := lines(live, base)
		sc := really(read(), live, base)
		f, err := syntax.Parse("script.xml", []byte(src))
		if err != nil {
			t.Fatal(err)
		}
		var paper []trace.Event
		ozmltest.Play(context.Background(), ozmltest.Config{Table: command.Table(), File: f, Scenario: sc, SpeakLength: SpeakLength,
			Sink: trace.SinkFunc(func(e trace.Event) { paper = append(paper, e) })})
		want, wantEnds := lines(paper, time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))
		if got != want {
			t.Errorf("the live call:\n%s\non paper:\n%s", got, want)
		}
		if gotEnds != wantEnds {
			t.Errorf("commands ended in the live call:\n%s\non paper:\n%s", gotEnds, wantEnds)
		}
	})
}

// liveCall makes the call and gives its events.
func liveCall(w *World, sc *ozmltest.Scenario, src string) []trace.Event {
	for _, n := range []string{"1", "2", "1001", "1002"} { // those who are called all answer
		if _, said := sc.Dial[n]; said {
			continue
		}
		w.Config.Extensions = append(w.Config.Extensions, server.Extension{Number: n, Type: "phone", Contact: "sip:" + n + "@" + PhoneHost(1)})
	}
	ext := server.Extension{Number: "9000", Type: "api", Name: "Test", URL: "http://app/first-document", ErrorURL: sc.ErrorURL, SensitiveInput: sc.Sensitive}
	w.Config.Extensions = append(w.Config.Extensions[1:], ext)
	phones := called(w, sc)
	w.Config.Limits.Steps, w.Config.Limits.Jumps, w.Config.Limits.FetchesPerSecond = sc.Limits.Steps, sc.Limits.Jumps, sc.Limits.FetchesPerSecond
	w.Config.Limits.Call = server.Duration(30 * time.Hour)
	soundFiles(w, sc, src)
	w.Web.Serve("/first-document", src)
	scenarioWeb(w, sc)
	from := cmp.Or(sc.Info.Caller, "1001")
	o := phone.Options{HangupAfter: time.Hour}
	if sc.Info.CallerName != "" {
		o.FromName = sc.Info.CallerName
	}
	if sc.Leaves > 0 {
		o.HangupAfter = sc.Leaves
	}
	for _, a := range sc.Acts {
		switch {
		case a.Hangup:
			o.HangupAfter = a.At
		case a.Say > 0:
			o.Say = append(o.Say, phone.Say{At: a.At, Source: Noise(a.Say)})
		default:
			o.Keys = append(o.Keys, phone.Press{At: a.At, Keys: string(rune(a.Key))})
		}
	}
	caller := w.Phone(from)
	phones()
	c := caller.Place("9000", o)
	c.Over()
	w.Pass(time.Minute) // what follows the call
	return w.Events(c.ID())
}

// scenarioWeb has the web app answer as a scenario says.
func scenarioWeb(w *World, sc *ozmltest.Scenario) {
	var mu sync.Mutex
	used := make([]bool, len(sc.Web))
	w.Web.Handle("", func(p Post) Answer {
		mu.Lock()
		defer mu.Unlock()
		url := "http://" + p.Host + p.Path
		if playFile.MatchString(p.Path) { // 3 s of sound, as on paper
			return Answer{Type: "audio/wav", Body: string(w.File("media/" + p.Host + p.Path))}
		}
		for i, a := range sc.Web {
			if used[i] && a.Once || !fits(a, url, p) {
				continue
			}
			used[i] = true
			return Answer{Status: a.Status, Body: a.Body, After: a.After, Drop: a.Fail != ""}
		}
		if p.Name == "DtmfEntered" || p.Name == "GoTo" {
			return Answer{Status: 404}
		}
		return Answer{}
	})
}

func fits(a ozmltest.Answer, url string, p Post) bool {
	u, _, _ := strings.Cut(a.URL, "?")
	prefix, star := strings.CutSuffix(u, "*")
	ok := u == url || strings.HasPrefix(u, "/") && strings.HasSuffix(url, u)
	if star {
		ok = strings.HasPrefix(url, prefix) || strings.HasPrefix(prefix, "/") && strings.Contains(url, prefix)
	}
	for k, v := range a.Fields {
		ok = ok && p.Fields.Get(k) == v
	}
	return ok
}

// beginning gives the events since the first document was had, and when the
// script began: the answer, or its first command in a call that was refused.
func beginning(events []trace.Event) ([]trace.Event, time.Time) {
	for i, e := range events {
		if e.Type != trace.ScriptParsed || e.URL != "" { // the machine's, not the fetch's
			continue
		}
		for _, t := range []trace.Type{trace.CallAnswered, trace.CommandStart, trace.CallEnded} {
			for _, b := range events[i:] {
				if b.Type == t {
					return events[i:], b.T
				}
			}
		}
	}
	return nil, time.Time{}
}

// really puts into a scenario what happened and when.
func really(sc *ozmltest.Scenario, live []trace.Event, base time.Time) *ozmltest.Scenario {
	sc.Info = ozml.CallInfo{ID: live[0].Call, Caller: sc.Info.Caller, CallerName: sc.Info.CallerName, Dialed: "9000", Extension: "9000", Direction: "Inbound"}
	acts := sc.Acts
	sc.Acts = nil
	for _, a := range acts {
		if a.Say > 0 {
			sc.Acts = append(sc.Acts, a)
		}
	}
	var ended []time.Time
	for _, e := range live {
		at := e.T.Sub(base)
		switch {
		case e.Type == trace.Key:
			sc.Acts = append(sc.Acts, ozmltest.Act{At: at, Key: ozml.Key(e.Key[0])})
		case e.Type == trace.CallEnded && e.Reason == "caller":
			sc.Acts = append(sc.Acts, ozmltest.Act{At: at, Hangup: true})
			sc.Leaves = at
		case e.Type == trace.RecordEnd:
			ended = append(ended, e.T)
		}
	}
	sc.Info.Caller = cmp.Or(sc.Info.Caller, "1001")
	sc.Info.CallerName = cmp.Or(sc.Info.CallerName, "Phone "+sc.Info.Caller)
	// RecordCompleted comes when the file is whole, up to a frame after the end;
	// on paper at once.
	n := 0
	for _, e := range live {
		if e.Type != trace.NotifySent || e.Name != "RecordCompleted" || n >= len(ended) {
			continue
		}
		url := e.URL
		answer := ozmltest.Answer{URL: url, Fields: map[string]string{}, Once: true, Status: e.Status, Body: e.Body, After: e.T.Sub(ended[n])}
		n++
		sc.Web = append([]ozmltest.Answer{answer}, sc.Web...)
	}
	for i, j := 0, n-1; i < j; i, j = i+1, j-1 {
		sc.Web[i], sc.Web[j] = sc.Web[j], sc.Web[i]
	}
	return sc
}

var (
	files  = regexp.MustCompile(`recordings/\S+`)
	tookMS = regexp.MustCompile(`\(\d+ ms\)`)
)

// lines is the transcript, and apart from it the ends of commands, with times to
// the nanosecond.
func lines(events []trace.Event, base time.Time) (transcript, ends string) {
	var all, ended strings.Builder
	for _, e := range events {
		if e.Type == trace.CallStarted || e.Code == "OZ1405" { // mp3 is not made yet
			continue
		}
		if e.Type == trace.CommandEnd {
			fmt.Fprintf(&ended, "%16v  %d:%d %s\n", e.T.Sub(base), e.Line, e.Col, e.Name)
		}
		var b strings.Builder
		p := trace.NewPrinter(&b)
		p.Live = true
		p.Since(e.T)
		if e.Type == trace.CallEnded {
			e.Seconds = 0 // the live one counts from the INVITE
		}
		p.Emit(e)
		_ = p.Flush()
		text, ok := strings.CutPrefix(b.String(), "    0.00  ")
		if !ok {
			continue
		}
		text = tookMS.ReplaceAllString(files.ReplaceAllString(text, "recordings/..."), "(ms)")
		fmt.Fprintf(&all, "%16v  %s", e.T.Sub(base), text)
	}
	return all.String(), ended.String()
}
