package voicemail

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"ozswitch/media/wav"
)

// Boxes are the mailboxes on the disk, below the data folder:
//
//	voicemail/NUMBER/new/TIME_FROM_CALL.wav
//	voicemail/NUMBER/old/TIME_FROM_CALL.wav
//	voicemail/NUMBER/greeting.wav
//
// All that is known of a message is in its name and its file, so that a script moves
// and deletes messages as files, and nothing can disagree with them.
type Boxes struct {
	Data    *os.Root            // the data folder
	Changed func(number string) // a mailbox may hold other messages now; may be nil

	mu    sync.Mutex
	wrong map[string]guesses // of PINs, by mailbox
}

// A Message is one that waits, or was heard.
type Message struct {
	File    string // below the data folder, with slashes
	From    string // number; "" = unknown
	At      time.Time
	Seconds float64
	New     bool
}

const stamp = "20060102T150405"

// dir is the folder of new or of old messages.
func dir(number string, fresh bool) string {
	return path.Join("voicemail", number, map[bool]string{true: "new", false: "old"}[fresh])
}

// safe tells whether a number can be a folder's name.
func safe(number string) bool {
	return number != "" && number != "." && number != ".." && !strings.ContainsAny(number, `/\`)
}

// List gives the messages of a mailbox, new ones or old ones, the oldest first. What
// is no sound file of ours is left out.
func (b *Boxes) List(number string, fresh bool) (all []Message) {
	if !safe(number) {
		return nil
	}
	entries, err := fs.ReadDir(b.Data.FS(), dir(number, fresh))
	if err != nil {
		return nil // no message was left yet
	}
	for _, e := range entries {
		m, ok := parse(e.Name())
		if !ok || !e.Type().IsRegular() {
			continue
		}
		m.File, m.New = path.Join(dir(number, fresh), e.Name()), fresh
		m.Seconds = b.seconds(m.File)
		all = append(all, m)
	}
	slices.SortStableFunc(all, func(x, y Message) int { return cmp.Or(x.At.Compare(y.At), cmp.Compare(x.File, y.File)) })
	return all
}

// parse reads the name of a message.
func parse(name string) (m Message, ok bool) {
	ext := path.Ext(name)
	parts := strings.Split(strings.TrimSuffix(name, ext), "_")
	if ext != ".wav" && ext != ".mp3" || len(parts) < 3 {
		return m, false
	}
	at, err := time.Parse(stamp, parts[0])
	if err != nil {
		return m, false
	}
	m.At, m.From = at, strings.Join(parts[1:len(parts)-1], "_")
	if m.From == unknown {
		m.From = ""
	}
	return m, true
}

// unknown stands for a caller without a number.
const unknown = "unknown"

// seconds is the length of a wav file; 0 of another.
func (b *Boxes) seconds(file string) float64 {
	f, err := b.Data.Open(file)
	if err != nil {
		return 0
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return 0
	}
	r, err := wav.NewReader(f)
	if err != nil {
		return 0
	}
	return r.Rate().D(int(st.Size()-wav.HeaderSize) / 2).Seconds() // ours are of one channel and 16 bits
}

// Counts tells how many messages wait, and how many were heard.
func (b *Boxes) Counts(number string) (fresh, old int) {
	count := func(fresh bool) (n int) {
		if !safe(number) {
			return 0
		}
		entries, _ := fs.ReadDir(b.Data.FS(), dir(number, fresh))
		for _, e := range entries {
			if _, ok := parse(e.Name()); ok {
				n++
			}
		}
		return n
	}
	return count(true), count(false)
}

// Put files a recording, a file below the data folder, as a new message.
func (b *Boxes) Put(number, from, call, file string, at time.Time) (Message, error) {
	if !safe(number) {
		return Message{}, fmt.Errorf("voicemail: %q is no number of a mailbox", number)
	}
	from = strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune("+*#._-", r) {
			return r
		}
		return -1
	}, from)
	if from == "" {
		from = unknown
	}
	name := fmt.Sprintf("%s_%s_%s%s", at.UTC().Format(stamp), from[:min(len(from), 64)], call, path.Ext(file))
	to := path.Join(dir(number, true), name)
	if err := b.move(file, to); err != nil {
		return Message{}, err
	}
	m, _ := parse(name)
	m.File, m.New, m.Seconds = to, true, b.seconds(to)
	b.changed(number)
	return m, nil
}

func (b *Boxes) move(from, to string) error {
	if err := b.Data.MkdirAll(path.Dir(to), 0o750); err != nil {
		return fmt.Errorf("voicemail: %w", err)
	}
	if err := b.Data.Rename(from, to); err != nil {
		return fmt.Errorf("voicemail: file a recording: %w", err)
	}
	return nil
}

// changed tells that a mailbox may hold other messages.
func (b *Boxes) changed(number string) {
	if b.Changed != nil {
		b.Changed(number)
	}
}

// watch gives what tells of a mailbox if it holds other numbers of messages than
// when it was told last.
func (b *Boxes) watch(number string) (look func()) {
	var mu sync.Mutex
	fresh, old := b.Counts(number)
	return func() {
		mu.Lock()
		defer mu.Unlock()
		f, o := b.Counts(number)
		if f != fresh || o != old {
			fresh, old = f, o
			b.changed(number)
		}
	}
}

// PutGreeting makes a recording the greeting of a mailbox.
func (b *Boxes) PutGreeting(number, file string) (string, error) {
	if !safe(number) {
		return "", fmt.Errorf("voicemail: %q is no number of a mailbox", number)
	}
	for _, ext := range exts {
		if err := b.Data.Remove(path.Join("voicemail", number, "greeting"+ext)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("voicemail: %w", err)
		}
	}
	to := path.Join("voicemail", number, "greeting"+path.Ext(file))
	return to, b.move(file, to)
}

var exts = []string{".wav", ".mp3"}

// Greeting is the greeting that was recorded; "" = none was.
func (b *Boxes) Greeting(number string) string {
	for _, ext := range exts {
		name := path.Join("voicemail", number, "greeting"+ext)
		if !safe(number) {
			break
		}
		if st, err := b.Data.Stat(name); err == nil && st.Mode().IsRegular() {
			return name
		}
	}
	return ""
}

// Remove deletes a file that is not wanted, such as a recording of nothing.
func (b *Boxes) Remove(file string) error { return b.Data.Remove(file) }

// guesses are wrong PINs of a mailbox in a row.
type guesses struct {
	n    int
	last time.Time
}

// So many wrong PINs in a row close a mailbox for so long to all who need one.
const (
	tries  = 10
	closed = time.Hour
)

// open tells whether a PIN may be tried.
func (b *Boxes) open(number string, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	g := b.wrong[number]
	return g.n < tries || now.Sub(g.last) >= closed
}

// tried notes a PIN that was right or wrong.
func (b *Boxes) tried(number string, right bool, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if right {
		delete(b.wrong, number)
		return
	}
	if b.wrong == nil {
		b.wrong = map[string]guesses{}
	}
	g := b.wrong[number]
	if now.Sub(g.last) >= closed {
		g.n = 0
	}
	b.wrong[number] = guesses{g.n + 1, now}
}
