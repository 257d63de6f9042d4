package sip

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ozswitch/switch/call"
)

var update = flag.Bool("update", false, "rewrite the dialogues in testdata")

// TestDialogues runs the files of testdata: a far end and the call talk with
// an Endpoint in virtual time. A line is one of
//
//	> METHOD [branch=b] [cseq=n] [from=tag] [to=tag|ours] [body=sdp|hold|inactive|zero|fax|many|WORD] [Name:_value]...
//	> CODE [of=METHOD] [to=tag] [body=sdp|g711a] [Name:_value]    answers our last METHOD
//	do respond CODE [sdp] | do bye | do cancel [elsewhere] | do dial URI [hops=n] | do reinvite [hold] | do info KEYS
//	full                                                    the mailbox takes nothing more
//	wait 1s
//
// and what happens is written below it, indented, with the time. In a value,
// _ stands for a blank and #n for our RSeq of that number. The far end's ACK to a
// 2xx has its own branch.
func TestDialogues(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("testdata/*.txt: %d files, %v", len(files), err)
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			var got string
			synctest.Test(t, func(t *testing.T) { got = talk(t, string(want)) })
			if *update {
				if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != string(want) {
				t.Errorf("%s differs; with -update it would be:\n%s", name, got)
			}
		})
	}
}

// A talker is the far end, the exchange and the scribe of a dialogue.
type talker struct {
	t     *testing.T
	e     *Endpoint
	conn  net.PacketConn
	out   strings.Builder
	start time.Time

	mu   sync.Mutex
	leg  call.LegID
	sent map[string]string // last request of ours by method
	tag  string            // ours, from the last answer or request
	id   string            // Call-ID of our last request
	full bool
	rseq uint32 // ours, of the first reliable answer
}

const (
	ourAddr  = "10.0.0.1:5060"
	peerAddr = "10.0.0.2:5070"
	testSDP  = "v=0\r\no=- 1 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
)

var testMedia = call.Media{Addr: netip.MustParseAddrPort("10.0.0.1:20000"),
	Codecs: []call.Codec{{PT: 0, Name: "PCMU", ClockRate: 8000}},
	Keys:   []call.Codec{{PT: 101, Name: "telephone-event", ClockRate: 8000, Fmtp: "0-15"}}, Ptime: 20 * time.Millisecond}

func talk(t *testing.T, text string) string {
	n := newNet(0, 0)
	k := &talker{t: t, start: time.Now(), sent: map[string]string{}}
	k.conn, _ = n.listen("udp", peerAddr)
	n.saw = func(from string, b []byte) {
		if from == ourAddr {
			k.saw(string(b))
		}
	}
	c := Config{Listen: []string{"udp://" + ourAddr}, ListenPacket: n.listen, Rand: seeded(1), Log: testLog(t)}
	if strings.Contains(text, "# limit") {
		c.CallsPerSecond = 1
	}
	if strings.Contains(text, "# session") {
		c.SessionExpires = 90 * time.Second
	}
	k.e = New(c, k)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- k.e.Run(ctx) }()
	synctest.Wait()
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, " ") {
			continue
		}
		k.mu.Lock()
		k.out.WriteString(line + "\n")
		k.mu.Unlock()
		if f := strings.Fields(line); len(f) > 0 && f[0] != "#" {
			k.line(f)
			synctest.Wait()
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Errorf("Run = %v", err)
	}
	k.conn.Close()
	return k.out.String()
}

func (k *talker) line(f []string) {
	switch f[0] {
	case ">":
		if f[1][0] >= '0' && f[1][0] <= '9' {
			k.answer(f[1], f[2:])
		} else {
			k.request(f[1], f[2:])
		}
	case "do":
		k.do(f[1:])
	case "full":
		k.full = true
	case "wait":
		d, err := time.ParseDuration(f[1])
		if err != nil {
			k.t.Fatal(err)
		}
		time.Sleep(d)
	default:
		k.t.Fatalf("unknown line %q", f)
	}
}

func (k *talker) do(f []string) {
	switch f[0] {
	case "respond":
		r := call.Respond{Leg: k.leg}
		fmt.Sscan(f[1], &r.Code)
		if len(f) > 2 {
			m := testMedia
			r.Media = &m
		}
		k.e.Do(r)
	case "bye":
		k.e.Do(call.Bye{Leg: k.leg, Reason: "script"})
	case "cancel":
		k.e.Do(call.Cancel{Leg: k.leg, Elsewhere: len(f) > 1})
	case "info":
		for _, key := range f[1] {
			k.e.Do(call.Info{Leg: k.leg, Key: byte(key)})
		}
	case "reinvite":
		m := testMedia
		if len(f) > 1 {
			m.Dir = call.SendOnly
		}
		k.e.Do(call.Reinvite{Leg: k.leg, Media: &m})
	case "dial":
		k.leg = "out"
		m := testMedia
		i := call.Invite{Leg: k.leg, Target: f[1], From: "9000", FromName: "Oz", Offer: &m}
		if len(f) > 2 {
			fmt.Sscanf(f[2], "hops=%d", &i.Hops)
		}
		k.e.Dial(i, k.post)
	default:
		k.t.Fatalf("unknown do %q", f)
	}
}

