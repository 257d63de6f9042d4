package phone

import "ozswitch/media/codec"

// Codecs names what a phone speaks unless Options say otherwise, the best first.
func Codecs() (names []string) {
	for _, c := range codec.Table {
		names = append(names, c.Name)
	}
	return names
}
