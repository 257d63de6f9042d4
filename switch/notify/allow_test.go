package notify

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"
)

func TestKindOf(t *testing.T) {
	for addr, want := range map[string]Kind{
		"8.8.8.8": Public, "2a00:1450::1": Public, "::ffff:8.8.8.8": Public, "64:ff9b::808:808": Public,
		"10.0.0.7": Private, "172.16.0.1": Private, "172.32.0.1": Public, "192.168.1.1": Private, "fd00::1": Private,
		"::ffff:10.0.0.7": Private, "64:ff9b::a00:7": Private, "2002:a00:7::1": Private,
		"127.0.0.1": Loopback, "127.9.9.9": Loopback, "::1": Loopback, "::ffff:127.0.0.1": Loopback, "2002:7f00:1::": Loopback,
		"169.254.1.1": LinkLocal, "fe80::1%eth0": LinkLocal,
		"224.0.0.1": Multicast, "ff02::1": Multicast,
		"169.254.169.254": Metadata, "fd00:ec2::254": Metadata, "::ffff:169.254.169.254": Metadata, "64:ff9b::a9fe:a9fe": Metadata, "168.63.129.16": Metadata,
		"0.0.0.0": Reserved, "::": Reserved, "0.1.2.3": Reserved, "100.64.0.1": Reserved, "240.0.0.1": Reserved, "255.255.255.255": Reserved,
		"192.0.2.1": Reserved, "2001:db8::1": Reserved, "::2": Reserved, "fec0::1": Reserved, "64:ff9b:1::1": Reserved,
	} {
		if got := KindOf(netip.MustParseAddr(addr)); got != want {
			t.Errorf("KindOf(%s) = %s, want %s", addr, got, want)
		}
	}
	if got := KindOf(netip.Addr{}); got != Reserved {
		t.Errorf("KindOf(no address) = %s, want %s", got, Reserved)
	}
}

func TestRules(t *testing.T) {
	for _, c := range []struct{ words, yes, no string }{
		{"", "", "8.8.8.8:80 10.0.0.7:80 127.0.0.1:80"},
		{"public", "8.8.8.8:80", "10.0.0.7:80 127.0.0.1:80 169.254.169.254:80 168.63.129.16:80"},
		{"private", "10.0.0.7:80 [fd00::1]:80 [::ffff:10.0.0.7]:80", "8.8.8.8:80 127.0.0.1:80 169.254.169.254:80 [fd00:ec2::254]:80"},
		{"loopback", "127.0.0.1:8080 [::1]:80", "10.0.0.7:80 0.0.0.0:80 169.254.169.254:80"},
		{"10.0.0.7:80", "10.0.0.7:80 [::ffff:10.0.0.7]:80", "10.0.0.7:81 10.0.0.8:80"},
		{"10.0.0.7", "10.0.0.7:80 10.0.0.7:443", "10.0.0.8:80"},
		{"[fe80::1]:80", "[fe80::1]:80 [fe80::1%eth0]:80", "[fe80::1]:81"},
		{"10.1.0.0/16", "10.1.2.3:9", "10.2.0.1:9"},
		{"::ffff:10.1.0.0/112", "10.1.2.3:9", "10.2.0.1:9"},
		{"169.254.169.254", "169.254.169.254:80", "169.254.170.2:80"},
		{"LOOPBACK private", "127.0.0.1:1 10.0.0.1:1", "8.8.8.8:1"},
	} {
		r, err := ParseRules(strings.Fields(c.words))
		if err != nil {
			t.Errorf("ParseRules(%s) = %v", c.words, err)
			continue
		}
		for _, a := range strings.Fields(c.yes) {
			if !r.Addr(netip.MustParseAddrPort(a)) {
				t.Errorf("%q refuses %s", c.words, a)
			}
		}
		for _, a := range strings.Fields(c.no) {
			if r.Addr(netip.MustParseAddrPort(a)) {
				t.Errorf("%q allows %s", c.words, a)
			}
		}
	}
	r, err := ParseRules([]string{"App.Lan", "db.lan:8080"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		host string
		port uint16
		want bool
	}{{"app.lan", 80, true}, {"APP.LAN.", 443, true}, {"db.lan", 8080, true}, {"db.lan", 80, false}, {"x.app.lan", 80, false}} {
		if got := r.Host(c.host, c.port); got != c.want {
			t.Errorf("Host(%s, %d) = %v, want %v", c.host, c.port, got, c.want)
		}
	}
	for _, w := range []string{"", "http://app.lan/", "*.lan", "app.lan:0", "app.lan:http", "10.0.0.0/33", "a b", "u@h", "::ffff:0.0.0.0/8", "app.lan:"} {
		if _, err := ParseRules([]string{w}); err == nil != (w == "app.lan:") || err != nil && !strings.HasPrefix(err.Error(), "notify: web.allow: ") {
			t.Errorf("ParseRules(%q) = %v", w, err)
		}
	}
}

// FuzzRules: whatever the address, the line that a refusal prints allows exactly
// that address and port.
func FuzzRules(f *testing.F) {
	f.Add([]byte{10, 0, 0, 7}, uint16(80), "private")
	f.Add(netip.MustParseAddr("64:ff9b::a9fe:a9fe").AsSlice(), uint16(443), "loopback")
	f.Add([]byte{127, 0, 0, 1}, uint16(1), "10.0.0.7:80")
	f.Fuzz(func(t *testing.T, b []byte, port uint16, word string) {
		if r, err := ParseRules([]string{word}); err == nil {
			r.Host(word, port)
		}
		a, ok := netip.AddrFromSlice(b)
		if !ok || port == 0 {
			return
		}
		ap := netip.AddrPortFrom(a, port)
		line := strings.TrimSuffix(strings.TrimPrefix(Line(ap), `web.allow: ["`), `"]`)
		r, err := ParseRules([]string{line})
		if err != nil || !r.Addr(ap) {
			t.Fatalf("%s does not allow %s: %v", Line(ap), ap, err)
		}
		if other := netip.AddrPortFrom(a, port^1); r.Addr(other) {
			t.Fatalf("%s allows %s too", Line(ap), other)
		}
		// No word opens what is within an address of another family.
		for _, w := range []Kind{Public, Private, Loopback} {
			r, _ := ParseRules([]string{string(w)})
			if k := KindOf(a); r.Addr(ap) != (k == w) {
				t.Fatalf("%s is %s, but %q says %v", a, k, w, r.Addr(ap))
			}
		}
		if a.Is4() && binary.BigEndian.Uint32(b)>>24 == 127 && KindOf(a) != Loopback {
			t.Fatalf("%s is %s", a, KindOf(a))
		}
	})
}
