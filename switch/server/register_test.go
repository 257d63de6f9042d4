package server_test

import (
	"bufio"
	"context"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"ozswitch/ozml/trace"
	"ozswitch/switch/eventlog"
	"ozswitch/switch/server"
)

// patience is how long a test waits for one message.
const patience = time.Minute

// run runs a switch until the test, or stop, ends it.
func run(t *testing.T, c *server.Config) (s *server.Server, stop func()) {
	t.Helper()
	return runBy(t, c, nil)
}

// runBy is run for a switch that has a configuration file.
func runBy(t *testing.T, c *server.Config, file *server.Source) (s *server.Server, stop func()) {
	t.Helper()
	c.Fill()
	s, err := server.New(c, server.Options{Version: "test", Slog: slog.New(slog.NewTextHandler(t.Output(), nil)), Voice: mute{}, Source: file})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Bind(); err != nil {
		s.Close()
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	stop = func() { cancel(); wg.Wait() }
	t.Cleanup(stop)
	return s, stop
}

// A telephone speaks SIP by hand over one socket.
type telephone struct {
	t         *testing.T
	conn      net.Conn
	in        *bufio.Reader
	transport string
	serial    int
}

func newTelephone(t *testing.T, at string) *telephone {
	t.Helper()
	transport, addr, _ := strings.Cut(at, "://")
	c, err := net.Dial(transport, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &telephone{t: t, conn: c, in: bufio.NewReaderSize(c, 64<<10), transport: transport}
}

var lengthLine = regexp.MustCompile(`(?mi)^Content-Length: *(\d+)`)

// read reads one message.
func (p *telephone) read() string {
	p.t.Helper()
	_ = p.conn.SetReadDeadline(time.Now().Add(patience))
	var b strings.Builder
	for !strings.HasSuffix(b.String(), "\r\n\r\n") {
		line, err := p.in.ReadString('\n')
		if err != nil {
			p.t.Fatalf("reading a SIP message: %v after %q", err, b.String())
		}
		b.WriteString(line)
	}
	if m := lengthLine.FindStringSubmatch(b.String()); m != nil {
		var n int64
		fmt.Sscan(m[1], &n)
		if _, err := io.CopyN(&b, p.in, n); err != nil {
			p.t.Fatal(err)
		}
	}
	return b.String()
}

func (p *telephone) contact(user string) string {
	return fmt.Sprintf("sip:%s@%s;transport=%s", user, p.conn.LocalAddr(), p.transport)
}

// register sends one REGISTER and gives the answer.
func (p *telephone) register(user, extra string, expires int) string {
	p.t.Helper()
	p.serial++
	fmt.Fprintf(p.conn, "REGISTER sip:localhost SIP/2.0\r\nVia: SIP/2.0/%s %s;branch=z9hG4bK%s%d;rport\r\nMax-Forwards: 70\r\nFrom: <sip:%s@localhost>;tag=a\r\n"+
		"To: <sip:%[5]s@localhost>\r\nCall-ID: reg-%[5]s-%[2]s\r\nCSeq: %[4]d REGISTER\r\nContact: <%[6]s>\r\nExpires: %[7]d\r\nUser-Agent: by hand\r\n%[8]sContent-Length: 0\r\n\r\n",
		strings.ToUpper(p.transport), p.conn.LocalAddr(), user, p.serial, user, p.contact(user), expires, extra)
	return p.read()
}

var nonceOf = regexp.MustCompile(`nonce="([^"]+)"`)

// login registers with digest (RFC 2617, MD5, qop=auth) and gives the answer.
func (p *telephone) login(user, password string, expires int) string {
	p.t.Helper()
	challenge := p.register(user, "", expires)
	m := nonceOf.FindStringSubmatch(challenge)
	if !strings.HasPrefix(challenge, "SIP/2.0 401 ") || m == nil || strings.Count(challenge, "WWW-Authenticate:") != 1 {
		p.t.Fatalf("REGISTER without credentials got %q, want one challenge", challenge)
	}
	sum := func(s string) string { h := md5.Sum([]byte(s)); return hex.EncodeToString(h[:]) }
	response := sum(sum(user+":localhost:"+password) + ":" + m[1] + ":00000001:c0ffee:auth:" + sum("REGISTER:sip:localhost"))
	return p.register(user, fmt.Sprintf(`Authorization: Digest username="%s",realm="localhost",nonce="%s",uri="sip:localhost",response="%s",algorithm=MD5,qop=auth,nc=00000001,cnonce="c0ffee"`+"\r\n",
		user, m[1], response), expires)
}

func want(t *testing.T, answer, status string) {
	t.Helper()
	if !strings.HasPrefix(answer, "SIP/2.0 "+status+" ") {
		t.Errorf("the answer is %.60q, want %s", answer, status)
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// phones is a switch with two telephones and a script, for UDP and TCP.
func phones(t *testing.T) *server.Config {
	c := server.Default()
	c.Data = filepath.Join(t.TempDir(), "data")
	c.SIP.Listen = []server.Listen{{Transport: "udp", Address: "127.0.0.1:0"}, {Transport: "tcp", Address: "127.0.0.1:0"}}
	c.RTP.WebRTCPort = -1
	c.HTTP.Listen, c.HTTP.Auth = "127.0.0.1:0", "off"
	c.Extensions = []server.Extension{
		{Number: "1001", Type: "phone", Password: "one secret"}, {Number: "1002", Type: "phone", Password: "two secret"},
		{Number: "9000", Type: "script"},
	}
	return c
}

// TestRegister: telephones register by UDP and TCP, are counted and told of, are
// still known after a restart, and are reached by the Call command.
func TestRegister(t *testing.T) {
	c := phones(t)
	s, stop := run(t, c)
	events := s.Events().Subscribe("", eventlog.Now)
	defer events.Close()

	udp := newTelephone(t, s.SIPAddrs()[0])
	want(t, udp.login("1001", "wrong secret", 600), "401")
	want(t, udp.login("1001", "one secret", 600), "200")
	want(t, udp.login("nobody", "one secret", 600), "401")
	tcp := newTelephone(t, s.SIPAddrs()[1])
	want(t, tcp.login("1002", "two secret", 600), "200")

	var got []string
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for e, err := range events.Events(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Type != trace.Registration {
			continue
		}
		got = append(got, e.From+" "+e.Reason+" "+e.Source)
		if e.From == "1002" {
			break
		}
	}
	if want := "1001 refused udp, 1001 registered udp, nobody refused udp, 1002 registered tcp"; strings.Join(got, ", ") != want {
		t.Errorf("registration events: %q, want %q", got, want)
	}
	metrics := get(t, "http://"+s.HTTPAddr()+"/metrics")
	for _, line := range []string{`ozswitch_registrations{transport="udp"} 1`, `ozswitch_registrations{transport="tcp"} 1`, `ozswitch_registrations{transport="tls"} 0`} {
		if !strings.Contains(metrics, line) {
			t.Errorf("/metrics has no line %s", line)
		}
	}
	stop()

	c.SIP.Listen[0].Address = s.SIPAddr().String() // telephones know it
	s, _ = run(t, c)
	called := make(chan string, 1)
	go func() {
		resp, err := http.Get("http://" + s.HTTPAddr() + "/api?command=Call&Dialed=1001&ApiExtension=9000&Url=http://127.0.0.1:1/")
		if err != nil {
			called <- err.Error()
			return
		}
		defer resp.Body.Close()
		b, _ := io.ReadAll(resp.Body)
		called <- string(b)
	}()
	invite := udp.read()
	if !strings.HasPrefix(invite, "INVITE "+udp.contact("1001")+" SIP/2.0\r\n") {
		t.Fatalf("after a restart and Call 1001 its telephone got %.200q", invite)
	}
	head, _, _ := strings.Cut(invite, "\r\n\r\n")
	answer := "SIP/2.0 486 Busy Here\r\n"
	for line := range strings.SplitSeq(head, "\r\n") {
		for _, name := range []string{"Via:", "From:", "Call-ID:", "CSeq:"} {
			if strings.HasPrefix(line, name) {
				answer += line + "\r\n"
			}
		}
		if strings.HasPrefix(line, "To:") {
			answer += line + ";tag=busy\r\n"
		}
	}
	fmt.Fprint(udp.conn, answer+"Content-Length: 0\r\n\r\n")
	if ack := udp.read(); !strings.HasPrefix(ack, "ACK ") {
		t.Errorf("after 486: %.60q, want ACK", ack)
	}
	if got := <-called; !strings.Contains(got, "'1001'") || !strings.Contains(got, "Busy") {
		t.Errorf("Call = %s, want 1001 to be busy", got)
	}
}

// TestReload: who may register changes while it runs; what needs a restart is
// named; what would be unsafe together changes nothing.
func TestReload(t *testing.T) {
	c := phones(t)
	s, _ := run(t, c)
	p := newTelephone(t, s.SIPAddrs()[1])
	want(t, p.login("1001", "one secret", 600), "200")

	next := phones(t)
	next.Data = c.Data
	next.Extensions[0].Password = "another secret"
	next.Extensions = append(next.Extensions, server.Extension{Number: "9900", Type: "echo"})
	next.RTP.Ports = server.Ports{First: 30000, Last: 30998}
	next.Limits.Body = 1 << 19
	next.Limits.CallsPerSecond = 7
	restart, err := s.Reload(next)
	if err != nil || strings.Join(restart, " ") != "rtp.ports limits.body" {
		t.Errorf("Reload = %q, %v, want rtp.ports and limits.body to need a restart", restart, err)
	}
	want(t, p.login("1001", "one secret", 600), "401")
	want(t, p.login("1001", "another secret", 600), "200")

	bad := phones(t)
	bad.Data = c.Data
	bad.Extensions[0].Password = "third secret"
	bad.Dialplan = []server.Rule{{To: server.Names{"nowhere"}}}
	if _, err := s.Reload(bad); err == nil || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("Reload of a dial plan that leads nowhere = %v", err)
	}
	want(t, p.login("1001", "another secret", 600), "200")
}
