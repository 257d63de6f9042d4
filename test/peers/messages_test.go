//go:build peers

package peers

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// A messageCentre takes and gives text messages (SMPP 3.4) on a real socket, and
// writes down what goes over it, as text2pcap reads it.
type messageCentre struct {
	addr string

	mu     sync.Mutex
	tape   bytes.Buffer
	live   net.Conn
	bodies []string // of submit_sm
	acks   int      // deliver_sm_resp
}

func newMessageCentre(t *testing.T) *messageCentre {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &messageCentre{addr: l.Addr().String()}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { c.talk(conn) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		c.mu.Lock()
		if c.live != nil {
			c.live.Close()
		}
		c.mu.Unlock()
		wg.Wait()
	})
	return c
}

// write sends a PDU; the caller holds mu.
func (c *messageCentre) write(command, seq uint32, body string) {
	b := binary.BigEndian.AppendUint32(nil, uint32(16+len(body)))
	for _, v := range []uint32{command, 0, seq} {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	b = append(b, body...)
	fmt.Fprintf(&c.tape, "O 000000 % x\n", b)
	_, _ = c.live.Write(b)
}

func (c *messageCentre) talk(conn net.Conn) {
	defer conn.Close()
	for {
		h := make([]byte, 16)
		if _, err := io.ReadFull(conn, h); err != nil {
			return
		}
		body := make([]byte, binary.BigEndian.Uint32(h)-16)
		if _, err := io.ReadFull(conn, body); err != nil {
			return
		}
		seq := binary.BigEndian.Uint32(h[12:])
		c.mu.Lock()
		c.live = conn
		fmt.Fprintf(&c.tape, "I 000000 % x\n", append(h, body...))
		switch binary.BigEndian.Uint32(h[4:]) {
		case 9:
			c.write(0x80000009, seq, "peer\x00")
		case 4:
			c.bodies = append(c.bodies, string(body))
			c.write(0x80000004, seq, fmt.Sprintf("peer%d\x00", len(c.bodies)))
		case 0x15:
			c.write(0x80000015, seq, "")
		case 6:
			c.write(0x80000006, seq, "")
		case 0x80000005:
			c.acks++
		}
		c.mu.Unlock()
	}
}

// deliver sends a message, or with class 4 a receipt.
func (c *messageCentre) deliver(class byte, from, to, text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.write(5, uint32(100+c.acks), "\x00\x01\x01"+from+"\x00\x01\x01"+to+"\x00"+string([]byte{class, 0, 0})+"\x00\x00\x00\x00\x00\x00"+string([]byte{byte(len(text))})+text)
}

// got tells whether a submit_sm had that in it.
func (c *messageCentre) got(what string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, b := range c.bodies {
		if strings.Contains(b, what) {
			return true
		}
	}
	return false
}

// TestMessages: the program sends a text message and a mail over HTTP, hears of the
// delivery, and answers a text message that came, as the web app says; tshark reads
// what went over SMPP, and aiosmtpd the mail.
func TestMessages(t *testing.T) {
	need(t, "tshark", "text2pcap", "aiosmtpd")
	smtp, box := fmt.Sprintf("127.0.0.1:%d", freePort(t)), filepath.Join(t.TempDir(), "mail")
	mailer := start(t, t.TempDir(), nil, "aiosmtpd", "-n", "-l", smtp, "-c", "aiosmtpd.handlers.Mailbox", box)
	eventually(t, "the SMTP server listens", func() bool {
		if mailer.ended() {
			t.Fatalf("aiosmtpd ended: %v\n%s", mailer.err, mailer.out.String())
		}
		c, err := net.Dial("tcp", smtp)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	c := newMessageCentre(t)
	app := newWebApp(t, map[string]string{
		"IncomingSMS":       `<Response><SendSms Recipient="$caller">Árvíztűrő 😀 answer</SendSms></Response>`,
		"SMSDeliveryReport": "<Response/>",
	})
	n := serveGuests(t, "none", app.URL, `  - {number: "9001", type: api, url: "`+app.URL+`", sms_url: "`+app.URL+`"}
mail: {server: "`+smtp+`", from: pbx@example.org}
sms: {type: smpp, address: "`+c.addr+`", user: oz, password: secret12, from: Oz, send: ["+36*"]}
users:
  - {name: HTTP_User_1, password: orange-lantern, api: true, urls: any}
`)
	ask := func(want, command string, params ...string) string {
		t.Helper()
		q := url.Values{"command": {command}, "Username": {"HTTP_User_1"}, "Password": {"orange-lantern"}}
		for i := 0; i < len(params); i += 2 {
			q.Set(params[i], params[i+1])
		}
		res, err := http.PostForm("http://"+n.http+"/api", q)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil || !strings.Contains(string(b), "<Code>"+want+"</Code>") {
			t.Errorf("%s: %s (%v), want %s", command, b, err, want)
		}
		return string(b)
	}
	if a := ask("200", "SendSms", "Recipient", "+36201234567", "Message", "Hello from the switch", "DeliveryReportURL", app.URL, "ApiExtension", "9001"); !strings.Contains(a, "<SmsId>") {
		t.Errorf("no SmsId: %s", a)
	}
	ask("501", "SendSms", "Recipient", "+44201234567", "Message", "too dear")
	ask("200", "SendSms", "Recipient", "+36201234567", "Message", strings.Repeat("long text ", 20))
	eventually(t, "the message centre has it", func() bool { return c.got("Hello from the switch") })
	c.deliver(4, "36201234567", "Oz", "id:peer1 sub:001 dlvrd:001 submit date:2601010000 done date:2601010001 stat:DELIVRD err:000 text:Hello")
	eventually(t, "the app was told of the delivery", func() bool { return len(app.notifications("SMSDeliveryReport")) == 1 })
	if f := app.notifications("SMSDeliveryReport")[0]; f.Get("Status") != "Delivered" || f.Get("Recipient") != "+36201234567" || f.Get("ApiExtension") != "9001" {
		t.Errorf("SMSDeliveryReport %v", f)
	}
	c.deliver(0, "36207654321", "9001", "Are you there?")
	eventually(t, "the answer is sent", func() bool { return c.got("36207654321") })
	if f := app.notifications("IncomingSMS"); len(f) != 1 || f[0].Get("Message") != "Are you there?" || f[0].Get("Sender") != "+36207654321" {
		t.Errorf("IncomingSMS %v", f)
	}
	if in := ask("200", "ReceiveMessage", "Action", "receivemessage"); !strings.Contains(in, "<messagedata>Are you there?</messagedata>") {
		t.Errorf("inbox %s", in)
	}
	ask("200", "SendEmail", "Recipient", "ann@example.org", "Subject", "Tükör", "Message", "From the program")
	var letters []string
	eventually(t, "the mail is there", func() bool {
		letters, _ = filepath.Glob(filepath.Join(box, "new", "*"))
		return len(letters) == 1
	})
	raw, err := os.ReadFile(letters[0])
	if err != nil || !strings.Contains(string(raw), "From the program") || !strings.Contains(string(raw), "=?UTF-8?q?T=C3=BCk=C3=B6r?=") {
		t.Errorf("the mail is %s, %v", raw, err)
	}
	n.close(t)
	c.read(t)
}

// read has tshark read all that went over SMPP.
func (c *messageCentre) read(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	dump, pcap := filepath.Join(dir, "dump.txt"), filepath.Join(dir, "smpp.pcap")
	c.mu.Lock()
	write(t, dump, c.tape.String())
	c.mu.Unlock()
	run(t, dir, "text2pcap", "-D", "-T", "40000,2775", dump, pcap)
	shark := func(arg ...string) string {
		out := run(t, dir, append([]string{"tshark", "-r", pcap, "-o", "tcp.check_checksum:FALSE"}, arg...)...)
		var lines []string
		for l := range strings.Lines(out) {
			if !strings.HasPrefix(l, "Running as user") {
				lines = append(lines, strings.TrimSpace(l))
			}
		}
		return strings.Join(lines, "\n")
	}
	if bad := shark("-Y", "_ws.malformed"); bad != "" {
		t.Errorf("tshark finds malformed\n%s", bad)
	}
	got := shark("-Y", "smpp.command_id == 4", "-T", "fields", "-E", "separator=,", "-e", "smpp.source_addr", "-e", "smpp.destination_addr", "-e", "smpp.data_coding", "-e", "smpp.regdel.receipt", "-e", "smpp.sm_length")
	for _, want := range []string{"Oz,36201234567,0x00,0x01,21", "Oz,36201234567,0x00,0x00,159", "Oz,36201234567,0x00,0x00,53", "Oz,36207654321,0x08,0x00,"} {
		if !strings.Contains(got, want) {
			t.Errorf("tshark reads no submit_sm %q in\n%s", want, got)
		}
	}
	if all := shark("-Y", "smpp.command_id == 0x80000005"); strings.Count(all, "Deliver_sm") != 2 {
		t.Errorf("tshark reads\n%s\nwant two answers to deliver_sm", all)
	}
	t.Logf("tshark reads\n%s", got)
}
