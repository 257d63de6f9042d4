package presence

import (
	"encoding/xml"
	"fmt"
	"strings"
	"testing"
)

// TestDialogInfo is the documents of a call from beginning to end (RFC 4235 3.8 and
// the examples of section 6).
func TestDialogInfo(t *testing.T) {
	const head = `<?xml version="1.0"?><dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="%d" state="full" entity="sip:1001@pbx"`
	ann, bob := Identity{"1001", "Ann"}, Identity{"1002", `Bob "the <b>" & Co`}
	const local = `<local><identity display="Ann">sip:1001@pbx</identity><target uri="sip:1001@pbx"/></local>`
	const remote = `<remote><identity display="Bob &quot;the &lt;b&gt;&quot; &amp; Co">sip:1002@pbx</identity><target uri="sip:1002@pbx"`
	for i, c := range []struct {
		name string
		all  []Dialog
		want string
	}{
		{"no call", nil, `/>`},
		{"it is called", []Dialog{{ID: "a", State: Early, Local: ann, Remote: bob}},
			`><dialog id="a" direction="recipient"><state>early</state>` + local + remote + `/></remote></dialog></dialog-info>`},
		{"they talk", []Dialog{{ID: "a", State: Confirmed, Duration: 7, Local: ann, Remote: bob}},
			`><dialog id="a" direction="recipient"><state>confirmed</state><duration>7</duration>` + local + remote + `/></remote></dialog></dialog-info>`},
		{"on hold", []Dialog{{ID: "a", State: Confirmed, Held: true, Local: ann, Remote: bob}},
			`><dialog id="a" direction="recipient"><state>confirmed</state><duration>0</duration>` + local + remote + `><param pname="+sip.rendering" pval="no"/></target></remote></dialog></dialog-info>`},
		{"over, and it calls somebody that nobody knows", []Dialog{{ID: "a", State: Terminated, Local: ann, Remote: bob}, {ID: "b\x00", Calls: true, State: Trying, Local: Identity{Number: "1001"}}},
			`><dialog id="a" direction="recipient"><state>terminated</state>` + local + remote + `/></remote></dialog>` +
				`<dialog id="b " direction="initiator"><state>trying</state><local><identity>sip:1001@pbx</identity><target uri="sip:1001@pbx"/></local><remote/></dialog></dialog-info>`},
	} {
		if got := string(DialogInfo("1001", "pbx", uint32(i), c.all)); got != fmt.Sprintf(head, i)+c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, fmt.Sprintf(head, i)+c.want)
		}
	}
}

func TestManyDialogs(t *testing.T) {
	var all []Dialog
	for i := range 30 {
		d := Dialog{ID: fmt.Sprint(i), State: Confirmed}
		if i%3 == 0 {
			d.State = Terminated
		}
		all = append(all, d)
	}
	got := string(DialogInfo("1", "pbx", 0, all))
	if n := strings.Count(got, "<dialog "); n != mostDialogs || strings.Contains(got, "terminated") || !strings.Contains(got, `id="29"`) {
		t.Errorf("%d dialogs, want the %d latest that stand: %s", n, mostDialogs, got)
	}
}

func TestSummary(t *testing.T) {
	for want, c := range map[string][2]int{
		"Messages-Waiting: yes\r\nMessage-Account: sip:10%2301@pbx\r\nVoice-Message: 2/8 (0/0)\r\n": {2, 8},
		"Messages-Waiting: no\r\nMessage-Account: sip:10%2301@pbx\r\nVoice-Message: 0/3 (0/0)\r\n":  {0, 3},
	} {
		if got := string(Summary("10#01", "pbx", c[0], c[1])); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// FuzzDialogInfo: whatever names and numbers are, the document can be read.
func FuzzDialogInfo(f *testing.F) {
	f.Add("1001", "Ann", "a", uint32(0))
	f.Add("\x00<", "\xff\"&", "\ufffe]]>", uint32(1<<31))
	f.Fuzz(func(t *testing.T, number, name, id string, version uint32) {
		b := DialogInfo(number, "pbx", version, []Dialog{{ID: id, State: Confirmed, Local: Identity{number, name}, Remote: Identity{name, number}}})
		var into struct {
			XMLName xml.Name
			Version uint32 `xml:"version,attr"`
			Dialog  struct {
				State string `xml:"state"`
			} `xml:"dialog"`
		}
		if err := xml.Unmarshal(b, &into); err != nil || into.Version != version || into.Dialog.State != "confirmed" {
			t.Errorf("%s: %v, %+v", b, err, into)
		}
	})
}
