package server

import (
	"fmt"
	"net"
	"strings"
	"testing"
)

// TestProbeMessages: doctor tells what is there and what is not.
func TestProbeMessages(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			fmt.Fprint(c, "220 mail.test\r\n")
			b := make([]byte, 1024)
			for n, _ := c.Read(b); n > 0; n, _ = c.Read(b) {
				fmt.Fprint(c, "250 mail.test\r\n")
			}
			c.Close()
		}
	}()
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := gone.Addr().String()
	gone.Close()
	c := Default()
	if got := ProbeMessages(t.Context(), c); len(got) != 0 {
		t.Errorf("without mail and sms: %+v", got)
	}
	c.Mail.Server, c.SMS = l.Addr().String(), SMS{Type: "http", Address: "http://" + nobody + "/send"}
	got := ProbeMessages(t.Context(), c)
	if len(got) != 2 || !got[0].OK || got[0].Name != "mail" || got[1].OK || got[1].Name != "sms" || !strings.Contains(got[1].Words, "refused") {
		t.Errorf("ProbeMessages = %+v", got)
	}
	c.Mail.Server, c.SMS = nobody, SMS{Type: "smpp", Address: l.Addr().String()}
	got = ProbeMessages(t.Context(), c)
	if len(got) != 2 || got[0].OK || !got[1].OK || !strings.Contains(got[0].Words, "nobody listens") {
		t.Errorf("ProbeMessages = %+v", got)
	}
}
