package tts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// program is an engine that is installed beside the switch and executed once a piece: espeak-ng (a hundred languages)
// or flite. The text goes by standard input, so that none is taken for an option.
type program struct {
	which string // espeak-ng or flite
	path  string
	n     int // how many at once
}

func newProgram(c Config) (engine, error) {
	path, err := exec.LookPath(c.Engine)
	if err != nil {
		return nil, fmt.Errorf("tts: speech.engine is %s, which is not installed: %w", c.Engine, err)
	}
	return &program{c.Engine, path, or(c.Workers, runtime.NumCPU())}, nil
}

func (p *program) name() string { return p.which }
func (p *program) workers() int { return 1 } // none stays; one run brings the program into the disk cache
func (p *program) places() int  { return p.n }

func (p *program) quick() string {
	if p.which == "flite" {
		return quickVoice
	}
	return ""
}

func (p *program) english(_ Request, voice string) bool {
	return p.which == "flite" || voice == "en" || strings.HasPrefix(voice, "en-") || strings.HasPrefix(voice, "en+")
}

func (p *program) run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// voices of espeak-ng are languages with a variant; the common ones are named, all that look like one are passed on.
func (p *program) voices() []string {
	if p.which == "flite" {
		return []string{"slt", "kal16", "rms", "awb"}
	}
	return []string{"en", "en-us", "en-gb", "de", "fr", "es", "it", "hu", "nl", "pl", "pt", "pt-br", "ro", "cs", "sk", "sv"}
}

func (p *program) pick(r Request) (voice, note string) {
	if p.which == "flite" {
		return pickEnglish(r, p.voices())
	}
	lang := strings.ToLower(strings.ReplaceAll(r.Language, "_", "-"))
	switch {
	case lang == "en-uk":
		lang = "en-gb" // what the vendor's pages call it
	case lang == "":
		lang = "en"
	}
	if !tag(lang) {
		note, lang = fmt.Sprintf("no language %q: en is spoken", r.Language), "en"
	}
	if v := strings.ToLower(r.Voice); v != "" {
		if tag(v) {
			return v, note
		}
		note = fmt.Sprintf("no voice %q: %s speaks", r.Voice, lang)
	}
	return lang, note
}

// tag tells whether s may be an argument: en, en-us+f3, not a path or an option.
func tag(s string) bool {
	for i, r := range s {
		if !('a' <= r && r <= 'z' || i > 0 && (r == '-' || r == '+' || '0' <= r && r <= '9')) {
			return false
		}
	}
	return s != "" && len(s) <= 20
}

func (p *program) prepare(r Request) string {
	if p.which == "flite" {
		return normalize(r.Text, dayFirst(r.Language))
	}
	return plain(r.Text)
}

// plain is a text without tags and control characters, for engines that read numbers and signs by themselves.
func plain(text string) string {
	s := rules[0].find.ReplaceAllString(text, " ") // tags
	return strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7F {
			return ' '
		}
		return r
	}, s)), " ")
}

// say executes the program; like every job it is killed when it takes too long.
func (p *program) say(ctx context.Context, voice, text string) (sound, error) {
	s, err := p.execute(ctx, voice, text)
	if err != nil && p.which == "espeak-ng" && voice != "en" && ctx.Err() == nil {
		// The language is not installed: better English than silence.
		return p.execute(ctx, "en", text)
	}
	return s, err
}

func (p *program) execute(ctx context.Context, voice, text string) (sound, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	args := []string{"-v", voice, "-s", "160", "--stdin", "--stdout"}
	file := ""
	if p.which == "flite" {
		// It cannot write to a pipe: it goes back in its output to fill in the header.
		f, err := os.CreateTemp("", "ozswitch-*.wav")
		if err != nil {
			return sound{}, fmt.Errorf("tts: flite: %w", err)
		}
		f.Close()
		file = f.Name()
		defer os.Remove(file)
		args = []string{"-voice", voice, "-o", file}
	}
	cmd := exec.CommandContext(ctx, p.path, args...)
	cmd.WaitDelay = time.Second
	cmd.Stdin = strings.NewReader(text + "\n")
	var out, stderr limited
	out.most, stderr.most = mostSound, 1000
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return sound{}, fmt.Errorf("tts: %s: %w %s", p.which, err, bytes.TrimSpace(stderr.Bytes()))
	}
	b := out.Bytes()
	if file != "" {
		var err error
		if b, err = os.ReadFile(file); err != nil {
			return sound{}, fmt.Errorf("tts: flite: %w", err)
		}
	}
	return pcmOf(b)
}

// limited is a buffer with a size; beyond it the program is told that its pipe is full.
type limited struct {
	bytes.Buffer
	most int
}

func (l *limited) Write(b []byte) (int, error) {
	if l.Len()+len(b) > l.most {
		return 0, errors.New("tts: the engine writes without end")
	}
	return l.Buffer.Write(b)
}
