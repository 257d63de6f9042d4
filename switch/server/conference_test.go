package server_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"ozswitch/media"
	"ozswitch/media/codec"
	"ozswitch/media/mediatest"
	"ozswitch/media/wav"
	"ozswitch/ozml/trace"
	"ozswitch/switch/phone"
	"ozswitch/switch/server"
	"ozswitch/switch/switchtest"
)

func conference(w *switchtest.World, e server.Extension) {
	e.Number, e.Type = "9400", "conference"
	w.Config.Extensions = append(w.Config.Extensions, e)
	w.Config.Dialplan = nil
}

// tone is how a member of the test is known.
func tone(i int) float64 { return float64(500 + 250*i) }

// TestConference: each of ten hears the tones of the nine others and not his own,
// in whatever codec.
func TestConference(t *testing.T) {
	switchtest.Run(t, func(w *switchtest.World) {
		t := w.T
		off := false
		conference(w, server.Extension{Tone: &off, Record: true})
		var all []*switchtest.Call
		for i := range 10 {
			p := w.Phone(fmt.Sprint(1001 + i))
			c := p.Place("9400", phone.Options{Codecs: codec.Table[i%3 : i%3+1], Record: true})
			if err := c.Answered(t.Context()); err != nil {
				t.Fatal(err)
			}
			all = append(all, c)
		}
		w.Pass(time.Second)
		if text := w.Get("/v1/conferences"); !strings.Contains(text, `"number":"1010"`) {
			t.Errorf("/v1/conferences: %s", text)
		}
		for i, c := range all {
			c.Play(media.Tone(16000, tone(i), -25, 3*time.Second))
		}
		w.Pass(2900 * time.Millisecond)
		if s := w.Server.Conferences(); len(s) != 1 || len(s[0].Members) != 10 || !s[0].Members[3].Talks {
			t.Errorf("the room is %+v, want ten members who speak", s)
		}
		first := all[0].ID()
		for _, c := range all {
			c.Hangup()
		}
		for i, c := range all {
			h := c.Over().Heard
			pcm := h.PCM[len(h.PCM)-h.Rate.N(2*time.Second):][:h.Rate.N(time.Second)]
			for j := range all {
				got := mediatest.Level(pcm, h.Rate, tone(j))
				if i == j && got > -45 {
					t.Errorf("member %d hears himself at %.1f dB", i, got)
				}
				if i != j && math.Abs(got+25) > 4 {
					t.Errorf("member %d hears member %d at %.1f dB, want -25", i, j, got)
				}
			}
		}
		w.Until("the room is closed", func() bool { return len(w.Server.Conferences()) == 0 })
		var file string
		w.Until("the recording is saved", func() bool {
			for _, e := range w.Events(first) {
				if e.Type == trace.RecordSaved {
					file = e.File
				}
			}
			return file != ""
		})
		if !strings.HasPrefix(file, "recordings/conference/9400/") {
			t.Errorf("the recording is %s", file)
		}
		src, err := wav.NewReader(strings.NewReader(string(w.File(file))))
		if err != nil {
			t.Fatal(err)
		}
		pcm, err := media.ReadAll(src)
		if err != nil {
			t.Fatal(err)
		}
		most := make([]float64, 10)
		for at := 0; at+16000 <= len(pcm); at += 8000 {
			for i := range most {
				most[i] = max(most[i], 100+mediatest.Level(pcm[at:at+16000], src.Rate(), tone(i)))
			}
		}
		for i, m := range most {
			if math.Abs(m-75) > 4 {
				t.Errorf("the recording has member %d at %.1f dB, want -25", i, m-100)
			}
		}
	})
}

// TestConferenceRoom: PIN, tones, mute, count, lock, and the room that is full.
func TestConferenceRoom(t *testing.T) {
	switchtest.Run(t, func(w *switchtest.World) {
		t := w.T
		conference(w, server.Extension{PIN: "2468", AdminPIN: "13579", Max: 2, Music: "hold.wav"})
		host := w.Phone("1001").Dial("9400")
		host.Hears("please enter the pin of the conference")
		host.Press("13579#")
		w.Until("the host is in", func() bool { return len(w.Server.Conferences()) == 1 })
		w.Pass(time.Second)
		host.Press("*6")
		host.Hears("you are the only one here")

		guest := w.Phone("1002").Dial("9400")
		guest.Hears("please enter the pin")
		guest.Press("1111#")
		guest.Hears("that was not the right pin")
		guest.Press("2468#")
		w.Until("the guest is in", func() bool { return len(w.Server.Conferences()[0].Members) == 2 })
		w.Pass(time.Second) // the tones
		speak := func(from, to *switchtest.Call, text string) {
			t.Helper()
			if err := from.Say(media.Samples(8000, mediatest.Spell(text, 8000))); err != nil {
				t.Fatal(err)
			}
			to.Hears(text)
		}
		speak(guest, host, "hello host")
		speak(host, guest, "hello guest")
		guest.Press("*2")
		guest.Hears("only the host can lock")
		guest.Press("*1")
		guest.Hears("you are muted")
		if !w.Server.Conferences()[0].Members[1].Muted {
			t.Error("the guest is not muted")
		}
		guest.Press("*1")
		guest.Hears("you can be heard again")
		speak(guest, host, "can you hear me")

		third := w.Phone("1003").Dial("9400")
		third.Press("2468#")
		third.Hears("the conference is full")
		third.Ends()
		guest.HangUp()
		host.Press("*2")
		host.Hears("the conference is locked")
		fourth := w.Phone("1004").Dial("9400")
		fourth.Press("2468#")
		fourth.Hears("the conference is locked")
		fourth.Ends()
		wrong := w.Phone("1005").Dial("9400")
		for range 3 {
			wrong.Press("9#")
			w.Pass(4 * time.Second)
		}
		wrong.Hears("goodbye")
		wrong.Ends()
		for _, e := range w.Events("") {
			if e.Type == trace.Key && e.Key != "•" {
				t.Errorf("a key of a PIN is written down: %+v", e)
			}
		}
		id := host.ID()
		host.HangUp()
		text := w.Transcript(id)
		for _, want := range []string{"conference 9400 joined", "conference 9400 locked", "conference 9400 left", "no such sound file: hold.wav"} {
			if !strings.Contains(text, want) {
				t.Errorf("the transcript does not tell %q:\n%s", want, text)
			}
		}
	})
}
