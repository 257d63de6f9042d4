package switchtest

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ozswitch/ozml"
	"ozswitch/ozml/ozmltest"
	"ozswitch/ozml/trace"
	"ozswitch/switch/phone"
	"ozswitch/switch/server"
)

// TestConformance makes a real call of every scenario of ozml/conformance that is
// marked live. What happens is what is wanted there but for the times: the same
// lines in the same order, and the same notifications with the same fields.
func TestConformance(t *testing.T) {
	names, err := filepath.Glob("../../ozml/conformance/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	live := 0
	for _, name := range names {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		a := ozmltest.ParseArchive(string(src))
		if !slices.Contains(strings.Split(a.Comment, "\n"), "live") {
			continue
		}
		live++
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			t.Parallel() // each is a switch of its own
			conforms(t, a)
		})
	}
	if live < 40 {
		t.Errorf("%d scenarios are marked live, want at least 40", live)
	}
}

func conforms(t *testing.T, a *ozmltest.Archive) {
	part := func(name string) string {
		s, _ := a.Get(name)
		return s
	}
	sc, err := ozmltest.Parse("caller", part("caller"), func(file string) (string, error) { return part(file), nil })
	if err != nil {
		t.Fatal(err)
	}
	Run(t, func(w *World) {
		live := liveCall
		if sc.Setting == ozml.ThirdParty {
			live = liveVisit
		}
		events, _ := beginning(live(w, sc, part("script.xml")))
		got, reports := timeless(strings.Split(transcript(events), "\n"))
		want, wantReports := timeless(strings.Split(part("want"), "\n"))
		if !slices.Equal(got, want) {
			t.Errorf("the live call:\n%s\nwanted:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if !slices.Equal(reports, wantReports) {
			t.Errorf("reports of the live call:\n%s\nwanted:\n%s", strings.Join(reports, "\n"), strings.Join(wantReports, "\n"))
		}
		if text, ok := a.Get("posted"); ok {
			compareNotifications(t, strings.Split(strings.TrimSpace(text), "\n"), w.Web.Posted(""))
		}
	})
}

// liveVisit makes a call between two telephones, answers its CallChanged with the
// script once they talk, and gives the events of the call.
func liveVisit(w *World, sc *ozmltest.Scenario, src string) []trace.Event {
	w.Config.SIP.Guests, w.Config.Dialplan, w.Config.CallChangedURL = "none", nil, "http://app/changed"
	numbers := []string{"1001", "1002"}
	for _, n := range slices.Sorted(maps.Keys(sc.Dial)) {
		if sc.Dial[n].State != "NotFound" {
			numbers = append(numbers, n)
		}
	}
	for _, n := range numbers {
		w.Config.Extensions = append(w.Config.Extensions, server.Extension{Number: n, Type: "phone", Password: server.Secret("pw-" + n)})
	}
	soundFiles(w, sc, src)
	scenarioWeb(w, sc)
	var asked atomic.Bool // commands of the script change the state again
	w.Web.Handle("/changed", func(p Post) Answer {
		if p.Fields.Get("CallState") == "InCall" && !asked.Swap(true) {
			return Answer{Body: src}
		}
		return Answer{}
	})
	phones := map[string]*Phone{}
	for _, n := range numbers {
		phones[n] = w.Phone(n)
		replies(phones[n], sc.Dial[n])
	}
	o := phone.Options{HangupAfter: time.Hour}
	for _, a := range sc.Acts {
		if a.Hangup {
			o.HangupAfter = a.At
		}
	}
	c := phones["1001"].Place("1002", o)
	c.Over()
	w.Pass(time.Minute)
	return w.Events(c.ID())
}

// transcript prints what a call on paper has too: no words about legs.
func transcript(events []trace.Event) string {
	var b strings.Builder
	p := trace.NewPrinter(&b)
	for _, e := range events {
		switch e.Type {
		case trace.CallStarted, trace.CallBridged, trace.CallRouted, trace.LegRinging, trace.LegFailed, trace.CallTransferred, trace.CallHeld, trace.CallResumed:
			continue
		}
		if e.Name == "CallChanged" { // the notification that the script is an answer to
			continue
		}
		if e.Code == "OZ1405" { // mp3 is not made here
			continue
		}
		p.Emit(e)
	}
	_ = p.Flush()
	return b.String()
}

var (
	lengths = regexp.MustCompile(` \(\d+\.\d s\)$|, \d+\.\d s$| \(\d+ ms\)`)
	clock   = regexp.MustCompile(`^ *\d+\.\d\d  `)
)

// timeless takes times, lengths and names of recordings out of a transcript, and
// the reports, which come when they come, apart.
func timeless(lines []string) (all, reports []string) {
	for _, l := range lines {
		l = lengths.ReplaceAllString(clock.ReplaceAllString(l, ""), "")
		l = files.ReplaceAllString(l, "recordings/...")
		switch {
		case l == "", strings.HasPrefix(l, "call 1"), strings.HasPrefix(l, "reply "):
		case strings.HasPrefix(l, "notify "):
			reports = append(reports, l)
		default:
			all = append(all, l)
		}
	}
	return all, reports
}

// differ are fields that are not the same in a real call.
var differ = []string{"RecordURL", "RecordPath", "Size", "Duration", "Document"}

// compareNotifications compares what the web app was told with what is wanted,
// one name after the other; a scenario says nothing of how the call began.
func compareNotifications(t *testing.T, want []string, got []Post) {
	t.Helper()
	var names []string
	wanted := map[string][]string{}
	for _, l := range want {
		if f := strings.Fields(l); len(f) > 2 {
			if wanted[f[1]] == nil {
				names = append(names, f[1])
			}
			wanted[f[1]] = append(wanted[f[1]], strings.Join(f[2:], " "))
		}
	}
	for _, d := range ozml.Notifications() {
		if wanted[d.Name] == nil && d.Name != "IncomingCall" && d.Name != "CallChanged" {
			names = append(names, d.Name) // there must be none
		}
	}
	for _, name := range names {
		posts := slices.DeleteFunc(slices.Clone(got), func(p Post) bool { return p.Name != name })
		if len(posts) != len(wanted[name]) {
			t.Errorf("%d times %s was posted, want %d", len(posts), name, len(wanted[name]))
			continue
		}
		for i, p := range posts {
			url, fields, _ := strings.Cut(wanted[name][i], " ")
			if has := "http://" + p.Host + p.Path; has != url {
				t.Errorf("%s was posted to %s, want %s", name, has, url)
			}
			compareFields(t, name, fields, p)
		}
	}
}

var field = regexp.MustCompile(`(?:^| )([A-Z]\w+)=`)

func compareFields(t *testing.T, name, fields string, p Post) {
	t.Helper()
	at := field.FindAllStringSubmatchIndex(fields, -1)
	for i, m := range at {
		end := len(fields)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		key, value := fields[m[2]:m[3]], fields[m[1]:end]
		if has := p.Fields.Get(key); has != value && !slices.Contains(differ, key) {
			t.Errorf("%s says %s=%q, want %q", name, key, has, value)
		}
		if slices.Contains(differ, key) && p.Fields.Get(key) == "" {
			t.Errorf("%s says nothing of %s", name, key)
		}
	}
	for _, must := range []string{"NotificationName", "CallID", "CallId", "CallerID", "CallerId", "Direction", "Timestamp"} {
		if p.Fields.Get(must) == "" {
			t.Errorf("%s has no %s: %v", name, must, fmt.Sprint(p.Fields))
		}
	}
}
