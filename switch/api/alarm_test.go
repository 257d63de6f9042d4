package api

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"ozswitch/internal/golden"
	"ozswitch/ozml"
)

// SendAlarm reaches 650, which gives no handshake; any other number is as in Dial.
func (x *exchange) SendAlarm(ctx context.Context, a ozml.AlarmCall) error {
	x.alarm = a
	if a.To != "650" {
		_, err := x.Dial(ctx, ozml.Dial{To: a.To, Extension: a.Extension})
		return err
	}
	a.Rings()
	return &ozml.AlarmError{Sent: true, Msg: "no handshake was heard"}
}

func alarmCases() []answerCase {
	const all = "command=SendAlarmNotification&PhoneNumber=650&ApiExtension=9994&ResultUrl=http%3a%2f%2fapp.example%2falarm.php" +
		"&AccountNumber=1234&EventQualifier=NewRestore&EventCode=110&PartitionNumber=1&ZoneNumber=10"
	without := func(name string) string {
		return strings.Join(slices.DeleteFunc(strings.Split(all, "&"), func(p string) bool { return strings.HasPrefix(p, name+"=") }), "&")
	}
	return []answerCase{
		{"all of it", get(all), 200},
		{"by POST, in lower case, as Ozeki 10 names the number", post("/api?Username=HTTP_User_1&Password=qwe123", "command=sendalarmnotification&Phone+number=650&accountnumber=bcde&eventcode=1&partitionnumber=0&zonenumber=0", form), 200},
		{"no number", get(without("PhoneNumber")), 302},
		{"no account", get(without("AccountNumber")), 302},
		{"no event", get(without("EventCode")), 302},
		{"no partition", get(without("PartitionNumber")), 302},
		{"no zone", get(without("ZoneNumber")), 302},
		{"an account of three digits", get(without("AccountNumber") + "&AccountNumber=123"), 302},
		{"an event of four digits", get(without("EventCode") + "&EventCode=1100"), 302},
		{"a partition of three digits", get(without("PartitionNumber") + "&PartitionNumber=111"), 302},
		{"a zone that is none", get(without("ZoneNumber") + "&ZoneNumber=1A"), 302},
		{"a qualifier that is none", get(without("EventQualifier") + "&EventQualifier=Over"), 302},
		{"a ResultUrl that is none", get(without("ResultUrl") + "&ResultUrl=alarm.php"), 302},
		{"no such API extension", get("ApiExtension=666&PhoneNumber=100&" + without("ApiExtension")), 401},
		{"busy", get(without("PhoneNumber") + "&PhoneNumber=busy"), 402},
		{"out of order", get(without("PhoneNumber") + "&PhoneNumber=broken"), 402},
		{"receiving is for scripts", get("command=ReceiveAlarmNotification"), 303},
	}
}

// What SendAlarmNotification answers, to the letter, and what it asks for.
func TestAlarmAnswers(t *testing.T) {
	var got strings.Builder
	for _, c := range alarmCases() {
		h, x := testCommands(testAccess())
		c.ask(t, h, &got)
		if a := x.alarm; a.To != "" {
			fmt.Fprintf(&got, "asked for: %s to %s by %q, result to %q, wait %v\n\n", a.Message.Digits(), a.To, a.Extension, a.ResultURL, a.Wait)
		}
	}
	golden.File(t, "testdata/alarm.txt", []byte(got.String()))
}
