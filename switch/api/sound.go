package api

import (
	"errors"
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"time"

	"ozswitch/switch/export"
)

// getPeaks gives the waveform of a call; of one that is up what there is of it.
func (v *V1) getPeaks(_ http.ResponseWriter, r *http.Request) (any, error) {
	width := 1200
	if s := r.URL.Query().Get("width"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > 20_000 {
			return nil, badRequest("width: want 1 to 20000")
		}
		width = n
	}
	c, err := v.exported(r)
	if err != nil {
		return nil, err
	}
	done, err := v.sounds.slot(r.Context())
	if err != nil {
		return nil, err
	}
	defer done()
	p, err := export.PeaksOf(c, width)
	if errors.Is(err, fs.ErrNotExist) {
		if _, live := v.Line(r.PathValue("id")); live { // none has been stored yet
			return export.Peaks{Out: []float32{}, In: []float32{}}, nil
		}
	}
	if err != nil {
		return nil, soundError(err)
	}
	return p, nil
}

// getSound gives the sound of a call: left what we said, right the caller.
func (v *V1) getSound(w http.ResponseWriter, r *http.Request) (any, error) {
	c, err := v.exported(r)
	if err != nil {
		return nil, err
	}
	done, err := v.sounds.slot(r.Context())
	if err != nil {
		return nil, err
	}
	s, err := export.SoundOf(c)
	done()
	if err != nil {
		return nil, soundError(err)
	}
	defer s.Close()
	h := w.Header()
	h.Set("Content-Type", "audio/wav")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "private, no-cache")
	h.Set("Content-Disposition", `inline; filename="call-`+c.ID+`.wav"`)
	// The length is part of the tag: the sound of a call that is up grows.
	h.Set("ETag", `"`+c.ID+"-"+strconv.FormatInt(s.Size(), 36)+`"`)
	http.ServeContent(&patient{ResponseWriter: w, c: http.NewResponseController(w)}, r, "", time.Time{}, s)
	return written{}, nil
}

func soundError(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return notFound("there is no sound of this call: see log.sound")
	}
	return err
}

// getExport writes a call in one of the forms that package export knows.
func (v *V1) getExport(kind, contentType string, write func(io.Writer, export.Call) error) func(http.ResponseWriter, *http.Request) (any, error) {
	return func(w http.ResponseWriter, r *http.Request) (any, error) {
		c, err := v.exported(r)
		if err != nil {
			return nil, err
		}
		done, err := v.sounds.slot(r.Context())
		if err != nil {
			return nil, err
		}
		defer done()
		h := w.Header()
		h.Set("Content-Type", contentType)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Disposition", `attachment; filename="call-`+c.ID+"."+kind+`"`)
		out := &patient{ResponseWriter: w, c: http.NewResponseController(w)}
		if err := write(out, c); err != nil {
			if !out.begun {
				h.Del("Content-Disposition")
				return nil, soundError(err)
			}
			v.log().Warn("api: an export was cut short", "call", c.ID, "kind", kind, "err", err)
			panic(http.ErrAbortHandler) // so that the client sees it
		}
		return written{}, nil
	}
}

// patient gives a client time for each piece of a long answer, and not for all
// of it.
type patient struct {
	http.ResponseWriter
	c     *http.ResponseController
	begun bool
}

// Write implements io.Writer.
func (p *patient) Write(b []byte) (int, error) {
	p.begun = true
	// Not every writer can: a test's, or HTTP/1.0's.
	_ = p.c.SetWriteDeadline(time.Now().Add(readTime))
	return p.ResponseWriter.Write(b)
}
