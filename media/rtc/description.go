package rtc

import (
	"errors"
	"fmt"
	"strings"
)

// A Description is what SDP says of one end of the path. Its fields are those of
// switch/call's WebMedia, so that one converts into the other.
type Description struct {
	Ufrag, Pwd      string
	Options         string   // a=ice-options
	Lite            bool     // a=ice-lite
	Fingerprints    []string // "sha-256 AB:CD:..", any of which will do
	Setup           string   // "actpass", "active", "passive", "holdconn"
	Candidates      []string // "1 1 udp 2130706431 127.0.0.1 19998 typ host"
	EndOfCandidates bool
	Mid             string
	Bundle          bool
}

// The roles in the handshake (RFC 4145, 4).
const (
	actpass = "actpass"
	active  = "active"
	passive = "passive"
)

// check tells what is missing in a description of the far end.
func (d *Description) check() error {
	switch {
	case len(d.Ufrag) < 4 || len(d.Ufrag) > 256 || len(d.Pwd) < 22 || len(d.Pwd) > 256: // RFC 8839, 5.4
		return errors.New("rtc: the far end sent no valid a=ice-ufrag and a=ice-pwd")
	case d.hash() == "":
		return errors.New("rtc: the far end sent no a=fingerprint with sha-256")
	}
	return nil
}

// hash is the SHA-256 fingerprint in upper case, "" when there is none.
func (d *Description) hash() string {
	for _, f := range d.Fingerprints {
		if kind, sum, _ := strings.Cut(f, " "); strings.EqualFold(kind, "sha-256") && len(sum) == 95 {
			return strings.ToUpper(sum)
		}
	}
	return ""
}

// answer is our role when the far end offers one.
func answer(offered string) (string, error) {
	switch offered {
	case actpass, active, "":
		return passive, nil
	case passive:
		return active, nil
	}
	return "", fmt.Errorf("rtc: a=setup:%s cannot be answered", offered)
}
