//go:build peers

package peers

import (
	"encoding/csv"
	"fmt"
	"math"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The load of both scenarios: 300 calls, ten a second.
const (
	calls = 300
	rate  = 10
)

// sipp lets sipp place n calls with a scenario of testdata to the switch at
// addr. One failed call fails the test.
func sipp(t *testing.T, addr, scenario string, n int) {
	t.Helper()
	dir := t.TempDir()
	src, err := os.ReadFile("testdata/" + scenario)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, scenario), string(src))
	if err := os.WriteFile(filepath.Join(dir, "caller.pcap"), talkAndPress(), 0o644); err != nil {
		t.Fatal(err)
	}
	p := start(t, dir, []string{"TERM=dumb"}, "sipp", "-sf", scenario, "-s", "9000", "-m", fmt.Sprint(n), "-r", fmt.Sprint(rate),
		"-l", "1000", "-i", "127.0.0.1", "-mi", "127.0.0.1", "-mp", fmt.Sprint(mediaPort(t)), "-p", fmt.Sprint(freePort(t)),
		"-nostdin", "-trace_err", "-error_file", "errors.log", "-trace_stat", "-stf", "stat.csv", "-fd", "5",
		"-timeout", "150s", "-timeout_error", addr)
	<-p.done
	stat := lastStat(t, filepath.Join(dir, "stat.csv"))
	t.Logf("sipp: %s calls good, %s failed, %s retransmissions", stat["SuccessfulCall(C)"], stat["FailedCall(C)"], stat["Retransmissions(C)"])
	if p.err != nil || stat["SuccessfulCall(C)"] != fmt.Sprint(n) || stat["FailedCall(C)"] != "0" {
		errors, _ := os.ReadFile(filepath.Join(dir, "errors.log"))
		t.Errorf("sipp: %v, %s of %d calls good\n%.4000s", p.err, stat["SuccessfulCall(C)"], n, errors)
	}
}

// mediaPort is where sipp may count its ports of sound up from: below those of
// the switch and those that systems give out. It binds the first two only.
func mediaPort(t *testing.T) int {
	t.Helper()
next:
	for port := 10000; port < 18000; port += 100 {
		for _, p := range []int{port, port + 2} {
			l, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: p})
			if err != nil {
				continue next
			}
			l.Close()
		}
		return port
	}
	t.Fatal("no port is free for sipp's sound")
	return 0
}

// lastStat is the last row of sipp's statistics, by the names of its columns.
func lastStat(t *testing.T, file string) map[string]string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatalf("sipp left no statistics: %v", err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma, r.FieldsPerRecord, r.LazyQuotes = ';', -1, true
	rows, err := r.ReadAll()
	if err != nil || len(rows) < 2 {
		t.Fatalf("sipp's statistics: %d rows, %v", len(rows), err)
	}
	stat, last := map[string]string{}, rows[len(rows)-1]
	for i, name := range rows[0] {
		if i < len(last) {
			stat[name] = last[i]
		}
	}
	return stat
}

// TestSippRecords is scenario A: a prompt of 2 s, the caller talks 5 s and
// presses 1, which ends the recording, then hangs up.
func TestSippRecords(t *testing.T) {
	need(t, "sipp", "sox")
	needRoot(t)
	app := newWebApp(t, map[string]string{})
	app.answers["IncomingCall"] = fmt.Sprintf(
		`<Response><Play>prompt.wav</Play><Record FinishDigits="1" Format="wav" FinishedUrl="%s"/><Delay>60</Delay><Hangup/></Response>`, app.URL)
	n := serve(t, app.URL, "")
	tone(t, filepath.Join(mkdir(t, n.data, "media"), "prompt.wav"), 1000, 2)
	sipp(t, n.sip, "ivr_record.xml", calls)
	eventually(t, "every RecordCompleted came", func() bool { return len(app.notifications("RecordCompleted")) >= calls })
	n.close(t)

	said := map[string]float64{} // by file name
	for _, note := range app.notifications("RecordCompleted") {
		if note.Get("Reason") != "digit" || note.Get("Digit") != "1" {
			t.Errorf("RecordCompleted %v, want it ended by key 1", note)
		}
		said[filepath.Base(strings.ReplaceAll(note.Get("RecordPath"), `\`, "/"))] = number(t, note.Get("Duration"))
	}
	files := n.recordings(t)
	if len(files) != calls || len(said) != calls {
		t.Fatalf("%d recordings and %d notifications of different ones, want %d", len(files), len(said), calls)
	}
	for i, got := range seconds(t, files...) {
		name := filepath.Base(files[i])
		// The caller's pace is sipp's; that the three tell the same is ours.
		if got < 4 || got > 8 || math.Abs(got-said[name]) > 0.02 {
			t.Errorf("%s lasts %.3f s, RecordCompleted says %.3f; the caller talked about 5", name, got, said[name])
		}
	}
	wantTone(t, files[0], 1.5, 2, 440)
	wantTone(t, files[calls-1], 1.5, 2, 440)
}

// TestSippListens is scenario B: a prompt of 5 s, then the switch hangs up.
func TestSippListens(t *testing.T) {
	need(t, "sipp", "sox")
	app := newWebApp(t, map[string]string{"IncomingCall": `<Response><Play>prompt.wav</Play></Response>`})
	n := serve(t, app.URL, "")
	tone(t, filepath.Join(mkdir(t, n.data, "media"), "prompt.wav"), 1000, 5)
	sipp(t, n.sip, "ivr_prompt.xml", calls)
	n.close(t)
	if got := len(app.notifications("IncomingCall")); got != calls {
		t.Errorf("the app was asked %d times, want %d", got, calls)
	}
}

// TestDevRunsAFile: `ozswitch dev --script FILE` says where it listens and gives
// every caller the script, by the embedded voice.
func TestDevRunsAFile(t *testing.T) {
	need(t, "sipp")
	dir := t.TempDir()
	write(t, filepath.Join(dir, "hello.xml"), "<Response><Speak>Hello from a file.</Speak></Response>\n")
	offset := freePort(t) % 20000
	p := start(t, dir, nil, program(t), "dev", "--script", "hello.xml", "--port-offset", fmt.Sprint(offset))
	sip, page := fmt.Sprintf("127.0.0.1:%d", 5060+offset), fmt.Sprintf("127.0.0.1:%d", 9509+offset)
	eventually(t, "dev says where it listens", func() bool {
		if p.ended() {
			t.Fatalf("ozswitch dev ended: %v\n%s", p.err, p.out.String())
		}
		return strings.Contains(p.out.String(), sip) && strings.Contains(p.out.String(), page)
	})
	sipp(t, sip, "ivr_prompt.xml", 1)
	if !p.stop() || p.err != nil {
		t.Errorf("ozswitch dev did not end well on SIGTERM: %v", p.err)
	}
}

// needRoot: sipp sends a recorded caller's packets over a raw socket.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("sipp plays sound over a raw socket: run as root, or leave sipp out")
	}
}

func mkdir(t *testing.T, elem ...string) string {
	t.Helper()
	dir := filepath.Join(elem...)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}
