package mp3

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"ozswitch/media"
	"ozswitch/media/worker"
)

// rate is what recordings are encoded at (decision 4.5).
const rate media.Rate = 16000

// Engine says what a worker encodes with.
type Engine struct {
	Lame string // the lame program; "" = not that
	Wasm string // a file instead of the embedded engine
}

// Serve is the worker's side of an Encoder: it encodes files until r ends. Nothing but frames may be written to w.
func Serve(r io.Reader, w io.Writer, e Engine) error {
	var l *lame
	return worker.Serve(r, w, func(b []byte) ([]byte, error) {
		var s Sound
		if err := json.Unmarshal(b, &s); err != nil {
			return nil, err
		}
		if e.Lame != "" {
			size, err := encode(s, func(out *os.File, src []media.Source) error { return program(e.Lame, out, src) })
			if err == nil {
				return json.Marshal(result{size})
			}
			fmt.Fprintln(os.Stderr, err)
			if e.Wasm == "" && available("", "") != nil {
				return nil, err
			}
		}
		if l == nil {
			var err error
			if l, err = load(context.Background(), e.Wasm); err != nil {
				return nil, err
			}
		}
		size, err := encode(s, func(out *os.File, src []media.Source) error { return l.encode(context.Background(), out, src) })
		if err != nil {
			return nil, err
		}
		return json.Marshal(result{size})
	})
}

// encode opens both files, has the sound encoded and brings the result to the disk.
func encode(s Sound, do func(*os.File, []media.Source) error) (size int64, err error) {
	if err := s.check(); err != nil {
		return 0, err
	}
	root, err := os.OpenRoot(s.Dir)
	if err != nil {
		return 0, err
	}
	defer root.Close()
	in, err := root.Open(s.In)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	out, err := root.OpenFile(s.Out, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	var src []media.Source
	for i := range s.Channels {
		bytes := io.NewSectionReader(in, s.Offset, s.Samples*int64(2*s.Channels))
		src = append(src, media.Resample(&channel{r: bufio.NewReaderSize(bytes, 64<<10), rate: s.Rate, step: 2 * s.Channels, at: 2 * i}, rate))
	}
	if err := do(out, src); err != nil {
		return 0, err
	}
	st, err := out.Stat()
	if err != nil {
		return 0, err
	}
	return st.Size(), out.Sync()
}

// channel is one channel of interleaved PCM.
type channel struct {
	r        io.Reader
	rate     media.Rate
	step, at int // bytes of all channels' sample, and where in them this one's is
	buf      []byte
}

func (c *channel) Rate() media.Rate { return c.rate }

// Read implements media.Source.
func (c *channel) Read(pcm []int16) (int, error) {
	if n := c.step * len(pcm); len(c.buf) < n {
		c.buf = make([]byte, n)
	}
	got, err := io.ReadFull(c.r, c.buf[:c.step*len(pcm)])
	n := got / c.step
	for i := range n {
		pcm[i] = int16(binary.LittleEndian.Uint16(c.buf[c.step*i+c.at:]))
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return n, err
}

// step is how much the engine gets at once: 200 ms.
const step = 3200

// next reads up to a step of every channel, which all are equally long.
func next(src []media.Source, pcm [][]int16) (n int, err error) {
	for i, s := range src {
		if n, err = s.Read(pcm[i][:step]); err != nil && !isEnd(err) {
			return 0, fmt.Errorf("mp3: read the sound: %w", err)
		}
	}
	return n, err
}

func isEnd(err error) bool { return errors.Is(err, io.EOF) }

func steps(channels int) [][]int16 {
	all := make([][]int16, channels)
	for i := range all {
		all[i] = make([]int16, step)
	}
	return all
}
