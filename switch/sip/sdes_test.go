package sip

import (
	"context"
	"net/netip"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"ozswitch/switch/call"
)

// Keys of 30 and of 44 bytes.
const (
	key30 = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
	key44 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKis="
)

// TestReadCrypto: lines that we can keep to are taken, others passed over (RFC
// 4568 6, 7.1.2).
func TestReadCrypto(t *testing.T) {
	for _, c := range []struct {
		text string
		want call.Crypto
		ok   bool
	}{
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30, call.Crypto{Tag: 1, Suite: "AES_CM_128_HMAC_SHA1_80", Key: "inline:" + key30}, true},
		{"0 aes_cm_128_hmac_sha1_32 inline:" + key30 + "|2^48", call.Crypto{Suite: "AES_CM_128_HMAC_SHA1_32", Key: "inline:" + key30 + "|2^48"}, true},
		{"999999999 AEAD_AES_256_GCM inline:" + key44 + "|1024 WSH=128", call.Crypto{Tag: 999999999, Suite: "AEAD_AES_256_GCM", Key: "inline:" + key44 + "|1024"}, true},
		{"1 F8_128_HMAC_SHA1_80 inline:" + key30, call.Crypto{}, false},
		{"01 AES_CM_128_HMAC_SHA1_80 inline:" + key30, call.Crypto{}, false},
		{"1234567890 AES_CM_128_HMAC_SHA1_80 inline:" + key30, call.Crypto{}, false},
		{"x AES_CM_128_HMAC_SHA1_80 inline:" + key30, call.Crypto{}, false},
		{"1 AES_CM_128_HMAC_SHA1_80", call.Crypto{}, false},
		{"1 AES_CM_128_HMAC_SHA1_80 uri:" + key30, call.Crypto{}, false},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" + key44, call.Crypto{}, false},
		{"1 AEAD_AES_256_GCM inline:" + key30, call.Crypto{}, false},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30[:39] + "*", call.Crypto{}, false},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + ";inline:" + key30, call.Crypto{}, false},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|2^49", call.Crypto{}, false},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|2^20|1:4", call.Crypto{}, false},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|1:4", call.Crypto{}, false},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + " UNENCRYPTED_SRTP", call.Crypto{}, false},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + " KDR=1", call.Crypto{}, false},
	} {
		got, ok := readCrypto(c.text)
		if ok != c.ok || ok && got != c.want {
			t.Errorf("%s: %+v, %v, want %+v, %v", c.text, got, ok, c.want, c.ok)
		}
	}
}

// TestSDES: an offer of RTP/SAVP and one of RTP/AVP with keys beside it; the
// answer has the profile of the offer, an offer of ours that of its media.
func TestSDES(t *testing.T) {
	text := "1 AES_CM_128_HMAC_SHA1_80 inline:" + key30
	want := []call.Crypto{{Tag: 1, Suite: "AES_CM_128_HMAC_SHA1_80", Key: "inline:" + key30}}
	for _, c := range []struct {
		proto  string
		secure bool
	}{{"RTP/SAVP", true}, {"RTP/SAVPF", true}, {"RTP/AVP", false}} {
		d, err := parseSDP(sdp("v=0", "c=IN IP4 10.0.0.2", "m=audio 4000 "+c.proto+" 0", "a=crypto:"+text, "a=crypto:"+text, "a=crypto:2 NOBODY_KNOWS inline:x"))
		if err != nil {
			t.Fatal(c.proto, err)
		}
		if !reflect.DeepEqual(d.media.Crypto, want) || d.media.Secure != c.secure || d.media.Web != nil {
			t.Errorf("%s: %+v", c.proto, d.media)
		}
		m := testMedia
		m.Crypto, m.Secure = want, c.secure
		reply := string(writeSDP(m, d, nil, 1, 1))
		if !strings.Contains(reply, "m=audio 20000 "+c.proto+" 0 101\r\n") || strings.Count(reply, "a=crypto:"+text+"\r\n") != 1 {
			t.Errorf("%s is answered\n%s", c.proto, reply)
		}
		offer := string(writeSDP(m, nil, nil, 1, 1))
		if proto := map[bool]string{true: "RTP/SAVP", false: "RTP/AVP"}[c.secure]; !strings.Contains(offer, "m=audio 20000 "+proto+" 0 101\r\n") {
			t.Errorf("offered\n%s", offer)
		}
	}
	if _, err := parseSDP(sdp("v=0", "c=IN IP4 10.0.0.2", "m=audio 4000 RTP/SAVP 0", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:short")); err != errNoKey || strings.Contains(err.Error(), "short") {
		t.Errorf("a broken key: %v", err)
	}
}

// TestKeysAreNotShown: whoever traces messages sees no key, the far end does.
func TestKeysAreNotShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet(0, 0)
		ctx, stop := context.WithCancel(t.Context())
		var mu sync.Mutex
		var wire, traced strings.Builder
		n.saw = func(_ string, b []byte) {
			mu.Lock()
			defer mu.Unlock()
			wire.Write(b)
		}
		p := &phones{events: map[call.LegID][]string{}}
		p.e = New(Config{Listen: []string{"udp://" + ourAddr}, ListenPacket: n.listen, Rand: seeded(1), Log: testLog(t),
			Trace: func(_ call.LegID, _ bool, _ string, _ netip.AddrPort, b []byte) {
				mu.Lock()
				defer mu.Unlock()
				traced.Write(b)
			}}, p)
		done := make(chan error, 1)
		go func() { done <- p.e.Run(ctx) }()
		synctest.Wait()
		m := testMedia
		m.Crypto, m.Secure = []call.Crypto{{Tag: 1, Suite: "AES_CM_128_HMAC_SHA1_80", Key: "inline:" + key30 + "|2^20"}}, true
		p.e.Dial(call.Invite{Leg: "x", Target: "sip:x@" + peerAddr + ";transport=udp", Offer: &m}, p.post("x"))
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		if !strings.Contains(wire.String(), key30) {
			t.Errorf("the far end got no key:\n%s", wire.String())
		}
		if strings.Contains(traced.String(), key30[:8]) || len(traced.String()) != len(wire.String()) || !strings.Contains(traced.String(), "inline:"+strings.Repeat("*", len(key30))+"|2^20") {
			t.Errorf("traced:\n%s", traced.String())
		}
		stop()
		<-done
	})
}
