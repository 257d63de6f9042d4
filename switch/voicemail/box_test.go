package voicemail

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"ozswitch/media"
	"ozswitch/media/wav"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// boxes are Boxes in a folder of their own; record makes a recording in it.
func boxes(t *testing.T) (b *Boxes, record func(name string, d time.Duration) string) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return &Boxes{Data: root}, func(name string, d time.Duration) string {
		t.Helper()
		name = "recordings/" + name
		if err := os.MkdirAll(filepath.Join(dir, "recordings"), 0o750); err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		w, err := wav.NewWriter(f, 8000, 1)
		if err == nil {
			err = w.Write(make([]int16, media.Rate(8000).N(d)))
		}
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		return name
	}
}

func TestBoxes(t *testing.T) {
	b, record := boxes(t)
	changed := ""
	b.Changed = func(n string) { changed += n + " " }
	put := func(from string, at time.Duration, d time.Duration) Message {
		t.Helper()
		m, err := b.Put("1001", from, "q7Lx2", record("x.wav", d), noon.Add(at))
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	second := put("+3612_34/../x", time.Minute, 3*time.Second)
	first := put("", 0, 1500*time.Millisecond)
	if second.From != "+3612_34..x" || second.Seconds != 3 || !second.New || second.File != "voicemail/1001/new/20260102T120100_+3612_34..x_q7Lx2.wav" {
		t.Errorf("Put gave %+v", second)
	}
	all := b.List("1001", true)
	if len(all) != 2 || all[0] != first || all[1] != second || all[0].From != "" || !all[0].At.Equal(noon) || all[0].Seconds != 1.5 {
		t.Errorf("List = %+v, want the oldest first", all)
	}
	if err := b.move(first.File, "voicemail/1001/old/"+filepath.Base(first.File)); err != nil {
		t.Fatal(err)
	}
	if err := b.Data.WriteFile("voicemail/1001/old/notes.txt", nil, 0o640); err != nil {
		t.Fatal(err)
	}
	if f, o := b.Counts("1001"); f != 1 || o != 1 {
		t.Errorf("Counts = %d, %d, want 1, 1", f, o)
	}
	if f, o := b.Counts("1002"); f != 0 || o != 0 || len(b.List("../recordings", true)) > 0 {
		t.Error("other mailboxes are not empty")
	}
	if changed != "1001 1001 " {
		t.Errorf("told of %q", changed)
	}
	if _, err := b.Put("../x", "1", "c", record("y.wav", time.Second), noon); err == nil {
		t.Error("a mailbox outside of the folder was taken")
	}
	if b.Greeting("1001") != "" {
		t.Error("there is a greeting that nobody recorded")
	}
	for range 2 { // the second replaces the first
		if g, err := b.PutGreeting("1001", record("g.wav", time.Second)); err != nil || g != "voicemail/1001/greeting.wav" || b.Greeting("1001") != g {
			t.Errorf("PutGreeting = %q, %v", g, err)
		}
	}
}

// Ten wrong PINs close a mailbox for an hour; a right one forgives them.
func TestGuesses(t *testing.T) {
	b := &Boxes{}
	now := noon
	for i := range 12 {
		if b.open("1001", now) != (i < 10) {
			t.Errorf("after %d wrong ones: open %v", i, !(i < 10))
		}
		b.tried("1001", false, now)
	}
	if !b.open("1002", now) {
		t.Error("another mailbox is closed")
	}
	if now = now.Add(time.Hour); !b.open("1001", now) {
		t.Error("closed for more than an hour")
	}
	b.tried("1001", false, now)
	if !b.open("1001", now) {
		t.Error("closed by one")
	}
	b.tried("1001", true, now)
	for range 9 {
		b.tried("1001", false, now)
	}
	if !b.open("1001", now) {
		t.Error("a right PIN forgave nothing")
	}
}
