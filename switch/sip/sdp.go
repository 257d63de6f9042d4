package sip

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"ozswitch/switch/call"
)

// A description is an SDP body that was read (RFC 4566, RFC 3264): the audio
// that we take part in, and the media lines that an answer must repeat.
type description struct {
	media call.Media
	lines []mediaLine
	audio int // which of lines is ours
}

// A mediaLine is one m= line: "audio", "RTP/AVP", "0 8 101".
type mediaLine struct {
	kind, proto, formats string
	port                 int
	mid                  string // a=mid, "" = none
}

const (
	maxMediaLines = 32
	maxFormats    = 64
)

var (
	errNoAudio = errors.New("no audio over RTP/AVP, RTP/SAVP or DTLS-SRTP")
	errNoKey   = errors.New("audio over RTP/SAVP without a key that we can use in a=crypto")
)

// parseSDP reads a body. It is strict where sound would go astray (addresses,
// ports, formats) and passes over what it does not know. Of several audio lines
// the first counts whose way of sound is one of ours: who offers SRTP and plain RTP
// beside it has two.
func parseSDP(b []byte) (*description, error) {
	d, err := parseAudio(b, 0)
	for n := 1; (err == errNoKey || err == errNoAudio) && d != nil && d.audio >= 0 && n < maxMediaLines; n++ {
		var other error
		if d, other = parseAudio(b, n); other == nil {
			return d, nil
		}
	}
	if err != nil {
		return nil, err
	}
	return d, nil
}

// parseAudio does so for the audio line after so many others that would do. With
// errNoKey or errNoAudio it gives what it has read, where there was such a line.
func parseAudio(b []byte, skip int) (*description, error) {
	d := &description{audio: -1}
	var session, own netip.Addr
	dir, ownDir := call.SendRecv, call.MediaDir(255)
	var formats []call.Codec
	var all, its rtcLines // WebRTC's lines: the session's, our audio's
	ours := false         // the lines that follow belong to our audio
	n := 0
	for text := range strings.Lines(string(b)) {
		n++
		text = strings.TrimRight(text, "\r\n")
		if text == "" {
			continue
		}
		if len(text) < 2 || text[1] != '=' {
			return nil, fmt.Errorf("SDP line %d: want x=", n)
		}
		value := text[2:]
		switch text[0] {
		case 'v':
			if value != "0" {
				return nil, fmt.Errorf("SDP line %d: version %s", n, short(errors.New(value)))
			}
		case 'c':
			a, err := connection(value)
			if err != nil {
				return nil, fmt.Errorf("SDP line %d: %w", n, err)
			}
			if len(d.lines) == 0 {
				session = a
			} else if ours {
				own = a
			}
		case 'm':
			l, err := readMediaLine(value)
			if err != nil {
				return nil, fmt.Errorf("SDP line %d: %w", n, err)
			}
			if len(d.lines) == maxMediaLines {
				return nil, fmt.Errorf("SDP line %d: too many media", n)
			}
			ours = d.audio < 0 && l.kind == "audio" && l.port > 0 && (l.proto == "RTP/AVP" || slices.Contains(webProtos, l.proto))
			if ours && skip > 0 {
				ours = false
				skip--
			}
			if ours {
				d.audio = len(d.lines)
				if formats, err = readFormats(l.formats); err != nil {
					return nil, fmt.Errorf("SDP line %d: %w", n, err)
				}
			}
			d.lines = append(d.lines, l)
		case 'a':
			switch {
			case len(d.lines) == 0:
				direction(value, &dir)
				all.take(value)
				continue
			case ours:
				direction(value, &ownDir)
				d.attribute(value, formats)
				its.take(value)
			}
			if mid, ok := strings.CutPrefix(value, "mid:"); ok {
				d.lines[len(d.lines)-1].mid = strings.TrimSpace(mid)
			}
		}
	}
	if d.audio < 0 {
		return nil, errNoAudio
	}
	if l := d.lines[d.audio]; l.proto != "RTP/AVP" {
		d.media.Web = its.media(&all, l.mid)
		switch {
		case len(d.media.Web.Fingerprints) > 0:
			d.media.Crypto = nil // DTLS-SRTP it is
		case !slices.Contains(sdesProtos, l.proto):
			return d, errNoAudio
		case len(d.media.Crypto) == 0:
			return d, errNoKey
		default: // keys in SDP (RFC 4568), which anyone on the way may read: better than none
			d.media.Web, d.media.Secure = nil, true
		}
	}
	if !own.IsValid() {
		own = session
	}
	if !own.IsValid() {
		return nil, errors.New("SDP has no c= line")
	}
	m := &d.media
	m.Addr = netip.AddrPortFrom(own, uint16(d.lines[d.audio].port))
	if m.Dir = dir; ownDir != 255 {
		m.Dir = ownDir
	}
	for _, f := range formats {
		switch {
		case f.ClockRate == 0: // a dynamic number that no rtpmap explains
		case strings.EqualFold(f.Name, "telephone-event"):
			m.Keys = append(m.Keys, f)
		default:
			m.Codecs = append(m.Codecs, f)
		}
	}
	return d, nil
}

