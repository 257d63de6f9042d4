package switchtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ozswitch/switch/phone"
)

// TestLadder: however an app fails, the caller hears something within 2 s of
// the failure, and error_url is told.
func TestLadder(t *testing.T) {
	const sorry = "We are sorry"
	for _, c := range []struct {
		name           string
		app, fallback  func(Post) Answer // nil: nobody is there
		file           string            // fallback_script
		hears, code    string
		failsAfter     time.Duration // the INVITE
		moreThanOnePut bool
	}{
		{name: "down", hears: sorry, code: "OZ1302"},
		{name: "HTML", app: answer(Answer{Type: "text/html", Body: "<!DOCTYPE html>\n<html><body>Login</body></html>"}), hears: sorry, code: "OZ1004"},
		{name: "empty", app: answer(Answer{}), hears: sorry, code: "OZ"},
		{name: "500", app: answer(Answer{Status: 500, Body: "<Response><Speak>no</Speak></Response>"}), hears: sorry, code: "OZ1304"},
		{name: "bad XML", app: answer(Answer{Body: "<Response><Speak>A & B</Speak></Response>"}), hears: sorry, code: "OZ10"},
		{name: "slow", app: answer(Answer{After: time.Hour}), hears: sorry, code: "OZ1303", failsAfter: 10 * time.Second},
		{name: "cut off", app: answer(Answer{Drop: true}), hears: sorry, code: "OZ13"},
		{name: "fallback_url", fallback: answer(Answer{Body: "<Response><Speak>second</Speak></Response>"}), hears: "second", code: "OZ1302"},
		{name: "fallback_url slow", fallback: answer(Answer{After: time.Hour}), hears: sorry, code: "OZ1302"},
		{name: "fallback_script", fallback: answer(Answer{Status: 404}), file: "<Response><Speak>third</Speak></Response>", hears: "third", code: "OZ1302"},
		{name: "fallback_script bad", file: "nothing", hears: sorry, code: "OZ1302"},
	} {
		t.Run(c.name, func(t *testing.T) {
			Run(t, func(w *World) {
				e := &w.Config.Extensions[0]
				e.URL, e.ErrorURL = "http://first/a", "http://app/error"
				w.Web.Serve("/error", "")
				if c.app == nil {
					w.Web.Down("first")
				} else {
					w.Web.Handle("/a", c.app)
				}
				if c.fallback != nil {
					e.FallbackURL = "http://second/b"
					w.Web.Handle("/b", c.fallback)
				}
				if c.file != "" {
					e.FallbackScript = filepath.Join(w.Config.Data, "fallback.xml")
					if err := os.WriteFile(e.FallbackScript, []byte(c.file), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				ann := w.Phone("1001")
				dialled := time.Now()
				call := ann.Place("9000", phone.Options{})
				<-time.After(c.failsAfter)
				call.Hears(c.hears)
				begun := time.Since(dialled) - Length(c.hears)
				if late := begun - c.failsAfter; late > 2*time.Second {
					t.Errorf("the caller heard something %v after the failure, want 2 s at most", late)
				}
				call.Ends()
				p := w.Web.Wait("Error", 1)
				if got := p.Fields.Get("ErrorCode"); !strings.HasPrefix(got, c.code) || p.Fields.Get("ErrorMessage") == "" {
					t.Errorf("Error says %q %q, want %s", got, p.Fields.Get("ErrorMessage"), c.code)
				}
				if n := len(w.Web.Posted("Error")); n != 1 {
					t.Errorf("%d Error notifications, want 1", n)
				}
			})
		})
	}
}

func answer(a Answer) func(Post) Answer { return func(Post) Answer { return a } }

// TestFaultInTheMiddle: a script that runs is not ended by an app that fails.
func TestFaultInTheMiddle(t *testing.T) {
	Run(t, func(w *World) {
		w.Config.Extensions[0].ErrorURL = "http://app/error"
		w.Web.Serve("/error", "")
		w.Web.Serve("/ivr", `<Response><GoTo>http://down/x</GoTo><Speak>still here</Speak></Response>`)
		w.Web.Down("down")
		c := w.Phone("1001").Dial("9000")
		c.Hears("still here")
		c.Ends()
		w.Web.Wait("Error", 1)
	})
}
