package sip

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"ozswitch/switch/call"
)

// chromium is what Chromium offers for sound and a picture, shortened in what it
// has many of.
const chromium = "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\na=extmap-allow-mixed\r\na=msid-semantic: WMS x\r\n" +
	"m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n" +
	"a=candidate:1 1 udp 2113937151 0b1d2c3e-aaaa.local 50000 typ host generation 0 network-cost 999\r\n" +
	"a=ice-ufrag:4ZcD\r\na=ice-pwd:2/1muCWoOi3uLifh0NuRHlM3\r\na=ice-options:trickle\r\n" +
	"a=fingerprint:sha-256 19:E2:1C:3B:4B:9F:81:E6:B8:5C:F4:A5:A8:D8:73:04:BB:05:2F:70:9F:04:A9:0E:05:E9:26:33:E8:70:88:A2\r\n" +
	"a=setup:actpass\r\na=mid:0\r\na=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\na=sendrecv\r\na=msid:x y\r\na=rtcp-mux\r\n" +
	"a=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\na=fmtp:111 minptime=10;useinbandfec=1\r\na=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n" +
	"a=rtpmap:9 G722/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:13 CN/8000\r\na=rtpmap:110 telephone-event/48000\r\na=rtpmap:126 telephone-event/8000\r\n" +
	"m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=ice-ufrag:4ZcD\r\na=rtpmap:96 VP8/90000\r\n" +
	"m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:2\r\n"

func TestParseWeb(t *testing.T) {
	d, err := parseSDP([]byte(chromium))
	if err != nil {
		t.Fatal(err)
	}
	want := &call.WebMedia{
		Ufrag: "4ZcD", Pwd: "2/1muCWoOi3uLifh0NuRHlM3", Options: "trickle", Setup: "actpass", Mid: "0", Bundle: true,
		Fingerprints: []string{"sha-256 19:E2:1C:3B:4B:9F:81:E6:B8:5C:F4:A5:A8:D8:73:04:BB:05:2F:70:9F:04:A9:0E:05:E9:26:33:E8:70:88:A2"},
		Candidates:   []string{"1 1 udp 2113937151 0b1d2c3e-aaaa.local 50000 typ host generation 0 network-cost 999"},
	}
	if !reflect.DeepEqual(d.media.Web, want) {
		t.Errorf("\n got %+v\nwant %+v", d.media.Web, want)
	}
	if d.media.Nowhere() || d.media.Mirror() != call.SendRecv {
		t.Error("0.0.0.0 of a browser was taken for hold")
	}
	opus := d.media.Codecs[0]
	if k, ok := d.media.KeysFor(opus); !ok || k.PT != 110 {
		t.Errorf("keys beside opus are %+v, want payload type 110", k)
	}
}

// What is said for the session holds for our audio unless that says otherwise.
func TestWebOfSession(t *testing.T) {
	d, err := parseSDP(sdp("v=0", "c=IN IP4 10.0.0.2", "a=ice-ufrag:abcd", "a=ice-pwd:0123456789012345678901", "a=fingerprint:sha-256 AA", "a=setup:actpass", "a=ice-lite",
		"m=audio 4000 RTP/SAVPF 0", "a=setup:active"))
	if err != nil {
		t.Fatal(err)
	}
	want := &call.WebMedia{Ufrag: "abcd", Pwd: "0123456789012345678901", Lite: true, Fingerprints: []string{"sha-256 AA"}, Setup: "active"}
	if !reflect.DeepEqual(d.media.Web, want) {
		t.Errorf("\n got %+v\nwant %+v", d.media.Web, want)
	}
	if _, err := parseSDP(sdp("v=0", "c=IN IP4 10.0.0.2", "m=audio 4000 RTP/SAVPF 0")); err != errNoKey {
		t.Errorf("SAVPF without a fingerprint: %v, want %v", err, errNoKey)
	}
}

// The answer to a browser: its audio by the same protocol, the rest refused.
func TestAnswerWeb(t *testing.T) {
	d, err := parseSDP([]byte(chromium))
	if err != nil {
		t.Fatal(err)
	}
	m := call.Media{Addr: netip.MustParseAddrPort("127.0.0.1:19998"), Mux: true,
		Codecs: []call.Codec{{PT: 111, Name: "opus", ClockRate: 48000, Channels: 2}}, Keys: []call.Codec{{PT: 110, Name: "telephone-event", ClockRate: 48000, Fmtp: "0-16"}},
		Web: &call.WebMedia{Ufrag: "uuuu", Pwd: "pppppppppppppppppppppp", Lite: true, Fingerprints: []string{"sha-256 AB"}, Setup: "passive",
			Candidates: []string{"1 1 udp 2130706431 127.0.0.1 19998 typ host"}, EndOfCandidates: true, Mid: "0", Bundle: true}}
	want := []string{"v=0", "o=- 7 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0", "a=group:BUNDLE 0", "a=ice-lite",
		"m=audio 19998 UDP/TLS/RTP/SAVPF 111 110", "a=rtpmap:111 opus/48000/2", "a=rtpmap:110 telephone-event/48000", "a=fmtp:110 0-16", "a=rtcp-mux",
		"a=mid:0", "a=msid:ozswitch sound", "a=ice-ufrag:uuuu", "a=ice-pwd:pppppppppppppppppppppp", "a=fingerprint:sha-256 AB", "a=setup:passive",
		"a=candidate:1 1 udp 2130706431 127.0.0.1 19998 typ host", "a=end-of-candidates", "a=sendrecv",
		"m=video 0 UDP/TLS/RTP/SAVPF 96", "a=mid:1", "m=application 0 UDP/DTLS/SCTP webrtc-datachannel", "a=mid:2"}
	if got, want := string(writeSDP(m, d, nil, 7, 1)), string(sdp(want...)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	// Our own offer leaves the role open, also when a call has settled it.
	offer := string(writeSDP(m, nil, nil, 7, 2))
	for _, l := range []string{"m=audio 19998 UDP/TLS/RTP/SAVPF 111 110\r\n", "a=setup:actpass\r\n"} {
		if !strings.Contains(offer, l) {
			t.Errorf("our offer lacks %q:\n%s", l, offer)
		}
	}
}
