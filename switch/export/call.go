package export

import (
	"archive/zip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"time"

	"ozswitch/ozml/trace"
	"ozswitch/switch/eventlog"
)

// A Document is a script that the call ran, as it was then.
type Document struct {
	Name string `json:"name"`
	URL  string `json:"url,omitempty"` // where it was fetched
	Text string `json:"text"`
	Type string `json:"type"`
}

// A Recording is one that the call made.
type Recording struct {
	File    string  `json:"file"` // below the data folder
	Seconds float64 `json:"seconds"`
	Size    int64   `json:"size"`
	Reason  string  `json:"reason,omitempty"`
}

// A Summary is a call in few words.
type Summary struct {
	ID        string     `json:"id"`
	From      string     `json:"from"`
	To        string     `json:"to"`
	Direction string     `json:"direction"`
	Started   time.Time  `json:"started"`
	Answered  *time.Time `json:"answered,omitempty"`
	Ended     *time.Time `json:"ended,omitempty"`
	Reason    string     `json:"reason,omitempty"` // why it ended
	Seconds   float64    `json:"seconds"`
	Peer      string     `json:"peer,omitempty"` // address of its first SIP message
}

// A whole is what JSON writes.
type whole struct {
	Call       Summary       `json:"call"`
	Events     []trace.Event `json:"events"`
	Documents  []Document    `json:"documents"`
	Recordings []Recording   `json:"recordings"`
	Quality    *trace.Event  `json:"quality"`
}

// events gives the call's events without secrets. A line of the log that cannot be
// read is left out; that there is no log at all is an error.
func (c Call) events(take func(*trace.Event) error) error {
	for e, err := range c.Events() {
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("export: call %s: %w", c.ID, err)
		}
		if err != nil {
			continue
		}
		eventlog.Blank(&e, false)
		if err := take(&e); err != nil {
			return err
		}
	}
	return nil
}

func read(c Call) (*whole, error) {
	w := &whole{Call: Summary{ID: c.ID}, Events: []trace.Event{}, Documents: []Document{}, Recordings: []Recording{}}
	seen := map[Document]bool{}
	err := c.events(func(e *trace.Event) error {
		w.Events = append(w.Events, *e)
		s, at := &w.Call, e.T
		switch e.Type {
		case trace.CallStarted:
			s.From, s.To, s.Direction, s.Started = e.From, e.To, e.Direction, at
		case trace.CallAnswered:
			s.Answered = &at
		case trace.CallEnded:
			s.Ended, s.Reason, s.Seconds = &at, e.Reason, e.Seconds
		case trace.SIPReceived, trace.SIPSent:
			if s.Peer == "" {
				s.Peer = e.Peer
			}
		case trace.ScriptParsed:
			d := Document{Name: e.Doc, Text: e.Body, Type: "application/xml"}
			if strings.HasPrefix(e.Doc, "http://") || strings.HasPrefix(e.Doc, "https://") {
				d.URL = e.Doc
			}
			if d.Text != "" && !seen[d] {
				seen[d] = true
				w.Documents = append(w.Documents, d)
			}
		case trace.RecordSaved:
			w.Recordings = append(w.Recordings, Recording{e.File, e.Seconds, e.Size, e.Reason})
		case trace.MediaQuality:
			q := *e
			w.Quality = &q
		}
		return nil
	})
	return w, err
}

// JSON writes {call, events, documents, recordings, quality}.
func JSON(w io.Writer, c Call) error {
	all, err := read(c)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	return enc.Encode(all)
}

// Zip writes all there is of a call. What cannot be had is left out, and
// README.txt says so.
func Zip(w io.Writer, c Call) error {
	all, err := read(c)
	if err != nil {
		return err
	}
	z := &archive{Writer: zip.NewWriter(w), at: all.Call.Started}
	z.add("call.json", "the call, its events, scripts, recordings and quality", func(w io.Writer) error { return JSON(w, c) })
	z.add("events.jsonl", "its events, one JSON object a line", func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		for _, e := range all.Events {
			if err := enc.Encode(e); err != nil {
				return err
			}
		}
		return nil
	})
	z.add("ladder.mmd", "who said what to whom, a Mermaid sequence diagram", func(w io.Writer) error { return Mermaid(w, c) })
	z.add("call.pcap", "SIP and, if sound was kept (log.sound), RTP, for Wireshark", func(w io.Writer) error { return PCAP(w, c) })
	for i, d := range all.Documents {
		z.add(fmt.Sprintf("scripts/%02d-%s", i+1, safe(d.Name)), d.Name, func(w io.Writer) error {
			_, err := io.WriteString(w, d.Text)
			return err
		})
	}
	if s, err := SoundOf(c); err == nil {
		z.add("sound.wav", "left what we said, right the caller", func(w io.Writer) error {
			_, err := io.Copy(w, s)
			return err
		})
		s.Close()
	} else {
		z.without = append(z.without, "sound.wav: "+err.Error())
	}
	for _, r := range all.Recordings {
		f, err := c.open(r.File)
		if err != nil {
			z.without = append(z.without, r.File+": "+err.Error())
			continue
		}
		z.add(strings.TrimPrefix(path.Clean("/"+r.File), "/"), "a recording that the script made", func(w io.Writer) error {
			_, err := io.Copy(w, f)
			return err
		})
		f.Close()
	}
	s := all.Call
	z.add("README.txt", "this text", func(w io.Writer) error {
		fmt.Fprintf(w, "Call %s from %s to %s at %s, exported by ozswitch. Passwords, tokens,\nkeys of SDP and secret entries are blanked.\n\n%s",
			s.ID, s.From, s.To, s.Started.Format(time.RFC3339), z.list.String())
		for _, l := range z.without {
			fmt.Fprintf(w, "not here: %s\n", l)
		}
		return nil
	})
	if z.err != nil {
		return z.err
	}
	return z.Close()
}

// An archive is a zip that stops at its first error and lists what is in it.
type archive struct {
	*zip.Writer
	at      time.Time
	list    strings.Builder
	without []string
	err     error
}

func (z *archive) add(name, what string, write func(io.Writer) error) {
	if z.err != nil {
		return
	}
	h := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: z.at}
	if ext := path.Ext(name); ext == ".wav" || ext == ".mp3" || ext == ".pcap" {
		h.Method = zip.Store // sound does not get smaller
	}
	w, err := z.CreateHeader(h)
	if err == nil {
		err = write(w)
	}
	if err != nil {
		z.err = fmt.Errorf("export: %s: %w", name, err)
	}
	fmt.Fprintf(&z.list, "%-24s %s\n", name, what)
}

// safe makes of a document's name or URL the name of a file.
func safe(name string) string {
	name, _, _ = strings.Cut(name, "?")
	name = path.Base(name)
	name = strings.Map(func(r rune) rune {
		if r == '.' || r == '-' || r == '_' || '0' <= r && r <= '9' || 'a' <= r|0x20 && r|0x20 <= 'z' {
			return r
		}
		return '_'
	}, name)
	if strings.Trim(name, "._") == "" {
		name = "script"
	}
	if path.Ext(name) == "" {
		name += ".xml"
	}
	return name[max(0, len(name)-64):]
}
