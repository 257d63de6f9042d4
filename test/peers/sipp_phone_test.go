//go:build peers

package peers

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A scene of a sipp scenario, and steps that several cells share. sipp echoes the
// sound that it gets, so whoever talks to it hears himself.
type scene = string

// request is one that sipp sends within its call; cseq counts them.
func request(method string, cseq int, headers, body string) scene {
	s := `  <send retrans="500"><![CDATA[
` + method + ` [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:1001@localhost>;tag=[call_number]sipp
To: <sip:[service]@localhost>[peer_tag_param]
Call-ID: [call_id]
CSeq: ` + fmt.Sprint(cseq, " ", method) + `
Contact: <sip:1001@[local_ip]:[local_port]>
Max-Forwards: 70
` + headers + `Content-Length: [len]

` + body + `]]></send>
`
	if method == "ACK" {
		s = strings.Replace(s, ` retrans="500"`, "", 1)
	}
	return s
}

const allowed = "Allow: INVITE, ACK, BYE, CANCEL, NOTIFY, INFO, REFER\n"

// sdp is a description without telephone-events: keys go by INFO then.
func sdp(version int, direction string) string {
	return fmt.Sprintf(`v=0
o=sipp 1 %d IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0
a=rtpmap:0 PCMU/8000
a=%s
`, version, direction)
}

const typeSDP = "Content-Type: application/sdp\n"

// invite calls, is asked who it is, and is answered.
func sippInvite() scene {
	first := func(cseq int, more string) scene {
		s := request("INVITE", cseq, more+allowed+typeSDP, sdp(1, "sendrecv"))
		s = strings.Replace(s, "[next_url]", "sip:[service]@[remote_ip]:[remote_port]", 1)
		return strings.Replace(s, "[peer_tag_param]", "", 1)
	}
	refused := strings.Replace(request("ACK", 1, "", ""), "[next_url]", "sip:[service]@[remote_ip]:[remote_port]", 1)
	return first(1, "") + `  <recv response="100" optional="true"/>
  <recv response="401" auth="true"/>
` + refused + first(2, "[authentication username=1001 password="+deskPassword+"]\n") + sippAnswered(2)
}

// sippAnswered waits for the answer to an INVITE and acknowledges it.
func sippAnswered(cseq int) scene {
	return `  <recv response="100" optional="true"/>
  <recv response="180" optional="true"/>
  <recv response="183" optional="true"/>
  <recv response="200" rrs="true"/>
` + request("ACK", cseq, "", "")
}

func sippReinvite(cseq int, direction string) scene {
	return request("INVITE", cseq, typeSDP, sdp(cseq, direction)) + sippAnswered(cseq)
}

// sippWaits waits for a request and answers it.
func sippWaits(method, check, headers, body string) scene {
	return `  <recv request="` + method + `">` + check + `</recv>
` + sippAnswers(headers, body)
}

func sippAnswers(headers, body string) scene {
	return `  <send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:1001@[local_ip]:[local_port]>
` + headers + `Content-Length: [len]

` + body + `]]></send>
`
}

const sippBye = `  <recv response="200"/>
`

// sippCalled takes a call.
func sippCalled() scene {
	return `  <recv request="INVITE"/>
  <send><![CDATA[
SIP/2.0 180 Ringing
[last_Via:]
[last_From:]
[last_To:];tag=[call_number]sipp
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:1001@[local_ip]:[local_port]>
Content-Length: 0

]]></send>
  <send retrans="500"><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:];tag=[call_number]sipp
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:1001@[local_ip]:[local_port]>
` + allowed + typeSDP + `Content-Length: [len]

` + sdp(1, "sendrecv") + `]]></send>
  <recv request="ACK"/>
`
}

// sippRegister registers the port that sipp has.
func sippRegister() scene {
	one := func(cseq int, more string) scene {
		return `  <send retrans="500"><![CDATA[
REGISTER sip:[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:1001@localhost>;tag=[call_number]reg
To: <sip:1001@localhost>
Call-ID: [call_id]
CSeq: ` + fmt.Sprint(cseq) + ` REGISTER
Contact: <sip:1001@[local_ip]:[local_port]>
Expires: 600
Max-Forwards: 70
` + more + `Content-Length: 0

]]></send>
`
	}
	return one(1, "") + `  <recv response="401" auth="true"/>
` + one(2, "[authentication username=1001 password="+deskPassword+"]\n") + `  <recv response="200"/>
`
}

// sippDoes starts sipp with a scenario for one call at a port.
func sippDoes(t *testing.T, n *node, port int, number string, steps ...scene) *proc {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "s.xml"), `<?xml version="1.0" encoding="UTF-8"?>
<scenario name="`+t.Name()+`">
`+strings.Join(steps, "")+`</scenario>
`)
	p := start(t, dir, []string{"TERM=dumb"}, "sipp", "-sf", "s.xml", "-s", number, "-m", "1", "-i", "127.0.0.1", "-mi", "127.0.0.1",
		"-mp", fmt.Sprint(mediaPort(t)), "-p", fmt.Sprint(port), "-rtp_echo", "-nostdin", "-trace_err", "-error_file", "errors.log",
		"-timeout", "55s", "-timeout_error", n.sip)
	t.Cleanup(func() {
		if b, err := os.ReadFile(filepath.Join(dir, "errors.log")); err == nil && t.Failed() {
			t.Logf("sipp's errors:\n%s", tail(string(b)))
		}
	})
	return p
}

