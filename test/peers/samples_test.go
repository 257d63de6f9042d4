//go:build peers

package peers

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestSampleConfigurations starts the switch with each sample configuration, as its
// head says, and calls its echo as one of its telephones.
func TestSampleConfigurations(t *testing.T) {
	secret := regexp.MustCompile(`"env:([A-Za-z0-9_]+)"`)
	for _, sample := range []struct{ file, user, password, echo string }{
		{"home.yaml", "1001", "PHONE_1001", "1099"},
		{"office.yaml", "2001", "PASS_2001", "2999"},
		{"carrier.yaml", "", "", ""}, // it has no telephone
		{"full.yaml", "1001", "change-me-2", "9900"},
	} {
		t.Run(sample.file, func(t *testing.T) {
			src, err := os.ReadFile(filepath.Join(examples, sample.file))
			if err != nil {
				t.Fatal(err)
			}
			// The carriers of the samples are nobody; ours is silent.
			text := strings.NewReplacer("sip.example.net:5060", "127.0.0.1:9", "sip.example.net", "127.0.0.1:9", "192.0.2.10:5060", "127.0.0.1:9").Replace(string(src))
			var env []string
			for _, name := range secret.FindAllStringSubmatch(text, -1) {
				env = append(env, name[1]+"=violet-cedar-"+name[1])
			}
			dir := t.TempDir()
			write(t, filepath.Join(dir, sample.file), text)
			if sample.file == "full.yaml" {
				for _, f := range []string{"record/script.xml"} {
					b, err := os.ReadFile(filepath.Join(examples, f))
					if err != nil {
						t.Fatal(err)
					}
					write(t, filepath.Join(dir, f), string(b))
				}
			}
			offset := freePort(t) % 20000
			p := start(t, dir, env, program(t), "serve", "--config", sample.file, "--port-offset", fmt.Sprint(offset))
			eventually(t, "the switch is ready", func() bool {
				if p.ended() {
					t.Fatalf("ozswitch serve ended: %v\n%s", p.err, p.out.String())
				}
				answer, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/readyz", 9509+offset))
				if err != nil {
					return false
				}
				answer.Body.Close()
				return answer.StatusCode == http.StatusOK
			})
			if sample.user != "" {
				password := sample.password
				if sample.file != "full.yaml" {
					password = "violet-cedar-" + password
				}
				out := run(t, dir, program(t), "call", sample.echo, "--server", fmt.Sprintf("127.0.0.1:%d", 5060+offset),
					"--user", sample.user, "--password", password, "--hangup-after", "1s")
				if !strings.Contains(out, "answered") {
					t.Errorf("the echo did not answer:\n%s", out)
				}
			}
			if !p.stop() || p.err != nil {
				t.Errorf("ozswitch did not end well: %v\n%s", p.err, tail(p.out.String()))
			}
		})
	}
}
