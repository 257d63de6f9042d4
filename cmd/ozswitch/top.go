package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

const topHelp = `Example:  ozswitch top
          ozswitch top --server https://pbx.example:9509 --user admin --password env:OZ_PASSWORD
          ozswitch top --once --json

top shows the calls of a running switch in the terminal:

    up, down   choose a call           enter   what happened on it
    h          hang it up (asks)       l       its SIP and HTTP messages
    /          filter                  esc     back
    q          quit

A switch that was started with dev in this folder is found, and signed in to, by
the file console.url in its data folder (--data). --once prints the calls once,
as it does where there is no terminal.`

func newTopCommand() *cobra.Command {
	var t topClient
	var data string
	var once, asJSON bool
	c := &cobra.Command{
		Use:   "top",
		Short: "show the live calls in the terminal",
		Long:  topHelp,
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := t.find(data); err != nil {
				return err
			}
			if in, out, ok := terminals(c); ok && !once && !asJSON {
				return topLive(c.Context(), &t, in, out)
			}
			s, err := t.read(c.Context())
			if err != nil {
				return err
			}
			if asJSON {
				enc := json.NewEncoder(c.OutOrStdout())
				enc.SetEscapeHTML(false)
				return enc.Encode(map[string]any{"status": s.status, "live": s.calls})
			}
			for _, l := range s.table(100) {
				fmt.Fprintln(c.OutOrStdout(), l)
			}
			return nil
		},
	}
	f := c.Flags()
	f.StringVar(&t.server, "server", "", "`URL` of the switch (default that of dev in this folder, or http://127.0.0.1:9509)")
	f.StringVar(&t.user, "user", "", "name of a user of the API")
	f.StringVar(&t.password, "password", "", "the password, or file:NAME or env:NAME where it stands")
	f.StringVar(&data, "data", "./ozswitch-data", "data folder of a switch on this machine")
	f.BoolVar(&once, "once", false, "print the calls once")
	f.BoolVar(&asJSON, "json", false, "print the calls once, as JSON")
	return c
}

// terminals gives the terminal that the command runs in.
func terminals(c *cobra.Command) (in, out *os.File, ok bool) {
	in, ok1 := c.InOrStdin().(*os.File)
	out, ok2 := c.OutOrStdout().(*os.File)
	if !ok1 || !ok2 {
		return nil, nil, false
	}
	return in, out, term.IsTerminal(int(in.Fd())) && term.IsTerminal(int(out.Fd()))
}

// topLive shows the calls until the user quits.
func topLive(ctx context.Context, t *topClient, in, out *os.File) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	first, err := t.read(ctx) // a wrong password is told before the screen is taken
	if err != nil {
		return err
	}
	before, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		return fmt.Errorf("top: %w", err)
	}
	fmt.Fprint(out, "\x1b[?1049h\x1b[?25l") // another screen, no cursor
	defer func() {
		fmt.Fprint(out, "\x1b[?25h\x1b[?1049l")
		_ = term.Restore(int(in.Fd()), before)
	}()

	keys, news := make(chan string), make(chan struct{}, 1)
	go readKeys(ctx, in, keys)
	go t.follow(ctx, news)
	m := &topScreen{}
	m.take(first)
	second := time.NewTicker(time.Second)
	defer second.Stop()
	for {
		w, h, err := term.GetSize(int(out.Fd()))
		if err != nil || w < 20 || h < 5 {
			w, h = 80, 24
		}
		draw(out, m.render(w, h))
		select {
		case <-ctx.Done():
			return nil
		case <-second.C:
			m.note(t.refresh(ctx, m))
		case <-news:
			m.note(t.refresh(ctx, m))
		case k, ok := <-keys:
			if !ok {
				return nil
			}
			switch id := m.key(k); m.want {
			case wantQuit:
				return nil
			case wantHangup:
				m.note(t.hangup(ctx, id))
			case wantEvents:
				m.note(t.refresh(ctx, m))
			}
			m.want = wantNothing
		}
	}
}

// draw puts lines onto the screen without clearing it first, so nothing flickers.
func draw(out io.Writer, lines []string) {
	b := []byte("\x1b[H")
	for i, l := range lines {
		if i > 0 {
			b = append(b, "\r\n"...)
		}
		b = append(append(b, l...), "\x1b[K"...)
	}
	_, _ = out.Write(append(b, "\x1b[J"...))
}

// readKeys reads keys until the input ends: letters as they are, others by name.
func readKeys(ctx context.Context, in io.Reader, keys chan<- string) {
	defer close(keys)
	buf := make([]byte, 64)
	for {
		n, err := in.Read(buf)
		if err != nil {
			return
		}
		for _, k := range splitKeys(buf[:n]) {
			select {
			case keys <- k:
			case <-ctx.Done():
				return
			}
		}
	}
}

// splitKeys names the keys in what a terminal sent at once.
func splitKeys(b []byte) (keys []string) {
	s := string(b)
	for s != "" {
		known := false
		for seq, name := range map[string]string{"\x1b[A": "up", "\x1b[B": "down", "\x1bOA": "up", "\x1bOB": "down", "\x1b[5~": "page up", "\x1b[6~": "page down"} {
			if len(s) >= len(seq) && s[:len(seq)] == seq {
				keys, s, known = append(keys, name), s[len(seq):], true
				break
			}
		}
		if known {
			continue
		}
		r := []rune(s)[0]
		s = s[len(string(r)):]
		switch r {
		case 0x1b:
			if s != "" { // a sequence that means nothing to us
				return keys
			}
			keys = append(keys, "esc")
		case '\r', '\n':
			keys = append(keys, "enter")
		case 0x7f, 0x08:
			keys = append(keys, "backspace")
		case 0x03, 0x04:
			keys = append(keys, "q")
		default:
			if r >= ' ' {
				keys = append(keys, string(r))
			}
		}
	}
	return keys
}
