//go:build peers

package peers

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ozswitch/media/pace"
	"ozswitch/switch/phone"
)

// startPHP starts an app of examples/office.
func startPHP(t *testing.T, file string) (url string, p *proc) {
	t.Helper()
	need(t, "php")
	for _, l := range languages {
		if l.peer == "php" {
			return startApp(t, filepath.Join(examples, "office", file), l.command, "TMPDIR="+t.TempDir())
		}
	}
	return "", nil
}

// waits is a telephone that takes one call: `ozswitch call --wait`.
func (n *node) waits(t *testing.T, user string, arg ...string) *proc {
	t.Helper()
	p := start(t, t.TempDir(), nil, append([]string{program(t), "call", "--wait", "--user", user, "--password", deskPassword, "--server", n.sip}, arg...)...)
	eventually(t, user+" is registered", func() bool {
		if p.ended() {
			t.Fatalf("%s: %v\n%s", user, p.err, p.out.String())
		}
		return strings.Contains(p.out.String(), "registered as")
	})
	return p
}

// dials is a telephone that calls as an extension.
func (n *node) dials(t *testing.T, user, number string, arg ...string) *proc {
	t.Helper()
	return start(t, t.TempDir(), nil, append([]string{program(t), "call", number, "--user", user, "--password", deskPassword, "--server", n.sip}, arg...)...)
}

// saysSoon waits until a program has written something.
func saysSoon(t *testing.T, p *proc, what string) {
	t.Helper()
	eventually(t, p.name+" writes "+what, func() bool {
		return strings.Contains(p.out.String(), what)
	})
}

// TestRoutingApp: a web app tries three people in turn: the first is not there,
// the second does not answer, the third does.
func TestRoutingApp(t *testing.T) {
	app, php := startPHP(t, "routing.php")
	n := serveGuests(t, "none", "http://127.0.0.1:9/", `  - {number: "1004", type: phone, password: `+deskPassword+`}
  - {number: "9100", type: script}
`+matrixExtensions+`routing_url: `+app+"\n")
	second := n.waits(t, "1002", "--ring-for", "50s")
	third := n.waits(t, "1003")
	caller := n.dials(t, "1004", "8000", "--hangup-after", "2s")
	eventually(t, "the call is over", caller.ended)
	if caller.err != nil || !strings.Contains(caller.out.String(), "answered") {
		t.Errorf("the caller was not answered: %v\n%s", caller.err, caller.out.String())
	}
	saysSoon(t, third, "call ended")
	if !strings.Contains(second.out.String(), "call from 1004") || strings.Contains(second.out.String(), "answered") {
		t.Errorf("the second telephone did not just ring:\n%s", second.out.String())
	}
	var asked []string
	for line := range strings.Lines(php.out.String()) {
		if _, what, ok := strings.Cut(line, "routing: "); ok {
			asked = append(asked, strings.TrimSpace(what))
		}
	}
	t.Logf("the app was asked: %q", asked)
	if len(asked) != 3 || !strings.HasSuffix(asked[0], "-> 1001") || !strings.HasSuffix(asked[1], "1001 -> 1002") || asked[2] != "NoAnswer 1002 -> 1003" {
		t.Errorf("the app was asked %q, want for 1001, 1002 and 1003", asked)
	}
	n.close(t)
}

// TestAnnouncingApp: a web app that is told of each change speaks to both and
// gives the caller to somebody else.
func TestAnnouncingApp(t *testing.T) {
	need(t, "sox")
	app, _ := startPHP(t, "announce.php")
	n := serveGuests(t, "none", "http://127.0.0.1:9/", matrixExtensions+"call_changed_url: "+app+"\n")
	heard := filepath.Join(t.TempDir(), "caller.wav")
	expert := n.waits(t, "1003", "--say", tone(t, filepath.Join(t.TempDir(), "tone.wav"), tone1003, 20))
	called := n.waits(t, "1002")
	caller := n.dials(t, "1001", "1002", "--record", heard)
	saysSoon(t, called, "call ended") // he was replaced
	saysSoon(t, expert, "  sound\n")
	caller.stop()
	saysSoon(t, expert, "call ended")
	if rms, _ := hear(t, heard, 0.2, 1.5); rms < 0.01 {
		t.Errorf("the caller heard no sentence (%.4f)", rms)
	}
	n.close(t)
	calls := n.history(t)
	if len(calls) != 1 {
		t.Errorf("%d calls in the event logs, want one", len(calls))
	}
}

