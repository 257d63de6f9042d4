package media_test

import (
	"fmt"
	"time"

	"ozswitch/media"
)

// A prompt over soft music, brought to the rate of a telephone.
func ExampleMix() {
	prompt := media.Tone(16000, 1000, -6, 300*time.Millisecond) // stands for a voice
	music := media.Gain(media.Tone(16000, 425, -6, 500*time.Millisecond), -12)
	src := media.Resample(media.Mix(prompt, music), 8000)
	fmt.Println(src)

	var line media.Buffer
	line.R = 8000
	if err := media.Copy(&line, src); err != nil {
		fmt.Println(err)
	}
	fmt.Println(line.R.D(len(line.PCM)))
	// Output:
	// mix(tone(1000 Hz), gain(-12 dB, tone(425 Hz))) -> resample(8000)
	// 500ms
}
