package codec

import (
	"slices"
	"strings"
)

// Table is every codec the switch speaks, in the order in which it likes them.
// A new codec is one file and one line here.
var Table = []*Codec{
	PCMU,
	PCMA,
	G722,
	Opus,
}

// ByName finds a codec by the name and clock rate of an SDP rtpmap line,
// in any case; nil if there is none.
func ByName(name string, clock int) *Codec {
	i := slices.IndexFunc(Table, func(c *Codec) bool {
		return strings.EqualFold(c.Name, name) && c.ClockRate == clock
	})
	if i < 0 {
		return nil
	}
	return Table[i]
}

// ByPT finds a codec by its static payload type (RFC 3551), for SDP that names
// it without an rtpmap line; nil if there is none.
func ByPT(pt uint8) *Codec {
	if pt >= FirstDynamic {
		return nil
	}
	i := slices.IndexFunc(Table, func(c *Codec) bool { return c.PT == pt })
	if i < 0 {
		return nil
	}
	return Table[i]
}