// history gives the names of the event logs of all calls.
func (n *node) history(t *testing.T) (files []string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(n.data, "calls"), func(name string, _ os.DirEntry, err error) error {
		if b, _ := os.ReadFile(name); strings.HasSuffix(name, ".jsonl") && strings.Contains(string(b), `"call.started"`) {
			files = append(files, name) // others are of no call
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	slices.Sort(files)
	return files
}

// TestHundredRegistrations: after a restart every telephone that was registered
// is reached, without having said a word.
func TestHundredRegistrations(t *testing.T) {
	const many = 100
	var list strings.Builder
	for i := range many {
		fmt.Fprintf(&list, "  - {number: \"%d\", type: phone, password: %s}\n", 2000+i, deskPassword)
	}
	list.WriteString("users:\n  - {name: HTTP_User_1, password: orange-lantern, api: true}\n")
	n := serveGuests(t, "none", "http://127.0.0.1:9/", list.String())
	phones := registerMany(t, n, 2000, many)
	n.close(t)
	n.restart(t)
	for i := range many {
		number := fmt.Sprint(2000 + i)
		ask(t, "http://"+n.http+"/api?command=Call&Username=HTTP_User_1&Password=orange-lantern&ApiExtension=9000&Dialed="+number+
			"&ResponseOzML=%3CResponse%3E%3CHangup/%3E%3C/Response%3E", nil)
	}
	eventually(t, "all are called", func() bool { return phones.called() == many })
	n.close(t)
}

// TestKilledInCalls: after kill -9 the history has every call that was up for longer
// than the writer of logs takes, with both its legs, until within two seconds of
// the kill.
func TestKilledInCalls(t *testing.T) {
	const many = 5
	var list strings.Builder
	for i := range 2 * many {
		fmt.Fprintf(&list, "  - {number: \"%d\", type: phone, password: %s}\n", 2000+i, deskPassword)
	}
	list.WriteString("users:\n  - {name: HTTP_User_1, password: orange-lantern, api: true, admin: true}\n")
	n := serveGuests(t, "none", "http://127.0.0.1:9/", list.String())
	phones := registerMany(t, n, 2000, many)
	var callers []*proc
	for i := range many {
		callers = append(callers, n.dials(t, fmt.Sprint(2000+many+i), fmt.Sprint(2000+i)))
	}
	for _, c := range callers {
		saysSoon(t, c, "  sound\n")
	}
	if phones.called() != many {
		t.Fatalf("%d telephones were called, want %d", phones.called(), many)
	}
	eventually(t, "the event logs say that they talk", func() bool { // what befell a call in its last moment is in memory yet
		talk := 0
		for _, file := range n.history(t) {
			if b, _ := os.ReadFile(file); strings.Contains(string(b), `"call.bridged"`) {
				talk++
			}
		}
		return talk == many
	})
	killed := time.Now()
	if err := n.cmd.Process.Signal(os.Kill); err != nil {
		t.Fatal(err)
	}
	<-n.done
	for _, c := range callers { // they would wait for the switch
		_ = c.cmd.Process.Signal(os.Kill)
		<-c.done
	}
	n.restart(t)
	type row struct {
		From, Dialed, State, Reason string
		Answered, Ended             time.Time
		Legs                        []struct{ Number, Extension string }
	}
	var calls struct{ Past []row }
	eventually(t, "the history has them", func() bool {
		n.get(t, "/v1/calls", &calls)
		return len(calls.Past) >= many
	})
	if len(calls.Past) != many {
		t.Errorf("%d rows, want %d", len(calls.Past), many)
	}
	for _, c := range calls.Past {
		if c.Answered.IsZero() || len(c.Legs) != 2 || c.Ended.Before(killed.Add(-2*time.Second)) || c.Ended.After(killed.Add(time.Second)) || c.Reason == "" {
			t.Errorf("killed at %v: %+v", killed.UTC(), c)
		}
	}
	if len(calls.Past) > 0 {
		t.Logf("%s -> %s: %s, ended %v before the kill", calls.Past[0].From, calls.Past[0].Dialed, calls.Past[0].Reason, killed.Sub(calls.Past[0].Ended))
	}
	n.close(t)
}

// A fleet is telephones that registered.
type fleet struct {
	registered atomic.Int64
	numbers    sync.Map // of those that were called
}

// called is how many of them were called at least once.
func (f *fleet) called() (n int) {
	f.numbers.Range(func(any, any) bool { n++; return true })
	return n
}

// registerMany registers telephones at a switch, for an hour, from ports of their
// own that stay open until the test's end.
func registerMany(t *testing.T, n *node, first, many int) *fleet {
	t.Helper()
	f := &fleet{}
	pacer := pace.New(pace.Config{})
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var wg sync.WaitGroup
	t.Cleanup(func() { stop(); wg.Wait() })
	wg.Go(func() { _ = pacer.Run(ctx) })
	for i := range many {
		number := fmt.Sprint(first + i)
		p := phone.New(phone.Config{User: number, Password: deskPassword, Register: n.sip, Expires: time.Hour, Pacer: pacer,
			Registered: func(err error) {
				if err == nil {
					f.registered.Add(1)
				}
			},
			Incoming: func(*phone.Call) phone.Reply {
				f.numbers.Store(number, true)
				return phone.Reply{}
			},
		})
		wg.Go(func() { _ = p.Run(ctx) })
	}
	eventually(t, "all are registered", func() bool { return f.registered.Load() >= int64(many) })
	return f
}
