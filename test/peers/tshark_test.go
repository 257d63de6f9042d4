//go:build peers

package peers

import (
	"context"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ozswitch/ozml/trace"
	"ozswitch/switch/eventlog"
	"ozswitch/switch/export"
)

// TestPcap: tshark reads the export of a real call as SIP and RTP, with good
// checksums, all packets of both streams, and none lost.
func TestPcap(t *testing.T) {
	need(t, "tshark")
	dir := t.TempDir()
	run(t, dir, program(t), "demo", "--once")
	logs, err := filepath.Glob(filepath.Join(dir, "*", "calls", "*", "*", "*.rtp"))
	if err != nil || len(logs) != 1 {
		t.Fatalf("captures of the call: %v, %v", logs, err)
	}
	id := strings.TrimSuffix(filepath.Base(logs[0]), ".rtp")
	log, err := eventlog.New(eventlog.Config{Dir: filepath.Dir(filepath.Dir(filepath.Dir(logs[0])))})
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	c := export.Call{
		ID:     id,
		Events: func() iter.Seq2[trace.Event, error] { return log.Read(id) },
		Sound:  func() (io.ReadSeekCloser, error) { return log.OpenSound(context.Background(), id) },
	}
	name := filepath.Join(dir, "call.pcap")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := export.PCAP(f, c); err != nil {
		t.Fatal(err)
	}
	f.Close()

	shark := func(arg ...string) []string {
		out := run(t, dir, append([]string{"tshark", "-r", name, "-o", "udp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"}, arg...)...)
		lines := strings.Split(strings.TrimSpace(out), "\n")
		return slices.DeleteFunc(lines, func(l string) bool { return l == "" || strings.HasPrefix(l, "Running as user") })
	}
	sip := strings.Join(shark("-Y", "sip", "-T", "fields", "-e", "sip.Method", "-e", "sip.Status-Code"), " ")
	for _, want := range []string{"INVITE", "100", "200", "ACK", "BYE"} {
		if !strings.Contains(sip, want) {
			t.Errorf("tshark saw no %s in %s", want, sip)
		}
	}
	if bad := shark("-Y", "udp.checksum.status == 0 || ip.checksum.status == 0 || _ws.malformed"); len(bad) != 0 {
		t.Errorf("tshark complains:\n%s", strings.Join(bad, "\n"))
	}
	var sent, received, quality int64
	for e, err := range log.Read(id) {
		if err == nil && e.Type == trace.MediaQuality {
			sent, received, quality = e.Sent, e.Received, quality+1
		}
	}
	streams := 0
	for _, l := range shark("-q", "-z", "rtp,streams") {
		if strings.Contains(l, "0x") && strings.Contains(l, "0 (0.0%)") { // lost
			streams++
		}
	}
	rtp := shark("-Y", "rtp", "-T", "fields", "-e", "rtp.p_type")
	t.Logf("%d RTP packets decoded; the switch sent %d and received %d", len(rtp), sent, received)
	if quality != 1 || int64(len(rtp)) != sent+received || streams != 2 {
		t.Errorf("tshark decoded %d RTP packets and %d whole streams; the switch sent %d and received %d", len(rtp), streams, sent, received)
	}
}
