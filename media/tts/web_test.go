package tts

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// server is a speech server; what it answers depends on the text.
func server(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	user, pass, _ := r.BasicAuth()
	text := string(b)
	switch {
	case r.Method != http.MethodPost || r.Header.Get("Content-Type") != "text/plain; charset=utf-8" || user != "me" || pass != "secret" || r.FormValue("key") != "1":
		http.Error(w, "not what was agreed: "+r.Method+" "+r.URL.String(), http.StatusBadRequest)
	case text == "refused.":
		http.Error(w, "no such voice\nsecond line", http.StatusUnprocessableEntity)
	case text == "moved.":
		http.Redirect(w, r, "http://elsewhere/", http.StatusTemporaryRedirect)
	case text == "page.":
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, "<html>Hello")
	case text == "cut.":
		w.Header().Set("Content-Length", "1000")
		w.Write(wavOf(1, 2, 3))
	case text == "endless.":
		for w.Write([]byte("RIFF")); ; {
			if _, err := w.Write(make([]byte, 1<<20)); err != nil {
				return
			}
		}
	case text == "silent.":
		w.Write(wavOf(make([]int16, 22050)...))
	case text == "slow.":
		select {
		case <-time.After(time.Minute):
		case <-r.Context().Done():
		}
	default:
		w.Header().Set("X-Said", text)
		w.Write(wavOf(slices.Repeat([]int16{300, -300}, 50*len(text)+10*len(r.FormValue("voice"))+5000)...))
	}
}

func TestWeb(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(server))
	t.Cleanup(s.Close)
	at := strings.Replace(s.URL, "http://", "http://me:secret@", 1) + "/say?key=1"
	v, err := New(Config{Engine: "http", URL: at, Voice: "anna"})
	if err != nil {
		t.Fatal(err)
	}
	run(t, v)
	for p, err := range v.Say(t.Context(), Request{Text: "<b>It costs €5</b> ő.", Language: "hu"}) {
		if err != nil || p.Text != "It costs €5 ő." || p.Rate != 22050 || p.Note != "" || p.Quick {
			t.Errorf("%q at %d Hz, note %q, quick %v, %v", p.Text, p.Rate, p.Note, p.Quick, err)
		}
		if l := loud(p.PCM, p.Rate); math.Abs(l-loudness) > 0.1 {
			t.Errorf("level %.1f dBFS, want %.0f as every voice", l, loudness)
		}
	}
	for text, want := range map[string]string{
		"refused.": "422 Unprocessable Entity no such voice",
		"moved.":   "307 Temporary Redirect",
		"page.":    "the answer is no WAV file but 11 bytes of text/html: <html>Hello",
		"cut.":     "unexpected EOF",
		"endless.": "longer than 8388608 bytes",
		"silent.":  ErrSilent.Error(),
		"...":      ErrNothing.Error(),
	} {
		_, err := say(v, t.Context(), Request{Text: text})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "second line") {
			t.Errorf("Say(%q) = %v, want %q", text, err, want)
		}
		if err != nil && !errors.Is(err, ErrSilent) && !errors.Is(err, ErrNothing) && !strings.HasPrefix(err.Error(), "tts: POST "+s.URL+"/say: ") {
			t.Errorf("Say(%q) = %v, want it to name what was attempted", text, err)
		}
	}
	if v.spare == nil == (BuiltIn() == nil) {
		t.Errorf("spare voice %v, built in: %v", v.spare, BuiltIn())
	}
	for _, u := range []string{"", "localhost:5000", "ftp://x/", "http://", "http://me:secret@%zz/"} {
		if _, err := New(Config{Engine: "http", URL: u}); err == nil || !strings.Contains(err.Error(), "speech.url") || strings.Contains(err.Error(), "secret") {
			t.Errorf("New with the URL %q = %v, want an error that names speech.url", u, err)
		}
	}
}