// wentWell waits until sipp has done all its steps.
func wentWell(t *testing.T, p *proc) {
	t.Helper()
	eventually(t, "sipp ended", p.ended)
	if p.err != nil {
		t.Errorf("sipp: %v", p.err)
	}
}

// TestMatrixSipp are the cells of sipp, which is no telephone but shows every
// message: Ann is a scenario for each cell.
func TestMatrixSipp(t *testing.T) {
	need(t, "sipp", "sox", "baresip")
	n := serveGuests(t, "none", "http://127.0.0.1:9/", matrixExtensions)
	bob := newDeskParty(t, n, "1002", tone1002)
	cleo := newDeskParty(t, n, "1003", tone1003)
	up := func() {
		bob.rings()
		bob.answer()
		bob.talks()
		bob.hears(tone1002) // himself, by sipp's echo
	}
	byeFromBob := func(p *proc) {
		bob.hangup()
		bob.idle()
		wentWell(t, p)
	}
	cell := func(name string, do func(t *testing.T)) {
		t.Run(name, func(t *testing.T) {
			bob.of(t)
			cleo.of(t)
			do(t)
		})
	}
	cell("calls and hangs up", func(t *testing.T) {
		p := sippDoes(t, n, freePort(t), "1002", sippInvite(),
			sippWaits("INFO", "", "", ""), // Bob says when
			request("BYE", 3, "", ""), sippBye)
		up()
		bob.press('1')
		bob.idle()
		wentWell(t, p)
	})
	cell("registers, is called, and the caller hangs up", func(t *testing.T) {
		port := freePort(t)
		wentWell(t, sippDoes(t, n, port, "1001", sippRegister()))
		p := sippDoes(t, n, port, "1001", sippCalled(), sippWaits("BYE", "", "", ""))
		bob.dial("1001")
		bob.talks()
		bob.hears(tone1002)
		byeFromBob(p)
	})
	cell("holds and resumes", func(t *testing.T) {
		p := sippDoes(t, n, freePort(t), "1002", sippInvite(), sippWaits("INFO", "", "", ""),
			sippReinvite(3, "sendonly"), `  <pause milliseconds="5000"/>
`,
			sippReinvite(4, "sendrecv"), sippWaits("BYE", "", "", ""))
		up()
		bob.press('1')
		bob.misses(tone1002)
		bob.hears(tone1002)
		byeFromBob(p)
	})
	cell("is held and resumed", func(t *testing.T) {
		p := sippDoes(t, n, freePort(t), "1002", sippInvite(), sippWaits("BYE", "", "", ""))
		up()
		bob.hold()
		bob.misses(tone1002)
		bob.resume()
		bob.hears(tone1002)
		byeFromBob(p)
	})
	cell("keys both ways", func(t *testing.T) {
		p := sippDoes(t, n, freePort(t), "1002", sippInvite(),
			sippWaits("INFO", `<action><ereg regexp="Signal= *7" search_in="body" check_it="true" assign_to="key"/></action>`, "", ""),
			request("INFO", 3, "Content-Type: application/dtmf-relay\n", "Signal=5\nDuration=160\n"), `  <recv response="200"/>
`, sippWaits("BYE", "", "", ""), `  <Reference variables="key"/>
`)
		up()
		bob.press('7')
		bob.got('5')
		byeFromBob(p)
	})
	cell("is recorded", func(t *testing.T) {
		p := sippDoes(t, n, freePort(t), "1002", sippInvite(), sippWaits("BYE", "", "", ""))
		up()
		n.record(t)
		byeFromBob(p)
		n.recorded(t, tone1002) // Bob and his echo
	})
	cell("transfers blind", func(t *testing.T) {
		p := sippDoes(t, n, freePort(t), "1002", sippInvite(), sippWaits("INFO", "", "", ""),
			request("REFER", 3, "Refer-To: <sip:1003@localhost>\n", ""), `  <recv response="401" auth="true"/>
`, request("REFER", 4, "Refer-To: <sip:1003@localhost>\n[authentication username=1001 password="+deskPassword+"]\n", ""), `  <recv response="202"/>
  <label id="1"/>
  <recv request="NOTIFY" optional="true" next="2"/>
  <recv request="BYE" next="3"/>
  <label id="2"/>
`, strings.Replace(sippAnswers("", ""), "<send>", `<send next="1">`, 1), `  <label id="3"/>
`, sippAnswers("", ""))
		up()
		bob.press('1')
		cleo.rings()
		cleo.answer()
		cleo.talks()
		wentWell(t, p)
		cleo.hears(tone1002)
		bob.hears(tone1003)
		cleo.hangup()
		bob.idle()
		cleo.idle()
	})
	leave(bob, cleo)
	n.close(t)
}
