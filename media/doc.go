// Package media is the sound of the switch: what a rate, a frame, a source and a
// sink are, and the stages that join them.
//
// Sound is signed 16-bit samples of one channel, pulled: whoever needs sound
// reads it from a [Source], which never waits. Nothing here knows what time it
// is; [Copy] runs a minute of sound in a millisecond. The one place where sound
// meets the clock is package media/pace.
//
// A buffer belongs to the caller of Read or Write; neither side may keep it.
// Stages know their rate, so a pipe that does not fit is seen where it is
// joined. Stages also print themselves ("mix(gain(-6 dB, tone(425 Hz)), silence(2s))"),
// so that what a call is playing can be shown.
//
// It is not: codecs (media/codec), packets (media/rtp), files (media/wav).
// Start reading at media.go.
package media
