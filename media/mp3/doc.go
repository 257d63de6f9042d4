// Package mp3 plays MPEG-1 and MPEG-2 layer III files: a Reader is a media.Source.
//
// Decoding is go-mp3's; this package looks at the bytes first, refuses what that cannot play by name, keeps a hostile
// file within bounds, and cuts the encoder's silence off both ends where the file says how long it is.
package mp3
