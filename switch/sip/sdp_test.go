package sip

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"ozswitch/switch/call"
)

func sdp(lines ...string) []byte { return []byte(strings.Join(lines, "\r\n") + "\r\n") }

func TestParseSDP(t *testing.T) {
	pcmu := call.Codec{PT: 0, Name: "PCMU", ClockRate: 8000}
	for _, c := range []struct {
		name string
		body []byte
		want call.Media
		err  string
	}{
		{"plain", sdp("v=0", "o=- 1 1 IN IP4 10.0.0.2", "s=x", "c=IN IP4 10.0.0.2", "t=0 0", "m=audio 4000 RTP/AVP 0 8", "a=ptime:20"),
			call.Media{Addr: netip.MustParseAddrPort("10.0.0.2:4000"), Ptime: 20 * time.Millisecond,
				Codecs: []call.Codec{pcmu, {PT: 8, Name: "PCMA", ClockRate: 8000}}}, ""},
		{"opus and two key formats", sdp("v=0", "c=IN IP4 10.0.0.2", "m=audio 4000 RTP/AVP 96 101 102", "c=IN IP4 10.0.0.3",
			"a=rtpmap:96 opus/48000/2", "a=fmtp:96 useinbandfec=1", "a=rtpmap:101 telephone-event/8000", "a=rtpmap:102 telephone-event/48000", "a=fmtp:101 0-16", "a=sendonly", "a=rtcp-mux"),
			call.Media{Addr: netip.MustParseAddrPort("10.0.0.3:4000"), Dir: call.SendOnly, Mux: true,
				Codecs: []call.Codec{{PT: 96, Name: "opus", ClockRate: 48000, Channels: 2, Fmtp: "useinbandfec=1"}},
				Keys:   []call.Codec{{PT: 101, Name: "telephone-event", ClockRate: 8000, Fmtp: "0-16"}, {PT: 102, Name: "telephone-event", ClockRate: 48000}}}, ""},
		{"held the old way, direction of the session, unexplained format", sdp("v=0", "c=IN IP4 0.0.0.0", "a=inactive", "m=audio 4000 RTP/AVP 0 99"),
			call.Media{Addr: netip.MustParseAddrPort("0.0.0.0:4000"), Dir: call.Inactive, Codecs: []call.Codec{pcmu}}, ""},
		{"video first, IPv6, LF only", []byte("v=0\nm=video 5000 RTP/AVP 31\nc=IN IP4 10.9.9.9\nm=audio 4000 RTP/AVP 0\nc=IN IP6 2001:db8::1\n"),
			call.Media{Addr: netip.MustParseAddrPort("[2001:db8::1]:4000"), Codecs: []call.Codec{pcmu}}, ""},
		{"SRTP only", sdp("v=0", "c=IN IP4 10.0.0.2", "m=audio 4000 RTP/SAVP 0"), call.Media{}, "audio over RTP/SAVP without a key that we can use in a=crypto"},
		{"SRTP by keys that nobody knows, and plain RTP", sdp("v=0", "c=IN IP4 10.0.0.2", "m=audio 4000 RTP/SAVP 0", "a=crypto:1 F8_128_HMAC_SHA1_80 inline:x", "m=audio 4002 RTP/AVP 0"),
			call.Media{Addr: netip.MustParseAddrPort("10.0.0.2:4002"), Codecs: []call.Codec{pcmu}}, ""},
		{"audio refused", sdp("v=0", "c=IN IP4 10.0.0.2", "m=audio 0 RTP/AVP 0"), call.Media{}, "no audio over RTP/AVP, RTP/SAVP or DTLS-SRTP"},
		{"no address", sdp("v=0", "m=audio 4000 RTP/AVP 0"), call.Media{}, "SDP has no c= line"},
		{"a name for an address", sdp("v=0", "c=IN IP4 host.example", "m=audio 4000 RTP/AVP 0"), call.Media{}, "SDP line 2: want a unicast address in c="},
		{"multicast", sdp("v=0", "c=IN IP4 224.2.1.1", "m=audio 4000 RTP/AVP 0"), call.Media{}, "SDP line 2: want a unicast address in c="},
		{"port too large", sdp("v=0", "c=IN IP4 10.0.0.2", "m=audio 70000 RTP/AVP 0"), call.Media{}, "SDP line 3: bad port in m="},
		{"format is no number", sdp("v=0", "c=IN IP4 10.0.0.2", "m=audio 4000 RTP/AVP x"), call.Media{}, `SDP line 3: bad format "x" in m=`},
		{"no SDP", []byte("hello"), call.Media{}, "SDP line 1: want x="},
	} {
		d, err := parseSDP(c.body)
		if c.err != "" {
			if err == nil || err.Error() != c.err {
				t.Errorf("%s: error %v, want %s", c.name, err, c.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if !reflect.DeepEqual(d.media, c.want) {
			t.Errorf("%s:\n got %+v\nwant %+v", c.name, d.media, c.want)
		}
	}
}

// TestAnswerSDP: an answer has the media lines of its offer, the others refused.
func TestAnswerSDP(t *testing.T) {
	d, err := parseSDP(sdp("v=0", "c=IN IP4 10.0.0.2", "m=video 5000 RTP/AVP 31 32", "m=audio 4000 RTP/AVP 0 101", "a=rtpmap:101 telephone-event/8000", "m=audio 4002 RTP/SAVP 0"))
	if err != nil {
		t.Fatal(err)
	}
	want := "v=0\r\no=- 7 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=video 0 RTP/AVP 31 32\r\n" +
		"m=audio 20000 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\nm=audio 0 RTP/SAVP 0\r\n"
	if got := string(writeSDP(testMedia, d, nil, 7, 1)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestMultipart(t *testing.T) {
	body := "--x\r\nContent-Type: text/plain\r\n\r\nhello\r\n--x\r\nContent-Type: application/sdp\r\n\r\n" + testSDP + "\r\n--x--\r\n"
	part, code, why := sdpPart("multipart/mixed; boundary=x", []byte(body))
	if code != 0 || strings.TrimSpace(string(part)) != strings.TrimSpace(testSDP) {
		t.Errorf("sdpPart = %q, %d %s", part, code, why)
	}
	if _, code, _ := sdpPart("multipart/mixed; boundary=x", []byte("--x\r\nContent-Type: text/plain\r\n\r\nhello\r\n--x--\r\n")); code != 415 {
		t.Errorf("no SDP part: code %d, want 415", code)
	}
}

// FuzzSDP: what is read can be written and reads the same again.
func FuzzSDP(f *testing.F) {
	f.Add([]byte(testSDP))
	f.Add(sdp("v=0", "c=IN IP6 ::1", "a=sendonly", "m=audio 4000/1 RTP/AVP 96 0", "a=rtpmap:96 L16/44100/2", "a=fmtp:96 x=y", "a=ptime:2.5", "m=image 1 udptl t38"))
	f.Add([]byte(chromium))
	f.Add(sdp("v=0", "c=IN IP4 10.0.0.2", "m=audio 4000 RTP/SAVP 0", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:"+key30+"|2^20", "m=video 1 RTP/SAVP 96"))
	f.Add(sdp("v=0", "c=IN IP4 0.0.0.0", "a=ice-lite", "a=setup:passive", "a=fingerprint:x", "m=audio 9 RTP/SAVPF 0", "a=mid:x y", "a=candidate:1", "a=end-of-candidates"))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := parseSDP(b)
		if err != nil {
			return
		}
		if !d.media.Addr.IsValid() || d.audio < 0 || d.audio >= len(d.lines) {
			t.Fatalf("%q: read %+v", b, d)
		}
		if len(d.media.Codecs)+len(d.media.Keys) == 0 {
			return // nothing that could be offered
		}
		if w := d.media.Web; w != nil {
			w.Setup = role(w, d) // an answer must say
		}
		again, err := parseSDP(writeSDP(d.media, d, nil, 1, 1))
		if err != nil {
			t.Fatalf("%q: written and read: %v", b, err)
		}
		if len(again.lines) != len(d.lines) || !reflect.DeepEqual(again.media, d.media) {
			t.Fatalf("%q:\n read %+v\nagain %+v", b, d.media, again.media)
		}
	})
}
