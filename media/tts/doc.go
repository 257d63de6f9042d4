// Package tts makes speech of text, clause by clause, so that a caller hears the first words while the rest is being
// made.
//
// The embedded voice is Flite as WebAssembly. It runs in worker processes only (Serve), never beside calls (house
// decision 10); espeak-ng and flite, when installed and configured, run as programs of their own. Every sentence ever
// made is cached in memory and on disk, and two calls that want the same sentence at once share one making of it.
//
// It does not play anything, and knows nothing of codecs: a Piece is samples at the voice's own rate.
//
// Start reading at Voice.Say; normalize.go is what the embedded voice needs done to a text, split.go cuts it into
// pieces, embedded.go and flite.go are the two ends of the worker's pipe.
package tts