// request sends a request of the far end.
func (k *talker) request(method string, f []string) {
	p := map[string]string{"branch": "b" + strings.ToLower(method), "cseq": "1", "from": "peer", "uri": "sip:9000@10.0.0.1", "id": "call1", "hops": "70"}
	if slices.Contains(f, "id=ours") {
		p["id"] = k.id
		f = slices.DeleteFunc(f, func(w string) bool { return w == "id=ours" })
	}
	var extra, body string
	for _, w := range f {
		if name, value, ok := strings.Cut(w, ":_"); ok {
			extra += name + ": " + k.value(value) + "\r\n"
			continue
		}
		key, value, _ := strings.Cut(w, "=")
		p[key] = strings.ReplaceAll(value, "_", " ")
	}
	to := "<" + p["uri"] + ">"
	if p["to"] == "ours" {
		to += ";tag=" + k.tag
	} else if p["to"] != "" {
		to += ";tag=" + p["to"]
	}
	switch p["body"] {
	case "fax": // T.38 and nothing else
		extra, body = extra+"Content-Type: application/sdp\r\n", strings.Replace(testSDP[:strings.Index(testSDP, "m=")], "o=- 1 1", "o=- 1 2", 1)+"m=image 4000 udptl t38\r\na=T38FaxVersion:0\r\n"
	case "many":
		extra, body = extra+"Content-Type: application/sdp\r\n", testSDP+"m=video 4002 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\nm=image 4004 udptl t38\r\n"
	case "":
	case "hold":
		extra, body = extra+"Content-Type: application/sdp\r\n", testSDP+"a=sendonly\r\n"
	case "inactive":
		extra, body = extra+"Content-Type: application/sdp\r\n", testSDP+"a=inactive\r\n"
	case "zero": // hold as of RFC 2543
		extra, body = extra+"Content-Type: application/sdp\r\n", strings.Replace(testSDP, "c=IN IP4 10.0.0.2", "c=IN IP4 0.0.0.0", 1)
	case "sdp":
		extra, body = extra+"Content-Type: application/sdp\r\n", testSDP
	default:
		body = p["body"]
	}
	k.send(fmt.Sprintf("%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%s;rport\r\nMax-Forwards: %s\r\nFrom: \"Ann\" <sip:1001@10.0.0.2>;tag=%s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %s %s\r\nContact: <sip:1001@%s>\r\n%sContent-Length: %d\r\n\r\n%s",
		method, p["uri"], peerAddr, p["branch"], p["hops"], p["from"], to, p["id"], p["cseq"], method, peerAddr, extra, len(body), body))
}

// answer answers our last request of a method.
func (k *talker) answer(code string, f []string) {
	method, tag, extra, body := "INVITE", "peer", "", ""
	for _, w := range f {
		switch key, value, _ := strings.Cut(w, "="); {
		case strings.Contains(w, ":_"):
			extra += k.value(strings.Replace(w, ":_", ": ", 1)) + "\r\n"
		case w == "body=g711a":
			extra, body = extra+"Content-Type: application/sdp\r\n", strings.Replace(testSDP, "AVP 0", "AVP 8", 1)
		case key == "of":
			method = value
		case key == "to":
			tag = value
		case w == "body=sdp":
			extra, body = extra+"Content-Type: application/sdp\r\n", testSDP
		}
	}
	req, ok := k.sent[method]
	if !ok {
		k.t.Errorf("no %s to answer", method)
		return
	}
	b := "SIP/2.0 " + code + " Whatever\r\n"
	for line := range strings.SplitSeq(req, "\r\n") {
		switch name, _, _ := strings.Cut(line, ":"); name {
		case "To":
			if !strings.Contains(line, "tag=") && code != "100" {
				line += ";tag=" + tag
			}
			b += line + "\r\n"
		case "Via", "From", "Call-ID", "CSeq":
			b += line + "\r\n"
		}
	}
	k.send(b + fmt.Sprintf("Contact: <sip:peer@%s>\r\n%sContent-Length: %d\r\n\r\n%s", peerAddr, extra, len(body), body))
}

var numbered = regexp.MustCompile(`#(\d+)`)

// value undoes the writing of a header's value.
func (k *talker) value(v string) string {
	return numbered.ReplaceAllStringFunc(strings.ReplaceAll(v, "_", " "), func(s string) string {
		n, _ := strconv.Atoi(s[1:])
		return fmt.Sprint(k.rseq + uint32(n) - 1)
	})
}

func (k *talker) send(b string) {
	if _, err := k.conn.WriteTo([]byte(b), net.UDPAddrFromAddrPort(netip.MustParseAddrPort(ourAddr))); err != nil {
		k.t.Fatal(err)
	}
}

var (
	tagOf  = regexp.MustCompile(`(?m)^(From|To): .*;tag=([^;\r]+)`)
	cseqOf = regexp.MustCompile(`(?m)^CSeq: (.*)\r`)
)