// connection reads "IN IP4 10.0.0.1".
func connection(v string) (netip.Addr, error) {
	f := strings.Fields(v)
	if len(f) != 3 || f[0] != "IN" || f[1] != "IP4" && f[1] != "IP6" {
		return netip.Addr{}, errors.New("want c=IN IP4 address")
	}
	a, err := netip.ParseAddr(f[2])
	if err != nil || a.Zone() != "" || a.Is4() != (f[1] == "IP4") || a.IsMulticast() {
		return netip.Addr{}, errors.New("want a unicast address in c=")
	}
	return a.Unmap(), nil
}

// readMediaLine reads "audio 4000 RTP/AVP 0 8".
func readMediaLine(v string) (mediaLine, error) {
	f := strings.Fields(v)
	if len(f) < 4 {
		return mediaLine{}, errors.New("short m= line")
	}
	p, count, many := strings.Cut(f[1], "/")
	port, err := strconv.ParseUint(p, 10, 16)
	if err != nil || many && count != "1" {
		return mediaLine{}, errors.New("bad port in m=")
	}
	return mediaLine{kind: f[0], proto: f[2], formats: strings.Join(f[3:], " "), port: int(port)}, nil
}

// static are the payload types that need no rtpmap (RFC 3551, table 4).
var static = map[uint8]call.Codec{
	0: {Name: "PCMU", ClockRate: 8000}, 3: {Name: "GSM", ClockRate: 8000}, 4: {Name: "G723", ClockRate: 8000},
	8: {Name: "PCMA", ClockRate: 8000}, 9: {Name: "G722", ClockRate: 8000}, 13: {Name: "CN", ClockRate: 8000},
	15: {Name: "G728", ClockRate: 8000}, 18: {Name: "G729", ClockRate: 8000},
}

func readFormats(v string) ([]call.Codec, error) {
	f := strings.Fields(v)
	if len(f) > maxFormats {
		return nil, errors.New("too many formats")
	}
	formats := make([]call.Codec, 0, len(f))
	for _, s := range f {
		pt, err := strconv.ParseUint(s, 10, 7)
		if err != nil {
			return nil, fmt.Errorf("bad format %q in m=", s)
		}
		c := static[uint8(pt)]
		c.PT = uint8(pt)
		formats = append(formats, c)
	}
	return formats, nil
}

func direction(v string, d *call.MediaDir) {
	for i, w := range directions {
		if v == w {
			*d = call.MediaDir(i)
		}
	}
}

var directions = [...]string{"sendrecv", "sendonly", "recvonly", "inactive"}

