//go:build peers

package peers

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

var (
	screens = flag.String("screens", os.Getenv("OZSWITCH_SCREENS"), "a folder to keep the console's pictures in")
	picture = flag.Bool("update-picture", false, "make docs/call.png, the README's picture, anew")
)

// microphone is a wav file for the browser: a tone that comes and goes.
func microphone(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	run(t, dir, "sox", "-n", "-r", "48000", "-c", "1", "-b", "16", "mic.wav", "synth", "60", "sine", "260", "sine", "mix", "390", "tremolo", "2.5", "95", "vol", "0.25")
	return filepath.Join(dir, "mic.wav")
}

// signIn finds the one-time link that `ozswitch dev` printed.
var signIn = regexp.MustCompile(`http://\S+/\?login=\S+`)

// TestScreens: every screen of the console in both themes and at 360 px. Nothing
// serious by the rules of axe-core, nothing from outside, nothing against the
// policy, no error in the browser's console, all of it by the keyboard as well.
func TestScreens(t *testing.T) {
	need(t, "chromium", "node", "sox")
	dir := t.TempDir()
	offset := freePort(t) % 20000
	dev := start(t, dir, nil, program(t), "dev", "--port-offset", fmt.Sprint(offset))
	eventually(t, "the link", func() bool {
		if dev.ended() {
			t.Fatalf("ozswitch dev ended: %v\n%s", dev.err, tail(dev.out.String()))
		}
		return signIn.MatchString(dev.out.String())
	})
	arg := []string{"screens.mjs", "--link", signIn.FindString(dev.out.String()), "--folder", keptScreens(t), "--mic", microphone(t)}
	if *picture {
		arg = append(arg, "--picture", absolute(t, "../../docs/call.png"))
	}
	inBrowser(t, nil, arg...)
}

// keptScreens is the folder for pictures: that of -screens, or one that goes
// with the test.
func keptScreens(t *testing.T) string {
	t.Helper()
	if *screens == "" {
		return t.TempDir()
	}
	return absolute(t, *screens)
}

func absolute(t *testing.T, name string) string {
	t.Helper()
	abs, err := filepath.Abs(name)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}
