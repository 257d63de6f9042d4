package switchtest

import (
	"testing"
	"time"

	"ozswitch/switch/server"
)

// TestFinishedAfterHandOver: finished_url hears once of the end of a call that its
// script has given to something that is no telephone.
func TestFinishedAfterHandOver(t *testing.T) {
	for _, to := range []string{"9900", "9400", "9200"} {
		t.Run(to, func(t *testing.T) {
			company(t, func(w *World) {
				w.Web.Serve("/ivr", "<Response><BlindTransfer>"+to+"</BlindTransfer></Response>")
				w.Web.Serve("/other", "<Response><Delay>600</Delay></Response>")
				w.Web.Serve("/finished", "")
				w.Web.Serve("/finished2", "")
				for i := range w.Config.Extensions {
					if e := &w.Config.Extensions[i]; e.Number == "9000" {
						e.FinishedURL = "http://app/finished"
					}
				}
				w.Config.Extensions = append(w.Config.Extensions, server.Extension{Number: "9400", Type: "conference"}, server.Extension{Number: "9900", Type: "echo"},
					server.Extension{Number: "9200", Type: "api", URL: "http://app/other", FinishedURL: "http://app/finished2"})
				c := w.Phone("1001").Dial("9000")
				w.Pass(5 * time.Second)
				if n := len(w.Web.Posted("CallCompleted")); n != 0 {
					w.T.Errorf("%d ends were told while the call is up", n)
				}
				c.HangUp()
				want := 1
				if to == "9200" {
					want = 2 // each has its own
				}
				w.Web.Wait("CallCompleted", want)
				w.Pass(time.Minute)
				if n := len(w.Web.Posted("CallCompleted")); n != want {
					w.T.Errorf("told %d times, want %d", n, want)
				}
			}, "1001")
		})
	}
}