// attribute takes an a= line of our audio; what is broken is passed over.
func (d *description) attribute(v string, formats []call.Codec) {
	name, rest, _ := strings.Cut(v, ":")
	switch name {
	case "crypto":
		d.crypto(rest)
	case "rtcp-mux":
		d.media.Mux = true
	case "ptime":
		if ms, err := strconv.ParseFloat(strings.TrimSpace(rest), 64); err == nil && ms >= 1 && ms <= 1000 {
			d.media.Ptime = time.Duration(ms) * time.Millisecond
		}
	case "rtpmap", "fmtp":
		p, what, _ := strings.Cut(rest, " ")
		pt, err := strconv.ParseUint(p, 10, 7)
		what = strings.TrimSpace(what)
		if err != nil || what == "" {
			return
		}
		for i := range formats {
			switch f := &formats[i]; {
			case f.PT != uint8(pt):
			case name == "fmtp":
				f.Fmtp = what
			default:
				parts := strings.Split(what, "/")
				rate := 0
				if len(parts) > 1 {
					rate, _ = strconv.Atoi(parts[1])
				}
				if rate < 1000 || rate > 384_000 || parts[0] == "" || strings.ContainsAny(parts[0], " \t") {
					continue
				}
				f.Name, f.ClockRate, f.Channels = parts[0], rate, 0
				if len(parts) > 2 {
					if n, err := strconv.Atoi(parts[2]); err == nil && n > 1 && n <= 8 {
						f.Channels = n
					}
				}
			}
		}
	}
}

// writeSDP gives the body that describes m. With the description that it
// answers, or that it follows within a call, it has the same media lines, all but
// our audio refused (RFC 3264 6, 8).
func writeSDP(m call.Media, answers, follows *description, id, version uint64) []byte {
	addr := m.Addr.Addr()
	family := "IP4"
	if addr.Is6() {
		family = "IP6"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "v=0\r\no=- %d %d IN %s %s\r\ns=-\r\nc=IN %s %s\r\nt=0 0\r\n", id, version, family, addr, family, addr)
	proto := "RTP/AVP"
	switch {
	case m.Web != nil:
		writeWebSession(&b, m.Web)
		proto = webProtos[0]
	case m.Secure:
		proto = sdesProtos[0]
	}
	shape := answers
	if shape == nil {
		shape = follows
	}
	if shape == nil {
		writeAudio(&b, m, proto, nil)
		return []byte(b.String())
	}
	for i, l := range shape.lines {
		if i == shape.audio {
			if answers != nil {
				proto = l.proto
			}
			writeAudio(&b, m, proto, answers)
			continue
		}
		fmt.Fprintf(&b, "m=%s 0 %s %s\r\n", l.kind, l.proto, l.formats)
		if l.mid != "" {
			fmt.Fprintf(&b, "a=mid:%s\r\n", l.mid)
		}
	}
	return []byte(b.String())
}

func writeAudio(b *strings.Builder, m call.Media, proto string, answers *description) {
	fmt.Fprintf(b, "m=audio %d %s", m.Addr.Port(), proto)
	for _, list := range [][]call.Codec{m.Codecs, m.Keys} {
		for _, c := range list {
			fmt.Fprintf(b, " %d", c.PT)
		}
	}
	b.WriteString("\r\n")
	for _, list := range [][]call.Codec{m.Codecs, m.Keys} {
		for _, c := range list {
			fmt.Fprintf(b, "a=rtpmap:%d %s/%d", c.PT, c.Name, c.ClockRate)
			if c.Channels > 1 {
				fmt.Fprintf(b, "/%d", c.Channels)
			}
			b.WriteString("\r\n")
			if c.Fmtp != "" {
				fmt.Fprintf(b, "a=fmtp:%d %s\r\n", c.PT, c.Fmtp)
			}
		}
	}
	if m.Ptime > 0 {
		fmt.Fprintf(b, "a=ptime:%d\r\n", m.Ptime.Milliseconds())
	}
	if m.Mux {
		b.WriteString("a=rtcp-mux\r\n")
	}
	writeCrypto(b, m.Crypto)
	if m.Web != nil {
		writeWeb(b, m.Web, role(m.Web, answers))
	}
	fmt.Fprintf(b, "a=%s\r\n", directions[m.Dir])
}
