// Package wav reads and writes RIFF/WAVE files: a Reader is a media.Source from a file of PCM (8 or 16 bit), A-law or
// mu-law; a Writer makes 16-bit PCM and is a media.Sink; Repair gives a file whose writer was killed its true length.
//
// It is not a general RIFF library: other chunks are skipped, other formats refused by name.
//
// Format: "Multimedia Programming Interface and Data Specifications 1.0" (IBM, Microsoft, 1991) and RFC 2361.
package wav
