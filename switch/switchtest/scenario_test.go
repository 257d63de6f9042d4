package switchtest

import (
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"ozswitch/media"
	"ozswitch/media/wav"
	"ozswitch/ozml/ozmltest"
	"ozswitch/switch/phone"
	"ozswitch/switch/server"
)

// What a scenario says of the world, made real: numbers that are called, sound
// files.

// called prepares the numbers of which a scenario says what becomes of them;
// phones is to be called after the first phone was made.
func called(w *World, sc *ozmltest.Scenario) (phones func()) {
	if len(sc.Dial) == 0 {
		return func() {}
	}
	w.Config.Dialplan = nil // so that a number may be nobody's
	numbers := slices.Sorted(maps.Keys(sc.Dial))
	numbers = slices.DeleteFunc(numbers, func(n string) bool { return sc.Dial[n].State == "NotFound" })
	for i, n := range numbers {
		w.Config.Extensions = append(w.Config.Extensions, server.Extension{Number: n, Type: "phone", Contact: "sip:" + n + "@" + PhoneHost(i+2)})
	}
	return func() {
		for _, n := range numbers {
			replies(w.Phone(n), sc.Dial[n])
		}
	}
}

// replies has a phone do what a scenario says of its number.
func replies(p *Phone, d ozmltest.Dialed) {
	r := phone.Reply{}
	switch r.Options.RingFor = d.After; d.State {
	case "Busy":
		r.Refuse = 486
	case "NoAnswer":
		r.Options.RingFor = time.Hour
	}
	p.Reply = func() phone.Reply { return r }
}

var playFile = regexp.MustCompile(`[\w/.-]+\.(?:wav|mp3)\b`)

// soundFiles makes those that the scenario or the script names.
func soundFiles(w *World, sc *ozmltest.Scenario, src string) {
	for name, d := range sc.Files {
		if d >= 0 {
			soundFile(w, name, d)
		}
	}
	for _, m := range playFile.FindAllString(src, -1) {
		if _, named := sc.Files[m]; !named {
			soundFile(w, m, 3*time.Second)
		}
	}
}

// soundFile makes a file of silence below media/.
func soundFile(w *World, name string, d time.Duration) {
	name = filepath.Join(w.Config.Data, "media", name)
	if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
		w.T.Fatal(err)
	}
	f, err := os.Create(name)
	if err != nil {
		w.T.Fatal(err)
	}
	defer f.Close()
	wr, err := wav.NewWriter(f, rate, 1)
	if err == nil {
		err = media.Copy(wr, media.Silence(rate, d))
	}
	if err == nil {
		err = wr.Close()
	}
	if err != nil && err != io.EOF {
		w.T.Fatal(err)
	}
}
