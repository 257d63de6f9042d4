package codec_test

import (
	"fmt"
	"time"

	"ozswitch/media"
	"ozswitch/media/codec"
)

// A prompt of 16 kHz becomes payloads that any number of calls may send.
func ExampleCodec_Frames() {
	c := codec.ByName("pcmu", 8000)
	frames, err := c.Frames(media.Tone(16000, 1000, -6, 90*time.Millisecond))
	fmt.Println(c, len(frames), "frames of", len(frames[0]), "bytes", err)
	// Output: PCMU/8000 5 frames of 160 bytes <nil>
}
