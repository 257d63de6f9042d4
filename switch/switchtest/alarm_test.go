package switchtest

import (
	"testing"
	"time"

	"ozswitch/switch/server"
)

// alarms gives a world whose number 650 leads out by a line and back in to 9650, an
// application that takes alarms: an alarm goes through the whole switch twice, as
// packets, by two legs.
func alarms(w *World) {
	w.Config.Extensions = append(w.Config.Extensions, server.Extension{Number: "9650", Type: "api", URL: "http://app/receive"})
	w.Config.Lines = []server.Line{{Name: "loop", Address: server.Names{sipAddr}, Ping: server.Every(-1)}}
	w.Config.Dialplan = []server.Rule{
		{From: "script", Match: "650", To: server.Names{"loop"}},
		{From: "loop", Match: "650", To: server.Names{"9650"}},
		{From: "extension", Match: "*", To: server.Names{"9000"}},
	}
	w.Web.Serve("/receive", `<OzML><ReceiveAlarmNotification><Received>
		<GoTo>http://app/got?a=$account&amp;q=$eventqualifier&amp;e=$eventcode&amp;n=$eventname&amp;p=$partition&amp;z=$zone</GoTo>
	</Received></ReceiveAlarmNotification></OzML>`)
	w.Web.Serve("/got", `<Response><Hangup/></Response>`)
	w.Web.Serve("/result", "")
}

// TestAlarmByAPI: an alarm is sent and received.
func TestAlarmByAPI(t *testing.T) {
	Run(t, func(w *World) {
		alarms(w)
		answer := w.API("SendAlarmNotification", "PhoneNumber", "650", "AccountNumber", "4021", "EventCode", "110", "PartitionNumber", "1", "ZoneNumber", "15", "ResultUrl", "http://app/result")
		if code(answer) != "200" {
			t.Errorf("answered %s", answer)
		}
		w.Pass(20 * time.Second)
		t.Log(w.Transcript(""))
		r := w.Web.Wait("AlarmNotificationResult", 1)
		t.Log(r.Fields)
	})
}
