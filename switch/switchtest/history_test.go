package switchtest

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ozswitch/switch/phone"
	"ozswitch/switch/server"
	"ozswitch/switch/store"
)

// row is what the history has of the only call that is in it.
func (w *World) row() (c store.Call) {
	w.T.Helper()
	var all struct{ Past []json.RawMessage }
	w.Until("the call is in the history", func() bool {
		all.Past = nil
		if err := json.Unmarshal([]byte(w.Get("/v1/calls")), &all); err != nil {
			w.T.Fatal(err)
		}
		return len(all.Past) > 0
	})
	var one struct {
		store.Call
		Recordings any `json:"recordings"`
	}
	if err := json.Unmarshal(all.Past[0], &one); err != nil {
		w.T.Fatal(err)
	}
	return one.Call
}

func legsOf(c store.Call) string {
	var all []string
	for _, g := range c.Legs {
		s := g.Party + " " + g.Number + " " + g.State + " (" + g.Reason + ")"
		if g.Quality.Received > 0 {
			s += " " + g.Quality.Codec
		}
		all = append(all, s)
	}
	return strings.Join(all, "; ")
}

// TestHistoryOfLegs: the row of a call that was forwarded and answered at one of
// two telephones has all legs, and words for why each ended.
func TestHistoryOfLegs(t *testing.T) {
	company(t, func(w *World) {
		w.Config.Extensions[2].Forward.Busy = "9200"
		w.Config.Extensions = append(w.Config.Extensions, server.Extension{Number: "9200", Type: "ringgroup", Members: []string{"1003", "1004"}})
		a, b, c, d := w.Phone("1001"), w.Phone("1002"), w.Phone("1003"), w.Phone("1004")
		b.Reply = func() phone.Reply { return phone.Reply{Refuse: 486} }
		c.Reply = func() phone.Reply { return phone.Reply{Options: phone.Options{RingFor: time.Hour}} }
		d.Reply = func() phone.Reply { return phone.Reply{Options: phone.Options{RingFor: 2 * time.Second}} }
		ac := a.Dial("1002")
		w.Pass(3 * time.Second)
		ac.HangUp()
		row := w.row()
		want := "caller 1001 Completed (hung up) PCMU; callee 1002 Busy (Busy Here); " +
			"callee 1003 AnsweredElsewhere (answered elsewhere); callee 1004 Completed (the other party hung up) PCMU"
		if got := legsOf(row); got != want {
			t.Errorf("legs\n%s\nwant\n%s", got, want)
		}
		if row.To != "1004" || row.State != "CallerHungUp" || row.Dialed != "1002" || row.Direction != "Internal" {
			t.Errorf("row: to %s, state %s, dialed %s, %s", row.To, row.State, row.Dialed, row.Direction)
		}
	}, "1001", "1002", "1003", "1004")
}

// TestHistoryOfNobody: a call that nobody took is there with the reason in words.
func TestHistoryOfNobody(t *testing.T) {
	company(t, func(w *World) {
		if got := w.Phone("1001").Refused("1002"); got != 480 {
			t.Errorf("refused with %d, want 480", got)
		}
		row := w.row()
		if row.State != "NoAnswer" || row.Reason != "extension 1002 is not registered: no telephone of it can be called" {
			t.Errorf("state %s, reason %q", row.State, row.Reason)
		}
	}, "1001", "1002")
}

// TestHistoryAfterKill: a call that was up when the process was killed is in the
// history after the next start, with what its log had.
func TestHistoryAfterKill(t *testing.T) {
	company(t, func(w *World) {
		a, b := w.Phone("1001"), w.Phone("1002")
		ac, _ := w.talk(a, b)
		id := ac.ID()
		w.Pass(2 * time.Second)
		// What was on disk at that moment is what a kill -9 leaves.
		var name string
		_ = filepath.WalkDir(filepath.Join(w.Config.Data, "calls"), func(path string, _ os.DirEntry, _ error) error {
			if strings.HasSuffix(path, id+".jsonl") {
				name = path
			}
			return nil
		})
		log, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(log), "call.bridged") {
			t.Fatalf("after 2 s the log has no call.bridged:\n%s", log)
		}
		alive, err := os.ReadFile(filepath.Join(w.Config.Data, "alive"))
		if err != nil {
			t.Fatal(err)
		}
		w.Stop()
		if err := os.WriteFile(filepath.Join(w.Config.Data, "alive"), alive, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(filepath.Join(w.Config.Data, "ozswitch.db")); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, log, 0o600); err != nil {
			t.Fatal(err)
		}
		w.Pass(time.Second)
		w.Restart()
		row := w.row()
		if got := legsOf(row); row.ID != id || row.To != "1002" || !strings.Contains(row.Reason, "without warning") || row.Ended.Sub(row.Started) < time.Second || len(row.Legs) != 2 || row.Legs[1].State != "Completed" || row.Legs[1].Reason != row.Reason {
			t.Errorf("row %+v\nlegs %s\n%s", row, got, log)
		}
	}, "1001", "1002")
}

// TestCallChangedOfPhones: every state of a call between telephones is told, in
// order, transfers too.
func TestCallChangedOfPhones(t *testing.T) {
	company(t, func(w *World) {
		w.Config.CallChangedURL = "http://app/changed"
		w.Web.Serve("/changed", "")
		a, b, third := w.Phone("1001"), w.Phone("1002"), w.Phone("1003")
		b.Reply = func() phone.Reply { return phone.Reply{Options: phone.Options{RingFor: time.Second}} }
		third.Reply = func() phone.Reply { return phone.Reply{Options: phone.Options{RingFor: time.Second}} }
		ac, bc := w.talk(a, b)
		w.Pass(time.Second)
		if err := ac.Hold(context.Background(), true); err != nil {
			t.Fatal(err)
		}
		w.Pass(time.Second)
		if err := ac.Hold(context.Background(), false); err != nil {
			t.Fatal(err)
		}
		w.Pass(time.Second)
		if err := bc.Refer(context.Background(), at("1003")); err != nil {
			t.Fatal(err)
		}
		third.Next()
		w.Pass(time.Second)
		ac.HangUp()
		w.Until("the end was told", func() bool { return len(w.Web.Posted("CallChanged")) >= 8 })
		var told []string
		for _, p := range w.Web.Posted("CallChanged") {
			told = append(told, p.Fields.Get("CallState"))
		}
		if got := strings.Join(told, " "); got != "Ringing Answered InCall Hold InCall Transferred InCall Completed" {
			t.Errorf("told %s", got)
		}
	}, "1001", "1002", "1003")
}
