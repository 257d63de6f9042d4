package main

import (
	"bytes"
	"fmt"
	"net"
	"strings"
	"testing"

	"ozswitch/switch/server"
)

// TestDoctorLines: doctor asks carriers whether they are there.
func TestDoctorLines(t *testing.T) {
	carrier, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer carrier.Close()
	go func() {
		buf := make([]byte, 4096)
		for {
			n, from, err := carrier.ReadFrom(buf)
			if err != nil {
				return
			}
			var back strings.Builder
			status := "200 OK"
			if strings.HasPrefix(string(buf[:n]), "REGISTER") {
				status = "403 Forbidden"
			}
			fmt.Fprintf(&back, "SIP/2.0 %s\r\n", status)
			for line := range strings.SplitSeq(string(buf[:n]), "\r\n") {
				name, _, _ := strings.Cut(line, ":")
				switch name {
				case "Via", "From", "To", "Call-ID", "CSeq":
					back.WriteString(line + "\r\n")
				}
			}
			back.WriteString("Content-Length: 0\r\n\r\n")
			carrier.WriteTo([]byte(back.String()), from)
		}
	}()
	at := carrier.LocalAddr().String()
	cfg, problems := server.Parse("x.yaml", fmt.Appendf(nil, `
lines:
  - {name: trunk, address: %q}
  - {name: carrier, address: %q, user: u, password: wrong-one, register: true}
  - {name: nobody, address: "127.0.0.1:1", transport: tcp}
`, at, at), nil)
	if cfg == nil {
		t.Fatal(problems)
	}
	var out bytes.Buffer
	d := &doctor{ctx: t.Context(), out: &out}
	d.lines(cfg)
	for _, want := range []string{
		"ok    line trunk            udp " + at + " answers\n",
		"warn  line carrier          udp " + at + ` answers; the carrier does not take user "u" with this password (403 Forbidden)` + "\n",
		"warn  line nobody           tcp 127.0.0.1:1 cannot be reached: ",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	if d.failed {
		t.Error("a carrier that is away is no fault of this machine")
	}
}
