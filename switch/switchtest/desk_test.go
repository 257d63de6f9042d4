package switchtest

import (
	"cmp"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// A deskPhone is a telephone with lamps, by hand: it registers, watches others,
// and sends and gets texts. It answers what comes with Answer.
type deskPhone struct {
	w      *World
	user   string
	host   string
	conn   net.PacketConn
	serial int
	out    chan string // answers to our requests
	ended  chan struct{}

	password string // "" = the right one

	mu     sync.Mutex
	answer map[string]string // to requests, by method
	lamps  []string          // what NOTIFYs said
	texts  []string
}

func (w *World) desk(user, host string) *deskPhone {
	w.T.Helper()
	w.Start()
	conn, err := w.Net.PacketConn(host + ":5060")
	if err != nil {
		w.T.Fatal(err)
	}
	d := &deskPhone{w: w, user: user, host: host, conn: conn, out: make(chan string, 64), ended: make(chan struct{}), answer: map[string]string{}}
	go d.listen()
	return d
}

func (d *deskPhone) close() { d.conn.Close(); <-d.ended }

var copied = regexp.MustCompile(`(?m)^(Via|From|To|Call-ID|CSeq):.*\r\n`)

func (d *deskPhone) listen() {
	defer close(d.ended)
	buf := make([]byte, 1<<16)
	seen := map[string]string{}
	for {
		n, from, err := d.conn.ReadFrom(buf)
		if err != nil {
			return
		}
		m := string(buf[:n])
		if strings.HasPrefix(m, "SIP/2.0") {
			d.out <- m
			continue
		}
		method, _, _ := strings.Cut(m, " ")
		_, body, _ := strings.Cut(m, "\r\n\r\n")
		key := header(m, "Via")
		status, again := seen[key]
		d.mu.Lock()
		if !again {
			if status = d.answer[method]; status == "" {
				status = "200 OK"
			}
			seen[key] = status
			switch {
			case method == "NOTIFY":
				d.lamps = append(d.lamps, header(m, "Subscription-State")+" "+body)
			case method == "MESSAGE" && status == "200 OK":
				d.texts = append(d.texts, header(m, "From")+" "+header(m, "Content-Type")+" "+body)
			}
		}
		d.mu.Unlock()
		if status == "none" {
			continue
		}
		reply := "SIP/2.0 " + status + "\r\n" + strings.Join(copied.FindAllString(m, -1), "") + "Content-Length: 0\r\n\r\n"
		_, _ = d.conn.WriteTo([]byte(reply), from)
	}
}

func header(m, name string) string {
	found := regexp.MustCompile(`(?m)^` + name + `: (.*)\r`).FindStringSubmatch(m)
	if found == nil {
		return ""
	}
	return found[1]
}

// ask sends a request, with credentials once they are asked for, and gives the
// answer's status.
func (d *deskPhone) ask(method, to, extra, body string) string {
	d.w.T.Helper()
	login := ""
	for {
		d.serial++
		m := fmt.Sprintf("%s sip:%s@localhost SIP/2.0\r\nVia: SIP/2.0/UDP %s:5060;branch=z9hG4bK%s%d\r\nMax-Forwards: 70\r\nFrom: <sip:%s@localhost>;tag=t%d\r\nTo: <sip:%s@localhost>\r\n"+
			"Call-ID: %s%d@%s\r\nCSeq: %d %s\r\nContact: <sip:%s@%s:5060>\r\n%s%sContent-Length: %d\r\n\r\n%s",
			method, to, d.host, method, d.serial, d.user, d.serial, to, method, d.serial, d.host, d.serial, method, d.user, d.host, login, extra, len(body), body)
		if _, err := d.conn.WriteTo([]byte(m), net.UDPAddrFromAddrPort(netip.MustParseAddrPort(sipAddr))); err != nil {
			d.w.T.Fatal(err)
		}
		var got string
		select {
		case got = <-d.out:
		case <-time.After(30 * time.Second):
			return "nothing came"
		}
		status, _, _ := strings.Cut(strings.TrimPrefix(got, "SIP/2.0 "), "\r\n")
		if !strings.HasPrefix(status, "401") || login != "" {
			return status
		}
		login = d.login(header(got, "WWW-Authenticate"), method)
	}
}

// login answers a challenge (RFC 7616 3.4, MD5).
func (d *deskPhone) login(challenge, method string) string {
	nonce := regexp.MustCompile(`nonce="([^"]*)"`).FindStringSubmatch(challenge)[1]
	hash := func(s string) string { sum := md5.Sum([]byte(s)); return hex.EncodeToString(sum[:]) }
	response := hash(hash(d.user+":localhost:"+cmp.Or(d.password, "pw-"+d.user)) + ":" + nonce + ":00000001:c:auth:" + hash(method+":sip:localhost"))
	return fmt.Sprintf("Authorization: Digest username=%q, realm=\"localhost\", nonce=%q, uri=\"sip:localhost\", response=%q, algorithm=MD5, qop=auth, nc=00000001, cnonce=\"c\"\r\n", d.user, nonce, response)
}

// says makes the telephone answer a method so from now on.
func (d *deskPhone) says(method, status string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.answer[method] = status
}

// shown gives what came since it was asked last: of a lamp its states, the
// directions and who is there.
func (d *deskPhone) shown() (lamps, texts []string) {
	d.w.Settle()
	d.mu.Lock()
	defer d.mu.Unlock()
	inside := regexp.MustCompile(`<dialog id|direction="(\w+)"|<state>(\w+)<|<remote><identity[^>]*>sip:([^@]+)@|(pval="no")`)
	for _, l := range d.lamps {
		state, _, _ := strings.Cut(l, ";")
		words := []string{state[:4]}
		for _, m := range inside.FindAllStringSubmatch(l, -1) {
			for _, w := range m[1:] {
				if w != "" {
					words = append(words, w)
				}
			}
		}
		if _, count, ok := strings.Cut(l, "Voice-Message: "); ok {
			words = append(words, strings.TrimSpace(count))
		}
		lamps = append(lamps, strings.Join(words, " "))
	}
	texts, d.lamps, d.texts = d.texts, nil, nil
	return lamps, texts
}

// lit checks what the lamp of a telephone has shown since.
func (d *deskPhone) lit(when string, want ...string) {
	d.w.T.Helper()
	d.w.Pass(100 * time.Millisecond)
	got, _ := d.shown()
	if want[0] == "term" { // in any order
		slices.Sort(got)
	}
	if !slices.Equal(got, want) {
		d.w.T.Errorf("%s: the lamp shows\n%s\nwant\n%s", when, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
