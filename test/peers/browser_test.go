//go:build peers

package peers

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// inBrowser runs a program of test/browser to its end. It prints a line a step.
func inBrowser(t *testing.T, env []string, arg ...string) string {
	t.Helper()
	return inBrowserBy(t, "node", env, arg...)
}

// inBrowserBy is inBrowser where another program starts node.
func inBrowserBy(t *testing.T, program string, env []string, arg ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 6*limit)
	defer cancel()
	c := exec.CommandContext(ctx, program, arg...)
	c.Dir, c.Env, c.WaitDelay = "../browser", append(os.Environ(), env...), 5*time.Second
	out, err := c.CombinedOutput()
	t.Logf("%s\n%s", strings.Join(arg, " "), tail(string(out)))
	if err != nil {
		t.Errorf("%s: %v", strings.Join(arg, " "), err)
	}
	return string(out)
}

// toneScript plays 440 Hz, after key 1 880 Hz, after key 2 it records until key
// 3 and hangs up.
const toneScript = `<Response>
  <UserInput Timeout="120">
    <InitialCommands><Play>440.wav</Play></InitialCommands>
    <Inputs>
      <Input Key="1">
        <UserInput Timeout="120">
          <InitialCommands><Play>880.wav</Play></InitialCommands>
          <Inputs>
            <Input Key="2">
              <Record Format="wav" FinishDigits="3" Duration="60"/>
              <Delay>1</Delay>
              <UserInput Timeout="60"><Inputs><Input Key="3"><Hangup/></Input></Inputs></UserInput>
            </Input>
          </Inputs>
        </UserInput>
      </Input>
    </Inputs>
  </UserInput>
</Response>
`

// A webNode is a switch with a browser's phone, tones and a page's origin.
type webNode struct {
	*node
	https string // host:port, with a certificate of its own
}

func serveWeb(t *testing.T) *webNode {
	t.Helper()
	return serveWebAt(t, "127.0.0.1")
}

func serveWebAt(t *testing.T, address string) *webNode {
	t.Helper()
	dir := t.TempDir()
	media := filepath.Join(dir, "data", "media")
	for _, hertz := range []string{"440", "880"} {
		if err := os.MkdirAll(media, 0o755); err != nil {
			t.Fatal(err)
		}
		run(t, media, "sox", "-n", "-r", "8000", "-c", "1", "-b", "16", hertz+".wav", "synth", "60", "sine", hertz, "vol", "0.5")
	}
	script := filepath.Join(dir, "tones.xml")
	write(t, script, toneScript)
	cert, key := certificate(t, dir)
	n := &webNode{https: fmt.Sprintf("%s:%d", address, freePort(t))}
	n.node = &node{
		page: freePort(t),
		sip:  fmt.Sprintf("%s:%d", address, freePort(t)),
		http: fmt.Sprintf("%s:%d", address, freePort(t)),
		data: filepath.Join(dir, "data"),
	}
	config := filepath.Join(dir, "ozswitch.yaml")
	write(t, config, fmt.Sprintf(`data: %s
sip: {listen: ["udp://%s"], domain: localhost, guests: none, tls: {cert: %q, key: %q}}
rtp: {address: %s, webrtc_port: %d}
http: {listen: %q, tls_listen: %q, origins: ["http://127.0.0.1:%d"]}
users:
  - {name: HTTP_User_1, password: orange-lantern, api: true, admin: true}
extensions:
  - {number: "1001", type: phone, password: violet-cedar}
  - {number: "9100", type: script, file: %q}
  - {number: "9200", type: script, file: %[10]q}
  - {number: "9900", type: echo}
`, n.data, n.sip, cert, key, address, freePort(t), n.http, n.https, n.page, script))
	n.boot(t, config)
	return n
}

// certificate makes one for 127.0.0.1 that nobody has signed.
func certificate(t *testing.T, dir string) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ozswitch test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, &c, &c, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	write(t, cert, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	write(t, key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})))
	return cert, key
}

