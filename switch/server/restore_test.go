package server

import (
	"slices"
	"testing"
	"time"

	"ozswitch/ozml/trace"
)

// TestRebuild: the row of a call from its log, of one that ended and of one that
// was cut off.
func TestRebuild(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(1_800_000_000+int64(s), 0) }
	log := []trace.Event{
		{T: at(0), Type: trace.CallStarted, Leg: "a", Extension: "1001", From: "1001", To: "9200", Direction: "Internal", Peer: "10.1.0.1:5060"},
		{T: at(1), Type: trace.LegRinging, Leg: "b", Name: "callee", To: "1002", Extension: "1002"},
		{T: at(1), Type: trace.LegRinging, Leg: "c", Name: "callee", To: "+361", Via: "carrier"},
		{T: at(3), Type: trace.LegFailed, Leg: "b", Name: "callee", To: "1002", Extension: "1002", Status: 486, Reason: "Busy Here"},
		{T: at(5), Type: trace.CallAnswered},
		{T: at(5), Type: trace.CallBridged, Leg: "c", Name: "callee", To: "+361", Via: "carrier"},
		{T: at(9), Type: trace.Error, Code: "OZ1400", Text: "something"},
	}
	play := func(log []trace.Event) func(func(trace.Event) bool) { return slices.Values(log) }
	alive := at(8)
	row, ok := rebuild("X", alive, play(log))
	if !ok || row.ID != "X" || row.From != "1001" || row.To != "+361" || row.State != "Error" || row.Reason != killed || row.Ended != at(9) || row.Ring != 5*time.Second || row.Talk != 4*time.Second || row.Problem == "" {
		t.Errorf("cut off: %+v", row)
	}
	if len(row.Legs) != 3 || row.Legs[0].Extension != "1001" || row.Legs[1].State != "Busy" || row.Legs[1].Ended != at(3) ||
		row.Legs[2].Line != "carrier" || row.Legs[2].Answered != at(5) || row.Legs[2].Ended != at(9) || row.Legs[2].Reason != killed {
		t.Errorf("its legs: %+v", row.Legs)
	}
	if row, _ = rebuild("X", at(11), play(log)); row.Ended != at(11) || row.Legs[2].Ended != at(11) {
		t.Errorf("cut off after its last event: %+v", row)
	}
	row, _ = rebuild("X", alive, play(append(log, trace.Event{T: at(20), Type: trace.MediaQuality, Leg: "a", Name: "PCMA", Received: 7}, trace.Event{T: at(20), Type: trace.CallEnded, Reason: "callee"})))
	if row.State != "CalleeHungUp" || row.Result != "callee" || row.Ended != at(20) || row.Quality.Codec != "PCMA" || row.Legs[2].State != "Completed" {
		t.Errorf("ended: %+v", row)
	}
	if row, _ = rebuild("X", alive, play(slices.Concat(log[:2], []trace.Event{{T: at(9), Type: trace.CallEnded, Reason: "caller"}}))); row.State != "Cancelled" || row.Legs[1].State != "Cancelled" {
		t.Errorf("given up: %+v", row)
	}
	if _, ok = rebuild("X", alive, play(log[1:])); ok {
		t.Error("a log without its beginning made a row")
	}
}
