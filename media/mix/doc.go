// Package mix mixes conferences: each member of a Room hears all others and not
// himself (N-1), 20 ms at a time. It knows neither calls nor clocks: whoever owns
// a Room calls Turn every 20 ms, and each member's leg brings what it hears
// (Member.Hear) and fetches what it says (Member.Say) at turns of its own.
//
// Start at Room.Turn. A two-way mix of sources, as in files, is media.Mix.
package mix
