package message

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// A tape notes what goes over a connection, as text2pcap reads it.
type tape struct {
	net.Conn
	mu  *sync.Mutex
	out *bytes.Buffer
}

func (c tape) note(way string, b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Fprintf(c.out, "%s 000000 % x\n", way, b)
}

func (c tape) Write(b []byte) (int, error) {
	c.note("I", b)
	return c.Conn.Write(b)
}

func (c tape) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.note("O", b[:n])
	}
	return n, err
}

// TestTshark: tshark, which knows SMPP from elsewhere, reads our traffic.
func TestTshark(t *testing.T) {
	for _, p := range []string{"tshark", "text2pcap"} {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("%s is not installed", p)
		}
	}
	c := &smsc{}
	addr := c.listen(t)
	var mu sync.Mutex
	var out bytes.Buffer
	e, ev := newEar()
	cfg := SMPPConfig{Address: "smsc.test", User: "oz", Password: "secret12", SystemType: "pbx", Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		return tape{conn, &mu, &out}, err
	}}
	runSMPP(t, cfg, ev, func(s *SMPP) {
		for _, m := range []SMS{{ID: "1", To: "+36201234567", From: "Oz", Text: "Hello", Report: true}, {ID: "2", To: "112", From: "+3611", Text: "Szép időt"}, {ID: "3", To: "+361", From: "9", Text: strings.Repeat("long ", 40)}} {
			if _, err := s.Send(t.Context(), m); err != nil {
				t.Fatal(err)
			}
		}
		c.push(deliver(7, 4, 0, "id:m1 stat:DELIVRD"))
		<-e.delivered
		c.push(header(0, 0x15, 0, 8))
		c.push(deliver(9, 0, 0, "bye"))
		<-e.received
	})
	dir := t.TempDir()
	dump, pcap := filepath.Join(dir, "dump.txt"), filepath.Join(dir, "smpp.pcap")
	mu.Lock()
	err := os.WriteFile(dump, out.Bytes(), 0o600)
	mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	if b, err := exec.CommandContext(t.Context(), "text2pcap", "-D", "-T", "40000,2775", dump, pcap).CombinedOutput(); err != nil {
		t.Fatalf("text2pcap: %v\n%s", err, b)
	}
	tshark := func(arg ...string) string {
		b, err := exec.CommandContext(t.Context(), "tshark", append([]string{"-r", pcap, "-o", "tcp.check_checksum:FALSE"}, arg...)...).Output()
		if err != nil {
			t.Fatalf("tshark: %v", err)
		}
		return strings.TrimSpace(string(b))
	}
	if bad := tshark("-Y", "_ws.malformed"); bad != "" {
		t.Errorf("tshark finds malformed\n%s", bad)
	}
	ours := tshark("-Y", "tcp.dstport == 2775", "-T", "fields", "-E", "separator=,", "-e", "smpp.command_id", "-e", "smpp.system_id", "-e", "smpp.source_addr", "-e", "smpp.destination_addr", "-e", "smpp.data_coding", "-e", "smpp.sm_length")
	const want = `0x00000009,oz,,,,
0x00000004,,Oz,36201234567,0x00,5
0x00000004,,3611,112,0x08,18
0x00000004,,9,361,0x00,159
0x00000004,,9,361,0x00,53
0x80000005,,,,,
0x80000015,,,,,
0x80000005,,,,,
0x00000006,,,,,`
	if ours != want {
		t.Errorf("tshark reads\n%s\nwant\n%s", ours, want)
	}
}