// TestWebDial: where it may go is for Dial to say; why not is told without the password.
func TestWebDial(t *testing.T) {
	v, err := New(Config{Engine: "http", URL: "http://me:secret@169.254.169.254/say?key=1", Dial: func(_ context.Context, network, address string) (net.Conn, error) {
		return nil, errors.New(network + " " + address + " is never reached")
	}})
	if err != nil {
		t.Fatal(err)
	}
	run(t, v)
	if _, err := say(v, t.Context(), Request{Text: "hello"}); err == nil || err.Error() != "tts: POST http://169.254.169.254/say: tcp 169.254.169.254:80 is never reached" {
		t.Errorf("Say = %v", err)
	}
}

// TestWebSlow: a server that does not answer is given up in time; a server that is not there is told at once.
func TestWebSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		s := &http.Server{Handler: http.HandlerFunc(server)}
		go s.Serve(&pipe{near, make(chan struct{})})
		dialled := false
		client := &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
			if dialled {
				return nil, errors.New("nobody is there")
			}
			dialled = true
			return far, nil
		}}}
		v, err := New(Config{Engine: "http", URL: "http://me:secret@tts/?key=1", Timeout: 3 * time.Second, Client: client})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- v.Run(ctx) }()
		begun := time.Now()
		if _, err := say(v, ctx, Request{Text: "slow."}); err == nil || err.Error() != "tts: POST http://tts/: no answer in time (3s)" || time.Since(begun) != 3*time.Second {
			t.Errorf("Say = %v after %v", err, time.Since(begun))
		}
		if _, err := say(v, ctx, Request{Text: "hello"}); err == nil || err.Error() != "tts: POST http://tts/: nobody is there" {
			t.Errorf("Say = %v", err)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		s.Close()
	})
}

// pipe is a listener of one connection.
type pipe struct {
	c      net.Conn
	closed chan struct{}
}

func (p *pipe) Accept() (net.Conn, error) {
	if c := p.c; c != nil {
		p.c = nil
		return c, nil
	}
	<-p.closed
	return nil, net.ErrClosed
}
func (p *pipe) Close() error   { close(p.closed); return nil }
func (p *pipe) Addr() net.Addr { return &net.TCPAddr{} }

// TestPCMOf: what servers write.
func TestPCMOf(t *testing.T) {
	le := binary.LittleEndian
	chunk := func(id string, body ...byte) []byte {
		return append(append(le.AppendUint32([]byte(id), uint32(len(body))), body...), make([]byte, len(body)&1)...)
	}
	format := func(f, channels uint16, rate uint32, bits uint16) []byte {
		b := le.AppendUint32(le.AppendUint16(le.AppendUint16(nil, f), channels), rate)
		b = le.AppendUint16(append(b, 0, 0, 0, 0, 0, 0), bits)
		return chunk("fmt ", b...)
	}
	file := func(chunks ...[]byte) []byte {
		return append([]byte("RIFF\xff\xff\xff\xffWAVE"), slices.Concat(chunks...)...)
	}
	data := chunk("data", 10, 0, 20, 0, 30, 0, 50, 0)
	for _, c := range []struct {
		name string
		in   []byte
		want []int16
		err  string
	}{
		{"plain", file(format(1, 1, 24000, 16), data), []int16{10, 20, 30, 50}, ""},
		{"stereo", file(format(1, 2, 44100, 16), data), []int16{15, 40}, ""},
		{"chunks before", file(chunk("LIST", 1, 2, 3), format(0xFFFE, 1, 16000, 16), chunk("fact", 1), data), []int16{10, 20, 30, 50}, ""},
		{"float", file(format(3, 1, 24000, 32), data), nil, "WAV format 3, 32 bits"},
		{"strange rate", file(format(1, 1, 192000, 16), data), nil, "192000 samples"},
		{"no format", file(data), nil, "no sound"},
		{"no data", file(format(1, 1, 16000, 16)), nil, "no sound"},
		{"mp3", []byte("ID3"), nil, "no WAV file"},
	} {
		s, err := pcmOf(c.in)
		if !slices.Equal(s.pcm, c.want) || (c.err == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %v, %v; want %v, %q", c.name, s.pcm, err, c.want, c.err)
		}
	}
}
