package wav

// One sample a byte, expanded as ITU-T G.711 says. The codec of calls is media/codec; files are read too seldom to
// need its tables.

// aLaw expands 13-bit A-law to 16 bits (G.711, table 1).
func aLaw(b byte) int16 {
	b ^= 0x55
	e, m := int(b>>4&7), int(b&15)
	v := m<<4 + 8
	if e > 0 {
		v = (v + 256) << (e - 1)
	}
	if b&0x80 == 0 {
		v = -v
	}
	return int16(v)
}

// muLaw expands 14-bit mu-law to 16 bits (G.711, table 2).
func muLaw(b byte) int16 {
	b = ^b
	e, m := int(b>>4&7), int(b&15)
	v := (m<<3+132)<<e - 132
	if b&0x80 != 0 {
		v = -v
	}
	return int16(v)
}
