// Package mp3 plays MPEG-1 and MPEG-2 layer III files, and makes them of finished recordings.
//
// A Reader is a media.Source. Decoding is go-mp3's; this package looks at the bytes first, refuses what that cannot play
// by name, keeps a hostile file within bounds, and cuts the encoder's silence off both ends where the file says how long
// it is.
//
// An Encoder is LAME: the program of that name when it is installed, else the embedded WebAssembly. It runs in worker
// processes only (Serve is their side), because Go cannot preempt it (house decision 10). It encodes whole files, never
// a running call.
//
// Start reading at NewReader or at Encoder; lame.go drives the engine, info.go makes the length exact.
package mp3