// saw writes down what the endpoint sends, as it is sent.
func (k *talker) saw(b string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	first, _, _ := strings.Cut(b, "\r\n")
	tags := map[string]string{}
	for _, m := range tagOf.FindAllStringSubmatch(b, -1) {
		tags[m[1]] = m[2]
	}
	note := ""
	if strings.HasPrefix(first, "SIP/2.0 ") {
		first = strings.TrimPrefix(first, "SIP/2.0 ")
		if t := tags["To"]; t != "" {
			k.tag = t
		}
		note = " (" + cseqOf.FindStringSubmatch(b)[1] + ")"
	} else {
		method, _, _ := strings.Cut(first, " ")
		k.sent[method] = b
		k.tag = tags["From"]
		_, k.id, _ = strings.Cut(b, "\r\nCall-ID: ")
		k.id, _, _ = strings.Cut(k.id, "\r\n")
		if t := tags["To"]; t != "" {
			note = " to " + t
		}
	}
	for _, name := range []string{"Allow", "Unsupported", "Retry-After", "Reason"} {
		if _, rest, ok := strings.Cut(b, "\r\n"+name+": "); ok && !strings.HasPrefix(first, "200") && !strings.HasPrefix(first, "1") && !strings.HasPrefix(first, "INVITE") {
			value, _, _ := strings.Cut(rest, "\r\n")
			note += " " + name + ": " + value
		}
	}
	for _, name := range []string{"Session-Expires", "Min-SE", "Require", "Warning", "RSeq", "RAck", "Max-Forwards"} {
		if _, rest, ok := strings.Cut(b, "\r\n"+name+": "); ok {
			value, _, _ := strings.Cut(rest, "\r\n")
			switch n, _ := strconv.ParseUint(value, 10, 32); {
			case name == "RSeq":
				if k.rseq == 0 {
					k.rseq = uint32(n)
				}
				value = fmt.Sprintf("#%d", uint32(n)-k.rseq+1)
			case name == "Max-Forwards" && n == 70:
				continue
			}
			note += " " + name + ": " + value
		}
	}
	if _, body, _ := strings.Cut(b, "\r\n\r\n"); strings.HasPrefix(body, "Signal") {
		note += " [" + strings.ReplaceAll(strings.TrimSpace(body), "\r\n", " ") + "]"
	} else if body != "" {
		_, m, _ := strings.Cut(body, "\r\nm=")
		m, _, _ = strings.Cut(m, "\r\n")
		audio, _, _ := strings.Cut(body, "\r\nm=video")
		audio = strings.TrimSuffix(audio, "\r\n")
		note += " [" + m + " " + audio[strings.LastIndex(audio, "a=")+2:] + "]"
		for _, more := range strings.Split(body, "\r\nm=")[2:] {
			more, _, _ = strings.Cut(more, "\r\n")
			note += " [" + more + "]"
		}
	}
	k.note("< " + first + note)
}

func (k *talker) write(s string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.note(s)
}

func (k *talker) note(s string) {
	fmt.Fprintf(&k.out, "  %7.3f %s\n", time.Since(k.start).Seconds(), s)
}

// Invited makes the talker an Exchange.
func (k *talker) Invited(in call.Invited) (func(call.Event) bool, *call.Respond) {
	k.leg = in.Leg
	hops := ""
	if in.Hops != mostPassed {
		hops = fmt.Sprintf(" hops %d", in.Hops)
	}
	k.write(fmt.Sprintf("event Invited from %q %q to %q%s%s", in.From, in.FromName, in.To, about(in.Offer), hops))
	if in.To == "busy" {
		return nil, &call.Respond{Code: 486}
	}
	return k.post, nil
}

func (k *talker) post(ev call.Event) bool {
	if k.full {
		return false
	}
	name := strings.TrimPrefix(fmt.Sprintf("%T", ev), "call.")
	what := ""
	switch v := ev.(type) {
	case call.Provisional:
		what = fmt.Sprintf(" %d%s", v.Code, about(v.Media))
	case call.Accepted:
		what = about(v.Media)
	case call.Refused:
		what = fmt.Sprintf(" %d %q q850=%d", v.Code, v.Failure.Reason, v.Q850)
		for _, c := range v.Contacts {
			what += " " + c
		}
	case call.Acked:
		what = about(v.Media)
	case call.Cancelled:
		what = fmt.Sprintf(" %q", v.Reason)
	case call.Ended:
		what = fmt.Sprintf(" %q", v.Reason)
	case call.Lost:
		what = fmt.Sprintf(" %d %q", v.Code, v.Failure.Reason)
	case call.Reoffered:
		what = about(v.Offer)
	case call.Reaccepted:
		what = about(v.Media)
	case call.Rerefused:
		what = fmt.Sprintf(" %d %q", v.Code, v.Failure.Reason)
	case call.KeyInfo:
		what = fmt.Sprintf(" %c %v", v.Key, v.Duration)
	}
	k.write("event " + name + what)
	return true
}

func about(m *call.Media) string {
	if m == nil {
		return ""
	}
	s := " [" + m.Addr.String()
	for _, c := range m.Codecs {
		s += " " + c.Name
	}
	for range m.Keys {
		s += " keys"
	}
	return s + " " + directions[m.Dir] + "]"
}
