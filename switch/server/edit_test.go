package server

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ozswitch/switch/splice"
)

// TestEdits: whatever is changed of one extension of an example, the file loads
// strictly, differs in that extension only (checked compares all that the two
// texts mean), and every byte outside of it is the same. Added and removed again
// leaves no trace.
func TestEdits(t *testing.T) {
	const seed = 4711
	r := rand.New(rand.NewPCG(seed, seed))
	files, err := filepath.Glob("../../examples/*.yaml")
	if err != nil || len(files) < 4 {
		t.Fatal(files, err)
	}
	word := func() string {
		return []string{"x", "a, b", "it's #1: {y}", "0044", "yes", "ü ☎", `"q"`, "http://h/?a=1&b=2#c", "- x", "*", "***x"}[r.IntN(11)]
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s := &Server{opt: Options{Source: &Source{File: file, Getenv: func(n string) (string, bool) { return "long enough " + n, true }}}}
		f := s.opt.Source
		c, ps := f.parse(src)
		if c == nil {
			t.Fatal(ps)
		}
		for round := range 10 {
			x := c.Extensions[r.IntN(len(c.Extensions))]
			// A name, one deep key, one to be taken away.
			e := edit{number: x.Number, set: []setKey{{[]string{"name"}, splice.Quote(word())}}}
			if x.Type == "phone" {
				e.set = append(e.set, setKey{[]string{"password"}, splice.Quote("long enough " + word())}, setKey{[]string{"forward", "busy"}, splice.Quote(x.Number + "1")},
					setKey{[]string{"forward", "no_answer"}, ""}, setKey{[]string{"enabled"}, "false"}, setKey{[]string{"voicemail"}, ""})
			}
			if len(x.Members) > 1 {
				e.set = append(e.set, setKey{[]string{"members"}, "[" + splice.Quote(x.Members[1]) + "]"})
			}
			text, err := e.splice(f, src)
			if err == nil {
				_, err = s.checked(e, src, text)
			}
			if err != nil {
				t.Fatalf("%s, seed %d, round %d: %+v: %v\n%s", file, seed, round, e, err, text)
			}
			without := func(b []byte) []byte {
				out, err := edit{number: x.Number, remove: true}.splice(f, b)
				if err != nil {
					t.Fatal(err)
				}
				return out
			}
			if !bytes.Equal(without(src), without(text)) {
				t.Errorf("%s, seed %d, round %d: %+v changed more than the extension:\n%s", file, seed, round, e, text)
			}
			add := edit{number: "7777", make: fmt.Sprintf(`{number: "7777", type: phone, password: %s, name: %s}`, splice.Quote("long enough"+word()), splice.Quote(word()))}
			more, err := add.splice(f, src)
			if err == nil {
				_, err = s.checked(add, src, more)
			}
			if err != nil {
				t.Fatalf("%s: %+v: %v", file, add, err)
			}
			less, err := edit{number: "7777", remove: true}.splice(f, more)
			if err != nil || !bytes.Equal(less, src) {
				t.Errorf("%s: added and removed: %v\n%s", file, err, less)
			}
		}
	}
}

// TestMark: every value of a configuration counts, secrets too, and nil is not
// false.
func TestMark(t *testing.T) {
	k := newMarkKey()
	make := func(change func(*Config)) mark {
		c := Default()
		c.Extensions = []Extension{{Number: "1", Password: "a", Members: []string{"2"}}}
		change(c)
		return k.of(c)
	}
	plain, off := make(func(*Config) {}), false
	if plain != make(func(*Config) {}) {
		t.Error("the same is not the same")
	}
	if plain == newMarkKey().of(Default()) {
		t.Error("the key does not count")
	}
	for i, change := range []func(*Config){
		func(c *Config) { c.Extensions[0].Password = "b" },
		func(c *Config) { c.Extensions[0].Enabled = &off },
		func(c *Config) { c.Extensions[0].Members = []string{"", "2"} },
		func(c *Config) { c.HTTP.Allowed = []Net{{}} },
		func(c *Config) { c.Retention.MinFree = 7 },
		func(c *Config) { c.Users = []User{{}} },
		func(c *Config) { c.dev = true },
		func(c *Config) { c.RTP.Ports.Last++ },
	} {
		if make(change) == plain {
			t.Errorf("change %d is not seen", i)
		}
	}
}

// TestApplyTypes: what stands between the tags is what the key gets.
func TestApplyTypes(t *testing.T) {
	var x Extension
	for _, text := range []string{`{name: "0044", enabled: false, ring_time: "1m", max: 7}`, `{forward: {busy: "1"}}`, `{forward: {always: "2"}}`, `{members: ["1", "2"]}`} {
		if err := decode(text, &x); err != nil {
			t.Fatal(err)
		}
	}
	if x.Name != "0044" || x.enabled() || x.RingTime.short() != "1m" || x.Max != 7 || x.Forward.Busy != "1" || x.Forward.Always != "2" || strings.Join(x.Members, ",") != "1,2" {
		t.Errorf("got %+v", x)
	}
	for _, text := range []string{`{nam: x}`, `{max: x}`, `{forward: x}`, `[`, `{enabled: 7}`} {
		if err := decode(text, &x); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
}