// TestSIPPages: JsSIP and SIP.js as they are, over ws and over wss, from a page
// of another origin that http.origins allows.
func TestSIPPages(t *testing.T) {
	need(t, "chromium", "node", "sox")
	for _, library := range []string{"jssip", "sipjs"} {
		for _, secure := range []bool{false, true} {
			n := serveWeb(t)
			ws := "ws://" + n.http + "/sip"
			if secure {
				ws = "wss://" + n.https + "/sip"
			}
			t.Run(library+" "+ws[:strings.IndexByte(ws, ':')], func(t *testing.T) {
				inBrowser(t, []string{fmt.Sprintf("PAGE_PORT=%d", n.page)}, "sip-pages.mjs", "--library", library, "--ws", ws, "--http", "http://"+n.http)
			})
			files := n.recordings(t)
			if len(files) != 1 {
				t.Errorf("%s: %d recordings, want 1", ws, len(files))
			}
			for _, f := range files {
				wantTone(t, f, 0.5, 1.5, 1000) // the page's microphone
			}
			n.close(t)
		}
	}
}

// TestTokenPage: a page of another site is a telephone by a security token, and
// is none once that is revoked.
func TestTokenPage(t *testing.T) {
	need(t, "chromium", "node", "sox")
	n := serveWeb(t)
	inBrowser(t, []string{fmt.Sprintf("PAGE_PORT=%d", n.page)}, "token-page.mjs", "--http", "http://"+n.http)
	n.close(t)
}

// TestNetworkDrop: a page in a network of its own loses it in a call and comes
// back. The network is a namespace that the test makes and takes away.
func TestNetworkDrop(t *testing.T) {
	need(t, "chromium", "node", "sox", "ip")
	if os.Geteuid() != 0 {
		t.Fatal("a network namespace needs root; SKIP=chromium leaves this out")
	}
	space := fmt.Sprintf("oz%d", os.Getpid())
	run(t, ".", "ip", "netns", "add", space)
	t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", space).Run() })
	ours, theirs := space+"a", space+"b"
	for _, line := range []string{
		"link add " + ours + " type veth peer name " + theirs + " netns " + space,
		"addr add 10.231.77.1/30 dev " + ours,
		"link set " + ours + " up",
		"-n " + space + " addr add 10.231.77.2/30 dev " + theirs,
		"-n " + space + " link set " + theirs + " up",
		"-n " + space + " link set lo up",
	} {
		run(t, ".", append([]string{"ip"}, strings.Fields(line)...)...)
	}
	t.Cleanup(func() { _ = exec.Command("ip", "link", "del", ours).Run() })
	n := serveWebAt(t, "10.231.77.1")
	cmd := []string{"netns", "exec", space, "node", "drop.mjs", "--ws", "ws://" + n.http + "/sip", "--link", theirs}
	inBrowserBy(t, "ip", []string{fmt.Sprintf("PAGE_PORT=%d", n.page)}, cmd...)
	n.close(t)
}

// TestFiveMinutes: ux.md 3, each step by a real user's browser, ending with what
// the microphone's tone left in the recording.
func TestFiveMinutes(t *testing.T) {
	need(t, "chromium", "node", "php", "sox", "curl")
	dir := t.TempDir()
	mic := tone(t, filepath.Join(dir, "mic.wav"), 1000, 10)
	data := filepath.Join(dir, "data")
	if err := os.MkdirAll(data, 0o755); err != nil {
		t.Fatal(err)
	}
	calls, err := filepath.Abs("../../examples")
	if err != nil {
		t.Fatal(err)
	}
	out := inBrowser(t, nil, "five-minutes.mjs", "--program", program(t), "--data", data, "--offset", fmt.Sprint(1000+os.Getpid()%1000), // all its ports lie below those that the system hands out
		"--mic", mic, "--app-port", fmt.Sprint(freePort(t)), "--calls", calls)
	if _, file, ok := strings.Cut(out, "\nrecording "); ok {
		file, _, _ = strings.Cut(file, "\n")
		// The browser takes a steady tone for noise and turns it down.
		if rms, hertz := hear(t, file, 0.5, 1.5); rms < 0.005 || math.Abs(hertz-1000) > 30 {
			t.Errorf("the recording has %.0f Hz at %.3f, want the microphone's 1000 Hz", hertz, rms)
		} else {
			t.Logf("the recording has %.0f Hz at %.3f of full scale", hertz, rms)
		}
	} else {
		t.Error("no recording was named")
	}
}
