package notify

import (
	"net"
	"strings"
	"testing"
	"time"
)

// TestOperatorDial: a server of the operator's own is reached, what hands out the
// machine's credentials is not, however it is written.
func TestOperatorDial(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dial := OperatorDial(3 * time.Second)
	c, err := dial(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatalf("loopback: %v", err)
	}
	c.Close()
	for address, kind := range map[string]string{
		"169.254.169.254:80":          "metadata",
		"[::ffff:169.254.169.254]:80": "metadata",
		"[fd00:ec2::254]:80":          "metadata",
		"169.254.1.2:80":              "link-local",
		"[fe80::1%lo]:80":             "link-local",
		"224.0.0.251:80":              "multicast",
	} {
		if _, err := dial(t.Context(), "tcp", address); err == nil || !strings.Contains(err.Error(), "is a "+kind+" address and never reached") {
			t.Errorf("%s: %v, want a refusal as %s", address, err, kind)
		}
	}
}
